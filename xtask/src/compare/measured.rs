//! Latencies of boards: is a step slower, and by how much. `docs/compare.md` has the method.

use harness::report::ScenarioReport;
use serde::Serialize;

use super::changes::{Pair, Thresholds};
use super::figure::{Range, shift};
use super::statistics::{Distribution, Random, holm, rank_sum, shift_interval, tail_test};

/// A quantile on both sides, with the test that belongs to it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Tested {
    /// Of which scenario.
    pub scenario: String,
    /// Which step.
    pub step: String,
    /// `p50`, by the rank-sum test; `p99`, by Fisher's exact test of the slowest hundredth.
    pub quantile: &'static str,
    /// Samples of A.
    pub n_a: u64,
    /// Samples of B.
    pub n_b: u64,
    /// The quantile of A in cycles.
    pub a: f64,
    /// That of B.
    pub b: f64,
    /// From A to B, in percent of A.
    pub shift_percent: f64,
    /// 95 % interval of the shift, in percent.
    pub interval_percent: [f64; 2],
    /// For p50, how probable it is that a sample of B is slower than one of A; for p99, B's part of the slowest.
    pub superiority: f64,
    /// Of the test, by itself.
    pub p: f64,
    /// Corrected for all tests of this comparison.
    pub p_holm: f64,
    /// Significant, by at least the threshold, beyond the interval's doubt, and no run of one side is among the other's.
    pub relevant: bool,
}

