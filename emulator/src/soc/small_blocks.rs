//! Blocks of which the firmware asks for one or two answers (VPU fact sheet 5).
//!
//! Each is a rule from the word last written to the word read; what is written is kept.

use std::collections::BTreeMap;

use super::block::{Block, register, registers, storage};
use super::device::{Context, Device};

/// What a register reads as, given what was last written to it; `None` for registers without a rule.
type Rule = fn(offset: u32, written: u32) -> Option<u32>;

/// A block whose registers follow a rule and have no other state.
pub struct RuleBlock {
    block: &'static Block,
    rule: Rule,
    written: BTreeMap<u32, u32>,
}

impl RuleBlock {
    fn new(block: &'static Block, rule: Rule) -> Self {
        Self { block, rule, written: BTreeMap::new() }
    }

    /// Asynchronous bridges: the acknowledge follows the request to stop.
    pub fn bridges() -> Self {
        Self::new(&BRIDGES, |_, written| Some(written & !2 | (written & 1) << 1))
    }

    /// Temperature sensor: valid, and a sample that means about 45 degrees.
    pub fn temperature() -> Self {
        Self::new(&TEMPERATURE, |offset, _| match offset {
            4 => Some(1 << 10 | 0x2aa),
            _ => None,
        })
    }

    /// SDRAM controller: out of standby when told so; mode-register accesses done, reading zero.
    pub fn sdram_controller() -> Self {
        Self::new(&SDRAM_CONTROLLER, |offset, written| match offset {
            0x00 if written & 1 << 3 != 0 => Some(written & !(1 << 15)),
            0x00 => Some(written | 1 << 15),
            0x90 => Some(written & 0xffff | 1 << 31),
            _ => None,
        })
    }

    /// Address side of the SDRAM PHY: locked and compensated.
    pub fn sdram_address_phy() -> Self {
        Self::new(&SDRAM_ADDRESS_PHY, |offset, _| match offset {
            0x18 | 0x1c | 0x48 => Some(u32::MAX),
            0x78 => Some(2),
            _ => None,
        })
    }

    /// Data side of the SDRAM PHY: locked and compensated.
    pub fn sdram_data_phy() -> Self {
        Self::new(&SDRAM_DATA_PHY, |offset, _| match offset {
            0x18 | 0x1c => Some(u32::MAX),
            0x5c => Some(2),
            _ => None,
        })
    }

    /// L1 caches: a flush is done at once.
    pub fn l1_cache() -> Self {
        Self::new(&L1_CACHE, |offset, written| match offset {
            0x000 | 0x080 | 0x100 => Some(written & !6),
            _ => None,
        })
    }

    /// L2 cache: a flush is done at once.
    pub fn l2_cache() -> Self {
        Self::new(&L2_CACHE, |offset, written| match offset {
            0x00 => Some(written & !4),
            _ => None,
        })
    }

    /// Video scaler: says what it is.
    pub fn video_scaler() -> Self {
        Self::new(&VIDEO_SCALER, |offset, _| match offset {
            0x08 => Some(u32::from_le_bytes(*b"vrdd")),
            _ => None,
        })
    }

    /// 3D core: says what it is.
    pub fn v3d() -> Self {
        Self::new(&V3D, |offset, _| match offset {
            0x00 => Some(0x0244_3356),
            0x04 => Some(0x8100_1422),
            0x08 => Some(0x0000_0128),
            _ => None,
        })
    }
}

impl Device for RuleBlock {
    fn block(&self) -> &'static Block {
        self.block
    }

    fn read(&mut self, offset: u32, _: &mut Context<'_>) -> Option<u32> {
        (self.rule)(offset, self.written.get(&offset).copied().unwrap_or(0))
    }

    fn write(&mut self, offset: u32, value: u32, _: &mut Context<'_>) -> Option<()> {
        (self.rule)(offset, value)?;
        self.written.insert(offset, value);
        Some(())
    }
}

static BRIDGES: Block =
    Block { name: "ASB", base: 0x7e00_a000, size: 0x100, registers: &[registers(0x00, 8, "CTRL")] };

static TEMPERATURE: Block = Block {
    name: "TS",
    base: 0x7e21_2000,
    size: 0x100,
    registers: &[storage(0x00, 1, "TSENSCTL", "the sensor is always on"), register(0x04, "TSENSSTAT")],
};

const RAM_IS_READY: &str = "RAM works without being set up";

