//! The power manager: power domains, the Arm's reset, the watchdog (VPU fact sheet 5, hardware fact sheet 13).

use super::block::{Block, register, storage};
use super::device::{Context, Device, Shutdown};
use super::password;

const RESET_CONTROL: u32 = 0x1c;
const RESET_STATUS: u32 = 0x20;
const WATCHDOG: u32 = 0x24;
const IMAGE: u32 = 0x108;
const GRAPHICS: u32 = 0x10c;
const PROCESSOR: u32 = 0x110;

const DOMAIN_POWER_UP: u32 = 1 << 0;
const DOMAIN_POWER_OK: u32 = 1 << 1;
const DOMAIN_REPAIR: u32 = 1 << 3;
const DOMAIN_REPAIRED: u32 = 1 << 4;
const PROCESSOR_RUN: u32 = 1 << 6;

const RESET_MODE: u32 = 0x30;
const RESET_MODE_FULL: u32 = 0x20;
const WATCHDOG_TICKS: u32 = 0xf_ffff;
/// The watchdog counts at 65,536 Hz.
const PS_PER_TICK: u64 = 1_000_000_000_000 / 65_536;
/// RESET_STATUS keeps the boot partition in every other bit; all six set is 63, "halt".
const PARTITION_BITS: u32 = 0x555;
/// RESET_STATUS after power-on, and after a watchdog reset: what the firmware of a Pi 2 tells as `get_rsts`
/// (raspberrypi/linux#1586).
const HAD_POWER_ON_RESET: u32 = 1 << 12;
const HAD_WATCHDOG_FULL_RESET: u32 = 1 << 5;

const WORDS: usize = 0x120 / 4;

static BLOCK: Block = Block {
    name: "PM",
    base: 0x7e10_0000,
    size: 0x1000,
    registers: &[
        storage(0x00, 7, "GNRIC", "generic and audio domains: nothing of theirs is modelled"),
        register(RESET_CONTROL, "RSTC"),
        register(RESET_STATUS, "RSTS"),
        register(WATCHDOG, "WDOG"),
        storage(0x28, 4, "PADS", "drive strength of pads"),
        storage(0x38, 14, "DOMAIN", "camera, CCP2, DSI, HDMI, USB and pixel PHYs: not modelled"),
        storage(0x70, 4, "SPARE", "scratch words, and the crystal's second source"),
        storage(0x80, 32, "AVS", "interrupt and analogue supplies: not modelled"),
        register(IMAGE, "IMAGE"),
        register(GRAPHICS, "GRAFX"),
        register(PROCESSOR, "PROC"),
    ],
};

/// The block.
pub struct Power {
    words: [u32; WORDS],
    /// When the watchdog was written, and with how many ticks.
    watchdog_set: Option<(u64, u32)>,
    fired: bool,
}

impl Default for Power {
    fn default() -> Self {
        Self::with_reset_status(HAD_POWER_ON_RESET)
    }
}

impl Power {
    fn with_reset_status(status: u32) -> Self {
        let mut words = [0; WORDS];
        words[(RESET_STATUS / 4) as usize] = status;
        Self { words, watchdog_set: None, fired: false }
    }

    /// As after a watchdog reset: the status says so, the partition to boot from is kept, the rest is reset.
    pub fn after_watchdog(&self) -> Self {
        Self::with_reset_status(self.word(RESET_STATUS) & PARTITION_BITS | HAD_WATCHDOG_FULL_RESET)
    }

    fn word(&self, offset: u32) -> u32 {
        self.words.get((offset / 4) as usize).copied().unwrap_or(0)
    }

    /// True while the Arm is powered and out of reset.
    pub fn processor_runs(&self) -> bool {
        self.word(PROCESSOR) & PROCESSOR_RUN != 0
    }

    fn is_running_down(&self) -> bool {
        self.word(RESET_CONTROL) & RESET_MODE == RESET_MODE_FULL && !self.fired
    }

    fn watchdog_due(&self) -> Option<u64> {
        let (set_at, ticks) = self.watchdog_set?;
        Some(set_at + u64::from(ticks) * PS_PER_TICK)
    }
}

