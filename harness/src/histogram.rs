//! A fixed-cost log-linear histogram.
//!
//! Values below 32 have a bucket each; above, every octave is cut into 32 equal buckets, so a bucket is never
//! wider than 1/32 of its lower bound and a quantile is never more than 3.2 % too high. The idea is HdrHistogram's;
//! that crate needs `std`.

use crate::raw_samples::RawSamples;

/// log2 of the buckets in an octave.
const SUB_BITS: u32 = 5;
/// Buckets in an octave.
const SUB: usize = 1 << SUB_BITS;
/// Values have at most this many bits: 2^32 cycles are more than two seconds on any board.
const VALUE_BITS: u32 = 32;
/// Number of buckets.
pub const BUCKETS: usize = SUB * (VALUE_BITS - SUB_BITS + 1) as usize;

/// The bucket that holds `value`; `None` if it is too large for any.
pub const fn bucket_of(value: u64) -> Option<usize> {
    if value >> VALUE_BITS != 0 {
        return None;
    }
    if value < SUB as u64 {
        return Some(value as usize);
    }
    let shift = value.ilog2() - SUB_BITS;
    Some(SUB * shift as usize + (value >> shift) as usize)
}

/// Smallest value of a bucket. Buckets past the last one have the value just past the range.
pub const fn lower_bound(bucket: usize) -> u64 {
    if bucket >= BUCKETS {
        return 1 << VALUE_BITS;
    }
    if bucket < SUB {
        return bucket as u64;
    }
    let shift = bucket / SUB - 1;
    ((bucket % SUB + SUB) as u64) << shift
}

/// Largest value of a bucket.
pub const fn upper_bound(bucket: usize) -> u64 {
    lower_bound(bucket + 1) - 1
}

/// Counts of values, with exact extremes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    counts: [u32; BUCKETS],
    overflow: u32,
    n: u32,
    min: u64,
    max: u64,
}

impl Histogram {
    /// Without samples.
    pub const fn new() -> Self {
        Self { counts: [0; BUCKETS], overflow: 0, n: 0, min: u64::MAX, max: 0 }
    }

    /// Forgets all samples.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        (self.overflow, self.n, self.min, self.max) = (0, 0, u64::MAX, 0);
    }

    /// Adds a sample. A value out of range counts as overflow and still moves the maximum.
    pub fn record(&mut self, value: u64) {
        self.n = self.n.saturating_add(1);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        match bucket_of(value) {
            Some(bucket) => self.counts[bucket] = self.counts[bucket].saturating_add(1),
            None => self.overflow = self.overflow.saturating_add(1),
        }
    }

    /// Adds all samples of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.overflow = self.overflow.saturating_add(other.overflow);
        self.n = self.n.saturating_add(other.n);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Puts back buckets that came over the wire.
    ///
    /// # Errors
    /// [`Inconsistent`] if a bucket does not exist or the counts do not add up to `n`.
    pub fn from_parts(
        summary: Summary,
        buckets: impl IntoIterator<Item = (u16, u32)>,
    ) -> Result<Self, Inconsistent> {
        let mut histogram = Self::new();
        let mut total = u64::from(summary.overflow);
        for (bucket, count) in buckets {
            let place =
                histogram.counts.get_mut(usize::from(bucket)).ok_or(Inconsistent::NoSuchBucket(bucket))?;
            *place = place.saturating_add(count);
            total += u64::from(count);
        }
        if total != u64::from(summary.n) {
            return Err(Inconsistent::Total { counted: total, said: summary.n });
        }
        histogram.n = summary.n;
        histogram.overflow = summary.overflow;
        if summary.n > 0 {
            (histogram.min, histogram.max) = (summary.min, summary.max);
        }
        Ok(histogram)
    }

    /// Number, extremes and overflow.
    pub fn summary(&self) -> Summary {
        let min = if self.n == 0 { 0 } else { self.min };
        Summary { n: self.n, min, max: self.max, overflow: self.overflow }
    }

    /// Buckets that are not empty, in rising order: index and count.
    pub fn buckets(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count != 0)
            .map(|(bucket, count)| (bucket as u16, *count))
    }

    /// The value that `per_mille`/1000 of the samples do not exceed, as the upper end of its bucket but never
    /// past the maximum: 0 to 3.2 % above the exact quantile. `None` without samples.
    pub fn quantile(&self, per_mille: u32) -> Option<u64> {
        if self.n == 0 {
            return None;
        }
        let wanted = (u64::from(self.n) * u64::from(per_mille.min(1000))).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted {
                return Some(upper_bound(bucket).min(self.max));
            }
        }
        Some(self.max)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// What a histogram says without its buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Number of samples, those out of range included.
    pub n: u32,
    /// Smallest sample; 0 without samples.
    pub min: u64,
    /// Largest sample, exact also when out of range.
    pub max: u64,
    /// Samples too large for any bucket.
    pub overflow: u32,
}

