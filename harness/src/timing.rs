//! How long a step took, in CPU cycles.
//!
//! The cycle counter stands still while the core sleeps (WFI), the tick counter never does. A bracket reads both.
//! If the core stayed awake the answer is the cycle count, less what an empty bracket costs. If it slept, the
//! answer comes from the ticks, turned into cycles; its resolution is then one tick (62 cycles on a Pi 3 at
//! 1.2 GHz), and the sample counts as `slept`.

use vchiq_mbox::platform::{Clock, Moment};

/// Empty brackets tried; the cheapest is what a bracket costs.
const EMPTY_BRACKETS: usize = 256;
/// The self-check counts cycles for this part of a second.
const SELF_CHECK_PART: u64 = 200;
/// The self-check gives up after so many looks at a tick counter that does not move.
const SELF_CHECK_LOOKS: u32 = 20_000_000;

/// What one needs to know of both counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Calibration {
    /// Rate of the tick counter in Hz.
    pub tick_hz: u32,
    /// Rate of the cycle counter in Hz while the core is awake, by our own count.
    pub cycles_hz: u32,
    /// Cycles an empty bracket takes.
    pub bracket_cycles: u32,
}

/// A counter that cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ClockFault {
    /// CNTFRQ is 0.
    #[error("the constant counter has no rate")]
    NoRate,
    /// CNTPCT did not move.
    #[error("the constant counter stands still")]
    TicksStandStill,
    /// PMCCNTR did not move while CNTPCT did.
    #[error("the cycle counter stands still")]
    CyclesStandStill,
}

/// A measured time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elapsed {
    /// CPU cycles.
    pub cycles: u64,
    /// The core slept meanwhile: the cycles come from the tick counter.
    pub slept: bool,
}

impl Calibration {
    /// Counts cycles against ticks for five milliseconds, and times empty brackets.
    ///
    /// # Errors
    /// [`ClockFault`] if one of the counters does not run.
    pub fn measure(clock: &impl Clock) -> Result<Self, ClockFault> {
        let tick_hz = clock.tick_rate();
        if tick_hz == 0 {
            return Err(ClockFault::NoRate);
        }
        let start = next_tick(clock)?;
        let wanted = (u64::from(tick_hz) / SELF_CHECK_PART).max(1);
        let mut end = next_tick(clock)?;
        while end.ticks.wrapping_sub(start.ticks) < wanted {
            end = next_tick(clock)?;
        }
        let cycles = end.cycles.wrapping_sub(start.cycles);
        let ticks = end.ticks.wrapping_sub(start.ticks);
        let cycles_hz = scaled(cycles, u64::from(tick_hz), ticks);
        let cycles_hz = u32::try_from(cycles_hz).unwrap_or(u32::MAX);
        if cycles_hz == 0 {
            return Err(ClockFault::CyclesStandStill);
        }
        Ok(Self { tick_hz, cycles_hz, bracket_cycles: empty_bracket(clock) })
    }

    /// The time between two moments.
    pub fn elapsed(&self, from: Moment, to: Moment) -> Elapsed {
        let cycles = to.cycles.saturating_sub(from.cycles);
        let ticks = to.ticks.saturating_sub(from.ticks);
        let by_ticks = scaled(ticks, u64::from(self.cycles_hz), u64::from(self.tick_hz));
        // Reading at unlucky moments makes the ticks look up to one tick longer, and the rate is known to about
        // one part in ten thousand.
        let tick = u64::from(self.cycles_hz / self.tick_hz.max(1)) + 1;
        let slack = (2 * tick).saturating_add(cycles / 1000);
        let slept = by_ticks > cycles.saturating_add(slack);
        let cycles = if slept { by_ticks } else { cycles };
        Elapsed { cycles: cycles.saturating_sub(u64::from(self.bracket_cycles)), slept }
    }

    /// `milliseconds` from now, in ticks: a deadline.
    pub fn deadline(&self, clock: &impl Clock, milliseconds: u32) -> u64 {
        clock.ticks().saturating_add(u64::from(self.tick_hz) * u64::from(milliseconds) / 1000)
    }
}

/// Microseconds on the constant counter since it said `began`; `None` if it has no rate.
pub(crate) fn microseconds_since(clock: &impl Clock, began: u64) -> Option<u64> {
    let rate = u64::from(clock.tick_rate());
    let ticks = clock.ticks().saturating_sub(began);
    (rate != 0).then(|| scaled(ticks, 1_000_000, rate))
}

