//! The interrupt controllers of the two VPU cores (VPU fact sheet 5, blocks IC0 and IC1).

use super::block::{Block, Register, register, registers, storage};
use super::device::{Context, Device};
use super::lines::Lines;

const CONTROL: u32 = 0x00;
const STATUS: u32 = 0x04;
const SOURCE_0: u32 = 0x08;
const SOURCE_1: u32 = 0x0c;
const MASK_0: u32 = 0x10;
const MASK_7: u32 = 0x2c;
const VECTORS: u32 = 0x30;
const WAKEUP: u32 = 0x34;
const FORCE_0: u32 = 0x40;
const FORCE_1: u32 = 0x44;
const FORCE_0_SET: u32 = 0x48;
const FORCE_1_SET: u32 = 0x4c;
const FORCE_0_CLEAR: u32 = 0x50;
const FORCE_1_CLEAR: u32 = 0x54;

/// STATUS: an interrupt has been handed over (handlers test it).
const STATUS_VALID: u32 = 1 << 8;

const REGISTERS: &[Register] = &[
    register(CONTROL, "C"),
    register(STATUS, "S"),
    registers(SOURCE_0, 2, "SRC"),
    registers(MASK_0, 8, "MASK"),
    register(VECTORS, "VADDR"),
    register(WAKEUP, "WAKEUP"),
    storage(0x38, 1, "PROFILE", "selects what the profiler counts"),
    registers(FORCE_0, 2, "FORCE"),
    registers(FORCE_0_SET, 2, "FORCE_SET"),
    registers(FORCE_0_CLEAR, 2, "FORCE_CLR"),
];

static BLOCKS: [Block; 2] = [
    Block { name: "IC0", base: 0x7e00_2000, size: 0x800, registers: REGISTERS },
    Block { name: "IC1", base: 0x7e00_2800, size: 0x800, registers: REGISTERS },
];

/// One core's controller.
pub struct VpuInterrupts {
    core: u8,
    control: u32,
    status: u32,
    /// Four bits a source, of which three are its priority; 0 is off.
    mask: [u32; 8],
    /// Sources whose priority is not 0.
    enabled: u64,
    vectors: u32,
    wakeup: u32,
    force: u64,
}

impl VpuInterrupts {
    /// All sources masked.
    pub fn new(core: u8) -> Self {
        Self { core, control: 0, status: 0, mask: [0; 8], enabled: 0, vectors: 0, wakeup: 0, force: 0 }
    }

    /// Base of the vector table.
    pub fn vectors(&self) -> u32 {
        self.vectors
    }

    /// True if an enabled source is asserted.
    #[inline]
    pub fn is_pending(&self, lines: &Lines) -> bool {
        (lines.shared() | self.force) & self.enabled != 0
    }

    /// Hands over the source of the highest priority, the lowest number among equals.
    pub fn acknowledge(&mut self, lines: &Lines) -> Option<u8> {
        let mut pending = (lines.shared() | self.force) & self.enabled;
        let mut best: Option<(u8, u32)> = None;
        while pending != 0 {
            let number = pending.trailing_zeros() as u8;
            pending &= pending - 1;
            let priority = self.priority(number);
            if best.is_none_or(|(_, so_far)| priority > so_far) {
                best = Some((number, priority));
            }
        }
        let (number, priority) = best?;
        self.status = u32::from(number) | priority << 8 | STATUS_VALID;
        Some(number)
    }

    fn priority(&self, number: u8) -> u32 {
        self.mask[usize::from(number / 8)] >> (4 * (number % 8)) & 7
    }

    fn set_mask(&mut self, word: usize, value: u32) {
        self.mask[word] = value;
        for bit in 0..8 {
            let number = (word * 8 + bit) as u8;
            let enabled = u64::from(self.priority(number) != 0);
            self.enabled = self.enabled & !(1 << number) | enabled << number;
        }
    }
}

impl Device for VpuInterrupts {
    fn block(&self) -> &'static Block {
        &BLOCKS[usize::from(self.core)]
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        let sources = context.lines.shared() | self.force;
        Some(match offset {
            CONTROL => self.control,
            STATUS => self.status,
            SOURCE_0 => sources as u32,
            SOURCE_1 => (sources >> 32) as u32,
            MASK_0..=MASK_7 => self.mask[((offset - MASK_0) / 4) as usize],
            VECTORS => self.vectors,
            WAKEUP => self.wakeup,
            FORCE_0 => self.force as u32,
            FORCE_1 => (self.force >> 32) as u32,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        let low = u64::from(value);
        let high = low << 32;
        match offset {
            CONTROL => self.control = value,
            MASK_0..=MASK_7 => self.set_mask(((offset - MASK_0) / 4) as usize, value),
            VECTORS => self.vectors = value,
            WAKEUP => {
                self.wakeup = value;
                context.effects.start_vpu = Some((self.core, value));
                context.effects.end_slice = true;
            }
            FORCE_0 => self.force = self.force & !0xffff_ffff | low,
            FORCE_1 => self.force = self.force & 0xffff_ffff | high,
            FORCE_0_SET => self.force |= low,
            FORCE_1_SET => self.force |= high,
            FORCE_0_CLEAR => self.force &= !low,
            FORCE_1_CLEAR => self.force &= !high,
            _ => return None,
        }
        context.lines.touch();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn the_highest_priority_wins_and_shows_in_the_status() {
        let (mut ic, mut bench) = (VpuInterrupts::new(0), Bench::default());
        bench.write(&mut ic, MASK_0, 0x0000_0020); // source 1, priority 2
        bench.write(&mut ic, MASK_7, 0x0000_0005); // source 56, priority 5
        bench.lines.set(1, true);
        bench.lines.set(56, true);
        assert_eq!(ic.acknowledge(&bench.lines), Some(56));
        assert_eq!(bench.read(&mut ic, STATUS), 0x500 | STATUS_VALID | 56);
    }

    #[test]
    fn a_masked_source_neither_wakes_nor_interrupts() {
        let (mut ic, mut bench) = (VpuInterrupts::new(0), Bench::default());
        bench.lines.set(30, true);
        assert!(!ic.is_pending(&bench.lines));
        assert_eq!(ic.acknowledge(&bench.lines), None);
        bench.write(&mut ic, MASK_0 + 12, 0x0100_0000);
        assert!(ic.is_pending(&bench.lines));
        bench.write(&mut ic, MASK_0 + 12, 0);
        assert!(!ic.is_pending(&bench.lines));
    }

    #[test]
    fn a_forced_source_counts_like_a_line() {
        let (mut ic, mut bench) = (VpuInterrupts::new(0), Bench::default());
        bench.write(&mut ic, MASK_0 + 16, 1);
        bench.write(&mut ic, FORCE_1_SET, 1);
        assert_eq!(bench.read(&mut ic, SOURCE_1), 1);
        assert_eq!(ic.acknowledge(&bench.lines), Some(32));
        bench.write(&mut ic, FORCE_1_CLEAR, 1);
        assert_eq!(ic.acknowledge(&bench.lines), None);
    }

    #[test]
    fn wakeup_starts_the_core_it_belongs_to() {
        let (mut ic, mut bench) = (VpuInterrupts::new(1), Bench::default());
        bench.write(&mut ic, WAKEUP, 0xcec0_0200);
        assert_eq!(bench.effects.start_vpu, Some((1, 0xcec0_0200)));
    }
}
