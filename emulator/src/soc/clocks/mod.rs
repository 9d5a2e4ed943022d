//! CPRMAN, the clock manager: PLLs, clock generators, and the counter that measures them (VPU fact sheet 5;
//! Linux `drivers/clk/bcm/clk-bcm2835.c`).
//!
//! Rates are computed from what was programmed: the counter measures them, and the processors run at them.

mod tree;

use self::tree::{CLOCKS, CRYSTAL_HZ};
use super::block::{Block, register, storage};
use super::device::{Context, Device, Rates};
use super::password;

const MEASURE_CONTROL: u32 = 0x0c0;
const MEASURE_COUNT: u32 = 0x0c4;
const CRYSTAL_COUNT: u32 = 0x100;
const LOCK: u32 = 0x114;
/// The second counter, for PLLs: it counts while a burst of test clocks lasts.
const PLL_TEST_CONTROL: u32 = 0x130;
const PLL_TEST_COUNT: u32 = 0x134;
const BURST_COUNT: u32 = 0x14c;
const SDRAM_CONTROL: u32 = 0x1a8;
/// First register of the analogue half, A2W.
const ANALOGUE: u32 = 0x1000;
/// A2W registers read back 0x800 above where they are written, too.
const ANALOGUE_READ_BACK: u32 = 0x1800;

const ENABLE: u32 = 1 << 4;
const KILL: u32 = 1 << 5;
const BUSY: u32 = 1 << 7;
const SDRAM_ACCEPT: u32 = 1 << 16;
const SDRAM_UPDATE: u32 = 1 << 17;
/// PLLA, B, C, D and H.
const ALL_LOCKED: u32 = 0x1f00;

/// Number of the Arm's PLL at the PLL counter. The firmware measures the Arm so, with the crystal as test clock.
const PLL_TEST_ARM: u32 = 2;
/// Number of the VPU's clock at the measuring multiplexer.
const MEASURED_AS_VPU: u32 = 5;

const SIZE: u32 = 0x3000;

static BLOCK: Block = Block {
    name: "CPRMAN",
    base: 0x7e10_1000,
    size: SIZE,
    registers: &[
        storage(0x000, 48, "CM_CLOCKS", "clock generators: BUSY is computed"),
        register(MEASURE_CONTROL, "CM_TCNTCTL"),
        register(MEASURE_COUNT, "CM_TCNTCNT"),
        storage(0x0c8, 14, "CM_CLOCKS_2", "clock generators: BUSY is computed"),
        register(CRYSTAL_COUNT, "CM_OSCCOUNT"),
        storage(0x104, 4, "CM_PLLS", "divider loads happen at once"),
        register(LOCK, "CM_LOCK"),
        storage(0x118, 36, "CM_EVENTS_AND_CLOCKS", "clock generators: BUSY is computed"),
        register(SDRAM_CONTROL, "CM_SDCCTL"),
        storage(0x1ac, 21, "CM_CLOCKS_3", "clock generators: BUSY is computed"),
        storage(0x1000, 0x400, "A2W", "analogue settings; the rates are computed from them"),
        storage(0x2000, 0x400, "UNNAMED_7e103", "in no public header; polled to a timeout at boot"),
    ],
};

/// The block.
pub struct Clocks {
    words: Vec<u32>,
    /// When the crystal counter was loaded, and with how much.
    counting: Option<(u64, u32)>,
    /// Rates of the processors, while nobody has programmed their clocks.
    board: Rates,
    /// Rates that the machine was last told.
    told: Rates,
}

impl Clocks {
    /// All off. The board's rates answer for clocks that the firmware took over running and never set.
    pub fn new(board: Rates) -> Self {
        Self { words: vec![0; (SIZE / 4) as usize], counting: None, board, told: board }
    }

    /// Rates of the processors as now programmed.
    fn rates(&self) -> Rates {
        let written = |offset| self.word(offset);
        let vpu = CLOCKS.iter().find(|clock| clock.measured_as == MEASURED_AS_VPU);
        let or_board = |rate: u64, board: u64| if rate == 0 { board } else { rate };
        Rates {
            vpu_hz: or_board(vpu.map_or(0, |clock| clock.rate(&written)), self.board.vpu_hz),
            arm_hz: or_board(tree::arm_rate(&written), self.board.arm_hz),
        }
    }

    fn word(&self, offset: u32) -> u32 {
        self.words.get((offset / 4) as usize).copied().unwrap_or(0)
    }

    fn crystal_count_left(&self, now_ps: u64) -> u32 {
        let Some((loaded_at, count)) = self.counting else { return 0 };
        // Another core may look from earlier in the same slice.
        let elapsed =
            u128::from(now_ps.saturating_sub(loaded_at)) * u128::from(CRYSTAL_HZ) / 1_000_000_000_000;
        u32::try_from(elapsed).map_or(0, |elapsed| count.saturating_sub(elapsed))
    }

    /// What the counter has counted once the crystal count has run out.
    fn measured_count(&self) -> u32 {
        let Some((_, crystal_count)) = self.counting else { return 0 };
        let rate = self.measured_rate();
        u32::try_from(rate * u64::from(crystal_count) / CRYSTAL_HZ).unwrap_or(u32::MAX)
    }

