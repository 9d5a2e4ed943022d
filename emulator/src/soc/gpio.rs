//! GPIO pins: functions, output latches, levels (BCM2835 peripherals manual, chapter 6).

use super::block::{Block, registers, storage};
use super::device::{Context, Device};

const FUNCTION_0: u32 = 0x00;
const FUNCTION_5: u32 = 0x14;
const SET_0: u32 = 0x1c;
const SET_1: u32 = 0x20;
const CLEAR_0: u32 = 0x28;
const CLEAR_1: u32 = 0x2c;
const LEVEL_0: u32 = 0x34;
const LEVEL_1: u32 = 0x38;
const EVENT_0: u32 = 0x40;
const EVENT_1: u32 = 0x44;

const PINS_PER_FUNCTION_WORD: u32 = 10;
const OUTPUT: u32 = 1;

static BLOCK: Block = Block {
    name: "GP",
    base: 0x7e20_0000,
    size: 0x100,
    registers: &[
        registers(FUNCTION_0, 6, "FSEL"),
        registers(SET_0, 2, "SET"),
        registers(CLEAR_0, 2, "CLR"),
        registers(LEVEL_0, 2, "LEV"),
        registers(EVENT_0, 2, "EDS"),
        storage(0x4c, 18, "EVENT_ENABLE", "no pin ever changes from outside"),
        storage(0x94, 3, "PUD", "pull-ups: an input always reads high"),
        storage(0xa4, 2, "SEN", "Schmitt triggers"),
        storage(0xb0, 1, "GPTEST", "test modes"),
        storage(0xd0, 1, "EXTRA_MUX", "zero: SDHOST and EMMC on their usual pins"),
    ],
};

/// The pins. Nothing is connected: an output reads back its latch, everything else reads high.
#[derive(Default)]
pub struct Gpio {
    function: [u32; 6],
    latch: [u32; 2],
}

impl Gpio {
    fn is_output(&self, pin: u32) -> bool {
        let word = self.function.get((pin / PINS_PER_FUNCTION_WORD) as usize).copied().unwrap_or(0);
        word >> (3 * (pin % PINS_PER_FUNCTION_WORD)) & 7 == OUTPUT
    }

    fn level(&self, bank: usize) -> u32 {
        (0..32).fold(0, |levels, bit| {
            let driven_low = self.is_output(bank as u32 * 32 + bit) && self.latch[bank] & 1 << bit == 0;
            if driven_low { levels } else { levels | 1 << bit }
        })
    }
}

impl Device for Gpio {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            FUNCTION_0..=FUNCTION_5 => self.function[(offset / 4) as usize],
            SET_0 | SET_1 | CLEAR_0 | CLEAR_1 | EVENT_0 | EVENT_1 => 0,
            LEVEL_0 => self.level(0),
            LEVEL_1 => self.level(1),
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, _: &mut Context<'_>) -> Option<()> {
        match offset {
            FUNCTION_0..=FUNCTION_5 => self.function[(offset / 4) as usize] = value,
            SET_0 | SET_1 => self.latch[((offset - SET_0) / 4) as usize] |= value,
            CLEAR_0 | CLEAR_1 => self.latch[((offset - CLEAR_0) / 4) as usize] &= !value,
            LEVEL_0 | LEVEL_1 | EVENT_0 | EVENT_1 => {}
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
    fn an_output_reads_its_latch_and_an_input_reads_high() {
        let (mut gpio, mut bench) = (Gpio::default(), Bench::default());
        assert_eq!(bench.read(&mut gpio, LEVEL_1), u32::MAX);
        bench.write(&mut gpio, 0x10, OUTPUT << 21); // pin 47
        assert_eq!(bench.read(&mut gpio, LEVEL_1), !(1 << 15));
        bench.write(&mut gpio, SET_1, 1 << 15);
        assert_eq!(bench.read(&mut gpio, LEVEL_1), u32::MAX);
        bench.write(&mut gpio, CLEAR_1, 1 << 15);
        assert_eq!(bench.read(&mut gpio, LEVEL_1), !(1 << 15));
    }
}
