//! A board whose memory VideoCore, that is the fuzzer, may write at any moment: between two calls, and between two
//! loads of one call.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use vchiq_mbox::{BusAddress, Clock, Platform, Window, platform::Moment};

/// Data slots of the two sides with the 65 slots of Linux.
const MASTER_SLOTS: std::ops::RangeInclusive<usize> = 2..=32;
const SLAVE_SLOTS: std::ops::RangeInclusive<usize> = 34..=64;
/// The synchronous slots.
const MASTER_SYNC: usize = 1;
const SLAVE_SYNC: usize = 33;
const SLOT: usize = 4096;
/// Behind the slots come 64 fragments of 128 bytes, then pagelists.
const PAGELISTS: usize = 65 * SLOT + 64 * 128;
/// VideoCore's half of slot zero, by byte offset.
const MASTER_HALF: std::ops::Range<usize> = 0x020..0x194;
/// The words in it that are ours to write: `fired` of its four events, the recycle count, the slot queue.
const OURS_IN_MASTER_HALF: [std::ops::RangeInclusive<usize>; 6] =
    [0x034..=0x034, 0x044..=0x044, 0x054..=0x054, 0x060..=0x060, 0x04c..=0x04c, 0x068..=0x164];

#[derive(Default)]
struct Inner {
    words: RefCell<Vec<u32>>,
    ticks: Cell<u64>,
    /// The link has been laid out: from here on stores are checked.
    laid_out: Cell<bool>,
    /// Loads from now until VideoCore flips these bits of a word, once.
    glitch: Cell<Option<(u8, u32)>>,
}

/// The board; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Board {
    inner: Rc<Inner>,
}

impl Board {
    pub(crate) fn new(bytes: usize) -> Self {
        let board = Self::default();
        *board.inner.words.borrow_mut() = vec![0; bytes / 4];
        board
    }

    pub(crate) fn check_stores(&self) {
        self.inner.laid_out.set(true);
    }

    /// The link is about to be laid out anew: for a while it may store where VideoCore will.
    pub(crate) fn laying_out(&self) {
        self.inner.laid_out.set(false);
    }

    /// VideoCore loads a word.
    pub(crate) fn peek(&self, offset: usize) -> u32 {
        self.inner.words.borrow()[offset / 4]
    }

    /// VideoCore stores a word; wraps at the end of memory.
    pub(crate) fn poke(&self, offset: usize, value: u32) {
        let mut words = self.inner.words.borrow_mut();
        let index = offset / 4 % words.len();
        words[index] = value;
    }

    /// After so many loads of ours, the next one sees these bits flipped.
    pub(crate) fn glitch(&self, loads: u8, bits: u32) {
        self.inner.glitch.set(Some((loads, bits)));
    }

    fn check_store(offset: usize, value: u32) {
        let slot = offset / SLOT;
        if MASTER_HALF.contains(&offset) {
            assert!(
                OURS_IN_MASTER_HALF.iter().any(|range| range.contains(&offset)),
                "store to VideoCore's word {offset:#x}"
            );
            if (0x068..=0x164).contains(&offset) {
                assert!(MASTER_SLOTS.contains(&(value as usize)), "slot {value} returned to VideoCore");
            }
        } else if slot == 0 {
            assert!((0x194..0x308).contains(&offset), "store to slot zero at {offset:#x}");
        } else if MASTER_SLOTS.contains(&slot) {
            assert!(offset.is_multiple_of(8), "store to VideoCore's slots other than to a msgid");
        } else if slot == MASTER_SYNC {
            assert_eq!((offset % SLOT, value), (0, 0), "store to VideoCore's synchronous slot");
        } else {
            let ours = SLAVE_SLOTS.contains(&slot) || slot == SLAVE_SYNC || offset >= PAGELISTS;
            assert!(ours, "store to slot {slot} or to a fragment");
        }
    }
}

impl Window for Board {
    fn len(&self) -> usize {
        self.inner.words.borrow().len() * 4
    }

    fn bus_address(&self) -> BusAddress {
        BusAddress(0xc010_0000)
    }

    fn load(&self, offset: usize) -> u32 {
        assert!(offset.is_multiple_of(4), "unaligned load at {offset:#x}");
        let word = self.peek(offset);
        match self.inner.glitch.take() {
            Some((0, bits)) => {
                self.poke(offset, word ^ bits);
                word ^ bits
            }
            Some((loads, bits)) => {
                self.inner.glitch.set(Some((loads - 1, bits)));
                word
            }
            None => word,
        }
    }

    fn store(&self, offset: usize, value: u32) {
        assert!(offset.is_multiple_of(4), "unaligned store at {offset:#x}");
        if self.inner.laid_out.get() {
            Self::check_store(offset, value);
        }
        self.inner.words.borrow_mut()[offset / 4] = value;
    }
}

impl Clock for Board {
    fn ticks(&self) -> u64 {
        self.inner.ticks.set(self.inner.ticks.get() + 1);
        self.inner.ticks.get()
    }

    fn tick_rate(&self) -> u32 {
        1_000_000
    }

    fn cycles(&self) -> u64 {
        self.inner.ticks.get()
    }
}

impl Platform for Board {
    fn write_barrier(&self) {}

    fn read_barrier(&self) {}

    fn full_barrier(&self) {}

    fn ring_doorbell(&mut self) {}

    fn wait_for_doorbell(&mut self, deadline: u64) {
        self.inner.ticks.set(self.inner.ticks.get().max(deadline));
    }

    fn take_doorbell_stamp(&mut self) -> Option<Moment> {
        None
    }
}
