//! `firmware add DIR`: takes a release from a boot partition or a checkout.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::LittleEndian;
use object::elf::FileHeader32;
use object::read::elf::{FileHeader, ProgramHeader};

use super::cache::Cache;
use super::identity::BuildIdentity;
use super::release::{Origin, Release, Variant};

/// Copies the firmware files of `folder` into the cache as `name`, or under their build date.
///
/// # Errors
/// If the folder holds no firmware, a start file of it is damaged, or the name is taken.
pub fn add(cache: &Cache, folder: &Path, name: Option<&str>) -> Result<Release> {
    let firmware = firmware_folder(folder)?;
    let files = firmware_files(&firmware)?;
    for variant in Variant::ALL {
        let start = firmware.join(variant.start_file());
        if start.is_file() {
            check_start_file(&start)?;
        }
    }
    let name = match name {
        Some(name) => name.to_owned(),
        None => build_date(&firmware)?,
    };
    let path = fs::canonicalize(&firmware).unwrap_or(firmware);
    cache.insert(&name, &files, &Origin::Folder { path })
}

/// The folder itself, its `boot/` (a checkout of raspberrypi/firmware) or its `firmware/` (a boot partition of
/// Raspberry Pi OS seen from its root).
fn firmware_folder(folder: &Path) -> Result<PathBuf> {
    if !folder.is_dir() {
        bail!("{} is not a folder", folder.display());
    }
    let places =
        [folder.to_owned(), folder.join("boot"), folder.join("firmware"), folder.join("boot/firmware")];
    let holds_start = |place: &PathBuf| Variant::ALL.iter().any(|v| place.join(v.start_file()).is_file());
    places.into_iter().find(holds_start).with_context(|| {
        format!(
            "{} holds no VideoCore firmware: no start*.elf in it, nor in its boot/ or firmware/",
            folder.display()
        )
    })
}

/// What of a boot partition is firmware, with its licence.
fn is_firmware_file(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "bootcode.bin"
        || (lower.starts_with("start") && lower.ends_with(".elf"))
        || (lower.starts_with("fixup") && lower.ends_with(".dat"))
        || lower.starts_with("licence")
        || lower.starts_with("copyright")
}

/// All firmware files of a folder, sorted by name.
///
/// # Errors
/// If the folder cannot be read.
pub fn firmware_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if is_firmware_file(&entry.file_name().to_string_lossy()) && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Refuses a file that is no ELF file or whose end is missing, as a broken copy has it.
fn check_start_file(path: &Path) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    // The section headers, which are the last thing in the file and which nobody loads, are not looked at: a file
    // that is cut short would be refused for them, with a message that does not say so.
    let parsed = FileHeader32::<LittleEndian>::parse(&*bytes)
        .and_then(|header| header.program_headers(LittleEndian, &*bytes));
    let segments = match parsed {
        Ok(segments) => segments,
        Err(error) => bail!(
            "{} is not a firmware file, or a damaged or truncated one ({} bytes): {error}",
            path.display(),
            bytes.len()
        ),
    };
    for segment in segments {
        let (offset, size) = segment.file_range(LittleEndian);
        let end = offset.saturating_add(size);
        if end > bytes.len() as u64 {
            bail!("{} is truncated: it has {} bytes and needs {end}", path.display(), bytes.len());
        }
    }
    Ok(())
}

fn build_date(folder: &Path) -> Result<String> {
    let start_files = Variant::ALL.map(|variant| folder.join(variant.start_file()));
    let mut contents = start_files.iter().filter_map(|path| fs::read(path).ok());
    let identity = contents.find_map(|content| BuildIdentity::find(&content));
    let identity = identity.with_context(|| {
        format!("the files in {} carry no build date: give the release a name with --name", folder.display())
    })?;
    Ok(identity.date)
}
