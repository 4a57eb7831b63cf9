//! Compiles the packet programs and generates their Rust side: types of tables and enums, loading, maps.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use libbpf_cargo::SkeletonBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    let sources = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../bpf");
    let skeleton = PathBuf::from(env::var("OUT_DIR")?).join("linkway.skel.rs");

    let mut arguments =
        vec!["-Wall".to_owned(), "-Wextra".to_owned(), "-Werror".to_owned(), "-mcpu=v3".to_owned()];
    arguments.extend(kernel_headers());
    SkeletonBuilder::new()
        .source(sources.join("linkway.bpf.c"))
        .clang_args(arguments)
        .build_and_generate(&skeleton)?;

    println!("cargo::rerun-if-changed={}", sources.display());
    Ok(())
}

/// Where Debian and Ubuntu keep `asm/types.h`: under the name of the machine, which clang leaves out of
/// its search path when it compiles for BPF. Other distributions have it in `/usr/include` itself.
fn kernel_headers() -> Option<String> {
    let architecture = env::var("CARGO_CFG_TARGET_ARCH").ok()?;
    let directory = format!("/usr/include/{architecture}-linux-gnu");
    Path::new(&directory).is_dir().then(|| format!("-I{directory}"))
}