/// Buckets from the wire that cannot be a histogram.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Inconsistent {
    /// Index past the last bucket.
    #[error("bucket {0} does not exist")]
    NoSuchBucket(u16),
    /// Counts do not add up.
    #[error("buckets hold {counted} samples, the record says {said}")]
    Total {
        /// Sum of buckets and overflow.
        counted: u64,
        /// Number the record claims.
        said: u32,
    },
}

/// Histograms a scenario can fill at once.
pub const HISTOGRAMS: usize = 16;

/// Room for one scenario's histograms (56 KiB) and raw samples (128 KiB), kept by the board so that it is not on a stack.
pub struct Samples {
    /// What each is for is the running scenario's business.
    pub histograms: [Histogram; HISTOGRAMS],
    /// The first samples of each histogram, if the plan asks for them.
    pub raw: RawSamples,
}

impl Samples {
    /// All empty.
    pub const fn new() -> Self {
        Self { histograms: [const { Histogram::new() }; HISTOGRAMS], raw: RawSamples::new() }
    }

    /// Empties all.
    pub fn clear(&mut self) {
        self.histograms.iter_mut().for_each(Histogram::clear);
        self.raw.clear();
    }

    /// Adds a sample to the histogram at `index`. Never called inside a bracket that is timed.
    pub fn record(&mut self, index: usize, cycles: u64) {
        if let Some(histogram) = self.histograms.get_mut(index) {
            histogram.record(cycles);
        }
        self.raw.record(index, cycles);
    }
}

impl Default for Samples {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket_and_buckets_are_at_most_a_32nd_wide() {
        let mut values: Vec<u64> = (0..5000).collect();
        for bit in 12..32 {
            values.extend([(1 << bit) - 1, 1 << bit, (1 << bit) + 1, (1 << bit) + (1 << (bit - 1))]);
        }
        values.push(u64::from(u32::MAX));
        for value in values {
            let bucket = bucket_of(value).expect("in range");
            assert!(bucket < BUCKETS);
            let (low, high) = (lower_bound(bucket), upper_bound(bucket));
            assert!(low <= value && value <= high, "{value} not in {low}..={high}");
            assert!((high - low) * 32 <= low, "{low}..={high} is too wide");
        }
        assert_eq!(bucket_of(1 << 32), None);
        assert_eq!(bucket_of(u64::from(u32::MAX)), Some(BUCKETS - 1));
    }

    #[test]
    fn quantiles_are_at_most_a_32nd_above_the_exact_ones() {
        let mut state = 12345u64;
        let mut exact = Vec::new();
        let mut histogram = Histogram::new();
        for _ in 0..10_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 33) % (1 << (5 + state % 24));
            exact.push(value);
            histogram.record(value);
        }
        exact.sort_unstable();
        for per_mille in [1, 250, 500, 900, 990, 999, 1000] {
            let truth = exact[(exact.len() * per_mille).div_ceil(1000).max(1) - 1];
            let got = histogram.quantile(per_mille as u32).expect("has samples");
            assert!(got >= truth && (got - truth) * 32 <= truth, "p{per_mille}: {got} for {truth}");
        }
    }

    #[test]
    fn an_empty_histogram_has_no_quantile() {
        assert_eq!(Histogram::new().quantile(500), None);
        assert_eq!(Histogram::new().summary(), Summary::default());
    }

    #[test]
    fn a_value_out_of_range_is_counted_as_overflow_and_stays_the_maximum() {
        let mut histogram = Histogram::new();
        histogram.record(7);
        histogram.record(1 << 40);
        assert_eq!(histogram.summary(), Summary { n: 2, min: 7, max: 1 << 40, overflow: 1 });
        assert_eq!(histogram.quantile(500), Some(7));
        assert_eq!(histogram.quantile(1000), Some(1 << 40));
    }

    #[test]
    fn merging_is_the_same_as_recording_all_samples_in_one() {
        let (mut left, mut right, mut both) = (Histogram::new(), Histogram::new(), Histogram::new());
        for value in 0..1000u64 {
            let value = value * value;
            if value % 3 == 0 {
                left.record(value)
            } else {
                right.record(value)
            }
            both.record(value);
        }
        left.merge(&right);
        assert_eq!(left, both);
        let copy = Histogram::from_parts(both.summary(), both.buckets()).expect("consistent");
        assert_eq!(copy, both);
    }

    #[test]
    fn buckets_that_do_not_add_up_are_refused() {
        let summary = Summary { n: 2, min: 1, max: 2, overflow: 0 };
        assert_eq!(
            Histogram::from_parts(summary, [(1, 1)]),
            Err(Inconsistent::Total { counted: 1, said: 2 })
        );
        assert_eq!(
            Histogram::from_parts(summary, [(BUCKETS as u16, 2)]),
            Err(Inconsistent::NoSuchBucket(BUCKETS as u16))
        );
    }
}
