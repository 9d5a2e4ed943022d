//! What is written and read back: a block device, or what a test puts in its place.

use std::io;

/// Most that is written or read at a time.
pub const CHUNK: usize = 1 << 20;

/// Storage of a fixed size. Offsets and lengths are multiples of its sectors, lengths at most [`CHUNK`].
pub trait Medium {
    /// Its size.
    fn bytes(&self) -> u64;

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
