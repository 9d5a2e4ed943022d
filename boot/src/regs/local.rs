//! The block private to the Arm cores of BCM2837 (ARM Quad A7 core, section 4).

use tock_registers::register_bitfields;
use tock_registers::register_structs;
use tock_registers::registers::{ReadOnly, ReadWrite};

register_structs! {
    pub(crate) LocalRegisters {
        (0x00 => _reserved_00),
        /// Which core takes the interrupts of ARMC, all of them.
        (0x0c => pub(crate) armc_routing: ReadWrite<u32, ROUTING::Register>),
        (0x10 => _reserved_10),
        /// Interrupts of core 0's generic timers.
        (0x40 => pub(crate) timer_control_0: ReadWrite<u32>),
        (0x44 => _reserved_44),
        /// Interrupts of core 0's mailboxes.
        (0x50 => pub(crate) mailbox_control_0: ReadWrite<u32>),
        (0x54 => _reserved_54),
        /// What interrupts core 0 now.
        (0x60 => pub(crate) source_0: ReadOnly<u32, SOURCE::Register>),
        (0x64 => @END),
    }
}

register_bitfields! {u32,
    pub(crate) ROUTING [
        IRQ_CORE OFFSET(0) NUMBITS(2) [],
        FIQ_CORE OFFSET(2) NUMBITS(2) []
    ],
    pub(crate) SOURCE [
        /// ARMC, called "GPU" in the document.
        ARMC OFFSET(8) NUMBITS(1) []
    ]
}
