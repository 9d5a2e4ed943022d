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
