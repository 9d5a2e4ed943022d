//! `embedded-hal` delays by the constant-rate counter.

use embedded_hal::delay::DelayNs;

use crate::arch::{barrier, counters};

/// Busy waits, never shorter than asked for.
pub(crate) struct CounterDelay;

impl DelayNs for CounterDelay {
    fn delay_ns(&mut self, ns: u32) {
        let rate = u64::from(counters::tick_rate());
        let ticks = (u64::from(ns) * rate).div_ceil(1_000_000_000);
        // One more: the first tick has partly passed already.
        let deadline = counters::ticks() + ticks + 1;
        while counters::ticks() < deadline {
            barrier::relax();
        }
    }
}
