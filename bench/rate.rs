//! How often something runs a second, on one core: of the thread's own CPU time, so that what else the machine does
//! counts little.

use std::fs;
use std::hint::black_box;

/// Runs it for a second and prints how often it ran.
pub(crate) fn report<T>(name: &str, mut run: impl FnMut() -> T) {
    let (mut count, start) = (0_u64, cpu_nanoseconds());
    let elapsed = loop {
        for _ in 0..1000 {
            black_box(run());
        }
        count += 1000;
        let elapsed = cpu_nanoseconds() - start;
        if elapsed > 1_000_000_000 {
            break elapsed as f64;
        }
    };
    println!(
        "{name:20} {:>12.0} a second {:>8.0} ns each",
        count as f64 * 1e9 / elapsed,
        elapsed / count as f64
    );
}

/// What the thread has had of a CPU. Source: the first field of `schedstat` in the kernel's
/// `Documentation/scheduler/sched-stats.rst`.
fn cpu_nanoseconds() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel counts");
    text.split(' ').next().and_then(|field| field.parse().ok()).expect("its first field is a number")
}
