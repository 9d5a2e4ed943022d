//! The I2C masters (BSC, BCM2835 peripherals manual, chapter 3) with nothing on their wires: every transfer ends
//! at once without an acknowledge.

use super::block::{Block, Register, register, storage};
use super::device::{Context, Device};
use super::lines::source;

const CONTROL: u32 = 0x00;
const STATUS: u32 = 0x04;
const LENGTH: u32 = 0x08;
const FIFO: u32 = 0x10;

const CONTROL_START: u32 = 1 << 7;
const CONTROL_INTERRUPT_DONE: u32 = 1 << 8;
const STATUS_DONE: u32 = 1 << 1;
/// Can accept data, is empty: the transmit FIFO never fills.
const STATUS_TRANSMIT_EMPTY: u32 = 1 << 4 | 1 << 6;
const STATUS_NO_ACKNOWLEDGE: u32 = 1 << 8;
const STATUS_CLOCK_TIMEOUT: u32 = 1 << 9;
const STATUS_CLEARABLE: u32 = STATUS_DONE | STATUS_NO_ACKNOWLEDGE | STATUS_CLOCK_TIMEOUT;

const REGISTERS: &[Register] = &[
    register(CONTROL, "C"),
    register(STATUS, "S"),
    register(LENGTH, "DLEN"),
    storage(0x0c, 1, "A", "no device has any address"),
    register(FIFO, "FIFO"),
    storage(0x14, 3, "TIMING", "transfers take no time"),
];

static BLOCKS: [Block; 3] = [
    Block { name: "I2C0", base: 0x7e20_5000, size: 0x100, registers: REGISTERS },
    Block { name: "I2C1", base: 0x7e80_4000, size: 0x100, registers: REGISTERS },
    Block { name: "I2C2", base: 0x7e80_5000, size: 0x100, registers: REGISTERS },
];

/// One master.
pub struct I2c {
    index: u8,
    control: u32,
    status: u32,
    length: u32,
}

impl I2c {
    /// Idle.
    pub fn new(index: u8) -> Self {
        Self { index, control: 0, status: 0, length: 0 }
    }
}

impl Device for I2c {
    fn block(&self) -> &'static Block {
        &BLOCKS[usize::from(self.index)]
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            CONTROL => self.control,
            STATUS => self.status | STATUS_TRANSMIT_EMPTY,
            LENGTH => self.length,
            FIFO => 0,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            CONTROL => {
                self.control = value & !CONTROL_START;
                if value & CONTROL_START != 0 {
                    self.status |= STATUS_DONE | STATUS_NO_ACKNOWLEDGE;
                }
            }
            STATUS => self.status &= !(value & STATUS_CLEARABLE),
            LENGTH => self.length = value,
            FIFO => {}
            _ => return None,
        }
        let interrupt = self.status & STATUS_DONE != 0 && self.control & CONTROL_INTERRUPT_DONE != 0;
        context.lines.set_part(source::I2C, self.index, interrupt);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn a_transfer_ends_unacknowledged_and_interrupts_until_cleared() {
        let (mut i2c, mut bench) = (I2c::new(2), Bench::default());
        bench.write(&mut i2c, CONTROL, 0x8000 | CONTROL_START | CONTROL_INTERRUPT_DONE);
        assert_eq!(bench.read(&mut i2c, STATUS), 0x152);
        assert_eq!(bench.lines.shared(), 1 << source::I2C);
        bench.write(&mut i2c, STATUS, STATUS_CLEARABLE);
        assert_eq!(bench.read(&mut i2c, STATUS), STATUS_TRANSMIT_EMPTY);
        assert_eq!(bench.lines.shared(), 0);
    }
}