    /// What the PLL counter has counted during a burst, which is over at once. It counts every second cycle: the
    /// firmware doubles what it reads.
    fn pll_test_count(&self) -> u32 {
        if self.word(PLL_TEST_CONTROL) & 0xf != PLL_TEST_ARM {
            return 0;
        }
        let count = self.rates().arm_hz / 2 * u64::from(self.word(BURST_COUNT)) / CRYSTAL_HZ;
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn measured_rate(&self) -> u64 {
        let control = self.word(MEASURE_CONTROL);
        let selected = control & 0xf | (control >> 12 & 0x3) << 4;
        match selected {
            MEASURED_AS_VPU => self.rates().vpu_hz,
            other => {
                let clock = CLOCKS.iter().find(|clock| clock.measured_as == other);
                clock.map_or(0, |clock| clock.rate(&|offset| self.word(offset)))
            }
        }
    }
}

/// True for the control registers of clock generators, whose BUSY bit follows ENABLE.
fn is_generator(offset: u32) -> bool {
    offset & 4 == 0 && (offset < 0x100 || (0x158..0x200).contains(&offset))
}

impl Device for Clocks {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        let word = self.word(offset);
        Some(match offset {
            MEASURE_CONTROL => word & !BUSY,
            MEASURE_COUNT => self.measured_count(),
            CRYSTAL_COUNT => self.crystal_count_left(context.now_ps),
            PLL_TEST_COUNT => self.pll_test_count(),
            LOCK => ALL_LOCKED | word & 0xff,
            SDRAM_CONTROL => {
                let accepted = if word & SDRAM_UPDATE != 0 { SDRAM_ACCEPT } else { 0 };
                let busy = if word & ENABLE != 0 { BUSY } else { 0 };
                word & !(SDRAM_ACCEPT | BUSY) | accepted | busy
            }
            ANALOGUE_READ_BACK..0x2000 => self.word(offset - (ANALOGUE_READ_BACK - ANALOGUE)),
            _ if !BLOCK.is_storage(offset) => return None,
            _ if is_generator(offset) && word & (ENABLE | KILL) == ENABLE => word | BUSY,
            _ if is_generator(offset) => word & !BUSY,
            _ => word,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        let known = BLOCK.is_storage(offset)
            || matches!(offset, MEASURE_CONTROL | MEASURE_COUNT | CRYSTAL_COUNT | LOCK | SDRAM_CONTROL);
        if !known {
            return None;
        }
        let Some(value) = password::strip(value) else {
            return Some(());
        };
        if let Some(word) = self.words.get_mut((offset / 4) as usize) {
            *word = value;
        }
        if offset == CRYSTAL_COUNT {
            self.counting = Some((context.now_ps, value));
        }
        let rates = self.rates();
        if rates != self.told {
            self.told = rates;
            context.effects.rates = Some(rates);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::bench::Bench;
    use super::*;

    fn clocks() -> Clocks {
        Clocks::new(Rates { vpu_hz: 250_000_000, arm_hz: 1_200_000_000 })
    }

    #[test]
    fn a_generator_is_busy_while_enabled_and_not_killed() {
        let (mut clocks, mut bench) = (clocks(), Bench::default());
        bench.write(&mut clocks, 0x0f0, 0x5a00_0016);
        assert_eq!(bench.read(&mut clocks, 0x0f0), 0x96);
        bench.write(&mut clocks, 0x0f0, 0x5a00_0036);
        assert_eq!(bench.read(&mut clocks, 0x0f0), 0x36);
    }

    #[test]
    fn a_store_without_the_password_changes_nothing() {
        let (mut clocks, mut bench) = (clocks(), Bench::default());
        bench.write(&mut clocks, 0x0f4, 0x0000_a6ab);
        assert_eq!(bench.read(&mut clocks, 0x0f4), 0);
    }

    #[test]
    fn the_arm_is_measured_by_the_pll_counter_at_half_its_rate() {
        let (mut clocks, mut bench) = (clocks(), Bench::default());
        bench.write(&mut clocks, PLL_TEST_CONTROL, 0x5a00_0002);
        bench.write(&mut clocks, BURST_COUNT, 0x5a00_4b00);
        assert_eq!(bench.read(&mut clocks, PLL_TEST_COUNT), 600_000);
        bench.write(&mut clocks, PLL_TEST_CONTROL, 0x5a00_0000);
        assert_eq!(bench.read(&mut clocks, PLL_TEST_COUNT), 0);
    }

    #[test]
    fn the_vpu_runs_at_the_rate_that_is_programmed() {
        let (mut clocks, mut bench) = (clocks(), Bench::default());
        bench.write(&mut clocks, 0x00c, 0x5a00_2000);
        assert_eq!(bench.effects.rates, None);
        bench.write(&mut clocks, 0x008, 0x5a00_0001);
        let vpu_hz = bench.effects.rates.map(|rates| rates.vpu_hz);
        assert_eq!(vpu_hz, Some(CRYSTAL_HZ / 2));
    }

    #[test]
    fn measuring_for_a_millisecond_counts_kilohertz() {
        let (mut clocks, mut bench) = (clocks(), Bench::default());
        bench.write(&mut clocks, 0x090, 0x5a00_0011);
        bench.write(&mut clocks, 0x094, 0x5a00_4000);
        bench.write(&mut clocks, MEASURE_CONTROL, 0x5a00_0006);
        bench.write(&mut clocks, CRYSTAL_COUNT, 0x5a00_4b00);
        assert_eq!(bench.read(&mut clocks, CRYSTAL_COUNT), 0x4b00);
        bench.now_ps = 1_000_000_000;
        assert_eq!(bench.read(&mut clocks, CRYSTAL_COUNT), 0);
        assert_eq!(bench.read(&mut clocks, MEASURE_COUNT), 4_800);
    }

    #[test]
    fn a_core_that_is_behind_within_the_slice_finds_the_crystal_count_still_running() {
        let (mut clocks, mut bench) = (clocks(), Bench::default());
        bench.now_ps = 200_000;
        bench.write(&mut clocks, CRYSTAL_COUNT, 0x5a00_4b00);
        bench.now_ps = 100_000;
        assert_eq!(bench.read(&mut clocks, CRYSTAL_COUNT), 0x4b00);
    }
}
