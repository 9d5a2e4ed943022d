//! Figures of modelled runs: exact for a seed, with a range over several.

use serde::Serialize;

/// What the runs of one side gave.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Range {
    /// Smallest.
    pub min: f64,
    /// Median.
    pub median: f64,
    /// Largest.
    pub max: f64,
}

impl Range {
    /// Of the values of each run; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
        Some(Self { min, median, max })
    }

    /// No run of one side gave what a run of the other gave, nor anything between those.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        self.max < other.min || other.max < self.min
    }
}

/// How far `to` is from `from`, as a part of it. From less than one cycle it is reckoned as from one.
pub fn shift(from: f64, to: f64) -> f64 {
    (to - from) / from.max(1.0)
}

/// One figure on both sides.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    /// Of which scenario.
    pub scenario: String,
    /// Which: `arm_cycles`, `vpu_instructions`, or a step with its quantile.
    pub what: String,
    /// On side A.
    pub a: Range,
    /// On side B.
    pub b: Range,
    /// From the median of A to that of B, in percent of A.
    pub shift_percent: f64,
    /// The runs of both sides lie apart.
    pub apart: bool,
    /// Apart, and by at least the threshold.
    pub relevant: bool,
}

impl Figure {
    /// Judges a figure by a threshold in percent.
    pub fn judge(scenario: &str, what: String, a: Range, b: Range, threshold: f64) -> Self {
        let shift_percent = 100.0 * shift(a.median, b.median);
        let apart = a.is_apart_from(&b);
        let relevant = apart && shift_percent.abs() >= threshold;
        Self { scenario: scenario.to_owned(), what, a, b, shift_percent, apart, relevant }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(a: &[f64], b: &[f64]) -> Figure {
        let range = |values: &[f64]| Range::of(values.to_vec()).unwrap();
        Figure::judge("handshake", "vpu_instructions".into(), range(a), range(b), 1.0)
    }

    #[test]
    fn a_shift_counts_if_the_runs_lie_apart_and_it_reaches_the_threshold() {
        let far = judged(&[100.0, 101.0, 102.0], &[110.0, 111.0, 112.0]);
        assert!(far.apart && far.relevant && (far.shift_percent - 9.900_990).abs() < 1e-6, "{far:?}");
        let near = judged(&[1000.0, 1001.0], &[1003.0, 1004.0]);
        assert!(near.apart && !near.relevant);
        let mixed = judged(&[100.0, 130.0], &[120.0, 150.0]);
        assert!(!mixed.apart && !mixed.relevant);
    }

    #[test]
    fn from_nothing_a_shift_is_reckoned_in_cycles() {
        assert_eq!(shift(0.0, 3.0), 3.0);
        assert_eq!(shift(0.0, 0.0), 0.0);
        assert_eq!(Range::of(Vec::new()), None);
        assert_eq!(Range::of(vec![4.0, 1.0]).unwrap().median, 2.5);
    }
}
