//! Virtual time: picoseconds since power-on, and cycles of clocks that run from then on.

/// Picoseconds in a second.
pub(super) const SECOND_PS: u64 = 1_000_000_000_000;
const PS_PER_KILOHERTZ_CYCLE: u64 = 1_000_000_000;

/// A clock that counts from power-on, and whose rate can change. Rates are kept to whole kilohertz.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CycleClock {
    kilohertz: u64,
    /// When the rate was last changed, and the count then.
    since_ps: u64,
    since_cycle: u64,
    /// Picoseconds of one cycle, rounded up, with 32 binary places.
    cycle_ps: u64,
}

impl CycleClock {
    pub(super) fn new(hz: u64) -> Self {
        let kilohertz = (hz / 1000).max(1);
        // At most 10^9 << 32, which fits.
        let cycle_ps = (PS_PER_KILOHERTZ_CYCLE << 32).div_ceil(kilohertz);
        Self { kilohertz, since_ps: 0, since_cycle: 0, cycle_ps }
    }

    /// Goes on at another rate from a time on.
    pub(super) fn set_rate(&mut self, now_ps: u64, hz: u64) {
        let since_cycle = self.cycles_at(now_ps);
        *self = Self { since_ps: now_ps, since_cycle, ..Self::new(hz) };
    }

    /// Whole cycles that fit into a time, which is not before the last change of rate.
    pub(super) fn cycles_at(self, ps: u64) -> u64 {
        let ps = ps.saturating_sub(self.since_ps);
        let within = ps % SECOND_PS * self.kilohertz / PS_PER_KILOHERTZ_CYCLE;
        self.since_cycle + ps / SECOND_PS * self.kilohertz * 1000 + within
    }

    /// How long a few cycles last (less than a second's worth), rounded up: cheaper than `time_of`.
    #[inline]
    pub(super) fn duration_of(self, cycles: u32) -> u64 {
        ((u128::from(cycles) * u128::from(self.cycle_ps) + 0xffff_ffff) >> 32) as u64
    }

    /// When a cycle begins, rounded up: `cycles_at(time_of(n)) == n`.
    pub(super) fn time_of(self, cycle: u64) -> u64 {
        let cycle = cycle.saturating_sub(self.since_cycle);
        let hz = self.kilohertz * 1000;
        let within = (cycle % hz * PS_PER_KILOHERTZ_CYCLE).div_ceil(self.kilohertz);
        self.since_ps + cycle / hz * SECOND_PS + within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_begins_where_it_is_counted_even_after_years() {
        for hz in [250_000_000, 1_000_000_000, 1_200_000_000, 19_200_000] {
            let clock = CycleClock::new(hz);
            for cycle in [0, 1, 7, hz - 1, hz, 3 * hz + 1, 1_000_000 * hz + 12_345] {
                assert_eq!(clock.cycles_at(clock.time_of(cycle)), cycle, "{hz} Hz");
                assert!(cycle == 0 || clock.cycles_at(clock.time_of(cycle) - 1) < cycle);
            }
        }
    }

    #[test]
    fn a_change_of_rate_keeps_the_count_and_its_inverse() {
        let mut clock = CycleClock::new(250_000_000);
        clock.set_rate(10_001_000, 400_000_000);
        assert_eq!(clock.cycles_at(10_001_000), 2_500);
        assert_eq!(clock.cycles_at(20_001_000), 2_500 + 4_000);
        for cycle in [2_500, 2_501, 6_500, 1_000_000_000] {
            assert_eq!(clock.cycles_at(clock.time_of(cycle)), cycle);
        }
    }

    #[test]
    fn a_few_cycles_last_as_long_as_they_take() {
        for hz in [250_000_000, 1_000_000_000, 1_200_000_000] {
            let clock = CycleClock::new(hz);
            for cycles in [0, 1, 2, 307, 9_600, 1_000_000] {
                let exact = clock.time_of(u64::from(cycles));
                assert!((exact..=exact + 1).contains(&clock.duration_of(cycles)), "{hz} Hz, {cycles}");
            }
        }
    }
}
