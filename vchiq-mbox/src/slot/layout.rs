//! How the window is shared out (VCHIQ fact sheet 2.3).

use super::{SlotIndex, SlotRange};
use crate::{
    error::Misuse,
    wire::{MAX_SLOTS, MAX_SLOTS_PER_SIDE, PAGELIST_BYTES, SLOT_SIZE},
};

/// Fragments that Linux advertises: two for each of 32 bulks.
pub const FRAGMENT_COUNT: u32 = 64;
/// Bytes of a fragment: a head and a tail of one 64-byte cache line (BCM2836 and later).
pub const FRAGMENT_SIZE: usize = 128;

/// Pagelists of bulk transfers under way, over all services: as many as Linux reckons with.
pub const PAGELIST_COUNT: usize = 32;

/// Slots that slot zero itself takes.
const SLOT_ZERO_SLOTS: u32 = 1;

/// Slots of one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SideSlots {
    /// The slot for synchronous messages.
    pub sync: u32,
    /// The data slots.
    pub data: SlotRange,
}

impl SideSlots {
    /// The sync slot as an index.
    pub(crate) const fn sync_slot(&self) -> SlotIndex {
        SlotIndex::sync(self.sync)
    }
}

/// The whole window: slot zero, VideoCore's slots, our slots, and a pool of fragments behind them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layout {
    /// All slots, slot zero included.
    pub total_slots: u32,
    /// VideoCore's.
    pub master: SideSlots,
    /// Ours.
    pub slave: SideSlots,
}

impl Layout {
    /// The 65 slots of Linux: 31 data slots a side.
    pub const LINUX_SLOTS: u32 = 65;
    /// Bytes a window needs for [`Layout::LINUX_SLOTS`] and the fragments pool.
    pub const LINUX_WINDOW: usize =
        Self::LINUX_SLOTS as usize * SLOT_SIZE + FRAGMENT_COUNT as usize * FRAGMENT_SIZE;

    /// Bytes a window needs for bulk transfers too: pagelists behind the fragments.
    pub const BULK_WINDOW: usize = Self::LINUX_WINDOW + PAGELIST_COUNT * PAGELIST_BYTES;

    /// Shares out `total_slots`, as the published cores do.
    ///
    /// # Errors
    /// [`Misuse::SlotCount`] below 5, above 128, or with more than 64 data slots on a side.
    pub fn new(total_slots: u32) -> Result<Self, Misuse> {
        let refused = Misuse::SlotCount { total: total_slots };
        if total_slots < SLOT_ZERO_SLOTS + 4 || total_slots as usize > MAX_SLOTS {
            return Err(refused);
        }
        let half = (total_slots - SLOT_ZERO_SLOTS) / 2;
        let side = |sync: u32, end: u32| {
            let data = SlotRange::new(sync + 1, end - 1)?;
            (data.count() as usize <= MAX_SLOTS_PER_SIDE).then_some(SideSlots { sync, data })
        };
        let master = side(SLOT_ZERO_SLOTS, SLOT_ZERO_SLOTS + half).ok_or(refused)?;
        let slave = side(SLOT_ZERO_SLOTS + half, total_slots).ok_or(refused)?;
        Ok(Self { total_slots, master, slave })
    }

    /// Byte offset of an entry of the fragments pool in the window.
    pub(crate) const fn fragment(&self, entry: usize) -> usize {
        self.slots_size() + entry * FRAGMENT_SIZE
    }

    /// Byte offset of a pagelist in the window.
    pub(crate) const fn pagelist(&self, place: usize) -> usize {
        self.fragment(FRAGMENT_COUNT as usize) + place * PAGELIST_BYTES
    }

    /// Bytes of all slots.
    pub const fn slots_size(&self) -> usize {
        self.total_slots as usize * SLOT_SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_those_seen_on_hardware() {
        for (total, master, slave) in
            [(65, (1, 2, 32), (33, 34, 64)), (33, (1, 2, 16), (17, 18, 32)), (80, (1, 2, 39), (40, 41, 79))]
        {
            let layout = Layout::new(total).unwrap();
            let numbers = |side: SideSlots| {
                (side.sync, u32::from(side.data.first().number()), u32::from(side.data.last().number()))
            };
            assert_eq!(numbers(layout.master), master, "{total} slots");
            assert_eq!(numbers(layout.slave), slave, "{total} slots");
        }
    }

    #[test]
    fn slots_that_cannot_be_shared_out_are_refused() {
        assert!(Layout::new(4).is_err());
        assert!(Layout::new(5).is_ok());
        assert!(Layout::new(128).is_ok());
        assert!(Layout::new(129).is_err());
    }

    #[test]
    fn linux_window_is_what_linux_allocates() {
        assert_eq!(Layout::LINUX_WINDOW, 0x43000);
    }
}
