//! What can be lent.

use vchiq_mbox::BusAddress;

/// A stretch of memory that its owner may lend to VideoCore.
///
/// Address and length stay what they are for as long as the value lives, wherever it is moved; the value is the
/// only way for this side to reach the memory.
pub trait Lend {
    /// Where VideoCore finds the first byte: one contiguous run, in an alias that bypasses its caches.
    fn bus_address(&self) -> BusAddress;

    /// Length in bytes; whole pages for every known user of the firmware.
    fn size(&self) -> u32;
}

/// Physical addresses that may be lent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Lendable {
    /// The first.
    pub start: u32,
    /// The first that may not, at most [`Self::REACH`].
    pub end: u32,
}

impl Lendable {
    /// What VideoCore can reach: the first GiB (VCSM fact sheet 6).
    pub const REACH: u32 = 0x4000_0000;
    /// All that VideoCore can reach.
    pub const ALL: Self = Self { start: 0, end: Self::REACH };

    /// True if all `size` bytes from `address` on, in any alias, may be lent.
    pub fn holds(self, address: BusAddress, size: u32) -> bool {
        let first = address.physical();
        let end = first.checked_add(size);
        self.start <= first && end.is_some_and(|end| end <= self.end.min(Self::REACH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_lent_ends_with_its_last_byte_and_with_videocore_s_reach() {
        let lendable = Lendable { start: 0x100_0000, end: 0x200_0000 };
        for alias in [0, 0x4000_0000, 0x8000_0000, 0xc000_0000] {
            assert!(lendable.holds(BusAddress(alias | 0x100_0000), 0x100_0000));
            assert!(!lendable.holds(BusAddress(alias | 0x0ff_f000), 0x1000));
            assert!(!lendable.holds(BusAddress(alias | 0x100_0000), 0x100_0001));
        }
        assert!(!lendable.holds(BusAddress(0xc100_0000), u32::MAX));
        assert!(!Lendable { start: 0, end: u32::MAX }.holds(BusAddress(0xffff_f000), 0x2000));
    }
}
