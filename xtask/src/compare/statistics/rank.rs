//! The rank-sum test of Mann and Whitney.

use std::collections::BTreeMap;

use super::Distribution;

/// What the test says of two distributions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RankSum {
    /// Probability of a difference at least as great if both are one distribution; two-sided.
    pub p: f64,
    /// Probability that a sample of B is larger than one of A, half of the ties included; 0.5 is no difference.
    pub superiority: f64,
}

/// Compares A with B. Samples of one bucket are ties.
///
/// Normal approximation with correction for ties and for continuity: each side needs about 20 samples.
pub fn rank_sum(a: &Distribution, b: &Distribution) -> RankSum {
    let mut both: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (low, count) in a.buckets() {
        both.entry(low).or_default().0 += count as f64;
    }
    for (low, count) in b.buckets() {
        both.entry(low).or_default().1 += count as f64;
    }
    let (n_a, n_b) = (a.n() as f64, b.n() as f64);
    let n = n_a + n_b;
    let (mut below, mut u, mut ties) = (0.0, 0.0, 0.0);
    for (in_a, in_b) in both.into_values() {
        u += in_b * (below + in_a / 2.0);
        below += in_a;
        let tied: f64 = in_a + in_b;
        ties += tied.powi(3) - tied;
    }
    let superiority = u / (n_a * n_b);
    let variance = n_a * n_b / 12.0 * ((n + 1.0) - ties / (n * (n - 1.0)));
    let distance = ((u - n_a * n_b / 2.0).abs() - 0.5).max(0.0);
    // All samples in one bucket: nothing to tell apart.
    let p = if variance > 0.0 { two_sided(distance / variance.sqrt()) } else { 1.0 };
    RankSum { p, superiority }
}

/// Probability that a normal variable is at least `z` from its mean, in standard deviations.
fn two_sided(z: f64) -> f64 {
    erfc(z / std::f64::consts::SQRT_2)
}

/// Complementary error function for 0 and above, to a relative 1e-10: a series near 0, a continued fraction beyond.
fn erfc(x: f64) -> f64 {
    let root_pi = std::f64::consts::PI.sqrt();
    if x < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        return (1.0 - 2.0 / root_pi * (-x * x).exp() * sum).max(0.0);
    }
    let mut fraction = x;
    for k in (1..=120).rev() {
        fraction = x + f64::from(k) / 2.0 / fraction;
    }
    (-x * x).exp() / (root_pi * fraction)
}

#[cfg(test)]
mod tests {
    use super::super::distribution::tests::latency;
    use super::*;

    fn of(samples: &[u64]) -> Distribution {
        Distribution::of(&latency(samples.iter().copied())).unwrap()
    }

    fn near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-6, "{found}, not {expected}");
    }

    #[test]
    fn the_error_function_is_that_of_the_tables() {
        // scipy.special.erfc
        for (x, expected) in [
            (0.0, 1.0),
            (0.1, 0.887_537_083_981_715_2),
            (1.0, 0.157_299_207_050_285_13),
            (2.4, 6.885_138_966_450_79e-4),
            (2.6, 2.360_344_165_293_49e-4),
            (5.0, 1.537_459_794_428_035e-12),
        ] {
            near(erfc(x), expected);
        }
    }

    #[test]
    fn the_other_way_round_the_effect_is_the_other_and_p_the_same() {
        let (a, b) = (of(&[1, 2, 2, 3, 3, 4, 8, 9]), of(&[3, 4, 5, 5, 6, 8]));
        let (there, back) = (rank_sum(&a, &b), rank_sum(&b, &a));
        near(back.p, there.p);
        near(back.superiority, 1.0 - there.superiority);
    }

    #[test]
    fn equal_sides_and_sides_of_one_value_do_not_differ() {
        let same = of(&[5, 6, 7, 8, 9]);
        assert_eq!(rank_sum(&same, &same), RankSum { p: 1.0, superiority: 0.5 });
        let one = of(&[7; 100]);
        assert_eq!(rank_sum(&one, &one), RankSum { p: 1.0, superiority: 0.5 });
    }
}
