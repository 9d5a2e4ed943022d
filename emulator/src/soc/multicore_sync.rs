//! Multicore sync: semaphores between the two VPU cores, a recursive lock, and cross-core interrupts
//! (VPU fact sheet 5, block MS).

use super::block::{Block, register, registers, storage};
use super::device::{Context, Device};
use super::lines::source;

const SEMAPHORE_END: u32 = 0x7c;
const STATUS: u32 = 0x80;
const SET_0: u32 = 0x90;
const SET_1: u32 = 0x94;
const CLEAR_0: u32 = 0x98;
const CLEAR_1: u32 = 0x9c;
const LOCK_0: u32 = 0xc0;
const LOCK_1: u32 = 0xc4;
const LOCK_STATUS: u32 = 0xc8;

static BLOCK: Block = Block {
    name: "MS",
    base: 0x7e00_0000,
    size: 0x100,
    registers: &[
        registers(0, 32, "SEMA"),
        register(STATUS, "STATUS"),
        storage(0x84, 2, "IREQ", "request words that the cores pass each other"),
        registers(SET_0, 2, "ICSET"),
        registers(CLEAR_0, 2, "ICCLR"),
        storage(0xb0, 2, "MBOX", "mail words that the cores pass each other"),
        registers(LOCK_0, 2, "VPUSEMA"),
        register(LOCK_STATUS, "VPU_STATUS"),
    ],
};

/// The block.
#[derive(Default)]
pub struct MulticoreSync {
    /// Bit n: semaphore n is taken.
    taken: u32,
    /// How often each core holds the recursive lock; the other core's count is then 0.
    held: [u32; 2],
}

impl Device for MulticoreSync {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            0..=SEMAPHORE_END => {
                let bit = 1 << (offset / 4);
                let was_taken = self.taken & bit != 0;
                self.taken |= bit;
                u32::from(was_taken)
            }
            STATUS => self.taken,
            // The register, not the bus master, says which core asks.
            LOCK_0 | LOCK_1 => {
                let core = usize::from(offset == LOCK_1);
                if self.held[1 - core] == 0 {
                    self.held[core] += 1;
                    0
                } else {
                    1
                }
            }
            LOCK_STATUS => self.held[0] | self.held[1] << 16,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, _: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            0..=SEMAPHORE_END => self.taken &= !(1 << (offset / 4)),
            SET_0 | SET_1 => {
                context.lines.set(source::MULTICORE_2 + ((offset - SET_0) / 4) as u8, true);
                context.effects.end_slice = true;
            }
            CLEAR_0 | CLEAR_1 => {
                context.lines.set(source::MULTICORE_2 + ((offset - CLEAR_0) / 4) as u8, false);
            }
            LOCK_0 | LOCK_1 => {
                let core = usize::from(offset == LOCK_1);
                self.held[core] = self.held[core].saturating_sub(1);
            }
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
    fn a_semaphore_reads_free_once_and_is_freed_by_a_write() {
        let (mut ms, mut bench) = (MulticoreSync::default(), Bench::default());
        assert_eq!(bench.read(&mut ms, 0x18), 0);
        assert_eq!(bench.read(&mut ms, 0x18), 1);
        assert_eq!(bench.read(&mut ms, STATUS), 1 << 6);
        bench.write(&mut ms, 0x18, 0);
        assert_eq!(bench.read(&mut ms, 0x18), 0);
    }

    #[test]
    fn the_lock_is_recursive_for_its_holder_and_closed_to_the_other_core() {
        let (mut ms, mut bench) = (MulticoreSync::default(), Bench::default());
        assert_eq!(bench.read(&mut ms, LOCK_0), 0);
        assert_eq!(bench.read(&mut ms, LOCK_0), 0);
        assert_eq!(bench.read(&mut ms, LOCK_1), 1);
        bench.write(&mut ms, LOCK_0, 0);
        assert_eq!(bench.read(&mut ms, LOCK_1), 1);
        bench.write(&mut ms, LOCK_0, 0);
        assert_eq!(bench.read(&mut ms, LOCK_1), 0);
        assert_eq!(bench.read(&mut ms, LOCK_STATUS), 1 << 16);
    }

    #[test]
    fn a_cross_core_request_raises_its_line_until_cleared() {
        let (mut ms, mut bench) = (MulticoreSync::default(), Bench::default());
        bench.write(&mut ms, SET_1, 0xefd_7a94);
        assert_eq!(bench.lines.shared(), 1 << 15);
        assert!(bench.effects.end_slice);
        bench.write(&mut ms, CLEAR_1, 0);
        assert_eq!(bench.lines.shared(), 0);
    }
}