/// Tests every step that both sides have.
pub fn test(pairs: &[Pair<'_>], thresholds: Thresholds, alpha: f64) -> Vec<Tested> {
    let mut random = Random::new(1);
    let mut all = Vec::new();
    for Pair { a, b, steps } in pairs {
        let Some(first) = a.first() else { continue };
        for step in &steps.comparable {
            let (a, b) = (samples(a, step), samples(b, step));
            if !a.is_empty() && !b.is_empty() {
                all.extend(step_tests(&first.name, step, &a, &b, &mut random));
            }
        }
    }
    let p: Vec<f64> = all.iter().map(|(tested, _)| tested.p).collect();
    let corrected = holm(&p);
    let judged = all.into_iter().zip(corrected).map(|((mut tested, apart), p_holm)| {
        let threshold = if tested.quantile == "p50" { thresholds.median } else { thresholds.tail };
        let [low, high] = tested.interval_percent;
        tested.p_holm = p_holm;
        tested.relevant =
            p_holm < alpha && tested.shift_percent.abs() >= threshold && (low > 0.0 || high < 0.0) && apart;
        tested
    });
    judged.collect()
}

fn samples(runs: &[&ScenarioReport], step: &str) -> Vec<Distribution> {
    runs.iter().filter_map(|run| Distribution::of(run.latency.get(step)?).ok()).collect()
}

/// Both quantiles of a step, and whether their runs lie apart. Of one run a side that cannot be told, so it counts as yes.
fn step_tests(
    scenario: &str,
    step: &str,
    a: &[Distribution],
    b: &[Distribution],
    random: &mut Random,
) -> [(Tested, bool); 2] {
    let (all_a, all_b) = (Distribution::merged(a), Distribution::merged(b));
    let rank = rank_sum(&all_a, &all_b);
    let tail = tail_test(&all_a, &all_b);
    let slow = (tail.slow_a + tail.slow_b).max(1) as f64;
    let made = |quantile: &'static str, q: f64, p: f64, superiority: f64, random: &mut Random| {
        let (from, to) = (all_a.quantile(q), all_b.quantile(q));
        let interval = shift_interval(a, b, q, random);
        let range = |runs: &[Distribution]| Range::of(runs.iter().map(|run| run.quantile(q)).collect());
        let several = a.len() > 1 && b.len() > 1;
        let apart = !several
            || range(a).zip(range(b)).is_some_and(|(range_a, range_b)| range_a.is_apart_from(&range_b));
        let tested = Tested {
            scenario: scenario.to_owned(),
            step: step.to_owned(),
            quantile,
            n_a: all_a.n(),
            n_b: all_b.n(),
            a: from,
            b: to,
            shift_percent: 100.0 * shift(from, to),
            interval_percent: [100.0 * interval.low, 100.0 * interval.high],
            superiority,
            p,
            p_holm: 1.0,
            relevant: false,
        };
        (tested, apart)
    };
    [
        made("p50", 0.5, rank.p, rank.superiority, random),
        made("p99", 0.99, tail.p, tail.slow_b as f64 / slow, random),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::statistics::tests::latency;
    use super::*;
    use crate::report::example;

    const THRESHOLDS: Thresholds = Thresholds { count: 1.0, median: 5.0, tail: 10.0 };

    /// A scenario of twelve steps, whose samples have a median of `scale` and a tail.
    fn run(random: &mut Random, scale: f64, tail: f64) -> ScenarioReport {
        let mut run = example().scenarios.remove(0);
        run.latency.clear();
        for step in 0..12 {
            let samples = (0..1000).map(|_| {
                let slow = if random.unit() < 0.04 { tail } else { 1.0 };
                (scale * slow * (0.1 * random.normal()).exp()) as u64
            });
            run.latency.insert(format!("step-{step}"), latency(samples.collect::<Vec<_>>()));
        }
        run
    }

    fn tested(a: &[ScenarioReport], b: &[ScenarioReport], thresholds: Thresholds) -> Vec<Tested> {
        test(&[Pair::of(a.iter().collect(), b.iter().collect())], thresholds, 0.01)
    }

    #[test]
    fn runs_of_one_distribution_are_told_apart_no_oftener_than_is_said() {
        let mut random = Random::new(11);
        let nothing = Thresholds { count: 0.0, median: 0.0, tail: 0.0 };
        let (mut significant, mut relevant) = (0, 0);
        for _ in 0..150 {
            let (a, b) = (run(&mut random, 9000.0, 3.0), run(&mut random, 9000.0, 3.0));
            let found = tested(&[a], &[b], nothing);
            significant += usize::from(found.iter().any(|tested| tested.p_holm < 0.05));
            relevant += usize::from(found.iter().any(|tested| tested.relevant));
        }
        // At most 5 % of families of 24 tests: 7.5 of 150, and three standard deviations more.
        assert!(significant <= 15, "{significant} of 150 comparisons of equals at 0.05");
        assert!(relevant <= 5, "{relevant} of 150 at 0.01, without any threshold");
    }

    #[test]
    fn a_slower_step_is_found_in_every_comparison_and_a_trivial_one_does_not_alarm() {
        let mut random = Random::new(5);
        for _ in 0..20 {
            let a = [run(&mut random, 9000.0, 3.0)];
            let slower = tested(&a, &[run(&mut random, 9900.0, 3.0)], THRESHOLDS);
            let medians = || slower.iter().filter(|tested| tested.quantile == "p50");
            assert!(medians().all(|tested| tested.relevant && tested.superiority > 0.6), "{slower:#?}");
            let trivial = tested(&a, &[run(&mut random, 9180.0, 3.0)], THRESHOLDS);
            assert!(trivial.iter().any(|tested| tested.p_holm < 0.01), "2 % more is significant");
            let medians = trivial.iter().filter(|tested| tested.quantile == "p50");
            assert!(medians.clone().all(|tested| !tested.relevant), "{trivial:#?}");
        }
    }

    #[test]
    fn a_longer_tail_is_found_where_the_median_stays() {
        let mut random = Random::new(6);
        let (a, b) = (run(&mut random, 9000.0, 2.0), run(&mut random, 9000.0, 6.0));
        let found = tested(&[a], &[b], THRESHOLDS);
        let alarms: Vec<_> = found.iter().filter(|tested| tested.relevant).collect();
        assert!(alarms.iter().all(|tested| tested.quantile == "p99") && alarms.len() >= 10, "{alarms:#?}");
    }

    #[test]
    fn runs_that_differ_among_themselves_do_not_alarm() {
        let mut random = Random::new(8);
        let mut side = |scales: [f64; 3]| scales.map(|scale| run(&mut random, scale, 3.0));
        let (a, b) = (side([9000.0, 9900.0, 10_800.0]), side([9500.0, 10_400.0, 11_300.0]));
        let found = tested(&a, &b, THRESHOLDS);
        assert!(found.iter().any(|tested| tested.p_holm < 0.01), "the samples alone differ");
        assert!(found.iter().all(|tested| !tested.relevant));
    }
}
