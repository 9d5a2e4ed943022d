//! A window over raw memory, for a board.
#![allow(unsafe_code)]

use core::ptr::NonNull;

use crate::platform::{BusAddress, Window};

/// Memory shared with VideoCore, accessed by volatile words only.
pub struct RawWindow {
    start: NonNull<u32>,
    words: usize,
    bus: BusAddress,
}

impl RawWindow {
    /// A window of `len` bytes (rounded down to whole words) at `start`, which VideoCore sees at `bus`.
    ///
    /// # Safety
    /// - `start` is 4-byte aligned and valid for reads and writes of `len` bytes for the life of the window.
    /// - No Rust reference to that memory exists while the window does; other windows onto it may.
    /// - The memory is mapped so that 32-bit accesses are single, and reach what VideoCore sees: Normal
    ///   non-cacheable. Memory that changes hands by cache maintenance may be cached; whoever lends it does that.
    pub const unsafe fn new(start: NonNull<u32>, len: usize, bus: BusAddress) -> Self {
        Self { start, words: len / 4, bus }
    }

    // Inlined, as `load` and `store`: two instructions are less than the call.

    /// Pointer to the word at a byte offset, if it lies in the window.
    #[inline(always)]
    fn word(&self, offset: usize) -> Option<NonNull<u32>> {
        debug_assert!(
            offset.is_multiple_of(4) && offset / 4 < self.words,
            "offset {offset:#x} outside the window"
        );
        let index = offset / 4;
        if index >= self.words {
            return None;
        }
        // SAFETY: `index` is below `words`, so the result stays inside the memory that `new` was promised.
        Some(unsafe { self.start.add(index) })
    }
}

impl Window for RawWindow {
    fn len(&self) -> usize {
        self.words * 4
    }

    fn bus_address(&self) -> BusAddress {
        self.bus
    }

    #[inline(always)]
    fn load(&self, offset: usize) -> u32 {
        match self.word(offset) {
            // SAFETY: `word` returns aligned pointers into memory valid for reads (contract of `new`); volatile,
            // because VideoCore writes it too.
            Some(word) => unsafe { word.read_volatile() },
            None => 0,
        }
    }

    #[inline(always)]
    fn store(&self, offset: usize, value: u32) {
        if let Some(word) = self.word(offset) {
            // SAFETY: as in `load`, for writes; no Rust reference to the memory exists (contract of `new`).
            unsafe { word.write_volatile(value) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_stored_where_they_are_loaded() {
        let mut memory = [0u32; 4];
        let start = NonNull::from(&mut memory).cast();
        // SAFETY: `memory` outlives the window and is not touched by name while the window lives.
        let window = unsafe { RawWindow::new(start, 16, BusAddress(0xc000_0000)) };
        window.store(8, 0x1234_5678);
        assert_eq!((window.len(), window.load(8), window.load(12)), (16, 0x1234_5678, 0));
    }
}
