//! Power manager: watchdog and reset (hardware fact sheet 13; BCM2835 register names).

use tock_registers::register_bitfields;
use tock_registers::register_structs;
use tock_registers::registers::ReadWrite;

/// From the start of the main peripherals.
pub(crate) const OFFSET: usize = 0x10_0000;

register_structs! {
    pub(crate) PowerRegisters {
        (0x00 => _reserved_00),
        (0x1c => pub(crate) reset_control: ReadWrite<u32, RESET_CONTROL::Register>),
        /// Why the last reset happened, and between its bits the partition to boot from.
        (0x20 => pub(crate) reset_status: ReadWrite<u32>),
        (0x24 => pub(crate) watchdog: ReadWrite<u32, WATCHDOG::Register>),
        (0x28 => @END),
    }
}

register_bitfields! {u32,
    pub(crate) RESET_CONTROL [
        /// A write without it is ignored.
        PASSWORD OFFSET(24) NUMBITS(8) [Key = 0x5a],
        /// What an expired watchdog does.
        ON_EXPIRY OFFSET(4) NUMBITS(2) [Nothing = 0b00, FullReset = 0b10]
    ],
    pub(crate) WATCHDOG [
        PASSWORD OFFSET(24) NUMBITS(8) [Key = 0x5a],
        /// Counts down, 65536 times a second.
        TIME OFFSET(0) NUMBITS(20) []
    ]
}
