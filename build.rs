//! Says whether the standard library has locks for files: from Rust 1.89 on. With 1.88 everything is built,
//! and a log on file is not opened to write.

#![allow(clippy::print_stdout, reason = "how a build script speaks")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(std_file_lock)");
    if minor().is_some_and(|minor| minor >= 89) {
        println!("cargo::rustc-cfg=std_file_lock");
    }
}

/// The compiler's version after `1.`.
fn minor() -> Option<u32> {
    let output = Command::new(std::env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    said.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}
