//! Memory that VideoCore reads and writes as well.

use harness::Lendable;
use harness::board::SLOT_WINDOW_BYTES;
use vchiq_mbox::platform::{BusAddress, Window};

use super::{Region, lendable, window};
use crate::arch::cache;

/// First page of the shared window: property messages. The slots begin behind it.
const PROPERTY_LENGTH: usize = 4096;

/// Part of the non-cacheable window.
pub(crate) struct SharedWindow {
    region: Region,
}

/// Cached RAM whose ownership changes by cache maintenance.
pub(crate) struct LendableMemory {
    region: Region,
}

impl SharedWindow {
    /// Memory for property messages: the first page of the window.
    pub(crate) fn property() -> Self {
        let Region { start, .. } = window();
        Self { region: Region { start, end: start + PROPERTY_LENGTH } }
    }

    /// Memory for VCHIQ's slots and fragments: behind the property page, as much as the harness asks for.
    pub(crate) fn slots() -> Self {
        let Region { start, end } = window();
        let start = start + PROPERTY_LENGTH;
        Self { region: Region { start, end: end.min(start + SLOT_WINDOW_BYTES) } }
    }

    /// Zeroes the part. After a reset it holds what the last run left there.
    pub(crate) fn clear(&self) {
        for offset in (0..self.len()).step_by(4) {
            self.store(offset, 0);
        }
    }
}

impl LendableMemory {
    /// All of it.
    pub(crate) fn new() -> Self {
        Self { region: lendable() }
    }
}

impl Region {
    fn length(self) -> usize {
        self.end - self.start
    }

    // Inlined: two instructions are less than the call, and the image is 4 KiB smaller for it.

    /// The address of a word; `None` outside the region or across a word boundary.
    #[inline(always)]
    fn word(self, offset: usize) -> Option<*mut u32> {
        let inside = offset.is_multiple_of(4) && offset < self.length();
        debug_assert!(inside, "offset outside the window");
        inside.then(|| (self.start + offset) as *mut u32)
    }

    #[inline(always)]
    fn load(self, offset: usize) -> u32 {
        match self.word(offset) {
            // SAFETY: `word` checked that the address lies in the region, which linker.ld keeps clear of
            // everything Rust knows and `arch::mmu` maps as memory.
            Some(word) => unsafe { word.read_volatile() },
            None => 0,
        }
    }

    #[inline(always)]
    fn store(self, offset: usize, value: u32) {
        if let Some(word) = self.word(offset) {
            // SAFETY: as in `load`; no Rust reference to the region exists.
            unsafe { word.write_volatile(value) }
        }
    }

    /// VideoCore's address of the region: below 1 GiB by linker.ld, so the alias always exists.
    fn bus_address(self) -> BusAddress {
        BusAddress(self.start as u32 | BusAddress::UNCACHED_ALIAS)
    }
}

impl Window for SharedWindow {
    fn len(&self) -> usize {
        self.region.length()
    }

    fn bus_address(&self) -> BusAddress {
        self.region.bus_address()
    }

    #[inline(always)]
    fn load(&self, offset: usize) -> u32 {
        self.region.load(offset)
    }

    #[inline(always)]
    fn store(&self, offset: usize, value: u32) {
        self.region.store(offset, value);
    }
}

impl Window for LendableMemory {
    fn len(&self) -> usize {
        self.region.length()
    }

    fn bus_address(&self) -> BusAddress {
        self.region.bus_address()
    }

    #[inline(always)]
    fn load(&self, offset: usize) -> u32 {
        self.region.load(offset)
    }

    #[inline(always)]
    fn store(&self, offset: usize, value: u32) {
        self.region.store(offset, value);
    }
}

impl Lendable for LendableMemory {
    fn clean(&self, offset: usize, length: usize) {
        if let Some((start, length)) = self.region.part(offset, length) {
            cache::clean_and_invalidate(start, length);
        }
    }

    fn invalidate(&self, offset: usize, length: usize) {
        if let Some((start, length)) = self.region.part(offset, length) {
            cache::clean_and_invalidate(start, length);
        }
    }
}

impl Region {
    /// Start and length of a part, cut to the region; `None` if it begins outside.
    fn part(self, offset: usize, length: usize) -> Option<(usize, usize)> {
        debug_assert!(offset + length <= self.length(), "range outside the lendable memory");
        (offset < self.length()).then(|| (self.start + offset, length.min(self.length() - offset)))
    }
}
