//! Pin functions (BCM2835 ARM Peripherals, section 6.1).

use tock_registers::register_bitfields;
use tock_registers::register_structs;
use tock_registers::registers::ReadWrite;

/// From the start of the main peripherals.
pub(crate) const OFFSET: usize = 0x20_0000;

register_structs! {
    pub(crate) GpioRegisters {
        (0x00 => _function_0: ReadWrite<u32>),
        /// Functions of pins 10-19.
        (0x04 => pub(crate) function_1: ReadWrite<u32, FUNCTION_1::Register>),
        (0x08 => _function_2: ReadWrite<u32>),
        /// Functions of pins 30-39.
        (0x0c => pub(crate) function_3: ReadWrite<u32, FUNCTION_3::Register>),
        (0x10 => @END),
    }
}

register_bitfields! {u32,
    pub(crate) FUNCTION_1 [
        /// ALT0: TXD of the PL011.
        PIN_14 OFFSET(12) NUMBITS(3) [Input = 0b000, Alt0 = 0b100],
        /// ALT0: RXD of the PL011.
        PIN_15 OFFSET(15) NUMBITS(3) [Input = 0b000, Alt0 = 0b100]
    ],
    pub(crate) FUNCTION_3 [
        /// ALT3 is the PL011 again: the firmware leads it to the Bluetooth chip through these two pins.
        PIN_32 OFFSET(6) NUMBITS(3) [Input = 0b000, Alt3 = 0b111],
        PIN_33 OFFSET(9) NUMBITS(3) [Input = 0b000, Alt3 = 0b111]
    ]
}
