//! Which parts of a disk are written, and with what.

use std::ops::Range;

use super::extent;
use super::medium::CHUNK;

/// What is held back to the end: the partition table is in the first sector of it.
pub const HEAD: usize = 4096;
/// What is cleared at the end of the disk.
const TAIL: u64 = 1 << 20;

/// A part of the disk, and what belongs there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    place: Range<u64>,
    /// Zeros instead of the image's bytes of the same place.
    zeros: bool,
}

impl Part {
    /// The first sectors, as the image has them.
    pub fn head() -> Self {
        Self { place: 0..HEAD as u64, zeros: false }
    }

    /// The first sectors without anything in them.
    pub fn cleared_head() -> Self {
        Self { zeros: true, ..Self::head() }
    }

    /// All but the head, in the order in which it is written. The end comes first: where a card has less room than it
    /// claims, that may be another name for a place of the image, which then holds the image.
    pub fn others(image: &[u8], disk: u64) -> Vec<Self> {
        let tail = disk.saturating_sub(TAIL).max(image.len() as u64);
        let tail = Self { place: tail..disk, zeros: true };
        let body = Self { place: HEAD as u64..extent::used(image).max(HEAD) as u64, zeros: false };
        [tail, body].into_iter().filter(|part| !part.place.is_empty()).collect()
    }

    /// Its length.
    pub fn bytes(&self) -> u64 {
        self.place.end - self.place.start
    }

    /// True for a part that is cleared.
    pub fn is_cleared(&self) -> bool {
        self.zeros
    }

    /// Its pieces, none longer than [`CHUNK`]: where, and what.
    pub fn pieces<'a>(&'a self, image: &'a [u8]) -> impl Iterator<Item = (u64, Vec<u8>)> + 'a {
        let starts = self.place.clone().step_by(CHUNK);
        starts.map(|start| {
            let end = self.place.end.min(start + CHUNK as u64);
            let bytes = match self.zeros {
                true => vec![0; (end - start) as usize],
                false => image[start as usize..end as usize].to_vec(),
            };
            (start, bytes)
        })
    }
}
