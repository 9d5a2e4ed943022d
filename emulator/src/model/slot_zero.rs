//! Slot zero: the words both sides share (VCHIQ fact sheet 1 and 2).

use super::board::Board;
use super::pagelist::Pool;

/// "VCHI"
pub(super) const MAGIC: u32 = 0x5643_4849;
/// The protocol we speak, and the oldest we understand.
pub(super) const VERSION: u16 = 8;
pub(super) const VERSION_MIN: u16 = 3;
pub(super) const SLOT_SIZE: u32 = 4096;
/// Entries of a slot queue.
pub(super) const QUEUE_LENGTH: u32 = 64;

const SIZE: u32 = 1288;
const MAX_SLOTS: u32 = 128;
const MAX_SLOTS_PER_SIDE: u32 = 64;
/// What is left of a bus address without its alias, and where slots must begin to fit below the peripherals.
const ALIAS_MASK: u32 = 0x3fff_ffff;
const LAST_BASE: u32 = 0x3f00_0000 - MAX_SLOTS * SLOT_SIZE;
const DEBUG_ENTRIES: u32 = 11;
/// Most entries that a fragments pool has: two for each of 32 bulks.
const MAX_FRAGMENTS: u32 = 64;

/// Byte offsets in the header.
pub(super) mod header {
    pub(in crate::model) const MAGIC: u32 = 0x00;
    pub(in crate::model) const VERSIONS: u32 = 0x04;
    pub(super) const SIZE: u32 = 0x08;
    pub(in crate::model) const SLOT_SIZE: u32 = 0x0c;
    pub(super) const MAX_SLOTS: u32 = 0x10;
    pub(super) const MAX_SLOTS_PER_SIDE: u32 = 0x14;
    pub(super) const FRAGMENTS: u32 = 0x18;
    pub(super) const FRAGMENT_COUNT: u32 = 0x1c;
}

/// Byte offsets in a side's half.
pub(super) mod field {
    pub(in crate::model) const INITIALISED: u32 = 0x00;
    pub(super) const SLOT_FIRST: u32 = 0x04;
    pub(in crate::model) const SLOT_LAST: u32 = 0x08;
    pub(super) const SLOT_SYNC: u32 = 0x0c;
    pub(in crate::model) const TX_POS: u32 = 0x1c;
    pub(in crate::model) const SLOT_QUEUE_RECYCLE: u32 = 0x2c;
    pub(in crate::model) const SLOT_QUEUE: u32 = 0x48;
    pub(super) const DEBUG: u32 = 0x148;
    /// Last header and msgid that its owner has parsed.
    pub(in crate::model) const DEBUG_HEADER: u32 = DEBUG + 4 * 4;
    pub(in crate::model) const DEBUG_MESSAGE: u32 = DEBUG + 5 * 4;
}

/// A side's half: its byte offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Half {
    /// VideoCore's: ours.
    Master,
    /// The Arm's.
    Slave,
}

impl Half {
    fn offset(self) -> u32 {
        match self {
            Self::Master => 0x20,
            Self::Slave => 0x194,
        }
    }
}

/// An event in a half: its byte offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// Messages have been published.
    Trigger,
    /// Slots have been returned.
    Recycle,
}

impl Event {
    fn offset(self) -> u32 {
        match self {
            Self::Trigger => 0x10,
            Self::Recycle => 0x20,
        }
    }
}

/// The data slots of a side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slots {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) sync: u32,
}

impl Slots {
    pub(super) fn count(self) -> u32 {
        self.last - self.first + 1
    }
}

/// Slot zero at its bus address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SlotZero {
    pub(super) base: u32,
}

impl SlotZero {
    fn address(self, half: Half, field: u32) -> u32 {
        self.base.wrapping_add(half.offset() + field)
    }

    pub(super) fn load(self, board: &Board<'_>, half: Half, field: u32) -> u32 {
        board.load(self.address(half, field))
    }

    pub(super) fn store(self, board: &mut Board<'_>, half: Half, field: u32, word: u32) {
        board.store(self.address(half, field), word);
    }

    /// A slot queue's entry; `number` counts on without end.
    pub(super) fn queue_entry(number: u32) -> u32 {
        field::SLOT_QUEUE + number % QUEUE_LENGTH * 4
    }

    /// Bus address of a byte in a slot.
    pub(super) fn slot_address(self, slot: u32, offset: u32) -> u32 {
        self.base.wrapping_add(slot * SLOT_SIZE + offset)
    }