impl Device for Power {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        let word = self.word(offset);
        Some(match offset {
            RESET_CONTROL | RESET_STATUS => word,
            WATCHDOG => match self.watchdog_due() {
                Some(due) => (due.saturating_sub(context.now_ps) / PS_PER_TICK) as u32,
                None => 0,
            },
            IMAGE | GRAPHICS | PROCESSOR => {
                let powered = if word & DOMAIN_POWER_UP != 0 { DOMAIN_POWER_OK } else { 0 };
                let repaired = if word & DOMAIN_REPAIR != 0 { DOMAIN_REPAIRED } else { 0 };
                word & !(DOMAIN_POWER_OK | DOMAIN_REPAIRED) | powered | repaired
            }
            _ if BLOCK.is_storage(offset) => word,
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        let known = BLOCK.is_storage(offset)
            || matches!(offset, RESET_CONTROL | RESET_STATUS | WATCHDOG | IMAGE | GRAPHICS | PROCESSOR);
        if !known {
            return None;
        }
        let Some(value) = password::strip(value) else {
            return Some(());
        };
        if let Some(word) = self.words.get_mut((offset / 4) as usize) {
            *word = value;
        }
        if offset == WATCHDOG {
            self.watchdog_set = Some((context.now_ps, value & WATCHDOG_TICKS));
        }
        if matches!(offset, WATCHDOG | RESET_CONTROL) {
            context.effects.reschedule = true;
            context.effects.end_slice = true;
        }
        Some(())
    }

    fn next_event(&self) -> Option<u64> {
        if self.is_running_down() { self.watchdog_due() } else { None }
    }

    fn tick(&mut self, context: &mut Context<'_>) {
        self.fired = true;
        let halt = self.word(RESET_STATUS) & PARTITION_BITS == PARTITION_BITS;
        context.effects.shutdown = Some(if halt { Shutdown::Halt } else { Shutdown::Restart });
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::Initiator;
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn a_domain_reports_power_and_memory_repair_as_asked() {
        let (mut power, mut bench) = (Power::default(), Bench::default());
        bench.write(&mut power, IMAGE, 0x5a00_0001);
        assert_eq!(bench.read(&mut power, IMAGE), 0x03);
        bench.write(&mut power, IMAGE, 0x5a00_000d);
        assert_eq!(bench.read(&mut power, IMAGE), 0x1f);
    }

    #[test]
    fn a_store_without_the_password_changes_nothing() {
        let (mut power, mut bench) = (Power::default(), Bench::default());
        bench.write(&mut power, PROCESSOR, 0x0000_007f);
        assert_eq!(bench.read(&mut power, PROCESSOR), 0);
        assert!(!power.processor_runs());
    }

    #[test]
    fn the_reset_line_of_the_arm_follows_bit_6() {
        let (mut power, mut bench) = (Power::default(), Bench::default());
        bench.write(&mut power, PROCESSOR, 0x5a00_003f);
        assert!(!power.processor_runs());
        bench.write(&mut power, PROCESSOR, 0x5a00_007f);
        assert!(power.processor_runs());
    }

    #[test]
    fn the_watchdog_counts_down_only_with_full_reset_chosen_and_can_be_kicked() {
        let (mut power, mut bench) = (Power::default(), Bench::default());
        bench.write(&mut power, WATCHDOG, 0x5a00_0000 | 65_536);
        assert_eq!(power.next_event(), None);
        bench.write(&mut power, RESET_CONTROL, 0x5a00_0020);
        assert_eq!(power.next_event(), Some(65_536 * PS_PER_TICK));
        bench.now_ps = 32_768 * PS_PER_TICK;
        assert_eq!(bench.read(&mut power, WATCHDOG), 32_768);
        bench.write(&mut power, WATCHDOG, 0x5a00_0000 | 65_536);
        assert_eq!(power.next_event(), Some((32_768 + 65_536) * PS_PER_TICK));
    }

    #[test]
    fn the_reset_status_tells_a_watchdog_reset_from_power_on_and_keeps_the_partition() {
        let (mut power, mut bench) = (Power::default(), Bench::default());
        assert_eq!(bench.read(&mut power, RESET_STATUS), 0x1000);
        bench.write(&mut power, RESET_STATUS, 0x5a00_1004);
        bench.write(&mut power, WATCHDOG, 0x5a00_000a);
        bench.write(&mut power, RESET_CONTROL, 0x5a00_0020);
        let mut power = power.after_watchdog();
        assert_eq!(bench.read(&mut power, RESET_STATUS), 0x24);
        assert_eq!(bench.read(&mut power, RESET_CONTROL), 0);
        assert_eq!(power.next_event(), None);
    }

    #[test]
    fn partition_63_halts_and_any_other_restarts() {
        for (status, expected) in [(0x5a00_0555, Shutdown::Halt), (0x5a00_0000, Shutdown::Restart)] {
            let (mut power, mut bench) = (Power::default(), Bench::default());
            bench.write(&mut power, RESET_STATUS, status);
            bench.write(&mut power, WATCHDOG, 0x5a00_000a);
            bench.write(&mut power, RESET_CONTROL, 0x5a00_0020);
            bench.now_ps = 10 * PS_PER_TICK;
            power.tick(&mut bench.context(Initiator::Arm(0)));
            assert_eq!(bench.effects.shutdown, Some(expected));
        }
    }
}
