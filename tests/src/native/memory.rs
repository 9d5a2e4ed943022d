//! Stretches of the memory to lend, for several blocks at a time.

use vchiq_mbox::{BusAddress, bulk::BulkMemory, platform::Window};
use vcsm::Lend;

use super::NativeLendable;

const PAGE: usize = 4096;

/// A stretch; whoever has it is the only one to touch it.
pub struct Piece<'a> {
    memory: &'a NativeLendable,
    offset: usize,
    size: usize,
}

impl<'a> Piece<'a> {
    /// `size` bytes, from the start of a page.
    pub fn new(memory: &'a NativeLendable, page: usize, size: usize) -> Self {
        Self { memory, offset: page * PAGE, size }
    }

    /// Stores a word for each word, by its offset.
    pub fn fill(&self, word: impl Fn(usize) -> u32) {
        for at in (0..self.size).step_by(4) {
            self.memory.store(self.offset + at, word(at));
        }
    }

    /// Its words.
    pub fn words(&self) -> Vec<u32> {
        (0..self.size).step_by(4).map(|at| self.memory.load(self.offset + at)).collect()
    }
}

impl std::fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes at {:#x}", self.size, Lend::bus_address(self).0)
    }
}

impl Lend for Piece<'_> {
    fn bus_address(&self) -> BusAddress {
        BusAddress(self.memory.bus_address().0 + self.offset as u32)
    }

    fn size(&self) -> u32 {
        self.size as u32
    }
}

/// No cache is between it and us.
impl BulkMemory for Piece<'_> {
    fn size(&self) -> u32 {
        self.size as u32
    }

    fn offset(&self) -> u16 {
        0
    }

    fn page(&self, number: u32) -> u64 {
        u64::from(Lend::bus_address(self).physical()) + u64::from(number) * PAGE as u64
    }

    fn clean(&mut self) {}

    fn invalidate(&mut self, _: u32, _: u32) {}

    fn store(&mut self, at: u32, bytes: &[u8]) {
        for (at, byte) in (at as usize..).zip(bytes) {
            let (word, shift) = (self.offset + (at & !3), at % 4 * 8);
            let others = self.memory.load(word) & !(0xff << shift);
            self.memory.store(word, others | u32::from(*byte) << shift);
        }
    }
}
