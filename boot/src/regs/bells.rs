//! Doorbells between the Arm cores and VideoCore (hardware fact sheet 3).

use tock_registers::register_structs;
use tock_registers::registers::{ReadOnly, WriteOnly};

/// From the start of the main peripherals.
pub(crate) const OFFSET: usize = 0xb840;

/// What BELL0 reads when it was rung.
pub(crate) const RUNG: u32 = 1 << 2;

register_structs! {
    pub(crate) BellRegisters {
        /// VideoCore rang us. A read returns [`RUNG`] and acknowledges: reading twice loses an event.
        (0x0 => pub(crate) bell0: ReadOnly<u32>),
        /// The second bell towards us; VCHIQ does not use it.
        (0x4 => _bell1: ReadOnly<u32>),
        /// Any write rings VideoCore.
        (0x8 => pub(crate) bell2: WriteOnly<u32>),
        /// The second bell towards VideoCore; VCHIQ does not use it.
        (0xc => _bell3: WriteOnly<u32>),
        (0x10 => @END),
    }
}
