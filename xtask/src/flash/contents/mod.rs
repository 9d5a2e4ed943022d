//! What is on a disk, for the person who is about to lose it.
//!
//! The bytes themselves are asked first, since udev may not run, and may not have looked since they changed. udev is asked
//! for what is not recognised here, and for disks that may not be read.

mod signature;
mod table;
mod view;

use std::fs::File;
use std::io::ErrorKind;

use serde::Serialize;

use super::disks::{Disk, Partition, signature_by_udev};
use super::system::System;
use signature::has_boot_sector;
pub use signature::{Signature, signature};
pub use table::Table;
use table::{Entry, table};
use view::View;

/// So much at the start and at the end has to be zeros for a disk to count as blank.
const EDGE: u64 = 1 << 20;

/// What can be said of a disk as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Nobody has looked.
    Unseen,
    /// This user may not look.
    Denied,
    /// Its first and its last MiB are zeros.
    Blank,
    /// Something that nothing here recognises.
    Unknown,
    /// It has a partition table, or a signature.
    Known,
}

/// Looks at a disk and at its partitions. What cannot be read stays as udev told it.
pub fn look(system: &System, disk: &mut Disk) {
    let own = signature_by_udev(system, &disk.number);
    let file = match File::open(&disk.path) {
        Ok(file) => file,
        Err(error) => {
            let denied = error.kind() == ErrorKind::PermissionDenied;
            disk.content = if denied { Content::Denied } else { Content::Unseen };
            return conclude(disk, own);
        }
    };
    let view = View::whole(&file, disk.bytes);
    let found = signature(view);
    // A boot sector ends like an MBR; the kernel tells the two apart. A GPT says what it is.
    let has_boot_sector = found.as_ref().is_some_and(|found| has_boot_sector(&found.kind));
    let is_no_table = |kind| kind == Table::Mbr && has_boot_sector && disk.partitions.is_empty();
    if let Some((kind, entries)) = table(view, disk.sector_bytes).filter(|(kind, _)| !is_no_table(*kind)) {
        disk.table = Some(kind);
        if disk.partitions.is_empty() {
            disk.partitions = entries.iter().map(|entry| partition(&disk.name, entry)).collect();
        }
    }
    for partition in &mut disk.partitions {
        let found = signature(view.part(partition.start, partition.bytes));
        let known = Signature::of(partition.file_system.take(), partition.label.take());
        (partition.file_system, partition.label) = merged(found, known);
    }
    disk.content = if is_blank(view) { Content::Blank } else { Content::Unknown };
    conclude(disk, merged_signature(found, own));
}

fn conclude(disk: &mut Disk, found: Option<Signature>) {
    if disk.table.is_some() || found.is_some() || !disk.partitions.is_empty() {
        disk.content = Content::Known;
    }
    (disk.file_system, disk.label) = Signature::parts(found);
}

/// An entry as the kernel would name it.
fn partition(disk: &str, entry: &Entry) -> Partition {
    let between = if disk.ends_with(|last: char| last.is_ascii_digit()) { "p" } else { "" };
    let name = format!("{disk}{between}{}", entry.number);
    Partition { name, start: entry.start, bytes: entry.bytes, label: None, file_system: None }
}

fn merged(found: Option<Signature>, known: Option<Signature>) -> (Option<String>, Option<String>) {
    Signature::parts(merged_signature(found, known))
}

/// What was read, with the label that udev has for the same thing if none was found.
fn merged_signature(found: Option<Signature>, known: Option<Signature>) -> Option<Signature> {
    match (found, known) {
        (Some(mut found), Some(known)) if found.kind == known.kind => {
            found.label = found.label.or(known.label);
            Some(found)
        }
        (found, known) => found.or(known),
    }
}

fn is_blank(disk: View<'_>) -> bool {
    let edge = EDGE.min(disk.bytes());
    let is_zeros = |at| disk.read(at, edge as usize).is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
    is_zeros(0) && is_zeros(disk.bytes() - edge)
}
