//! The image that boots on the Arm, as built from this tree.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::build;

/// Both forms of the image.
#[derive(Clone, Debug)]
pub struct Image {
    /// `kernel8.img`: what is loaded.
    pub kernel: Vec<u8>,
    /// The ELF file it was made from, with symbols and log strings.
    pub elf: Vec<u8>,
    /// SHA-256 of `kernel`, hexadecimal.
    pub sha256: String,
    /// Commit it was built from, `-dirty` appended if files had changed.
    pub git: String,
}

impl Image {
    /// Builds it.
    ///
    /// # Errors
    /// If no compiler can be had, or the build fails.
    pub fn build(options: &build::Options) -> Result<Self> {
        let built = build::image(options)?;
        let read = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
        Ok(Self {
            kernel: read(&built.img)?,
            elf: read(&built.elf)?,
            sha256: built.sha256.clone(),
            git: built.git.clone(),
        })
    }
}
