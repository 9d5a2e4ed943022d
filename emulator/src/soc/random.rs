//! The random number generator (block RNG of the public headers). Deterministic: its stream comes from the seed.

use super::block::{Block, register, storage};
use super::device::{Context, Device};
use super::lines::source;

const CONTROL: u32 = 0x00;
const STATUS: u32 = 0x04;
const DATA: u32 = 0x08;
const THRESHOLD: u32 = 0x0c;
const INTERRUPT_MASK: u32 = 0x10;

const CONTROL_ENABLE: u32 = 1 << 0;
const INTERRUPT_OFF: u32 = 1 << 0;
/// STATUS: words available in the top byte, numbers to throw away while warming up in the low 20 bits.
const STATUS_COUNT_SHIFT: u32 = 24;
const STATUS_WARM_UP: u32 = 0xf_ffff;
/// Words that are always there while the generator is on: real ones take microseconds to appear.
const AVAILABLE: u32 = 16;

static BLOCK: Block = Block {
    name: "RNG",
    base: 0x7e10_4000,
    size: 0x100,
    registers: &[
        register(CONTROL, "CTRL"),
        register(STATUS, "STATUS"),
        register(DATA, "DATA"),
        register(THRESHOLD, "FF_THRESHOLD"),
        register(INTERRUPT_MASK, "INT_MASK"),
        storage(0x14, 1, "SOFT_RESET", "zero tells the firmware that this is not the RNG200 of later chips"),
    ],
};

/// The generator.
pub struct Random {
    state: u64,
    control: u32,
    warm_up: u32,
    threshold: u32,
    mask: u32,
}

impl Random {
    /// Off, interrupt masked.
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed ^ 0x9e37_79b9_7f4a_7c15,
            control: 0,
            warm_up: 0,
            threshold: 0,
            mask: INTERRUPT_OFF,
        }
    }

    fn available(&self) -> u32 {
        if self.control & CONTROL_ENABLE != 0 { AVAILABLE } else { 0 }
    }

    fn drive_line(&self, context: &mut Context<'_>) {
        let enough = self.available() != 0 && self.available() >= self.threshold & 0xff;
        context.lines.set(source::RANDOM, enough && self.mask & INTERRUPT_OFF == 0);
    }

    /// SplitMix64, upper half.
    fn next(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 32) as u32
    }
}

impl Device for Random {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            CONTROL => self.control,
            STATUS => self.available() << STATUS_COUNT_SHIFT | self.warm_up,
            DATA if self.available() != 0 => self.next(),
            DATA => 0,
            THRESHOLD => self.threshold,
            INTERRUPT_MASK => self.mask,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            CONTROL => self.control = value,
            STATUS => self.warm_up = value & STATUS_WARM_UP,
            THRESHOLD => self.threshold = value,
            INTERRUPT_MASK => self.mask = value,
            _ => return None,
        }
        self.drive_line(context);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn equal_seeds_give_equal_streams_and_others_do_not() {
        let stream = |seed| {
            let (mut random, mut bench) = (Random::new(seed), Bench::default());
            bench.write(&mut random, CONTROL, CONTROL_ENABLE);
            [0; 4].map(|_| bench.read(&mut random, DATA))
        };
        assert_eq!(stream(1), stream(1));
        assert_ne!(stream(1), stream(2));
    }

    #[test]
    fn the_interrupt_needs_the_generator_on_and_the_mask_open() {
        let (mut random, mut bench) = (Random::new(0), Bench::default());
        bench.write(&mut random, THRESHOLD, 4);
        bench.write(&mut random, INTERRUPT_MASK, 0);
        assert_eq!(bench.lines.shared(), 0);
        bench.write(&mut random, CONTROL, CONTROL_ENABLE);
        assert_eq!(bench.lines.shared(), 1 << source::RANDOM);
        bench.write(&mut random, INTERRUPT_MASK, INTERRUPT_OFF);
        assert_eq!(bench.lines.shared(), 0);
    }
}
