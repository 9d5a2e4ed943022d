//! Builds the image: cargo makes an ELF file, we make `kernel8.img` of it.
//!
//! Results: `target/image/kernel8.img` for the card, `target/image/kernel8.elf` for whoever decodes the log.

pub mod errata;
pub mod messages;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use object::{Object, ObjectSection, ObjectSegment};
use serde::Serialize;

use crate::digest::hex_digest;
use crate::image_store::{self, Store};
use crate::outcome::Outcome;
use crate::paths;
use crate::shell::Tool;
use crate::terminal::say;
use crate::toolchain::{Choice, TARGET, Task, Toolchain};

/// Where the firmware loads the image (`kernel_address` in config.txt, `linker.ld`).
const LOAD_ADDRESS: u64 = 0x8_0000;
/// The image must stay smaller than this, in bytes. One image carries every scenario of the catalogue, which is most of
/// it; the drivers and the basics fit a quarter.
pub const SIZE_LIMIT: usize = 512 * 1024;
/// Cargo profile of the image.
const PROFILE: &str = "image";
/// Two slow cores that build everything for the first time need three minutes.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);

/// How to build.
#[derive(Args, Clone, Debug, Default)]
// Verbs that take these beside their own have an `Options` too, and clap names a group after the type.
#[group(skip)]
pub struct Options {
    /// Which compiler builds the image.
    #[arg(long, value_enum, default_value_t)]
    pub toolchain: Choice,
    /// Which log lines are compiled into the image: a level, or levels by module as in `info,boot=debug`.
    /// Without it the variable DEFMT_LOG, without that `info`.
    #[arg(long, value_name = "FILTER")]
    pub log_level: Option<String>,
}

/// A built image.
#[derive(Clone, Debug, Serialize)]
pub struct Image {
    /// What the card carries.
    pub img: PathBuf,
    /// The same with symbols and log strings.
    pub elf: PathBuf,
    /// Bytes of `img`.
    pub bytes: usize,
    /// SHA-256 of `img`, in hexadecimal.
    pub sha256: String,
    /// Commit it was built from, `-dirty` appended if files had changed; `unknown` without git.
    pub git: String,
    /// What the image says of itself on the serial line, and the name of its ELF file in `target/image/by-id`.
    pub build: String,
    /// Cargo profile.
    pub profile: &'static str,
    /// Which compiler made it.
    pub toolchain: String,
}

/// Where [`image`] puts the file for the card.
pub fn image_path() -> PathBuf {
    paths::target().join("image/kernel8.img")
}

/// Where [`image`] puts the ELF file.
pub fn elf_path() -> PathBuf {
    paths::target().join("image/kernel8.elf")
}

/// Builds the image.
///
/// # Errors
/// If no compiler can be had, the build fails, or the image is too large.
pub fn image(options: &Options) -> Result<Image> {
    let toolchain = Toolchain::obtain(options.toolchain, Task::Build)?;
    let git = git_state();
    have_cargo(&toolchain, Task::Build, options, &git)?;

    let built = paths::target().join(TARGET).join(PROFILE).join("boot");
    let elf_bytes = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let image = flatten(&elf_bytes).with_context(|| format!("{} is not a fit image", built.display()))?;

    let (img, elf) = (image_path(), elf_path());
    write(&img, &image)?;
    write(&elf, &elf_bytes)?;
    Store::of_this_tree().keep(&elf_bytes)?;
    let sha256 = hex_digest(&image);
    Ok(Image {
        img,
        elf,
        bytes: image.len(),
        sha256,
        git,
        build: image_store::build_of(&elf_bytes).context("the linker left no build id")?.to_string(),
        profile: PROFILE,
        toolchain: toolchain.to_string(),
    })
}

/// Lints the image's own crates for their target; a warning is an error.
///
/// # Errors
/// If no compiler can be had, or a lint fires.
pub fn lint(options: &Options) -> Result<()> {
    let toolchain = Toolchain::obtain(options.toolchain, Task::Clippy)?;
    have_cargo(&toolchain, Task::Clippy, options, &git_state())
}

/// The verb `build`: builds, and says what came of it.
///
/// # Errors
/// As [`image`].
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let image = image(options)?;
    if json {
        say!("{}", serde_json::to_string(&image)?);
    } else {
        say!(
            "{}: {} of {SIZE_LIMIT} bytes, commit {}, build {}",
            image.img.display(),
            image.bytes,
            image.git,
            image.build
        );
        say!("built by {}", image.toolchain);
    }
    Ok(Outcome::Pass)
}

