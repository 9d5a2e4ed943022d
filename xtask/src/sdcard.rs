//! `cargo xtask sdcard`: the card that `run` boots, as a file.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::cli::SdcardOptions;
use crate::outcome::Outcome;
use crate::terminal::say;
use crate::{paths, run};

/// Writes the card.
///
/// # Errors
/// If the card cannot be made or written.
pub fn write(options: &SdcardOptions, json: bool) -> Result<Outcome> {
    let (card, _) = run::make_card(&options.card)?;
    let path = options.out.clone().unwrap_or_else(|| paths::target().join("sdcard.img"));
    write_sparse(&path, card.image()).with_context(|| format!("writing {}", path.display()))?;
    if json {
        say!("{}", serde_json::json!({ "file": path, "bytes": card.image().len() }));
    } else {
        say!("{}: {} MiB, the card that `cargo xtask run` boots", path.display(), card.image().len() >> 20);
    }
    Ok(Outcome::Pass)
}

/// Writes only the blocks that hold something: the rest of a new file reads as zeros.
fn write_sparse(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    const BLOCK: usize = 64 * 1024;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    for (number, block) in bytes.chunks(BLOCK).enumerate() {
        if block.iter().any(|byte| *byte != 0) {
            file.seek(SeekFrom::Start((number * BLOCK) as u64))?;
            file.write_all(block)?;
        }
    }
    file.set_len(bytes.len() as u64)
}
