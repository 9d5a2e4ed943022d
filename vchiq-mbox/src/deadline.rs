//! The moment after which a wait gives up.

use core::time::Duration;

use crate::platform::Clock;

/// An instant of the constant-rate counter ([`Clock::ticks`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Deadline(u64);

impl Deadline {
    /// `timeout` from now; saturates at the end of the counter.
    pub fn after(clock: &impl Clock, timeout: Duration) -> Self {
        let ticks = timeout.as_nanos().saturating_mul(u128::from(clock.tick_rate())) / 1_000_000_000;
        Self(clock.ticks().saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX)))
    }

    /// An instant in ticks.
    pub const fn at(ticks: u64) -> Self {
        Self(ticks)
    }

    /// The instant in ticks.
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// True from the deadline on.
    pub fn has_passed(self, clock: &impl Clock) -> bool {
        clock.ticks() >= self.0
    }

    /// The earlier of two.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}
