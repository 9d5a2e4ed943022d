//! The fake board's RAM, which both sides see.

use std::cell::Cell;

/// Physical address of the first word.
pub(super) const BASE: u32 = 0x0100_0000;

/// Words that either side may change at any time.
pub(super) struct Memory {
    words: Vec<Cell<u32>>,
    /// Nobody stores any more: the board stands.
    frozen: Cell<bool>,
}

impl Memory {
    pub(super) fn new(bytes: usize) -> Self {
        Self { words: vec![Cell::new(0); bytes / 4], frozen: Cell::new(false) }
    }

    /// The word at a physical or bus address. An address outside is a fault of the test's subject.
    fn word(&self, address: u32) -> &Cell<u32> {
        let offset = (address & 0x3fff_ffff).wrapping_sub(BASE);
        assert_eq!(offset % 4, 0, "unaligned address {address:#x}");
        self.words.get(offset as usize / 4).unwrap_or_else(|| panic!("address {address:#x} is not RAM"))
    }

    pub(super) fn load(&self, address: u32) -> u32 {
        self.word(address).get()
    }

    pub(super) fn store(&self, address: u32, value: u32) {
        let word = self.word(address);
        if !self.frozen.get() {
            word.set(value);
        }
    }

    /// From now on nothing is stored, or everything is again.
    pub(super) fn freeze(&self, frozen: bool) {
        self.frozen.set(frozen);
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.get()
    }

    pub(super) fn read_bytes(&self, address: u32, length: usize) -> Vec<u8> {
        let words = (0..length.div_ceil(4)).flat_map(|i| self.load(address + 4 * i as u32).to_le_bytes());
        words.take(length).collect()
    }

    pub(super) fn write_bytes(&self, address: u32, bytes: &[u8]) {
        for (i, chunk) in bytes.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.store(address + 4 * i as u32, u32::from_le_bytes(word));
        }
    }
}
