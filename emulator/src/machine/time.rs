//! Virtual time: picoseconds since power-on, and cycles of clocks that run from then on.

/// Picoseconds in a second.
pub(super) const SECOND_PS: u64 = 1_000_000_000_000;
const PS_PER_KILOHERTZ_CYCLE: u64 = 1_000_000_000;

/// A clock that has run since power-on. Its rate is a multiple of 1 kHz.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CycleClock {
    hz: u64,
}

impl CycleClock {
    pub(super) fn new(hz: u64) -> Self {
        Self { hz: hz.max(1000) }
    }

    /// Whole cycles that fit into a time.
    pub(super) fn cycles_at(self, ps: u64) -> u64 {
        ps / SECOND_PS * self.hz + ps % SECOND_PS * (self.hz / 1000) / PS_PER_KILOHERTZ_CYCLE
    }

    /// When a cycle begins, rounded up: `cycles_at(time_of(n)) == n`.
    pub(super) fn time_of(self, cycle: u64) -> u64 {
        let within = (cycle % self.hz * PS_PER_KILOHERTZ_CYCLE).div_ceil(self.hz / 1000);
        cycle / self.hz * SECOND_PS + within
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
}
