//! The timed steps of a scenario: names for its histograms and raw samples.

use crate::{board::Board, histogram::HISTOGRAMS, record::clipped, session::Session};

/// Names of the first histograms, in order.
pub(super) struct Steps<const N: usize>(pub(super) [&'static str; N]);

impl<const N: usize> Steps<N> {
    /// Emits the histograms, and the raw samples if any are kept. Gives the number of samples that were too large for any bucket.
    pub(super) fn emit<B: Board>(&self, session: &mut Session<'_, B>) -> u64 {
        const { assert!(N <= HISTOGRAMS, "more steps than histograms") };
        let mut overflow = 0;
        for (name, histogram) in self.0.iter().zip(&session.samples.histograms) {
            overflow += u64::from(histogram.summary().overflow);
            session.journal.latency(session.scenario, &clipped(name), histogram);
        }
        for (index, name) in self.0.iter().enumerate() {
            session.journal.samples(session.scenario, &clipped(name), session.samples.raw.of(index));
        }
        overflow
    }
}
