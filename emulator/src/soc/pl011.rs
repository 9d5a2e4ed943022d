//! The PL011 serial port (Arm PrimeCell UART, DDI 0183), transmit side.
//!
//! A byte leaves the moment it is written, so the transmit FIFO is always empty; nothing is ever received.

use super::block::{Block, register, storage};
use super::device::{Context, Device, Sent};
use super::lines::source;
use crate::machine::UartPort;

const DATA: u32 = 0x00;
const RECEIVE_STATUS: u32 = 0x04;
const FLAGS: u32 = 0x18;
const CONTROL: u32 = 0x30;
const INTERRUPT_MASK: u32 = 0x38;
const INTERRUPT_RAW: u32 = 0x3c;
const INTERRUPT_MASKED: u32 = 0x40;
const INTERRUPT_CLEAR: u32 = 0x44;
const PERIPHERAL_ID: u32 = 0xfe0;
const PERIPHERAL_ID_END: u32 = 0xffc;

const FLAG_TRANSMIT_EMPTY: u32 = 1 << 7;
const FLAG_RECEIVE_EMPTY: u32 = 1 << 4;
const CONTROL_ENABLE: u32 = 1 << 0;
const CONTROL_TRANSMIT: u32 = 1 << 8;
/// After reset: disabled, transmit and receive sections allowed.
const CONTROL_RESET: u32 = 0x300;
const INTERRUPT_TRANSMIT: u32 = 1 << 5;
/// PeriphID0..3 and PCellID0..3.
const IDENTITY: [u32; 8] = [0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

static BLOCK: Block = Block {
    name: "UART0",
    base: 0x7e20_1000,
    size: 0x1000,
    registers: &[
        register(DATA, "DR"),
        register(RECEIVE_STATUS, "RSRECR"),
        register(FLAGS, "FR"),
        storage(0x20, 1, "ILPR", "infrared is not used on these boards"),
        storage(0x24, 2, "BAUD_DIVISOR", "bytes leave at once whatever the rate"),
        storage(0x2c, 1, "LCRH", "framing does not matter to a byte that leaves at once"),
        register(CONTROL, "CR"),
        storage(0x34, 1, "IFLS", "FIFOs are never part full"),
        register(INTERRUPT_MASK, "IMSC"),
        register(INTERRUPT_RAW, "RIS"),
        register(INTERRUPT_MASKED, "MIS"),
        register(INTERRUPT_CLEAR, "ICR"),
        storage(0x48, 1, "DMACR", "no DMA requests are made"),
    ],
};

/// The port.
pub struct Pl011 {
    control: u32,
    mask: u32,
    raw: u32,
}

impl Default for Pl011 {
    fn default() -> Self {
        Self { control: CONTROL_RESET, mask: 0, raw: 0 }
    }
}

impl Pl011 {
    fn can_transmit(&self) -> bool {
        let needed = CONTROL_ENABLE | CONTROL_TRANSMIT;
        self.control & needed == needed
    }

    fn drive_line(&self, context: &mut Context<'_>) {
        context.lines.set(source::UART, self.raw & self.mask != 0);
    }
}

impl Device for Pl011 {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            DATA | RECEIVE_STATUS => 0,
            FLAGS => FLAG_TRANSMIT_EMPTY | FLAG_RECEIVE_EMPTY,
            CONTROL => self.control,
            INTERRUPT_MASK => self.mask,
            INTERRUPT_RAW => self.raw,
            INTERRUPT_MASKED => self.raw & self.mask,
            INTERRUPT_CLEAR => 0,
            PERIPHERAL_ID..=PERIPHERAL_ID_END => IDENTITY[((offset - PERIPHERAL_ID) / 4) as usize],
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            DATA => {
                if self.can_transmit() {
                    let sent = Sent { by: context.by, port: UartPort::Pl011, byte: value as u8 };
                    context.effects.sent.push(sent);
                    self.raw |= INTERRUPT_TRANSMIT;
                }
            }
            RECEIVE_STATUS | FLAGS | INTERRUPT_RAW | INTERRUPT_MASKED => {}
            CONTROL => self.control = value,
            INTERRUPT_MASK => self.mask = value,
            INTERRUPT_CLEAR => self.raw &= !value,
            _ => return None,
        }
        self.drive_line(context);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::Initiator;
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn sends_only_while_enabled_and_says_who_wrote() {
        let (mut uart, mut bench) = (Pl011::default(), Bench::default());
        bench.write(&mut uart, DATA, u32::from(b'x'));
        assert!(bench.effects.sent.is_empty());
        bench.write(&mut uart, CONTROL, CONTROL_ENABLE | CONTROL_TRANSMIT);
        let mut arm = bench.context(Initiator::Arm(0));
        assert!(uart.write(DATA, u32::from(b'y'), &mut arm).is_some());
        let expected = Sent { by: Initiator::Arm(0), port: UartPort::Pl011, byte: b'y' };
        assert_eq!(bench.effects.sent, [expected]);
    }

    #[test]
    fn the_transmit_interrupt_is_masked_and_cleared() {
        let (mut uart, mut bench) = (Pl011::default(), Bench::default());
        bench.write(&mut uart, CONTROL, CONTROL_ENABLE | CONTROL_TRANSMIT);
        bench.write(&mut uart, DATA, 0);
        assert_eq!(bench.lines.shared(), 0);
        bench.write(&mut uart, INTERRUPT_MASK, INTERRUPT_TRANSMIT);
        assert_eq!(bench.lines.shared(), 1 << source::UART);
        bench.write(&mut uart, INTERRUPT_CLEAR, INTERRUPT_TRANSMIT);
        assert_eq!(bench.lines.shared(), 0);
    }
}
