//! Which disk a word on the command line names.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::device;
use super::disks::Disk;
use super::refuse::LIST;
use super::system::System;

/// The disk at this path, also behind a link such as those of `/dev/disk/by-id`.
///
/// # Errors
/// If it is no whole disk: each wrong kind with what to do instead.
pub fn find(system: &System, path: &Path) -> Result<Disk> {
    let shown = path.display();
    let real = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("{}", missing(system, path)),
        real => real.with_context(|| format!("cannot look at {shown}"))?,
    };
    let Some(name) = name(system, &real)? else { bail!("{}", other_kind(system, path, &real)?) };
    let folder = system.block(&name).with_context(|| format!("the kernel knows no disk {name} ({shown})"))?;
    if folder.join("partition").is_file() {
        let whole =
            folder.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let whole = system.dev.join(whole);
        bail!(
            "{shown} is a partition, and a board needs the partition table of the card too: `cargo xtask flash {}` \
             writes the whole card",
            whole.display()
        );
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
    if system.block(&name).filter(|_| !name.contains('/')).is_some() {
        let node = system.dev.join(path);
        return format!("there is no file {shown} here; the disk is `cargo xtask flash {}`", node.display());
    }
    let what = match fs::read_link(path) {
        Ok(to) => format!("{shown} is a link to {}, which is not there", to.display()),
        Err(_) => format!("there is no {shown}"),
    };
    format!("{what}: is the card in, and the reader plugged in? {LIST}")
}

fn other_kind(system: &System, path: &Path, real: &Path) -> Result<String> {
    let kind = fs::metadata(real)?.file_type();
    let shown = path.display();
    if kind.is_dir() {
        let mounted = system.mounts()?.into_iter().rfind(|mount| mount.point == real);
        let mounted = mounted.filter(|mount| mount.source.starts_with("/dev/"));
        let what = match mounted {
            Some(mount) => format!("a folder, on which {} is mounted", mount.source),
            None => "a folder".to_owned(),
        };
        return Ok(format!(
            "{shown} is {what}, and flash writes a whole disk: {LIST}. `cargo xtask sdcard --folder {shown}` puts the \
             card's files into the folder"
        ));
    }
    if kind.is_file() {
        return Ok(format!(
            "{shown} is a file, and flash writes a disk: `cargo xtask sdcard --out {shown}` makes a card image of that \
             name, `cargo xtask flash DEV --card {shown}` writes one to the disk DEV"
        ));
    }
    Ok(format!("{shown} is a device, but not a disk: {LIST}"))
}
