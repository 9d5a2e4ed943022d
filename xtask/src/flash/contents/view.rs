//! A stretch of a disk to be read at places.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// A whole disk, or a partition of it. What lies behind its end, or cannot be read, is not there.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    disk: &'a File,
    /// Where it begins on the disk.
    start: u64,
    /// Its length.
    bytes: u64,
}

impl<'a> View<'a> {
    /// All of a disk of this size.
    pub fn whole(disk: &'a File, bytes: u64) -> Self {
        Self { disk, start: 0, bytes }
    }

    /// A part of it; as much of that as there is.
    pub fn part(self, start: u64, bytes: u64) -> Self {
        let start = start.min(self.bytes);
        Self { disk: self.disk, start: self.start + start, bytes: bytes.min(self.bytes - start) }
    }

    /// Its length.
    pub fn bytes(self) -> u64 {
        self.bytes
    }

    /// These bytes.
    pub fn read(self, at: u64, length: usize) -> Option<Vec<u8>> {
        let end = at.checked_add(length as u64)?;
        if end > self.bytes {
            return None;
        }
        let mut bytes = vec![0; length];
        self.disk.read_exact_at(&mut bytes, self.start.checked_add(at)?).ok()?;
        Some(bytes)
    }

    /// Whether these bytes are there.
    pub fn has(self, at: u64, bytes: &[u8]) -> bool {
        self.read(at, bytes.len()).is_some_and(|read| read == bytes)
    }

    /// A little-endian number of up to eight bytes.
    pub fn number(self, at: u64, length: usize) -> Option<u64> {
        let bytes = self.read(at, length.min(8))?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}
