//! The packet programs in `bpf/`, as the build generates them: [`LinkwaySkelBuilder`] opens and loads them,
//! [`types`] are the keys, values and enums of their tables (`bpf/layout.h` documents each field).

#![expect(unused_qualifications, clippy::unwrap_used, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/linkway.skel.rs"));
