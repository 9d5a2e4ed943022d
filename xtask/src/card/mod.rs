//! The SD card that `run` boots and `sdcard` writes: which files it holds, and what is in those we write.

mod families;

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};
use emulator::card::{Card, CardFile};
use harness::Plan;

use crate::firmware::{Release, Variant};
use crate::paths;
use families::{Family, ON_CARD};
pub use families::{boards, is_second_stage};

/// Name of our image on the card. `config.txt` names it too.
pub const KERNEL: &str = "kernel8.img";
/// What the firmware reads before it starts the image.
pub const CONFIG: &str = "config.txt";
/// What the image is told to do.
pub const COMMAND_LINE: &str = "cmdline.txt";
/// The firmware's licence, by the name that Raspberry Pi's own boot partitions give it.
pub const LICENCE: &str = "LICENCE.broadcom";

/// All files of a card, in the order in which they are written.
///
/// # Errors
/// If the release lacks a file that the variant needs, or `config.txt` cannot be read.
pub fn files(release: &Release, variant: Variant, plan: &Plan, kernel: &[u8]) -> Result<Vec<CardFile>> {
    files_for(ON_CARD, release, variant, plan, kernel)
}

fn files_for(
    families: &[Family],
    release: &Release,
    variant: Variant,
    plan: &Plan,
    kernel: &[u8],
) -> Result<Vec<CardFile>> {
    let mut files = Vec::new();
    for family in families {
        let names =
            [family.second_stage, Some((family.start_file)(variant)), Some((family.fixup_file)(variant))];
        for name in names.into_iter().flatten() {
            files.push(CardFile::new(name, release.read(name)?));
        }
    }
    files.push(CardFile::new(CONFIG, config(families, variant)?));
    files.push(CardFile::new(COMMAND_LINE, command_line(plan)));
    files.push(CardFile::new(KERNEL, kernel));
    if let Some(licence) = release.licence()? {
        files.push(CardFile::new(LICENCE, licence));
    }
    Ok(files)
}

/// Puts a card together.
///
/// # Errors
/// As [`files`], and if the files do not fit.
pub fn assemble(release: &Release, variant: Variant, plan: &Plan, kernel: &[u8]) -> Result<Card> {
    build(&files(release, variant, plan, kernel)?)
}

/// A card with these files.
///
/// # Errors
/// If they do not fit.
pub fn build(files: &[CardFile]) -> Result<Card> {
    Card::build(files).context("making the SD card")
}

/// A card for the model: image, command line and the tree's `config.txt`.
///
/// # Errors
/// If `config.txt` cannot be read, or the files do not fit.
pub fn without_firmware(plan: &Plan, kernel: &[u8]) -> Result<Card> {
    build(&[
        CardFile::new(CONFIG, config_of_tree()?),
        CardFile::new(COMMAND_LINE, command_line(plan)),
        CardFile::new(KERNEL, kernel),
    ])
}

fn command_line(plan: &Plan) -> String {
    format!("{plan}\n")
}

/// The tree's `config.txt`.
fn config_of_tree() -> Result<String> {
    let path = paths::workspace().join(CONFIG);
    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

/// The tree's `config.txt`, with the lines that choose the variant.
fn config(families: &[Family], variant: Variant) -> Result<String> {
    let mut config = config_of_tree()?;
    if !config.ends_with('\n') {
        config.push('\n');
    }
    writeln!(config, "\n# Written by cargo xtask: the firmware variant.")?;
    for family in families {
        // A section ends whatever filter the lines before it have.
        let (start, fixup) = ((family.start_file)(variant), (family.fixup_file)(variant));
        writeln!(config, "{}\nstart_file={start}\nfixup_file={fixup}", family.section)?;
    }
    Ok(config)
}

/// The name under which the firmware looks for our image on this card: the last `kernel=` of its `config.txt`.
pub fn kernel_name(card: &Card) -> String {
    let config = card.read_file(CONFIG).unwrap_or_default();
    let config = String::from_utf8_lossy(&config);
    let mut names = config.lines().filter_map(|line| line.trim().strip_prefix("kernel="));
    names.next_back().unwrap_or(KERNEL).trim().to_owned()
}

/// What the image will do on this card, if its `cmdline.txt` can be read and the image would take it.
pub fn plan(card: &Card) -> Option<Plan> {
    let command_line = card.read_file(COMMAND_LINE).ok()?;
    Plan::parse(&command_line).ok().map(|parsed| parsed.plan)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::firmware::Origin;
    use crate::scratch::Scratch;

    /// The second family, as it will be once the image drives it.
    const PI_4: Family = Family {
        boards: "4B, 400, CM4",
        second_stage: None,
        start_file: |_| "start4.elf",
        fixup_file: |_| "fixup4.dat",
        section: "[pi4]",
    };

    /// A release of files that hold their own names.
    fn release(folder: &Scratch, names: &[&str]) -> Release {
        for name in names {
            folder.file(name, name);
        }
        let origin = Origin::Folder { path: PathBuf::new() };
        Release { name: "sample".into(), folder: folder.path.clone(), origin }
    }

    fn names_on_card(families: &[Family], release: &Release) -> Vec<String> {
        let files = files_for(families, release, Variant::Start, &Plan::default(), b"image").unwrap();
        files.into_iter().map(|file| file.name).collect()
    }

    const PI_3_FILES: [&str; 3] = ["bootcode.bin", "start.elf", "fixup.dat"];

    #[test]
    fn a_card_has_what_its_boards_read_and_the_licence_that_came_with_it() {
        let folder = Scratch::new("licence");
        let without = release(&folder, &[&PI_3_FILES[..], &["start4.elf"]].concat());
        let expected = [&PI_3_FILES[..], &[CONFIG, COMMAND_LINE, KERNEL]].concat();
        assert_eq!(names_on_card(ON_CARD, &without), expected);
        folder.file(LICENCE, "text");
        assert_eq!(names_on_card(ON_CARD, &without), [&expected[..], &[LICENCE]].concat());
    }

    #[test]
    fn another_family_joins_with_its_files_and_a_section_of_its_own() {
        let folder = Scratch::new("families");
        let release = release(&folder, &[&PI_3_FILES[..], &["start4.elf", "fixup4.dat"]].concat());
        let families = [ON_CARD[0], PI_4];
        let names = names_on_card(&families, &release);
        assert_eq!(names[..5], ["bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat"]);
        let config = config(&families, Variant::Start).unwrap();
        let (_, written) = config.split_once("the firmware variant.\n").unwrap();
        let expected = "[all]\nstart_file=start.elf\nfixup_file=fixup.dat\n\
                        [pi4]\nstart_file=start4.elf\nfixup_file=fixup4.dat\n";
        assert_eq!(written, expected);
    }
}
