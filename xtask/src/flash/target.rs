//! Which disk a word on the command line names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::device;
use super::disks::Disk;
use super::system::System;

/// The disk at this path, also behind a link such as those of `/dev/disk/by-id`.
///
/// # Errors
/// If it is no whole disk: each wrong kind with what to do instead.
pub fn find(system: &System, path: &Path) -> Result<Disk> {
    let shown = path.display();
    let real = fs::canonicalize(path).with_context(|| missing(system, path))?;
    let Some(name) = name(system, &real)? else { bail!("{}", other_kind(path, &real)?) };
    let folder = system.block(&name).with_context(|| format!("the kernel knows no disk {name} ({shown})"))?;
    if folder.join("partition").is_file() {
        let whole =
            folder.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        bail!("{shown} is a partition; the card is the whole disk, {}", system.dev.join(whole).display());
    }
    let disk = Disk::read(system, &name)?;
    // What the node leads to is what counts, whatever its name.
    Ok(Disk { path: real, ..disk })
}

/// The kernel's name of the device at a path; `None` if it is no block device.
fn name(system: &System, real: &Path) -> Result<Option<String>> {
    let kind = fs::metadata(real).with_context(|| format!("cannot look at {}", real.display()))?;
    if let Some(number) = device::number(&kind) {
        let name = system.name_of_number(&number);
        return name.map(Some).with_context(|| format!("the kernel knows no disk {number}"));
    }
    if system.dev == Path::new("/dev") {
        return Ok(None);
    }
    // Another root than /dev holds nodes that a test made, as files.
    let below = real.strip_prefix(&system.dev).ok().map(|name| name.display().to_string());
    Ok(below.filter(|name| !name.is_empty() && system.block(name).is_some()))
}

fn missing(system: &System, path: &Path) -> String {
    let shown = path.display();
    let name = path.to_string_lossy();
    match system.block(&name).filter(|_| !name.contains('/')) {
        Some(_) => format!("there is no {shown} here; did you mean {}?", system.dev.join(path).display()),
        None => format!("there is no {shown}: is the card in? `cargo xtask flash` alone lists what there is"),
    }
}

fn other_kind(path: &Path, real: &Path) -> Result<String> {
    let kind = fs::metadata(real)?.file_type();
    let shown = path.display();
    Ok(match () {
        () if kind.is_dir() => format!(
            "{shown} is a folder: `cargo xtask sdcard --folder {shown}` puts the card's files into one"
        ),
        () if kind.is_file() => {
            format!("{shown} is a file: `cargo xtask sdcard --out {shown}` writes an image to one")
        }
        () => format!("{shown} is not a disk"),
    })
}
