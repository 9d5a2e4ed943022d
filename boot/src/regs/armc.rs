//! ARMC, the interrupt controller of the main peripherals (BCM2835 ARM Peripherals, section 7).

use tock_registers::register_bitfields;
use tock_registers::register_structs;
use tock_registers::registers::{ReadOnly, ReadWrite, WriteOnly};

/// From the start of the main peripherals.
pub(crate) const OFFSET: usize = 0xb200;

register_structs! {
    pub(crate) ArmcRegisters {
        /// Sources of the basic bank that are pending and enabled.
        (0x00 => pub(crate) basic_pending: ReadOnly<u32, BASIC::Register>),
        (0x04 => pub(crate) pending_1: ReadOnly<u32>),
        (0x08 => pub(crate) pending_2: ReadOnly<u32>),
        /// Source that raises FIQ instead of IRQ; bit 7 enables it.
        (0x0c => pub(crate) fiq_control: ReadWrite<u32>),
        /// Enable registers: a one enables, a zero changes nothing.
        (0x10 => pub(crate) enable_1: WriteOnly<u32>),
        (0x14 => pub(crate) enable_2: WriteOnly<u32>),
        (0x18 => pub(crate) enable_basic: WriteOnly<u32, BASIC::Register>),
        /// Disable registers: a one disables.
        (0x1c => pub(crate) disable_1: WriteOnly<u32>),
        (0x20 => pub(crate) disable_2: WriteOnly<u32>),
        (0x24 => pub(crate) disable_basic: WriteOnly<u32, BASIC::Register>),
        (0x28 => @END),
    }
}

register_bitfields! {u32,
    pub(crate) BASIC [
        TIMER OFFSET(0) NUMBITS(1) [],
        MAILBOX OFFSET(1) NUMBITS(1) [],
        DOORBELL_0 OFFSET(2) NUMBITS(1) [],
        DOORBELL_1 OFFSET(3) NUMBITS(1) []
    ]
}
