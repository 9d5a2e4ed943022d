//! What is written and read back: a block device, or what a test puts in its place.

use std::io;

use serde::Serialize;

/// Most that is written or read at a time.
pub const CHUNK: usize = 1 << 20;

/// Where the bytes of [`Medium::read_at`] come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// From the medium, past the page cache.
    Direct,
    /// Through the page cache, which was asked to forget what it had; that it did is not certain.
    Cached,
}

/// Storage of a fixed size. Offsets and lengths are multiples of its sectors, lengths at most [`CHUNK`].
pub trait Medium {
    /// Its size.
    fn bytes(&self) -> u64;

    /// How it is read.
    fn reading(&self) -> Reading;

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// What the system says.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Fills `bytes` from the medium itself, not from what the system remembers of it.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Returns once everything written is on the medium.
    ///
    /// # Errors
    /// What the system says.
    fn settle(&mut self) -> io::Result<()>;
}
