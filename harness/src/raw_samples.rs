//! The first samples of each step as they are, for whoever wants more than a histogram.

use crate::histogram::HISTOGRAMS;

/// The most samples of one step that can be kept: so many fit for each of the [`HISTOGRAMS`] steps at once.
pub const MAX_RAW_SAMPLES: usize = 2048;

/// Room for one scenario's raw samples (128 KiB), kept by the board as part of [`crate::histogram::Samples`].
///
/// All zero bytes are a value: nothing kept, and nothing to keep.
pub struct RawSamples {
    /// How many of each step to keep, at most [`MAX_RAW_SAMPLES`].
    wanted: usize,
    kept: [usize; HISTOGRAMS],
    cycles: [[u32; MAX_RAW_SAMPLES]; HISTOGRAMS],
}

impl RawSamples {
    /// Keeps nothing.
    pub const fn new() -> Self {
        Self { wanted: 0, kept: [0; HISTOGRAMS], cycles: [[0; MAX_RAW_SAMPLES]; HISTOGRAMS] }
    }

    /// From now on keeps the first `wanted` of each step, or [`MAX_RAW_SAMPLES`] if that is less.
    pub fn keep(&mut self, wanted: usize) {
        self.wanted = wanted.min(MAX_RAW_SAMPLES);
    }

    /// Forgets all samples. How many to keep stays.
    pub fn clear(&mut self) {
        self.kept = [0; HISTOGRAMS];
    }

    /// Keeps a sample of the step at `index`, if it is one of the first. One of more than 32 bits is kept as the largest
    /// of them.
    pub fn record(&mut self, index: usize, cycles: u64) {
        let (Some(kept), Some(room)) = (self.kept.get_mut(index), self.cycles.get_mut(index)) else { return };
        if *kept >= self.wanted {
            return;
        }
        if let Some(place) = room.get_mut(*kept) {
            *place = u32::try_from(cycles).unwrap_or(u32::MAX);
            *kept += 1;
        }
    }

    /// What is kept of the step at `index`, in the order it came.
    pub fn of(&self, index: usize) -> &[u32] {
        let room = self.cycles.get(index).zip(self.kept.get(index));
        room.and_then(|(room, kept)| room.get(..*kept)).unwrap_or(&[])
    }
}

impl Default for RawSamples {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_step_are_kept_in_order_and_no_more() {
        let mut raw = RawSamples::new();
        raw.keep(3);
        for cycles in [7, 5, 1 << 40, 9] {
            raw.record(0, cycles);
        }
        raw.record(HISTOGRAMS - 1, 4);
        raw.record(HISTOGRAMS, 4);
        assert_eq!(raw.of(0), [7, 5, u32::MAX]);
        assert_eq!(raw.of(HISTOGRAMS - 1), [4]);
        assert_eq!((raw.of(1), raw.of(HISTOGRAMS)), (&[][..], &[][..]));
        raw.clear();
        assert_eq!(raw.of(0), []);
        raw.record(0, 6);
        assert_eq!(raw.of(0), [6]);
    }

    #[test]
    fn nothing_is_kept_unasked_and_never_more_than_there_is_room_for() {
        let mut raw = Box::new(RawSamples::new());
        raw.record(0, 7);
        assert_eq!(raw.of(0), []);
        raw.keep(usize::MAX);
        (0..=MAX_RAW_SAMPLES as u64).for_each(|cycles| raw.record(2, cycles));
        assert_eq!(raw.of(2).len(), MAX_RAW_SAMPLES);
        assert_eq!(raw.of(3), []);
    }
}