/// The moment the tick counter moves.
fn next_tick(clock: &impl Clock) -> Result<Moment, ClockFault> {
    let before = clock.ticks();
    for _ in 0..SELF_CHECK_LOOKS {
        let now = clock.now();
        if now.ticks != before {
            return Ok(now);
        }
    }
    Err(ClockFault::TicksStandStill)
}

/// The cheapest of many brackets with nothing inside.
fn empty_bracket(clock: &impl Clock) -> u32 {
    let cheapest = (0..EMPTY_BRACKETS)
        .map(|_| {
            let from = clock.now();
            let to = clock.now();
            to.cycles.saturating_sub(from.cycles)
        })
        .min();
    cheapest.and_then(|cycles| u32::try_from(cycles).ok()).unwrap_or(0)
}

/// `value * numerator / denominator` without overflow on the way; saturates.
fn scaled(value: u64, numerator: u64, denominator: u64) -> u64 {
    let product = u128::from(value) * u128::from(numerator);
    u64::try_from(product / u128::from(denominator.max(1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    /// Advances `step` cycles a look; a tick is `cycles_per_tick` of them.
    struct FakeClock {
        cycles: Cell<u64>,
        step: u64,
        cycles_per_tick: u64,
    }

    impl Clock for FakeClock {
        fn ticks(&self) -> u64 {
            self.cycles.set(self.cycles.get() + self.step);
            self.cycles.get() / self.cycles_per_tick
        }
        fn tick_rate(&self) -> u32 {
            1_000_000
        }
        fn cycles(&self) -> u64 {
            self.cycles.set(self.cycles.get() + self.step);
            self.cycles.get()
        }
    }

    fn calibration() -> Calibration {
        Calibration { tick_hz: 19_200_000, cycles_hz: 1_200_000_000, bracket_cycles: 6 }
    }

    #[test]
    fn the_self_check_finds_the_rate_and_the_price_of_a_bracket() {
        let clock = FakeClock { cycles: Cell::new(0), step: 3, cycles_per_tick: 1200 };
        let found = Calibration::measure(&clock).expect("both counters run");
        assert!((1_199_000_000..=1_201_000_000).contains(&found.cycles_hz), "{found:?}");
        assert_eq!(found.bracket_cycles, 6);
    }

    #[test]
    fn counters_that_stand_still_are_told_apart() {
        struct Broken {
            ticks: Cell<u64>,
            moves: bool,
            rate: u32,
        }
        impl Clock for Broken {
            fn ticks(&self) -> u64 {
                self.ticks.set(self.ticks.get() + u64::from(self.moves));
                self.ticks.get()
            }
            fn tick_rate(&self) -> u32 {
                self.rate
            }
            fn cycles(&self) -> u64 {
                5
            }
        }
        let broken = |moves, rate| Calibration::measure(&Broken { ticks: Cell::new(0), moves, rate });
        assert_eq!(broken(true, 0), Err(ClockFault::NoRate));
        assert_eq!(broken(false, 1_000_000), Err(ClockFault::TicksStandStill));
        assert_eq!(broken(true, 1_000_000), Err(ClockFault::CyclesStandStill));
    }

    #[test]
    fn a_core_that_stayed_awake_is_timed_by_cycles_less_the_bracket() {
        let from = Moment { ticks: 100, cycles: 10_000 };
        let to = Moment { ticks: 117, cycles: 11_006 };
        assert_eq!(calibration().elapsed(from, to), Elapsed { cycles: 1000, slept: false });
    }

    #[test]
    fn a_core_that_slept_is_timed_by_ticks() {
        let from = Moment { ticks: 100, cycles: 10_000 };
        let to = Moment { ticks: 2020, cycles: 10_400 };
        assert_eq!(calibration().elapsed(from, to), Elapsed { cycles: 119_994, slept: true });
    }

    #[test]
    fn moments_out_of_order_give_zero_and_no_overflow() {
        let from = Moment { ticks: u64::MAX, cycles: u64::MAX };
        let to = Moment { ticks: 0, cycles: 0 };
        assert_eq!(calibration().elapsed(from, to), Elapsed { cycles: 0, slept: false });
        assert_eq!(calibration().elapsed(to, from).cycles, u64::MAX - 6);
    }
}
