//! Fisher's exact test, on how many samples of either side are among the slowest of both.

use super::Distribution;

/// What the test says of two tails.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tail {
    /// Probability of a table at most as likely if both are one distribution; two-sided.
    pub p: f64,
    /// Samples of A among the slowest.
    pub slow_a: u64,
    /// Samples of B among them.
    pub slow_b: u64,
}

/// Compares the tails: the slowest buckets, as many as hold nearest to this part of all samples, and at least one.
///
/// Where they begin is decided by both sides together, so the test is exact whatever the histogram looks like. Buckets
/// that hold at most the part would be another choice, and a worse one: a tail that shares a bucket with a little more
/// than the part would be left out as a whole.
pub fn tail_test(a: &Distribution, b: &Distribution, part: f64) -> Tail {
    let both = Distribution::merged([a, b]);
    let wanted = part * both.n() as f64;
    let (mut slow, mut nearest, mut first_slow) = (0, f64::INFINITY, None);
    for (low, count) in both.buckets().rev() {
        slow += count;
        let distance = (slow as f64 - wanted).abs();
        if distance >= nearest {
            break;
        }
        (nearest, first_slow) = (distance, Some(low));
    }
    let slow = |side: &Distribution| first_slow.map_or(0, |low| side.at_or_above(low));
    let (slow_a, slow_b) = (slow(a), slow(b));
    Tail { p: fisher(slow_a, a.n(), slow_b, b.n()), slow_a, slow_b }
}

/// Two-sided p of `hits_a` in `n_a` against `hits_b` in `n_b`: the probability of all tables with these sums that are
/// no likelier than this one.
pub(super) fn fisher(hits_a: u64, n_a: u64, hits_b: u64, n_b: u64) -> f64 {
    let hits = hits_a + hits_b;
    let logs = LogFactorials;
    let log_probability =
        |in_a: u64| logs.choose(n_a, in_a) + logs.choose(n_b, hits - in_a) - logs.choose(n_a + n_b, hits);
    let seen = log_probability(hits_a);
    // As other programs have it, tables that are as likely but for rounding count.
    let limit = seen + 1e-7;
    let possible = hits.saturating_sub(n_b)..=hits.min(n_a);
    let p: f64 = possible.map(log_probability).filter(|log| *log <= limit).map(f64::exp).sum();
    p.min(1.0)
}

/// Logarithms of factorials, by Stirling's series.
#[derive(Clone, Copy)]
struct LogFactorials;

impl LogFactorials {
    fn of(self, n: u64) -> f64 {
        if n < 16 {
            return (2..=n).map(|factor| (factor as f64).ln()).sum();
        }
        let x = n as f64;
        let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
        x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + series
    }

    fn choose(self, n: u64, k: u64) -> f64 {
        self.of(n) - self.of(k) - self.of(n - k)
    }
}

#[cfg(test)]
mod tests {
    use super::super::distribution::tests::latency;
    use super::*;

    #[test]
    fn a_longer_tail_is_seen_where_the_middle_is_the_same() {
        let body = || (0..990u64).map(|sample| 1000 + sample % 50);
        let of = |samples: Vec<u64>| Distribution::of(&latency(samples)).unwrap();
        let a = of(body().chain([1100; 10]).collect());
        // A bucket of its own, with more than a hundredth of all samples, and with a little less.
        for (slow, body_of_b) in [(30, 970), (19, 981)] {
            let b = of(body().take(body_of_b).chain(vec![5000; slow]).collect());
            let tail = tail_test(&a, &b, 0.01);
            assert_eq!((tail.slow_a, tail.slow_b), (0, slow as u64));
            assert!(tail.p < 1e-5, "{tail:?}");
        }
        assert_eq!(tail_test(&a, &a, 0.01).p, 1.0);
    }

    #[test]
    fn the_tail_has_as_many_samples_as_the_buckets_allow() {
        let even = Distribution::of(&latency(1..=1000)).unwrap();
        for part in [0.05, 0.01] {
            let tail = tail_test(&even, &even, part);
            let found = (tail.slow_a + tail.slow_b) as f64 / 2000.0;
            assert!((found - part).abs() <= 0.016, "{part}: {found}, with buckets of 16 in 1000");
        }
        let one = Distribution::of(&latency([7; 10])).unwrap();
        assert_eq!(tail_test(&one, &one, 0.01), Tail { p: 1.0, slow_a: 10, slow_b: 10 });
    }
}
