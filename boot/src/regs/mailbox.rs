//! The two mailboxes (hardware fact sheet 2).

use tock_registers::register_bitfields;
use tock_registers::register_structs;
use tock_registers::registers::{ReadOnly, WriteOnly};

/// From the start of the main peripherals.
pub(crate) const OFFSET: usize = 0xb880;

register_structs! {
    pub(crate) MailboxRegisterBlock {
        /// Mailbox 0, VideoCore to Arm. A read takes a word out.
        (0x00 => pub(crate) read: ReadOnly<u32>),
        (0x04 => _reserved_04),
        (0x18 => pub(crate) status_0: ReadOnly<u32, STATUS::Register>),
        (0x1c => _reserved_1c),
        /// Mailbox 1, Arm to VideoCore.
        (0x20 => pub(crate) write: WriteOnly<u32>),
        (0x24 => _reserved_24),
        (0x38 => pub(crate) status_1: ReadOnly<u32, STATUS::Register>),
        (0x3c => @END),
    }
}

register_bitfields! {u32,
    pub(crate) STATUS [
        EMPTY OFFSET(30) NUMBITS(1) [],
        FULL OFFSET(31) NUMBITS(1) []
    ]
}
