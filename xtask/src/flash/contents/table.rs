//! Partition tables, for disks whose table the kernel has not read.

use serde::Serialize;

use super::view::View;

/// What divides a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// A master boot record.
    Mbr,
    /// A GUID partition table.
    Gpt,
}

impl Table {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mbr => "MBR",
            Self::Gpt => "GPT",
        }
    }
}

/// An entry of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its number, from 1 on.
    pub number: u64,
    /// Where it begins, in bytes.
    pub start: u64,
    /// Its length.
    pub bytes: u64,
}

/// The table on a disk with sectors of this size. A GPT is also known by the copy at its end.
///
/// Behind an MBR that does not announce it, a GPT is a remainder: whoever made the MBR did not clear it, and the kernel
/// passes over it.
pub fn table(disk: View<'_>, sector: u64) -> Option<(Table, Vec<Entry>)> {
    let mbr = mbr(disk, sector);
    let last = (disk.bytes() / sector.max(1)).saturating_sub(1);
    if mbr.is_none() || announces_gpt(disk) {
        let gpt = [1, last].into_iter().find_map(|header| gpt(disk, sector, header));
        if let Some(entries) = gpt {
            return Some((Table::Gpt, entries));
        }
    }
    mbr.map(|entries| (Table::Mbr, entries))
}

/// Whether an MBR has an entry that stands for a GPT, alone or among others.
fn announces_gpt(disk: View<'_>) -> bool {
    const OF_GPT: u8 = 0xee;
    disk.read(446, 64).is_some_and(|entries| entries.chunks(16).any(|entry| entry[4] == OF_GPT))
}

/// A header whose fields lead nowhere is a table all the same, of nothing.
fn gpt(disk: View<'_>, sector: u64, header: u64) -> Option<Vec<Entry>> {
    let header = header.checked_mul(sector)?;
    disk.has(header, b"EFI PART").then(|| gpt_entries(disk, sector, header).unwrap_or_default())
}

fn gpt_entries(disk: View<'_>, sector: u64, header: u64) -> Option<Vec<Entry>> {
    /// More than any tool makes.
    const MOST: u64 = 256;
    let first = disk.number(header + 72, 8)?.checked_mul(sector)?;
    let size = disk.number(header + 84, 4)?.clamp(128, 4096);
    let count = disk.number(header + 80, 4)?.min(MOST);
    let entry = |index: u64| {
        let at = first.checked_add(index * size)?;
        let is_used = disk.read(at, 16)?.iter().any(|byte| *byte != 0);
        let (start, end) = (disk.number(at + 32, 8)?, disk.number(at + 40, 8)?.checked_add(1)?);
        let bytes = end.checked_sub(start)?.checked_mul(sector)?;
        is_used.then_some(Entry { number: index + 1, start: start.checked_mul(sector)?, bytes })
    };
    Some((0..count).filter_map(entry).collect())
}

/// The four primary entries: of an extended partition what it takes, not what is in it.
fn mbr(disk: View<'_>, sector: u64) -> Option<Vec<Entry>> {
    let bytes = disk.read(0, 512)?;
    let is_table =
        bytes[510..] == [0x55, 0xaa] && bytes[446..510].chunks(16).all(|entry| entry[0] & 0x7f == 0);
    let long = |entry: &[u8], at: usize| {
        u64::from(u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]))
    };
    let entries = (1..).zip(bytes[446..510].chunks_exact(16)).filter(|(_, entry)| entry[4] != 0);
    let entries: Vec<Entry> = entries
        .map(|(number, entry)| Entry {
            number,
            start: long(entry, 8) * sector,
            bytes: long(entry, 12) * sector,
        })
        .filter(|entry| entry.bytes > 0)
        .collect();
    // Without an entry it may be any boot code; a new table has none.
    let is_new = bytes[..440].iter().all(|byte| *byte == 0);
    (is_table && (is_new || !entries.is_empty())).then_some(entries)
}
