//! The auxiliary block: the mini-UART (BCM2835 peripherals manual, chapter 2), transmit side.
//!
//! As with the PL011 a byte leaves the moment it is written and nothing is received.

use super::block::{Block, register, storage};
use super::device::{Context, Device, Sent};
use super::lines::source;
use crate::machine::UartPort;

const PENDING: u32 = 0x00;
const ENABLES: u32 = 0x04;
const DATA: u32 = 0x40;
const INTERRUPT_ENABLE: u32 = 0x44;
const INTERRUPT_IDENTIFY: u32 = 0x48;
const LINE_CONTROL: u32 = 0x4c;
const LINE_STATUS: u32 = 0x54;
const MODEM_STATUS: u32 = 0x58;
const CONTROL: u32 = 0x60;
const STATUS: u32 = 0x64;
const BAUD: u32 = 0x68;

const ENABLE_MINI_UART: u32 = 1 << 0;
const LINE_CONTROL_DLAB: u32 = 1 << 7;
const CONTROL_TRANSMIT: u32 = 1 << 1;
const INTERRUPT_TRANSMIT: u32 = 1 << 1;
/// No interrupt pending, FIFOs enabled.
const IDENTIFY_NONE: u32 = 0xc1;
/// Transmit FIFO empty is the reason.
const IDENTIFY_TRANSMIT: u32 = 0xc2;
/// Transmitter empty and idle.
const LINE_STATUS_IDLE: u32 = 0x60;
/// Space available, transmitter idle, FIFO empty, transmitter done.
const STATUS_IDLE: u32 = 0x30e;

static BLOCK: Block = Block {
    name: "AUX",
    base: 0x7e21_5000,
    size: 0x100,
    registers: &[
        register(PENDING, "IRQ"),
        register(ENABLES, "ENABLES"),
        register(DATA, "MU_IO"),
        register(INTERRUPT_ENABLE, "MU_IER"),
        register(INTERRUPT_IDENTIFY, "MU_IIR"),
        register(LINE_CONTROL, "MU_LCR"),
        storage(0x50, 1, "MU_MCR", "no modem lines are connected"),
        register(LINE_STATUS, "MU_LSR"),
        register(MODEM_STATUS, "MU_MSR"),
        storage(0x5c, 1, "MU_SCRATCH", "a scratch register"),
        register(CONTROL, "MU_CNTL"),
        register(STATUS, "MU_STAT"),
        register(BAUD, "MU_BAUD"),
    ],
};

/// The block.
#[derive(Default)]
pub struct MiniUart {
    enables: u32,
    interrupt_enable: u32,
    line_control: u32,
    control: u32,
    baud: u32,
}

impl MiniUart {
    fn is_enabled(&self) -> bool {
        self.enables & ENABLE_MINI_UART != 0
    }

    fn interrupts(&self) -> bool {
        self.is_enabled() && self.interrupt_enable & INTERRUPT_TRANSMIT != 0
    }
}

impl Device for MiniUart {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            PENDING => u32::from(self.interrupts()),
            ENABLES => self.enables,
            DATA if self.line_control & LINE_CONTROL_DLAB != 0 => self.baud & 0xff,
            DATA => 0,
            INTERRUPT_ENABLE => self.interrupt_enable,
            INTERRUPT_IDENTIFY if self.interrupts() => IDENTIFY_TRANSMIT,
            INTERRUPT_IDENTIFY => IDENTIFY_NONE,
            LINE_CONTROL => self.line_control,
            LINE_STATUS => LINE_STATUS_IDLE,
            MODEM_STATUS => 0,
            CONTROL => self.control,
            STATUS => STATUS_IDLE,
            BAUD => self.baud,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            ENABLES => self.enables = value,
            DATA if self.line_control & LINE_CONTROL_DLAB != 0 => {
                self.baud = self.baud & !0xff | value & 0xff;
            }
            DATA => {
                if self.is_enabled() && self.control & CONTROL_TRANSMIT != 0 {
                    let sent = Sent { by: context.by, port: UartPort::MiniUart, byte: value as u8 };
                    context.effects.sent.push(sent);
                }
            }
            INTERRUPT_ENABLE => self.interrupt_enable = value,
            LINE_CONTROL => self.line_control = value,
            CONTROL => self.control = value,
            BAUD => self.baud = value & 0xffff,
            PENDING | INTERRUPT_IDENTIFY | LINE_STATUS | MODEM_STATUS | STATUS => {}
            _ => return None,
        }
        context.lines.set(source::AUX, self.interrupts());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn sends_only_while_the_block_and_its_transmitter_are_on() {
        let (mut uart, mut bench) = (MiniUart::default(), Bench::default());
        bench.write(&mut uart, DATA, u32::from(b'a'));
        bench.write(&mut uart, ENABLES, ENABLE_MINI_UART);
        bench.write(&mut uart, DATA, u32::from(b'b'));
        assert!(bench.effects.sent.is_empty());
        bench.write(&mut uart, CONTROL, CONTROL_TRANSMIT);
        bench.write(&mut uart, DATA, u32::from(b'c'));
        assert_eq!(bench.effects.sent.len(), 1);
        assert_eq!(bench.effects.sent[0].byte, b'c');
    }

    #[test]
    fn with_dlab_set_the_data_register_is_the_divisor() {
        let (mut uart, mut bench) = (MiniUart::default(), Bench::default());
        bench.write(&mut uart, BAUD, 0x1b1);
        bench.write(&mut uart, LINE_CONTROL, LINE_CONTROL_DLAB);
        assert_eq!(bench.read(&mut uart, DATA), 0xb1);
    }
}
