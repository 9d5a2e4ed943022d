//! Hands the linker the memory map and defmt's section script, for the bare-metal target only.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=../linker.ld");
    let target_os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if target_os != "none" {
        return;
    }
    let manifest = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let script = Path::new(&manifest).join("../linker.ld");
    println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    // Log strings live in a section that is kept in the ELF and never loaded.
    println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    // Erratum 843419 of the Cortex-A53: the linker rewrites the ADRP sequences it concerns.
    println!("cargo::rustc-link-arg-bins=--fix-cortex-a53-843419");
    println!("cargo::rustc-link-arg-bins=-zmax-page-size=4096");
    // A hash of the whole ELF file, log strings included: the image tells it, so that the right file decodes its log.
    println!("cargo::rustc-link-arg-bins=--build-id=sha1");
}
