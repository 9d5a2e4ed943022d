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
    let families: Vec<Family> =
        families.iter().copied().filter(|family| family.joins(release, variant)).collect();
    let (optional, needed): (Vec<&Family>, Vec<&Family>) =
        families.iter().partition(|family| family.is_optional);
    let of = |families: Vec<&Family>| -> Result<Vec<CardFile>> {
        let names = families.into_iter().flat_map(|family| family.names(variant));
        names.map(|name| Ok(CardFile::new(name, release.read(name)?))).collect()
    };
    let mut files = of(needed)?;
    files.push(CardFile::new(CONFIG, config(&families, variant)?));
    files.push(CardFile::new(COMMAND_LINE, command_line(plan)));
    files.push(CardFile::new(KERNEL, kernel));
    if let Some(licence) = release.licence()? {
        files.push(CardFile::new(LICENCE, licence));
    }
    files.extend(of(optional)?);
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
    // The oldest family last: of lines that a second stage takes from sections not its own, the last one counts, and it
    // is the Pi 3's that is read from the card and could know fewer sections.
    for family in families.iter().rev() {
        let (start, fixup) = ((family.start_file)(variant), (family.fixup_file)(variant));
        for section in family.sections {
            writeln!(config, "{section}\nstart_file={start}\nfixup_file={fixup}")?;
        }
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
    const PI_4_FILES: [&str; 2] = ["start4.elf", "fixup4.dat"];

    const PI_3_LINES: &str = "[pi3]\nstart_file=start.elf\nfixup_file=fixup.dat\n\
                              [pi02]\nstart_file=start.elf\nfixup_file=fixup.dat\n";

    fn lines_of_variant(config: &str) -> &str {
        config.split_once("the firmware variant.\n").unwrap().1
    }

    #[test]
    fn a_release_without_the_files_of_the_pi_4_makes_a_card_for_the_others() {
        let folder = Scratch::new("licence");
        // Half of a family serves nobody.
        let without = release(&folder, &[&PI_3_FILES[..], &["start4.elf"]].concat());
        let expected = [&PI_3_FILES[..], &[CONFIG, COMMAND_LINE, KERNEL]].concat();
        assert_eq!(names_on_card(ON_CARD, &without), expected);
        folder.file(LICENCE, "text");
        assert_eq!(names_on_card(ON_CARD, &without), [&expected[..], &[LICENCE]].concat());
        let files = files(&without, Variant::Start, &Plan::default(), b"image").unwrap();
        assert_eq!(boards(&files), ON_CARD[0].boards);
        let config = String::from_utf8(files[3].content.clone()).unwrap();
        assert_eq!(lines_of_variant(&config), PI_3_LINES);
    }

    #[test]
    fn one_card_has_the_files_of_both_families_and_each_reads_its_own() {
        let folder = Scratch::new("families");
        let release = release(&folder, &[&PI_3_FILES[..], &PI_4_FILES].concat());
        let card = assemble(&release, Variant::Start, &Plan::default(), b"image").unwrap();
        for name in PI_3_FILES.iter().chain(&PI_4_FILES) {
            assert_eq!(card.read_file(name).unwrap(), name.as_bytes());
        }
        assert_eq!(card.read_file(KERNEL).unwrap(), b"image");
        let config = String::from_utf8(card.read_file(CONFIG).unwrap()).unwrap();
        let pi_4_lines = "[pi4]\nstart_file=start4.elf\nfixup_file=fixup4.dat\n";
        assert_eq!(lines_of_variant(&config), [pi_4_lines, PI_3_LINES].concat());
        let files = files(&release, Variant::Start, &Plan::default(), b"image").unwrap();
        assert!(boards(&files).contains("Zero 2 W; 4B, 400, CM4 (") && boards(&files).contains("`skip`"));
    }

    #[test]
    fn every_variant_has_its_own_files_for_each_family() {
        for family in ON_CARD {
            let mut names: Vec<_> = Variant::ALL.iter().flat_map(|variant| family.names(*variant)).collect();
            names.retain(|name| family.second_stage != Some(name));
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), 2 * Variant::ALL.len(), "{}", family.boards);
        }
    }

    /// A second stage that passes over sections would take every line: the last one must be its own.
    #[test]
    fn a_pi_3_that_knew_no_sections_would_still_load_its_own_firmware() {
        for variant in Variant::ALL {
            let config = config(ON_CARD, variant).unwrap();
            let last = |key| config.lines().rev().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
            assert_eq!(last("start_file="), variant.start_file());
            assert_eq!(last("fixup_file="), variant.fixup_file());
        }
    }

    /// Another family is one more constant.
    #[test]
    fn a_family_that_joins_later_has_its_files_and_its_section() {
        let folder = Scratch::new("third-family");
        let release =
            release(&folder, &[&PI_3_FILES[..], &PI_4_FILES, &["start6.elf", "fixup6.dat"]].concat());
        let third = Family {
            boards: "6",
            note: None,
            second_stage: None,
            start_file: |_| "start6.elf",
            fixup_file: |_| "fixup6.dat",
            sections: &["[pi6]"],
            is_optional: true,
        };
        let families = [ON_CARD, &[third]].concat();
        let names = names_on_card(&families, &release);
        let expected =
            [&PI_3_FILES[..], &[CONFIG, COMMAND_LINE, KERNEL], &PI_4_FILES, &["start6.elf", "fixup6.dat"]];
        assert_eq!(names, expected.concat());
        let config = config(&families, Variant::Start).unwrap();
        let third_lines = "[pi6]\nstart_file=start6.elf\nfixup_file=fixup6.dat\n[pi4]\n";
        assert!(lines_of_variant(&config).starts_with(third_lines), "{config}");
    }
}
