//! One-time programmable memory: what the factory burnt into this board (VPU fact sheet 4).

use super::block::{Block, register, storage};
use super::device::{Context, Device};

const BOOT_MODE: u32 = 0x00;
const STATUS: u32 = 0x10;
const DATA: u32 = 0x18;
const ADDRESS: u32 = 0x1c;

/// Last command done, program port ready.
const STATUS_DONE: u32 = 3;
const ROWS: usize = 128;

const ROW_CONTROL: usize = 16;
const ROW_BOOT_MODE: usize = 17;
const ROW_BOOT_MODE_COPY: usize = 18;
const ROW_CUSTOMER: usize = 27;
const ROW_SERIAL: usize = 28;
const ROW_SERIAL_INVERSE: usize = 29;
const ROW_REVISION: usize = 30;

/// Boot mode of a board that has only ever booted from its card.
const BOOT_MODE_CARD: u32 = 0x1020_000a;
/// Every emulated board is the same one.
const SERIAL: u32 = 0x1234_5678;

static BLOCK: Block = Block {
    name: "OTP",
    base: 0x7e20_f000,
    size: 0x100,
    registers: &[
        register(BOOT_MODE, "BOOTMODE"),
        storage(0x04, 1, "CONFIG", "timing of the array, which answers at once"),
        storage(0x08, 2, "CTRL", "commands, which are done at once"),
        register(STATUS, "STATUS"),
        storage(0x14, 1, "BITSEL", "for programming, which never happens"),
        register(DATA, "DATA"),
        register(ADDRESS, "ADDR"),
        storage(0x20, 2, "WRITE_READBACK", "for programming, which never happens"),
    ],
};

/// The array.
pub struct Otp {
    rows: [u32; ROWS],
    address: u32,
}

impl Otp {
    /// Burns in the board's revision code.
    pub fn new(revision: u32) -> Self {
        let mut rows = [0; ROWS];
        rows[ROW_CONTROL] = 0x0028_0000;
        rows[ROW_BOOT_MODE] = BOOT_MODE_CARD;
        rows[ROW_BOOT_MODE_COPY] = BOOT_MODE_CARD;
        rows[ROW_CUSTOMER] = 0x2727;
        rows[ROW_SERIAL] = SERIAL;
        rows[ROW_SERIAL_INVERSE] = !SERIAL;
        rows[ROW_REVISION] = revision;
        Self { rows, address: 0 }
    }
}

impl Device for Otp {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            BOOT_MODE => self.rows[ROW_BOOT_MODE],
            STATUS => STATUS_DONE,
            DATA => self.rows[self.address as usize % ROWS],
            ADDRESS => self.address,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, _: &mut Context<'_>) -> Option<()> {
        match offset {
            ADDRESS => self.address = value,
            BOOT_MODE | STATUS | DATA => {}
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn reads_the_addressed_row() {
        let (mut otp, mut bench) = (Otp::new(0xa0_2082), Bench::default());
        bench.write(&mut otp, ADDRESS, 30);
        assert_eq!(bench.read(&mut otp, DATA), 0xa0_2082);
        bench.write(&mut otp, ADDRESS, 29);
        assert_eq!(bench.read(&mut otp, DATA), !SERIAL);
    }
}
