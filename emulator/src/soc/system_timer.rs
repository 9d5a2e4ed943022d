//! The 1 MHz system timer with its four compares (VPU fact sheet 5, block ST).

use super::block::{Block, register, registers};
use super::device::{Context, Device};
use super::lines::source;

const STATUS: u32 = 0x00;
const COUNT_LOW: u32 = 0x04;
const COUNT_HIGH: u32 = 0x08;
const COMPARE_0: u32 = 0x0c;
const COMPARE_3: u32 = 0x18;

const PS_PER_TICK: u64 = 1_000_000;

static BLOCK: Block = Block {
    name: "ST",
    base: 0x7e00_3000,
    size: 0x100,
    registers: &[
        register(STATUS, "CS"),
        register(COUNT_LOW, "CLO"),
        register(COUNT_HIGH, "CHI"),
        registers(COMPARE_0, 4, "C"),
    ],
};

/// The timer.
#[derive(Default)]
pub struct SystemTimer {
    matched: u32,
    compare: [u32; 4],
    /// Time at which each compare will match.
    due: [Option<u64>; 4],
}

impl SystemTimer {
    /// The counter at a time.
    pub fn count(now_ps: u64) -> u64 {
        now_ps / PS_PER_TICK
    }

    /// A compare matches when the low half of the counter comes to equal it: with the value it has now, that is
    /// one full turn away.
    fn schedule(&mut self, index: usize, now_ps: u64) {
        let now = Self::count(now_ps);
        let ahead = match self.compare[index].wrapping_sub(now as u32) {
            0 => 1 << 32,
            ticks => u64::from(ticks),
        };
        self.due[index] = Some((now + ahead) * PS_PER_TICK);
    }
}

impl Device for SystemTimer {
    fn block(&self) -> &'static Block {
        &BLOCK
    }

    fn read(&mut self, offset: u32, context: &mut Context<'_>) -> Option<u32> {
        Some(match offset {
            COUNT_LOW => Self::count(context.now_ps) as u32,
            COUNT_HIGH => (Self::count(context.now_ps) >> 32) as u32,
            STATUS => self.matched,
            COMPARE_0..=COMPARE_3 => self.compare[((offset - COMPARE_0) / 4) as usize],
            _ => return None,
        })
    }

    fn write(&mut self, offset: u32, value: u32, context: &mut Context<'_>) -> Option<()> {
        match offset {
            STATUS => {
                self.matched &= !value;
                for index in 0..4 {
                    if self.matched & 1 << index == 0 {
                        context.lines.set(source::SYSTEM_TIMER_0 + index, false);
                    }
                }
            }
            COUNT_LOW | COUNT_HIGH => {}
            COMPARE_0..=COMPARE_3 => {
                let index = ((offset - COMPARE_0) / 4) as usize;
                self.compare[index] = value;
                self.schedule(index, context.now_ps);
                context.effects.reschedule = true;
            }
            _ => return None,
        }
        Some(())
    }

    /// A compare nobody has written since power-on matches too, but nothing waits for it.
    fn next_event(&self) -> Option<u64> {
        self.due.iter().flatten().copied().min()
    }

    fn tick(&mut self, context: &mut Context<'_>) {
        for index in 0..4 {
            if self.due[index].is_some_and(|due| due <= context.now_ps) {
                self.matched |= 1 << index;
                context.lines.set(source::SYSTEM_TIMER_0 + index as u8, true);
                self.schedule(index, context.now_ps);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::device::Initiator;
    use super::super::device::bench::Bench;
    use super::*;

    #[test]
    fn counts_microseconds_in_two_words() {
        let (mut timer, mut bench) = (SystemTimer::default(), Bench::default());
        bench.now_ps = ((3 << 32) + 7) * PS_PER_TICK + 999_999;
        assert_eq!(bench.read(&mut timer, COUNT_LOW), 7);
        assert_eq!(bench.read(&mut timer, COUNT_HIGH), 3);
    }

    #[test]
    fn a_compare_raises_its_line_at_its_time_until_acknowledged() {
        let (mut timer, mut bench) = (SystemTimer::default(), Bench::default());
        bench.now_ps = 5 * PS_PER_TICK;
        bench.write(&mut timer, COMPARE_0 + 8, 12);
        assert_eq!(timer.next_event(), Some(12 * PS_PER_TICK));
        bench.now_ps = 12 * PS_PER_TICK;
        timer.tick(&mut bench.context(Initiator::Vpu(0)));
        assert_eq!(bench.lines.shared(), 1 << 2);
        assert_eq!(bench.read(&mut timer, STATUS), 1 << 2);
        bench.write(&mut timer, STATUS, 1 << 2);
        assert_eq!(bench.lines.shared(), 0);
    }

    #[test]
    fn a_compare_equal_to_now_waits_a_full_turn() {
        let (mut timer, mut bench) = (SystemTimer::default(), Bench::default());
        bench.now_ps = 5 * PS_PER_TICK;
        bench.write(&mut timer, COMPARE_0, 5);
        assert_eq!(timer.next_event(), Some(((1 << 32) + 5) * PS_PER_TICK));
    }
}
