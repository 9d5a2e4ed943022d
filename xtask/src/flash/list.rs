//! What `flash` without a disk shows: those that could be written, and why the others cannot.

use anyhow::Result;
use emulator::card::CARD_SIZE;
use serde::Serialize;

use super::ask::describe;
use super::contents;
use super::disks::{Bus, Disk};
use super::in_use::uses;
use super::refuse::{Refusal, refusal};
use super::system::System;
use crate::terminal::say;

/// A disk, and why it is not to be written.
#[derive(Debug, Serialize)]
pub struct Listed {
    #[serde(flatten)]
    disk: Disk,
    /// `None` for one that can be.
    refused: Option<String>,
}

/// All disks but those that are nothing at all: loop devices without a file, memory without a size.
///
/// # Errors
/// If the kernel does not tell.
pub fn list(system: &System) -> Result<Vec<Listed>> {
    let mut listed = Vec::new();
    for mut disk in Disk::all(system)? {
        if disk.bytes == 0 && disk.bus == Bus::Virtual {
            continue;
        }
        let refused = refusal(&disk, &uses(system, &disk)?, CARD_SIZE as u64, false);
        if refused.is_none() {
            // The others are left in peace: a disk may sleep, a drive may have to close its tray.
            contents::look(system, &mut disk);
        }
        listed.push(Listed { refused: refused.as_ref().map(Refusal::short), disk });
    }
    Ok(listed)
}

/// Prints them: first those that can be written.
///
/// # Errors
/// As [`list`].
pub fn print(system: &System, json: bool) -> Result<()> {
    let listed = list(system)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&serde_json::json!({ "disks": listed }))?);
        return Ok(());
    }
    let (refused, offered): (Vec<_>, Vec<_>) = listed.iter().partition(|listed| listed.refused.is_some());
    match offered.first() {
        None => say!("There is no card here that could be written. Put one in, and type the same again."),
        Some(first) => {
            say!("`cargo xtask flash {}` writes a card, and asks before:", first.disk.path.display())
        }
    }
    for listed in &offered {
        say!("{}", describe(&listed.disk));
    }
    if !refused.is_empty() {
        say!("Not written are:");
    }
    for listed in &refused {
        let why = listed.refused.as_deref().unwrap_or_default();
        say!("  {}: {why}", listed.disk.path.display());
    }
    Ok(())
}