static SDRAM_CONTROLLER: Block = Block {
    name: "SD",
    base: 0x7ee0_0000,
    size: 0x1000,
    registers: &[
        register(0x00, "CS"),
        storage(0x04, 14, "TIMING", RAM_IS_READY),
        storage(0x3c, 8, "SECURE_RANGE", "memory protection is not modelled"),
        storage(0x60, 12, "PHYC_MRT", RAM_IS_READY),
        register(0x90, "MR"),
        storage(0x94, 27, "TIMING_2", RAM_IS_READY),
    ],
};

static SDRAM_ADDRESS_PHY: Block = Block {
    name: "APHY_CSR",
    base: 0x7ee0_6000,
    size: 0x1000,
    registers: &[
        storage(0x00, 6, "DLL", RAM_IS_READY),
        registers(0x18, 2, "ADDR_DLL_LOCK"),
        storage(0x20, 10, "DDR_PLL", RAM_IS_READY),
        register(0x48, "DDR_PLL_LOCK_STATUS"),
        storage(0x4c, 11, "PADS", RAM_IS_READY),
        register(0x78, "ADDR_PVT_COMP_STATUS"),
        storage(0x7c, 6, "BIST", RAM_IS_READY),
    ],
};

static SDRAM_DATA_PHY: Block = Block {
    name: "DPHY_CSR",
    base: 0x7ee0_7000,
    size: 0x1000,
    registers: &[
        storage(0x00, 6, "DLL", RAM_IS_READY),
        registers(0x18, 2, "DQ_DLL_LOCK"),
        storage(0x20, 15, "DLL_PADS", RAM_IS_READY),
        register(0x5c, "DQ_PVT_COMP_STATUS"),
        storage(0x60, 6, "BIST", RAM_IS_READY),
    ],
};

const NO_CACHE: &str = "there are no caches here";

static L1_CACHE: Block = Block {
    name: "L1",
    base: 0x7ee0_2000,
    size: 0x1000,
    registers: &[
        register(0x000, "IC0_CONTROL"),
        storage(0x004, 3, "IC0", NO_CACHE),
        register(0x080, "IC1_CONTROL"),
        storage(0x084, 3, "IC1", NO_CACHE),
        register(0x100, "D_CONTROL"),
        storage(0x104, 3, "D", NO_CACHE),
        storage(0x800, 17, "SANDBOX", "memory protection is not modelled"),
    ],
};

static L2_CACHE: Block = Block {
    name: "L2",
    base: 0x7ee0_1000,
    size: 0x1000,
    registers: &[register(0x00, "CONT_OFF"), storage(0x04, 2, "FLUSH", NO_CACHE)],
};

const NO_DISPLAY: &str = "no display is attached, and nothing is drawn";

static VIDEO_SCALER: Block = Block {
    name: "HVS",
    base: 0x7e40_0000,
    size: 0x8000,
    registers: &[
        storage(0x00, 2, "DISPCTRL", NO_DISPLAY),
        register(0x08, "DISPID"),
        storage(0x0c, 61, "DISP", NO_DISPLAY),
        storage(0x2000, 0x1800, "DLIST", NO_DISPLAY),
    ],
};

static V3D: Block =
    Block { name: "V3D", base: 0x7ec0_0000, size: 0x1000, registers: &[registers(0x00, 3, "IDENT")] };

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn a_bridge_acknowledges_what_it_is_asked() {
        let (mut bridges, mut bench) = (RuleBlock::bridges(), Bench::default());
        bench.write(&mut bridges, 0x18, 0x5a00_0001);
        assert_eq!(bench.read(&mut bridges, 0x18), 0x5a00_0003);
        bench.write(&mut bridges, 0x18, 0x5a00_0000);
        assert_eq!(bench.read(&mut bridges, 0x18), 0x5a00_0000);
    }

    #[test]
    fn cache_flushes_are_done_when_looked_at() {
        let (mut l1, mut l2, mut bench) = (RuleBlock::l1_cache(), RuleBlock::l2_cache(), Bench::default());
        bench.write(&mut l1, 0x100, 7);
        assert_eq!(bench.read(&mut l1, 0x100), 1);
        bench.write(&mut l2, 0x00, 0x0043_0016);
        assert_eq!(bench.read(&mut l2, 0x00), 0x0043_0012);
    }

    #[test]
    fn the_sdram_controller_leaves_standby_when_told() {
        let (mut sdram, mut bench) = (RuleBlock::sdram_controller(), Bench::default());
        bench.write(&mut sdram, 0x00, 1 << 3);
        assert_eq!(bench.read(&mut sdram, 0x00) & 1 << 15, 0);
        bench.write(&mut sdram, 0x00, 0);
        assert_ne!(bench.read(&mut sdram, 0x00) & 1 << 15, 0);
    }
}
