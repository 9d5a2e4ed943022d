//! Fisher's exact test, on how many samples of either side are among the slowest hundredth of both.

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

/// Compares the tails: the slowest buckets that hold at most a hundredth of all samples.
///
/// Exact for any number of samples; a few hundred a side are needed before it can tell anything.
pub fn tail_test(a: &Distribution, b: &Distribution) -> Tail {
    let both = Distribution::merged([a, b]);
    let most = both.n() / 100;
    let lows: Vec<u64> = both.buckets().map(|(low, _)| low).collect();
    let first_slow = lows.into_iter().find(|low| both.at_or_above(*low) <= most);
    let slow = |side: &Distribution| first_slow.map_or(0, |low| side.at_or_above(low));
    let (slow_a, slow_b) = (slow(a), slow(b));
    Tail { p: fisher(slow_a, a.n(), slow_b, b.n()), slow_a, slow_b }
}

/// Two-sided p of `hits_a` in `n_a` against `hits_b` in `n_b`: the probability of all tables with these sums that are
/// no likelier than this one.
fn fisher(hits_a: u64, n_a: u64, hits_b: u64, n_b: u64) -> f64 {
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
    fn p_is_that_of_other_programs() {
        // scipy.stats.fisher_exact([[hits_a, n_a - hits_a], [hits_b, n_b - hits_b]])[1]
        for (hits_a, n_a, hits_b, n_b, expected) in [
            (3, 10, 9, 12, 0.083_557_309_563_501_5),
            (5, 1000, 15, 1000, 0.040_394_205_404_807_13),
            (10, 1000, 30, 2000, 0.312_593_946_220_489_5),
            (0, 500, 12, 700, 0.001_952_543_719_726_009),
            (1000, 100_000, 1150, 100_000, 0.001_229_322_608_529_524),
        ] {
            let found = fisher(hits_a, n_a, hits_b, n_b);
            assert!((found / expected - 1.0).abs() < 1e-6, "{hits_a} of {n_a}, {hits_b} of {n_b}: {found}");
        }
    }

    #[test]
    fn a_longer_tail_is_seen_where_the_middle_is_the_same() {
        let body = || (0..990u64).map(|sample| 1000 + sample % 50);
        let a = latency(body().chain([1100; 10]));
        let b = latency(body().take(970).chain([5000; 30]));
        let (a, b) = (Distribution::of(&a).unwrap(), Distribution::of(&b).unwrap());
        assert!(tail_test(&a, &b).p > 0.01, "30 of 2000 are more than a hundredth: no bucket is slow enough");
        let b = latency(body().chain([5000; 19]));
        let b = Distribution::of(&b).unwrap();
        let tail = tail_test(&a, &b);
        assert_eq!((tail.slow_a, tail.slow_b), (0, 19));
        assert!(tail.p < 1e-5, "{tail:?}");
        assert_eq!(tail_test(&a, &a).p, 1.0);
    }
}
