//! Registers without behaviour, and the record of those that nobody has looked into.

use std::collections::BTreeMap;

use super::block::{Block, storage};
use super::device::Initiator;

const NO_OUTPUT: &str = "no display is attached";
const PRIORITIES: &str = "bus priorities: every access takes the same time here";

/// Blocks that have no device: everything in them is storage or unmodelled.
static BLOCKS_WITHOUT_DEVICE: &[Block] = &[
    Block {
        name: "BOOT_ROM",
        base: 0x6000_0000,
        size: 0x1_0000,
        registers: &[storage(
            0x00,
            0x4000,
            "WORD",
            "the ROM is not executed; its scratch RAM is only written",
        )],
    },
    Block {
        name: "TXP",
        base: 0x7e00_4000,
        size: 0x100,
        registers: &[storage(0x00, 8, "TRANSPOSER", NO_OUTPUT)],
    },
    Block {
        name: "SYSAC",
        base: 0x7e00_9000,
        size: 0x1000,
        registers: &[storage(0x00, 27, "PRIORITY", PRIORITIES), storage(0x800, 1, "CONTROL", PRIORITIES)],
    },
    Block {
        name: "ARM_T",
        base: 0x7e00_b400,
        size: 0x30,
        registers: &[storage(0x1c, 1, "PREDIV", "the ARMC's own timer is not modelled beyond this")],
    },
    Block {
        name: "PCM",
        base: 0x7e20_3000,
        size: 0x100,
        registers: &[storage(0x00, 9, "PCM", "no audio comes out")],
    },
    Block { name: "DPI", base: 0x7e20_8000, size: 0x100, registers: &[storage(0x00, 2, "DPI", NO_OUTPUT)] },
    Block {
        name: "DSI0",
        base: 0x7e20_9000,
        size: 0x100,
        registers: &[storage(0x00, 32, "DSI0", NO_OUTPUT)],
    },
    Block {
        name: "PRM",
        base: 0x7e20_d000,
        size: 0x100,
        registers: &[storage(
            0x00,
            3,
            "PROCESS_MONITOR",
            "never finishes: the firmware polls it to a timeout and goes on",
        )],
    },
    Block {
        name: "DSI1",
        base: 0x7e70_0000,
        size: 0x100,
        registers: &[storage(0x00, 40, "DSI1", NO_OUTPUT)],
    },
    Block {
        name: "VEC",
        base: 0x7e80_6000,
        size: 0x1000,
        registers: &[storage(0x00, 0xa0, "TV_ENCODER", NO_OUTPUT)],
    },
    Block {
        name: "PIXELVALVE2",
        base: 0x7e80_7000,
        size: 0x100,
        registers: &[storage(0x00, 16, "PIXELVALVE2", NO_OUTPUT)],
    },
    Block {
        name: "PIARBCTL",
        base: 0x7e80_a000,
        size: 0x100,
        registers: &[storage(0x00, 1, "CAM", PRIORITIES)],
    },
    Block {
        name: "VPU_ARB",
        base: 0x7ee0_4000,
        size: 0x100,
        registers: &[storage(0x00, 2, "CTRL", PRIORITIES)],
    },
    Block {
        name: "UNNAMED_7ee08",
        base: 0x7ee0_8000,
        size: 0x100,
        registers: &[storage(0x00, 26, "REG", "in no public header; written at boot, read now and then")],
    },
];

/// How often a register that nobody models was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Usage {
    /// Loads.
    pub reads: u64,
    /// Stores.
    pub writes: u64,
    /// Who did it first.
    pub first_by: Initiator,
    /// Where.
    pub first_pc: u64,
}

/// Words by bus address, all zero at power-on.
#[derive(Default)]
pub struct PlainStorage {
    words: BTreeMap<u32, u32>,
    unmodelled: BTreeMap<u32, Usage>,
}

impl PlainStorage {
    /// As after a reset; what nobody models stays counted.
    pub fn reset(&mut self) {
        self.words.clear();
    }

    /// What was last written.
    pub fn read(&self, address: u32) -> u32 {
        self.words.get(&address).copied().unwrap_or(0)
    }

    /// Keeps a word.
    pub fn write(&mut self, address: u32, value: u32) {
        self.words.insert(address, value);
    }

    /// Counts an access to a register that nobody models; true if it is the first.
    pub fn count(&mut self, address: u32, write: bool, by: Initiator, pc: u64) -> bool {
        let first = !self.unmodelled.contains_key(&address);
        let fresh = Usage { reads: 0, writes: 0, first_by: by, first_pc: pc };
        let usage = self.unmodelled.entry(address).or_insert(fresh);
        *(if write { &mut usage.writes } else { &mut usage.reads }) += 1;
        first
    }

    /// Registers that nobody models, by address.
    pub fn unmodelled(&self) -> impl Iterator<Item = (u32, &Usage)> {
        self.unmodelled.iter().map(|(address, usage)| (*address, usage))
    }
}

/// The block at an address that has no device.
pub fn block_at(address: u32) -> Option<&'static Block> {
    BLOCKS_WITHOUT_DEVICE.iter().find(|block| block.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_register_and_remembers_who_was_first() {
        let mut storage = PlainStorage::default();
        assert!(storage.count(0x7e00_0200, false, Initiator::Vpu(1), 0x100));
        assert!(!storage.count(0x7e00_0200, true, Initiator::Arm(0), 0x200));
        let counted: Vec<_> = storage.unmodelled().collect();
        assert_eq!(counted.len(), 1);
        let usage = counted[0].1;
        assert_eq!((usage.reads, usage.writes, usage.first_pc), (1, 1, 0x100));
        assert_eq!(usage.first_by, Initiator::Vpu(1));
    }

    #[test]
    fn blocks_do_not_overlap() {
        for (index, block) in BLOCKS_WITHOUT_DEVICE.iter().enumerate() {
            for other in &BLOCKS_WITHOUT_DEVICE[index + 1..] {
                assert!(!block.contains(other.base) && !other.contains(block.base), "{}", block.name);
            }
        }
    }
}
