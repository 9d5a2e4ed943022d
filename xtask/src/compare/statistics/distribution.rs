//! Samples as a report keeps them: counts by bucket.

use std::collections::BTreeMap;

use harness::histogram::{bucket_of, upper_bound};
use harness::report::Latency;
use thiserror::Error;

/// Why a histogram cannot be what a run recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Damage {
    /// No sample at all.
    #[error("no samples")]
    Empty,
    /// Buckets hold more than there are, or less although the largest sample has a bucket.
    #[error("{counted} samples in buckets, {n} in all")]
    Count {
        /// In buckets.
        counted: u64,
        /// By its own account.
        n: u64,
    },
    /// A bucket below the smallest sample or above the largest.
    #[error("a bucket at {low}, with samples from {min} to {max}")]
    Outside {
        /// Where the bucket begins.
        low: u64,
        /// Smallest sample by its own account.
        min: u64,
        /// Largest.
        max: u64,
    },
}

/// A step's samples of one run, or of several put together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Distribution {
    /// By the smallest value of the bucket: how many.
    buckets: BTreeMap<u64, u64>,
    n: u64,
    min: u64,
    max: u64,
}

impl Distribution {
    /// The samples of a report. Those too large for any bucket count as one bucket at the largest value.
    ///
    /// # Errors
    /// [`Damage`] if the counts do not add up, which no report of ours has.
    pub fn of(latency: &Latency) -> Result<Self, Damage> {
        let &Latency { min, max, .. } = latency;
        let mut buckets = BTreeMap::new();
        let mut counted = 0u64;
        for &(low, count) in latency.histogram.iter().filter(|(_, count)| *count > 0) {
            if low > max || bucket_of(low).is_some_and(|bucket| upper_bound(bucket) < min) {
                return Err(Damage::Outside { low, min, max });
            }
            counted += u64::from(count);
            *buckets.entry(low).or_default() += u64::from(count);
        }
        let n = u64::from(latency.n);
        if n == 0 {
            return Err(Damage::Empty);
        }
        let damage = Damage::Count { counted, n };
        let beyond = n.checked_sub(counted).ok_or(damage)?;
        if beyond > 0 && bucket_of(max).is_some() {
            return Err(damage);
        }
        if beyond > 0 {
            *buckets.entry(max).or_default() += beyond;
        }
        Ok(Self { buckets, n, min, max })
    }

    /// All samples of several.
    pub fn merged<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut whole = Self { min: u64::MAX, ..Self::default() };
        for part in parts {
            whole.n += part.n;
            whole.min = whole.min.min(part.min);
            whole.max = whole.max.max(part.max);
            for (&low, &count) in &part.buckets {
                *whole.buckets.entry(low).or_default() += count;
            }
        }
        whole
    }

    /// Number of samples.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Buckets with their counts, rising.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> + '_ {
        self.buckets.iter().map(|(&low, &count)| (low, count))
    }

    /// Samples in buckets that begin at `low` or above.
    pub fn at_or_above(&self, low: u64) -> u64 {
        self.buckets.range(low..).map(|(_, count)| count).sum()
    }

    /// The value below which a part `q` (0 to 1) of the samples lies, as if those of a bucket lay evenly over it.
    pub fn quantile(&self, q: f64) -> f64 {
        let wanted = q * self.n as f64;
        let mut below = 0.0;
        for (low, count) in self.buckets() {
            let count = count as f64;
            if below + count >= wanted {
                let (first, last) = self.extent(low);
                return first + (last - first) * ((wanted - below) / count).clamp(0.0, 1.0);
            }
            below += count;
        }
        self.max as f64
    }

    /// Where the samples of a bucket can lie.
    fn extent(&self, low: u64) -> (f64, f64) {
        let high = bucket_of(low).map_or(low, upper_bound);
        let first = low.max(self.min).min(self.max);
        (first as f64, high.min(self.max).max(first) as f64)
    }
}

#[cfg(test)]
pub(in crate::compare) mod tests {
    use harness::histogram::Histogram;

    use super::*;

    /// Samples as a run would record them.
    pub(in crate::compare) fn latency(samples: impl IntoIterator<Item = u64>) -> Latency {
        let mut histogram = Histogram::new();
        samples.into_iter().for_each(|sample| histogram.record(sample));
        Latency::of(&histogram).expect("there are samples")
    }

    #[test]
    fn quantiles_lie_within_their_bucket_and_between_the_extremes() {
        let exact: Vec<u64> = (1..=1000).map(|value| value * 10).collect();
        let distribution = Distribution::of(&latency(exact.iter().copied())).unwrap();
        for (q, truth) in [(0.0, 10.0), (0.5, 5000.0), (0.9, 9000.0), (0.99, 9900.0), (1.0, 10_000.0)] {
            let found = distribution.quantile(q);
            assert!((found / truth - 1.0f64).abs() < 1.0 / 32.0, "{q}: {found}, not {truth}");
        }
        let one = Distribution::of(&latency([1228; 50])).unwrap();
        assert_eq!((one.quantile(0.5), one.quantile(0.99)), (1228.0, 1228.0));
    }

    #[test]
    fn samples_out_of_range_count_and_a_histogram_that_does_not_add_up_is_refused() {
        let whole = latency([1, 2, 1 << 40]);
        let distribution = Distribution::of(&whole).unwrap();
        assert_eq!((distribution.n(), distribution.at_or_above(3)), (3, 1));
        let damaged = |change: fn(&mut Latency)| {
            let mut latency = whole.clone();
            change(&mut latency);
            Distribution::of(&latency).unwrap_err()
        };
        assert_eq!(damaged(|latency| latency.n = 1), Damage::Count { counted: 2, n: 1 });
        assert_eq!(damaged(|latency| latency.n = 0), Damage::Empty);
        assert_eq!(damaged(|latency| latency.max = 2), Damage::Count { counted: 2, n: 3 });
        assert_eq!(damaged(|latency| latency.min = 2), Damage::Outside { low: 1, min: 2, max: 1 << 40 });
        assert_eq!(damaged(|latency| latency.max = 1), Damage::Outside { low: 2, min: 1, max: 1 });
    }

    #[test]
    fn runs_put_together_are_one_distribution() {
        let (left, right, both) = ([5u64, 70, 900], [6u64, 80], [5u64, 70, 900, 6, 80]);
        let of = |samples: &[u64]| Distribution::of(&latency(samples.iter().copied())).unwrap();
        assert_eq!(Distribution::merged([&of(&left), &of(&right)]), of(&both));
    }
}