fn have_cargo(toolchain: &Toolchain, task: Task, options: &Options, git: &str) -> Result<()> {
    let from_variable = || std::env::var("DEFMT_LOG").ok().filter(|level| !level.is_empty());
    let level = options.log_level.clone().or_else(from_variable);
    let tool = toolchain.command(task).env("DEFMT_LOG", level.as_deref().unwrap_or("info"));
    tool.env("IMAGE_GIT", git).env("IMAGE_PROFILE", PROFILE).limit(BUILD_LIMIT).run_lines(messages::show)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// A segment up to the end of its last section: the linker fills the rest of its page.
fn without_padding<'d>(file: &object::File<'d>, address: u64, data: &'d [u8]) -> &'d [u8] {
    let inside = address..address + data.len() as u64;
    let sections = file.sections().filter(|section| inside.contains(&section.address()));
    let end = sections.map(|section| section.address() + section.size() - address).max();
    let end = end.and_then(|end| usize::try_from(end).ok()).unwrap_or(data.len());
    data.get(..end).unwrap_or(data)
}

/// SHA-256 of the `kernel8.img` that an ELF file makes, in hexadecimal.
///
/// # Errors
/// If it makes none.
pub fn sha256_of_image(elf: &[u8]) -> Result<String> {
    Ok(hex_digest(&flatten(elf)?))
}

/// The loadable bytes of an ELF file, from [`LOAD_ADDRESS`] on, gaps filled with zeros.
///
/// What the file does not hold (BSS, stacks) is not in the image either: the entry code zeroes it.
fn flatten(elf: &[u8]) -> Result<Vec<u8>> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    ensure!(file.entry() == LOAD_ADDRESS, "it enters at {:#x}, not at {LOAD_ADDRESS:#x}", file.entry());
    let mut image = Vec::new();
    for segment in file.segments() {
        let data = segment.data().context("a segment lies outside the file")?;
        let data = without_padding(&file, segment.address(), data);
        if data.is_empty() {
            continue;
        }
        let start = segment.address().checked_sub(LOAD_ADDRESS);
        let start = start.with_context(|| format!("a segment lies at {:#x}", segment.address()))?;
        let start = usize::try_from(start)?;
        let end = start.checked_add(data.len()).filter(|end| *end < SIZE_LIMIT);
        let Some(end) = end else {
            bail!("it is larger than {SIZE_LIMIT} bytes");
        };
        if image.len() < end {
            image.resize(end, 0);
        }
        image[start..end].copy_from_slice(data);
    }
    ensure!(!image.is_empty(), "it holds nothing to load");
    Ok(image)
}

/// The commit of the tree, `-dirty` appended if files that git knows have changed.
fn git_state() -> String {
    let git = |arguments: &[&str]| Tool::new("git").args(arguments).folder(paths::workspace()).read().ok();
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let suffix = if changed.is_none_or(|list| list.trim().is_empty()) { "" } else { "-dirty" };
    format!("{}{suffix}", commit.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A little-endian AArch64 ELF file with one loadable segment for each (address, bytes), entered at `entry`.
    fn elf(entry: u64, segments: &[(u64, &[u8])]) -> Vec<u8> {
        let headers = 64 + 56 * segments.len();
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend([2, 0, 183, 0, 1, 0, 0, 0]);
        file.extend(entry.to_le_bytes());
        file.extend(64u64.to_le_bytes());
        file.extend([0; 12]);
        file.extend([64, 0, 56, 0, segments.len() as u8, 0, 64, 0, 0, 0, 0, 0]);
        let mut offset = headers as u64;
        for (address, bytes) in segments {
            file.extend([1, 0, 0, 0, 7, 0, 0, 0]);
            let length = bytes.len() as u64;
            for field in [offset, *address, *address, length, length, 1] {
                file.extend(field.to_le_bytes());
            }
            offset += length;
        }
        for (_, bytes) in segments {
            file.extend(*bytes);
        }
        file
    }

    #[test]
    fn segments_land_where_they_are_linked_with_zeros_between() {
        let file = elf(0x80000, &[(0x80000, &[1, 2, 3]), (0x80008, &[4])]);
        assert_eq!(flatten(&file).unwrap(), [1, 2, 3, 0, 0, 0, 0, 0, 4]);
    }

    #[test]
    fn an_image_for_another_place_is_refused() {
        let moved = flatten(&elf(0x20_0000, &[(0x20_0000, &[1])])).unwrap_err().to_string();
        assert!(moved.contains("0x200000"), "{moved}");
        let below = flatten(&elf(0x80000, &[(0x1000, &[1])])).unwrap_err().to_string();
        assert!(below.contains("0x1000"), "{below}");
        assert!(flatten(b"MZ").is_err());
        assert!(flatten(&elf(0x80000, &[])).is_err());
    }

    #[test]
    fn an_image_that_is_too_large_is_refused() {
        let file = elf(0x80000, &[(0x80000, &[1]), (0x80000 + SIZE_LIMIT as u64, &[1])]);
        assert!(flatten(&file).unwrap_err().to_string().contains("524288"));
    }
}
