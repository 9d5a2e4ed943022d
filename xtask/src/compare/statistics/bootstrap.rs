//! How sure a shift is: an interval by the bootstrap.

use super::{Distribution, Random};

/// Times that samples are drawn anew.
const REPLICATES: usize = 2000;
/// The interval holds this part of them.
const CONFIDENCE: f64 = 0.95;

/// Where the shift of a quantile lies, as a part of A's.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The 95 % interval of the shift of the quantile `q` from A to B. Each replicate draws runs with replacement, then
/// samples from those: so runs that differ from each other widen it.
///
/// The quantile of n samples drawn anew need not be found by drawing n: in the order of size, the k-th of n even
/// numbers between 0 and 1 is a beta variable of k and n − k + 1.
pub fn shift_interval(a: &[Distribution], b: &[Distribution], q: f64, random: &mut Random) -> Interval {
    let mut shifts: Vec<f64> = (0..REPLICATES)
        .map(|_| {
            let (from, to) = (redrawn(a, q, random), redrawn(b, q, random));
            super::super::figure::shift(from, to)
        })
        .collect();
    shifts.sort_by(f64::total_cmp);
    let at = |part: f64| shifts[((shifts.len() - 1) as f64 * part).round() as usize];
    let outside = (1.0 - CONFIDENCE) / 2.0;
    Interval { low: at(outside), high: at(1.0 - outside) }
}

/// The quantile of samples drawn anew.
fn redrawn(runs: &[Distribution], q: f64, random: &mut Random) -> f64 {
    let drawn;
    let samples = match runs {
        [only] => only,
        runs => {
            drawn = Distribution::merged((0..runs.len()).map(|_| &runs[random.below(runs.len())]));
            &drawn
        }
    };
    let n = samples.n() as f64;
    let k = (q * n).ceil().clamp(1.0, n);
    samples.quantile(random.beta(k, n - k + 1.0))
}

#[cfg(test)]
mod tests {
    use super::super::distribution::tests::latency;
    use super::*;

    fn lognormal(random: &mut Random, n: usize, scale: f64) -> Distribution {
        let samples = (0..n).map(|_| (scale * (0.2 * random.normal()).exp()) as u64);
        Distribution::of(&latency(samples)).unwrap()
    }

    #[test]
    fn the_interval_holds_the_true_shift_about_as_often_as_it_says() {
        let mut random = Random::new(7);
        let held = (0..200).filter(|_| {
            let a = lognormal(&mut random, 500, 10_000.0);
            let b = lognormal(&mut random, 500, 11_000.0);
            let interval = shift_interval(&[a], &[b], 0.5, &mut random);
            interval.low <= 0.1 && 0.1 <= interval.high
        });
        let held = held.count();
        assert!((180..=200).contains(&held), "{held} of 200, expected about 190");
    }

    #[test]
    fn runs_that_differ_widen_the_interval() {
        let mut random = Random::new(3);
        let alike: Vec<_> = (0..4).map(|_| lognormal(&mut random, 1000, 10_000.0)).collect();
        let apart: Vec<_> =
            [9000.0, 9500.0, 10_500.0, 11_000.0].map(|scale| lognormal(&mut random, 1000, scale)).into();
        let narrow = shift_interval(&alike, &alike, 0.5, &mut random);
        let wide = shift_interval(&alike, &apart, 0.5, &mut random);
        assert!(wide.high - wide.low > 3.0 * (narrow.high - narrow.low), "{narrow:?}, {wide:?}");
    }
}
