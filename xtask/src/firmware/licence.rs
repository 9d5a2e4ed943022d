//! The licence note, shown when the first firmware files enter the cache.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const NOTE: &str = "\
Licence: the firmware is Broadcom's and Raspberry Pi's, not part of this project. It may only be used for the
purposes of developing for, running or using a Raspberry Pi device, and be passed on only unmodified and with its
notice. The licence text that came with the files stands beside them in the cache:";

/// Shows the note once a cache.
///
/// # Errors
/// If the mark that it was shown cannot be written.
pub fn show_once(cache: &Path) -> Result<()> {
    let mark = cache.join("licence-note-shown");
    if mark.exists() {
        return Ok(());
    }
    eprintln!("{NOTE}\n{}", cache.display());
    fs::write(&mark, NOTE).with_context(|| format!("writing {}", mark.display()))
}
