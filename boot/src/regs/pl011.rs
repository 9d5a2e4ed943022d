//! PL011 UART (Arm DDI 0183, section 3).

use tock_registers::register_bitfields;
use tock_registers::register_structs;
use tock_registers::registers::{ReadOnly, ReadWrite, WriteOnly};

/// From the start of the main peripherals.
pub(crate) const OFFSET: usize = 0x20_1000;

register_structs! {
    pub(crate) Pl011Registers {
        /// A write sends a byte.
        (0x00 => pub(crate) data: WriteOnly<u32>),
        (0x04 => _reserved_04),
        (0x18 => pub(crate) flags: ReadOnly<u32, FLAGS::Register>),
        (0x1c => _reserved_1c),
        /// Divisor, whole part.
        (0x24 => pub(crate) baud_integer: ReadWrite<u32, BAUD_INTEGER::Register>),
        /// Divisor, 64ths.
        (0x28 => pub(crate) baud_fraction: ReadWrite<u32, BAUD_FRACTION::Register>),
        /// A write here makes both divisors take effect.
        (0x2c => pub(crate) line_control: ReadWrite<u32, LINE_CONTROL::Register>),
        (0x30 => pub(crate) control: ReadWrite<u32, CONTROL::Register>),
        (0x34 => _reserved_34),
        (0x38 => pub(crate) interrupt_mask: ReadWrite<u32>),
        (0x3c => _reserved_3c),
        (0x44 => pub(crate) interrupt_clear: WriteOnly<u32>),
        (0x48 => @END),
    }
}

register_bitfields! {u32,
    pub(crate) FLAGS [
        BUSY OFFSET(3) NUMBITS(1) [],
        TRANSMIT_FULL OFFSET(5) NUMBITS(1) []
    ],
    pub(crate) BAUD_INTEGER [
        DIVISOR OFFSET(0) NUMBITS(16) []
    ],
    pub(crate) BAUD_FRACTION [
        DIVISOR OFFSET(0) NUMBITS(6) []
    ],
    pub(crate) LINE_CONTROL [
        FIFOS OFFSET(4) NUMBITS(1) [],
        WORD_LENGTH OFFSET(5) NUMBITS(2) [EightBits = 0b11]
    ],
    pub(crate) CONTROL [
        ENABLE OFFSET(0) NUMBITS(1) [],
        TRANSMIT OFFSET(8) NUMBITS(1) [],
        RECEIVE OFFSET(9) NUMBITS(1) []
    ]
}
