//! `cargo xtask sdcard`: the card that `run` boots, as the file of an image or as files in a folder.

mod folder;
mod image;
mod list;
#[cfg(target_os = "linux")]
mod place;
#[cfg(not(target_os = "linux"))]
#[path = "place_elsewhere.rs"]
mod place;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use emulator::card::CardFile;

use crate::cli::CardOptions;
use crate::digest::hex_digest;
use crate::interrupt::Notice;
use crate::outcome::Outcome;
use crate::terminal::say;
use crate::{card, paths, run};

/// Options of `sdcard`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Options {
    #[command(flatten)]
    pub card: CardOptions,
    /// Write the image to this file instead of target/sdcard.img.
    #[arg(long, value_name = "FILE", conflicts_with = "folder")]
    pub out: Option<PathBuf>,
    /// Put the files into this folder instead of an image: the mounted boot partition of a card, or a TFTP root.
    ///
    /// A file that is there and was not written by this command is kept, with .bak behind its name.
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Let the files of the TFTP root in --folder be for the board with this serial number alone.
    ///
    /// All but bootcode.bin then go into a folder of that name: the last 8 hexadecimal digits of the number.
    #[arg(long, value_name = "SERIAL", requires = "folder", value_parser = serial)]
    pub serial: Option<String>,
}

/// Writes the card.
///
/// # Errors
/// If the card cannot be made or written. Nothing half-written is left under a name of ours then.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    match &options.folder {
        Some(folder) => into_folder(options, folder, json),
        None => as_image(options, json),
    }
}

fn as_image(options: &Options, json: bool) -> Result<Outcome> {
    let path = options.out.clone().unwrap_or_else(|| paths::target().join("sdcard.img"));
    let path = image::check_target(&path)?;
    let (files, _) = run::make_files(&options.card)?;
    let card = card::build(&files)?;
    image::write(&path, card.image(), &Notice::of_interrupts()?)?;
    warn_without_licence(&files);
    if json {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let sha256 = hex_digest(card.image());
        let bytes = card.image().len();
        say!("{}", serde_json::json!({ "file": path, "bytes": bytes, "sha256": sha256, "files": names }));
        return Ok(Outcome::Pass);
    }
    say!("{}: {} MiB, the card that `cargo xtask run` boots", path.display(), card.image().len() >> 20);
    say!("for boards: {}", card::boards(&files));
    Ok(Outcome::Pass)
}

fn into_folder(options: &Options, folder: &Path, json: bool) -> Result<Outcome> {
    folder::check(folder)?;
    let (files, _) = run::make_files(&options.card)?;
    let placed = folder::write(folder, options.serial.as_deref(), &files, &Notice::of_interrupts()?)?;
    warn_without_licence(&files);
    if options.serial.is_none() && place::is_no_boot_partition(folder) {
        eprintln!(
            "{} is the root of a file system that is not FAT: no board starts from it as a card, only over the network.",
            folder.display()
        );
    }
    if json {
        say!("{}", serde_json::json!({ "folder": folder, "files": placed.files, "undo": placed.undo }));
        return Ok(Outcome::Pass);
    }
    for file in &placed.files {
        say!("{file}");
    }
    say!("for boards: {}", card::boards(&files));
    if !placed.undo.is_empty() {
        say!(
            "{} of what was there before are kept under other names. If they start another system, such as Raspberry Pi OS, \
             it starts again from this card after:",
            placed.undo.len()
        );
        placed.undo.iter().for_each(|command| say!("  {command}"));
    }
    Ok(Outcome::Pass)
}

/// A release that was added from a folder need not have its licence with it.
fn warn_without_licence(files: &[CardFile]) {
    if !files.iter().any(|file| file.name == card::LICENCE) {
        eprintln!(
            "The firmware release has no licence text, so the card has none: whoever passes the card on must add it."
        );
    }
}

/// The name of the folder in which a board looks: the lower half of its serial number, in small letters.
fn serial(text: &str) -> Result<String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if !digits.chars().all(|digit| digit.is_ascii_hexdigit()) || ![8, 16].contains(&digits.len()) {
        bail!("a serial number has 8 hexadecimal digits, or 16 as /proc/cpuinfo of a Pi shows it");
    }
    Ok(digits[digits.len() - 8..].to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_its_last_eight_digits() {
        assert_eq!(serial("00000000A1B2C3D4").unwrap(), "a1b2c3d4");
        assert_eq!(serial("0xa1b2c3d4").unwrap(), "a1b2c3d4");
        for wrong in ["", "a1b2c3d", "a1b2c3d4e5", "../../etc", "a1b2c3dg", "ä1b2c3d"] {
            assert!(serial(wrong).is_err(), "{wrong}");
        }
    }
}
