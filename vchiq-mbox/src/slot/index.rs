//! Indices and positions: what the peer alleges, and what has been checked.

use crate::{
    error::Violation,
    wire::{MAX_SLOTS, SLOT_SIZE},
};

/// A slot index as read from shared memory. Worth nothing until [`SlotRange::check`] has seen it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PeerIndex(pub u32);

/// A position as read from shared memory, in bytes since the start, modulo 2^32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PeerPosition(pub u32);

impl PeerPosition {
    /// The position, if it is a multiple of 8 within `rx_pos..=limit` (modulo 2^32).
    ///
    /// # Errors
    /// [`Violation::TransmitPosition`] if not.
    pub fn check(self, rx_pos: u32, limit: u32) -> Result<u32, Violation> {
        let unread = self.0.wrapping_sub(rx_pos);
        if self.0.is_multiple_of(8) && unread <= limit.wrapping_sub(rx_pos) {
            Ok(self.0)
        } else {
            Err(Violation::TransmitPosition { found: self.0, rx_pos, limit })
        }
    }
}

/// Index of a slot known to lie in its side's range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SlotIndex(u8);

impl SlotIndex {
    /// A sync slot; its number comes from a layout, so it is below 128.
    pub(super) const fn sync(number: u32) -> Self {
        Self(number as u8)
    }

    /// The index, below 128.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Byte offset of the slot in the window.
    pub const fn byte_offset(self) -> usize {
        self.0 as usize * SLOT_SIZE
    }
}

/// The data slots of one side, `first..=last`. Non-empty, below 128.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SlotRange {
    first: u8,
    last: u8,
}

impl SlotRange {
    /// `None` if empty or beyond slot 127.
    pub(super) const fn new(first: u32, last: u32) -> Option<Self> {
        if first <= last && (last as usize) < MAX_SLOTS {
            Some(Self { first: first as u8, last: last as u8 })
        } else {
            None
        }
    }

    /// First slot.
    pub const fn first(self) -> SlotIndex {
        SlotIndex(self.first)
    }

    /// Last slot.
    pub const fn last(self) -> SlotIndex {
        SlotIndex(self.last)
    }

    /// Number of slots, at least 1.
    pub const fn count(self) -> u32 {
        (self.last - self.first) as u32 + 1
    }

    /// The slots in order.
    pub fn iter(self) -> impl Iterator<Item = SlotIndex> {
        (self.first..=self.last).map(SlotIndex)
    }

    /// Place of a slot of this range, counted from its first.
    pub(super) fn place(self, slot: SlotIndex) -> usize {
        usize::from(slot.0.saturating_sub(self.first))
    }

    /// The only way from an allegation to an index. `entry` is the queue entry it was read from.
    ///
    /// # Errors
    /// [`Violation::SlotIndex`] outside the range.
    pub fn check(self, found: PeerIndex, entry: u32) -> Result<SlotIndex, Violation> {
        if (u32::from(self.first)..=u32::from(self.last)).contains(&found.0) {
            Ok(SlotIndex(found.0 as u8))
        } else {
            Err(Violation::SlotIndex { entry: (entry % 64) as u8, found: found.0 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slots_of_the_range_become_indices() {
        let range = SlotRange::new(2, 32).unwrap();
        assert_eq!(range.check(PeerIndex(2), 0), Ok(SlotIndex(2)));
        assert_eq!(range.check(PeerIndex(32), 0), Ok(SlotIndex(32)));
        for wild in [0, 1, 33, 258, u32::MAX] {
            let expected = Violation::SlotIndex { entry: 1, found: wild };
            assert_eq!(range.check(PeerIndex(wild), 65), Err(expected));
        }
    }

    #[test]
    fn positions_are_compared_modulo_two_to_the_32() {
        assert_eq!(PeerPosition(8).check(0xffff_fff8, 0x1000), Ok(8));
        assert!(PeerPosition(0xffff_fff0).check(0xffff_fff8, 0x1000).is_err(), "moved back");
        assert!(PeerPosition(0x1008).check(0xffff_fff8, 0x1000).is_err(), "beyond its slots");
        assert!(PeerPosition(12).check(0, 0x1000).is_err(), "not a multiple of 8");
    }
}
