#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| linkway_untrusted::signature(bytes));