    /// Tells the Arm of an event; rings only if it asks for that. True if the bell is to be rung.
    pub(super) fn signal(self, board: &mut Board<'_>, event: Event) -> bool {
        self.store(board, Half::Slave, event.offset() + 4, 1);
        self.load(board, Half::Slave, event.offset()) != 0
    }

    /// Begins to wait for an event of ours; false if it has come already.
    pub(super) fn arm(self, board: &mut Board<'_>, event: Event) -> bool {
        if self.load(board, Half::Master, event.offset() + 4) != 0 {
            return false;
        }
        self.store(board, Half::Master, event.offset(), 1);
        true
    }

    /// On a ring: true if this event of ours has come and somebody waits for it.
    pub(super) fn wake(self, board: &mut Board<'_>, event: Event) -> bool {
        let fired = self.load(board, Half::Master, event.offset() + 4) != 0;
        let armed = self.load(board, Half::Master, event.offset()) != 0;
        if fired && armed {
            self.store(board, Half::Master, event.offset(), 0);
        }
        fired && armed
    }

    /// Takes note of an event of ours.
    pub(super) fn acknowledge(self, board: &mut Board<'_>, event: Event) {
        self.store(board, Half::Master, event.offset() + 4, 0);
    }

    /// The slot ranges of both sides, or what is wrong with slot zero (VCHIQ fact sheet 3).
    pub(super) fn check(self, board: &Board<'_>) -> Result<(Slots, Slots), String> {
        let expected = [
            (header::MAGIC, MAGIC),
            (header::SIZE, SIZE),
            (header::SLOT_SIZE, SLOT_SIZE),
            (header::MAX_SLOTS, MAX_SLOTS),
            (header::MAX_SLOTS_PER_SIDE, MAX_SLOTS_PER_SIDE),
        ];
        if !self.base.is_multiple_of(SLOT_SIZE) || self.base & ALIAS_MASK > LAST_BASE {
            return Err(format!("slot zero cannot lie at {:#010x}", self.base));
        }
        for (offset, expected) in expected {
            let found = board.load(self.base.wrapping_add(offset));
            if found != expected {
                return Err(format!(
                    "slot zero word {offset:#x} is {found:#010x}, expected {expected:#010x}"
                ));
            }
        }
        let (version, version_min) = self.versions(board);
        if version < VERSION_MIN || VERSION < version_min {
            return Err(format!("versions {version} (minimum {version_min}) are not ours"));
        }
        if self.load(board, Half::Master, field::INITIALISED) != 0 {
            return Err("our half is initialised already".to_owned());
        }
        Ok((self.slots(board, Half::Master)?, self.slots(board, Half::Slave)?))
    }

    /// The fragments pool, if the Arm has one.
    pub(super) fn pool(self, board: &Board<'_>) -> Pool {
        let word = |offset| board.load(self.base.wrapping_add(offset));
        Pool { address: word(header::FRAGMENTS), entries: word(header::FRAGMENT_COUNT).min(MAX_FRAGMENTS) }
    }

    fn versions(self, board: &Board<'_>) -> (u16, u16) {
        let word = board.load(self.base.wrapping_add(header::VERSIONS));
        (word as u16, (word >> 16) as u16)
    }

    fn slots(self, board: &Board<'_>, half: Half) -> Result<Slots, String> {
        let first = self.load(board, half, field::SLOT_FIRST);
        let last = self.load(board, half, field::SLOT_LAST);
        let sync = self.load(board, half, field::SLOT_SYNC);
        let fits = first <= last && last < MAX_SLOTS && last - first < MAX_SLOTS_PER_SIDE && sync < MAX_SLOTS;
        if fits {
            Ok(Slots { first, last, sync })
        } else {
            Err(format!("{half:?} has slots {first} to {last}, sync slot {sync}"))
        }
    }

    /// Lowers the version to ours and fills our half; `initialised` comes last.
    pub(super) fn initialise(self, board: &mut Board<'_>, slots: Slots) {
        let (version, version_min) = self.versions(board);
        if version > VERSION {
            let word = u32::from(version_min) << 16 | u32::from(VERSION);
            board.store(self.base.wrapping_add(header::VERSIONS), word);
        }
        for (number, slot) in (slots.first..=slots.last).enumerate() {
            self.store(board, Half::Master, Self::queue_entry(number as u32), slot);
        }
        self.store(board, Half::Master, field::TX_POS, 0);
        self.store(board, Half::Master, field::SLOT_QUEUE_RECYCLE, slots.count());
        board.store(self.slot_address(slots.sync, 0), 0);
        self.store(board, Half::Master, field::DEBUG, DEBUG_ENTRIES);
        self.store(board, Half::Master, field::INITIALISED, 1);
    }
}
