//! The SD card that `run` boots and `sdcard` writes: which files it holds, and what is in those we write.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use emulator::card::{Card, CardFile};
use harness::Plan;

use crate::firmware::{Release, Variant};
use crate::paths;

/// Name of our image on the card. `config.txt` names it too.
pub const KERNEL: &str = "kernel8.img";
/// What runs on the VPU before the start file: a board needs it on the card, the emulator does its work itself.
const SECOND_STAGE: &str = "bootcode.bin";

/// Puts a card together.
///
/// # Errors
/// If the release lacks a file that the variant needs, or the files do not fit.
pub fn assemble(release: &Release, variant: Variant, plan: &Plan, kernel: &[u8]) -> Result<Card> {
    let mut files = vec![
        CardFile::new(SECOND_STAGE, release.read(SECOND_STAGE)?),
        CardFile::new(variant.start_file(), release.read(variant.start_file())?),
        CardFile::new(variant.fixup_file(), release.read(variant.fixup_file())?),
    ];
    files.push(CardFile::new("config.txt", config(variant)?));
    files.push(CardFile::new("cmdline.txt", format!("{plan}\n")));
    files.push(CardFile::new(KERNEL, kernel));
    Card::build(&files).context("making the SD card")
}

/// A card for the model: image, command line and the tree's `config.txt`.
///
/// # Errors
/// If `config.txt` cannot be read, or the files do not fit.
pub fn without_firmware(plan: &Plan, kernel: &[u8]) -> Result<Card> {
    let files = [
        CardFile::new("config.txt", config_of_tree()?),
        CardFile::new("cmdline.txt", format!("{plan}\n")),
        CardFile::new(KERNEL, kernel),
    ];
    Card::build(&files).context("making the SD card")
}

/// The tree's `config.txt`.
fn config_of_tree() -> Result<String> {
    let path = paths::workspace().join("config.txt");
    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

/// The tree's `config.txt`, with the lines that choose the variant.
fn config(variant: Variant) -> Result<String> {
    let mut config = config_of_tree()?;
    if !config.ends_with('\n') {
        config.push('\n');
    }
    // `[all]` ends whatever filter the file's last section has.
    let (start, fixup) = (variant.start_file(), variant.fixup_file());
    writeln!(config, "\n# Written by cargo xtask: the firmware variant.\n[all]")?;
    writeln!(config, "start_file={start}\nfixup_file={fixup}")?;
    Ok(config)
}

/// The name under which the firmware looks for our image on this card: the last `kernel=` of its `config.txt`.
pub fn kernel_name(card: &Card) -> String {
    let config = card.read_file("config.txt").unwrap_or_default();
    let config = String::from_utf8_lossy(&config);
    let mut names = config.lines().filter_map(|line| line.trim().strip_prefix("kernel="));
    names.next_back().unwrap_or(KERNEL).trim().to_owned()
}

/// What the image will do on this card, if its `cmdline.txt` can be read and the image would take it.
pub fn plan(card: &Card) -> Option<Plan> {
    let command_line = card.read_file("cmdline.txt").ok()?;
    Plan::parse(&command_line).ok().map(|parsed| parsed.plan)
}
