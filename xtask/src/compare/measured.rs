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
    /// `p50`, by the rank-sum test; `p95`, `p99`, `p99.9`, by Fisher's exact test of the slowest part.
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
    /// Of p50: how probable it is that a sample of B is slower than one of A.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superiority: Option<f64>,
    /// Of the others: how many of the slowest samples of both are A's, and how many B's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slowest: Option<[u64; 2]>,
    /// Of the test, by itself.
    pub p: f64,
    /// Corrected for all tests of this comparison.
    pub p_holm: f64,
    /// Significant, by at least the threshold, for p50 beyond the interval's doubt, and no run of one side is among the
    /// other's.
    pub relevant: bool,
}

impl Tested {
    /// Smaller than what anybody acts on.
    pub fn is_below(&self, thresholds: &Thresholds) -> bool {
        self.shift_percent.abs() < thresholds.of_quantile(self.quantile)
    }

    /// What the test looked at, in words.
    pub fn evidence(&self) -> String {
        match (self.slowest, self.superiority) {
            (Some([a, b]), _) => format!("slowest: {a} of A, {b} of B"),
            (None, Some(superiority)) => format!("P(B > A) {superiority:.2}"),
            (None, None) => String::new(),
        }
    }
}

/// Quantiles of the tail, with the part of all samples that is slower.
const TAILS: [(&str, f64); 3] = [("p95", 0.05), ("p99", 0.01), ("p99.9", 0.001)];

/// The tails that are tested of so many samples on both sides together. Each test costs the others some of their power, so
/// of few samples there is one: that of the rarest tail that can be told at all.
fn tails(samples: u64) -> &'static [(&'static str, f64)] {
    match samples {
        ..1000 => &TAILS[..1],
        1000..10_000 => &TAILS[1..2],
        _ => &TAILS,
    }
}

/// Which tests get an interval of their shift: it takes longer than all the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intervals {
    /// Every one, for a reader.
    OfAll,
    /// Those that decide something. The others have the interval of a shift of nothing.
    OfSignificant,
}

/// A step's samples on both sides.
struct StepSamples<'a> {
    scenario: &'a str,
    step: &'a str,
    a: Vec<Distribution>,
    b: Vec<Distribution>,
    all_a: Distribution,
    all_b: Distribution,
}

/// A test of one of its quantiles, before the others are known.
struct Draft<'a> {
    of: &'a StepSamples<'a>,
    quantile: &'static str,
    q: f64,
    p: f64,
    superiority: Option<f64>,
    slowest: Option<[u64; 2]>,
}

/// Tests every step that both sides have.
pub fn test(pairs: &[Pair<'_>], thresholds: Thresholds, alpha: f64, intervals: Intervals) -> Vec<Tested> {
    let steps: Vec<StepSamples<'_>> = pairs.iter().flat_map(steps_of).collect();
    let drafts: Vec<Draft<'_>> = steps.iter().flat_map(drafts).collect();
    let p: Vec<f64> = drafts.iter().map(|draft| draft.p).collect();
    let judged = drafts.iter().zip(holm(&p)).zip(1..);
    judged
        .map(|((draft, p_holm), seed)| {
            // Numbers of its own: what is found of one step does not depend on the others.
            let mut random = Random::new(seed);
            let significant = p_holm < alpha;
            let wanted = significant || intervals == Intervals::OfAll;
            let interval = wanted.then(|| shift_interval(&draft.of.a, &draft.of.b, draft.q, &mut random));
            let interval = interval.map_or([0.0; 2], |interval| [interval.low, interval.high]);
            draft.judge(p_holm, significant, interval, thresholds)
        })
        .collect()
}

fn steps_of<'a>(pair: &'a Pair<'_>) -> Vec<StepSamples<'a>> {
    let Some(first) = pair.a.first() else { return Vec::new() };
    let steps = pair.steps.comparable.iter().map(|step| {
        let (a, b) = (samples(&pair.a, step), samples(&pair.b, step));
        let (all_a, all_b) = (Distribution::merged(&a), Distribution::merged(&b));
        StepSamples { scenario: &first.name, step, a, b, all_a, all_b }
    });
    steps.filter(|step| step.all_a.n() > 0 && step.all_b.n() > 0).collect()
}

fn samples(runs: &[&ScenarioReport], step: &str) -> Vec<Distribution> {
    runs.iter().filter_map(|run| Distribution::of(run.latency.get(step)?).ok()).collect()
}

fn drafts<'a>(of: &'a StepSamples<'a>) -> Vec<Draft<'a>> {
    let rank = rank_sum(&of.all_a, &of.all_b);
    let median =
        Draft { of, quantile: "p50", q: 0.5, p: rank.p, superiority: Some(rank.superiority), slowest: None };
    let tails = tails(of.all_a.n() + of.all_b.n()).iter().map(|&(quantile, part)| {
        let tail = tail_test(&of.all_a, &of.all_b, part);
        let slowest = Some([tail.slow_a, tail.slow_b]);
        Draft { of, quantile, q: 1.0 - part, p: tail.p, superiority: None, slowest }
    });
    [median].into_iter().chain(tails).collect()
}

impl Draft<'_> {
    fn judge(&self, p_holm: f64, significant: bool, interval: [f64; 2], thresholds: Thresholds) -> Tested {
        let (of, q) = (self.of, self.q);
        let (from, to) = (of.all_a.quantile(q), of.all_b.quantile(q));
        let shift_percent = 100.0 * shift(from, to);
        let [low, high] = interval;
        // The test of a tail is of the tail itself; a rank sum may differ for another reason than the median.
        let beyond_doubt = self.slowest.is_some() || low > 0.0 || high < 0.0;
        Tested {
            scenario: of.scenario.to_owned(),
            step: of.step.to_owned(),
            quantile: self.quantile,
            n_a: of.all_a.n(),
            n_b: of.all_b.n(),
            a: from,
            b: to,
            shift_percent,
            interval_percent: [100.0 * low, 100.0 * high],
            superiority: self.superiority,
            slowest: self.slowest,
            p: self.p,
            p_holm,
            relevant: significant
                && shift_percent.abs() >= thresholds.of_quantile(self.quantile)
                && beyond_doubt
                && self.runs_lie_apart(),
        }
    }

    /// No run of one side is among the other's. Two single runs lie apart as soon as they differ.
    fn runs_lie_apart(&self) -> bool {
        let StepSamples { a, b, .. } = self.of;
        let range = |runs: &[Distribution]| Range::of(runs.iter().map(|run| run.quantile(self.q)).collect());
        range(a).zip(range(b)).is_some_and(|(range_a, range_b)| range_a.is_apart_from(&range_b))
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

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
        test(&[Pair::of(a.iter().collect(), b.iter().collect())], thresholds, 0.01, Intervals::OfAll)
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
            assert!(medians().all(|tested| tested.relevant && tested.superiority > Some(0.6)), "{slower:#?}");
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
        assert!(alarms.iter().all(|tested| tested.quantile != "p50") && alarms.len() >= 10, "{alarms:#?}");
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

    #[test]
    fn one_run_that_is_among_several_of_the_other_side_does_not_alarm() {
        let mut random = Random::new(9);
        let [quick, slow, slower] = [1.0, 5.0, 5.0].map(|tail| run(&mut random, 9000.0, tail));
        let found = tested(slice::from_ref(&quick), &[quick.clone(), slow, slower], THRESHOLDS);
        assert!(found.iter().any(|tested| tested.p_holm < 0.01), "the samples alone differ");
        assert!(found.iter().all(|tested| !tested.relevant), "{found:#?}");
    }
}
