//! Words that both sides see.

/// Shared memory, by byte offset.
pub struct Memory {
    words: Vec<u32>,
}

impl Memory {
    /// What SDRAM holds after power-on: anything but zeros.
    pub fn full_of_rubbish(bytes: usize) -> Self {
        Self { words: (0..bytes as u32 / 4).map(|index| index.wrapping_mul(0x9e37_79b9) | 1).collect() }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.words.len() * 4
    }

    /// True for no memory at all.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word at a byte offset.
    ///
    /// # Panics
    /// Outside the memory, or not at a word: a bug of the driver under test.
    #[track_caller]
    pub fn load(&self, offset: usize) -> u32 {
        assert!(offset.is_multiple_of(4), "unaligned load at {offset:#x}");
        self.words[offset / 4]
    }

    /// Stores a word.
    ///
    /// # Panics
    /// As [`Self::load`].
    #[track_caller]
    pub fn store(&mut self, offset: usize, value: u32) {
        assert!(offset.is_multiple_of(4), "unaligned store at {offset:#x}");
        self.words[offset / 4] = value;
    }

    /// Bytes from an offset on.
    pub fn bytes(&self, offset: usize, len: usize) -> Vec<u8> {
        (offset..offset + len).map(|at| self.words[at / 4].to_le_bytes()[at % 4]).collect()
    }

    /// Stores bytes, byte by byte.
    pub fn store_bytes(&mut self, offset: usize, bytes: &[u8]) {
        for (at, byte) in (offset..).zip(bytes) {
            let mut word = self.words[at / 4].to_le_bytes();
            word[at % 4] = *byte;
            self.words[at / 4] = u32::from_le_bytes(word);
        }
    }
}
