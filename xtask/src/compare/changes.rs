//! Verdicts, counts and modelled figures of two sides, held against each other.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use harness::report::{Report, ScenarioReport};
use harness::{Owner, Verdict};
use serde::Serialize;

use super::figure::{Figure, Range};
use super::side::Side;
use super::statistics::Distribution;
use super::steps::Steps;

/// A scenario that came to something else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VerdictChange {
    /// Which.
    pub scenario: String,
    /// On side A: each verdict with owner, and the reason of one run, the gravest first.
    pub a: String,
    /// On side B.
    pub b: String,
    /// B's are graver.
    pub worse: bool,
    /// A's are. Neither, if only the owner is another, or the number of runs.
    pub better: bool,
}

/// A count that differs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CountChange {
    /// Of which scenario.
    pub scenario: String,
    /// Which.
    pub count: String,
    /// In each run of A.
    pub a: Vec<u32>,
    /// In each run of B.
    pub b: Vec<u32>,
    /// Several runs of either side agree, so it is no matter of chance.
    pub relevant: bool,
}

/// Names of the scenarios of a side, in order.
pub fn scenarios(side: &Side) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    side.scenarios().filter(|name| seen.insert(*name)).collect()
}

/// A scenario that both sides have.
#[derive(Clone, Debug)]
pub struct Pair<'a> {
    /// In each run of A that has it.
    pub a: Vec<&'a ScenarioReport>,
    /// In each of B.
    pub b: Vec<&'a ScenarioReport>,
    /// Its steps.
    pub steps: Steps,
}

impl<'a> Pair<'a> {
    /// Of these runs.
    pub fn of(a: Vec<&'a ScenarioReport>, b: Vec<&'a ScenarioReport>) -> Self {
        let steps = Steps::of(&a, &b);
        Self { a, b, steps }
    }
}

/// That scenario in each run that has it.
pub fn runs_of<'a>(side: &'a Side, name: &str) -> Vec<&'a ScenarioReport> {
    let find = |report: &'a Report| report.scenarios.iter().find(|scenario| scenario.name == name);
    side.reports.iter().filter_map(find).collect()
}

/// Runs by verdict, the gravest first, and owner.
type ByVerdict<'a> = BTreeMap<(Reverse<Verdict>, Option<&'static str>), Vec<&'a ScenarioReport>>;

fn by_verdict<'a>(runs: &[&'a ScenarioReport]) -> ByVerdict<'a> {
    let mut groups = ByVerdict::new();
    for run in runs {
        groups.entry((Reverse(run.verdict), run.owner.map(Owner::name))).or_default().push(*run);
    }
    groups
}

/// The change of a scenario's verdict, if there is one: not the same part of the runs came to each verdict and owner.
/// Which is graver is told by the gravest verdict, or by the next one if both sides have that.
pub fn verdict_change(a_runs: &[&ScenarioReport], b_runs: &[&ScenarioReport]) -> Option<VerdictChange> {
    let (a_all, b_all) = (a_runs.len(), b_runs.len());
    let (a, b) = (by_verdict(a_runs), by_verdict(b_runs));
    let count = |groups: &ByVerdict<'_>, key| groups.get(key).map_or(0, Vec::len);
    let differs = a.keys().chain(b.keys()).any(|key| count(&a, key) * b_all != count(&b, key) * a_all);
    if a_all == 0 || b_all == 0 || !differs {
        return None;
    }
    let (a_verdicts, b_verdicts) = (verdicts(&a), verdicts(&b));
    let differing = a_verdicts.iter().zip(&b_verdicts).find(|(a, b)| a != b);
    Some(VerdictChange {
        scenario: a_runs[0].name.clone(),
        a: of_runs(&a, a_all),
        b: of_runs(&b, b_all),
        worse: differing.is_some_and(|(a, b)| b > a),
        better: differing.is_some_and(|(a, b)| b < a),
    })
}

/// Each verdict that there is, the gravest first.
fn verdicts(groups: &ByVerdict<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = groups.keys().map(|(verdict, _)| verdict.0).collect();
    verdicts.dedup();
    verdicts
}

/// What the runs came to, and how many of them, unless all did. Passes beside something else are left out.
fn of_runs(groups: &ByVerdict<'_>, all: usize) -> String {
    let passes = |verdict: &Reverse<Verdict>| verdict.0 == Verdict::Pass;
    let all_pass = groups.keys().all(|(verdict, _)| passes(verdict));
    let told = groups.iter().filter(|((verdict, _), _)| all_pass || !passes(verdict));
    let told = told.map(|(_, runs)| {
        let what = in_words(runs[0]);
        if runs.len() == all { what } else { format!("{} of {all} runs: {what}", runs.len()) }
    });
    told.collect::<Vec<_>>().join("; ")
}

fn in_words(run: &ScenarioReport) -> String {
    let owner = run.owner.map_or(String::new(), |owner| format!(", owner {}", owner.name()));
    let reason = run.reason.as_ref().filter(|_| run.verdict != Verdict::Pass);
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    format!("{}{owner}{reason}", run.verdict)
}

/// Counts that no run of one side shares with a run of the other.
pub fn count_changes(a: &[&ScenarioReport], b: &[&ScenarioReport]) -> Vec<CountChange> {
    let names: BTreeSet<&String> = a.iter().chain(b).flat_map(|run| run.counts.keys()).collect();
    let values = |runs: &[&ScenarioReport], name: &String| -> Vec<u32> {
        runs.iter().map(|run| run.counts.get(name).copied().unwrap_or(0)).collect()
    };
    let agree = |values: &[u32]| values.len() > 1 && values.windows(2).all(|pair| pair[0] == pair[1]);
    let changed = names.into_iter().filter_map(|name| {
        let (a_values, b_values) = (values(a, name), values(b, name));
        let apart =
            a_values.iter().max() < b_values.iter().min() || b_values.iter().max() < a_values.iter().min();
        apart.then(|| CountChange {
            scenario: a.first().map(|run| run.name.clone()).unwrap_or_default(),
            count: name.clone(),
            relevant: agree(&a_values) && agree(&b_values),
            a: a_values,
            b: b_values,
        })
    });
    changed.collect()
}

/// Thresholds in percent.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Thresholds {
    /// For cycles and instructions of a scenario.
    pub count: f64,
    /// For the median of a step.
    pub median: f64,
    /// For its higher quantiles: p99 of modelled runs, p95 to p99.9 of measured ones.
    pub tail: f64,
}

impl Thresholds {
    /// For this quantile of a step.
    pub fn of_quantile(&self, name: &str) -> f64 {
        if name == "p50" { self.median } else { self.tail }
    }
}

/// The quantiles that are looked at, by name.
pub const QUANTILES: [(&str, f64); 2] = [("p50", 0.5), ("p99", 0.99)];

/// Exact figures of a scenario that is modelled on both sides, those of these steps among them.
pub fn figures(pair: &Pair<'_>, thresholds: Thresholds) -> Vec<Figure> {
    let Pair { a, b, steps } = pair;
    let Some(first) = a.first() else { return Vec::new() };
    let scenario = first.name.as_str();
    let mut figures = Vec::new();
    let mut judge = |what: String, value: &dyn Fn(&ScenarioReport) -> Option<f64>, threshold: f64| {
        let range = |runs: &[&ScenarioReport]| Range::of(runs.iter().filter_map(|run| value(run)).collect());
        if let (Some(a), Some(b)) = (range(a), range(b)) {
            figures.push(Figure::judge(scenario, what, a, b, threshold));
        }
    };
    // A scenario that ends elsewhere costs something else, and neither more nor less.
    if verdict_change(a, b).is_none() {
        judge("arm_cycles".into(), &|run| Some(run.sides?.arm_cycles as f64), thresholds.count);
        judge("vpu_instructions".into(), &|run| Some(run.sides?.vpu_instructions as f64), thresholds.count);
    }
    for step in &steps.comparable {
        for (name, q) in QUANTILES {
            let quantile =
                |run: &ScenarioReport| Some(Distribution::of(run.latency.get(step)?).ok()?.quantile(q));
            judge(format!("{step} {name}"), &quantile, thresholds.of_quantile(name));
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    fn run(change: impl FnOnce(&mut ScenarioReport)) -> ScenarioReport {
        let mut run = example().scenarios.remove(0);
        change(&mut run);
        run
    }

    #[test]
    fn a_verdict_that_changes_is_told_with_both_owners_and_reasons() {
        let good = run(|_| ());
        let bad = run(|run| {
            (run.verdict, run.owner) = (Verdict::Fail, Some(Owner::Firmware));
            run.reason = Some("released: none".into());
        });
        let change = verdict_change(&[&good, &good], &[&good, &bad]).unwrap();
        assert_eq!(
            (change.a.as_str(), change.b.as_str()),
            ("pass", "1 of 2 runs: fail, owner firmware: released: none")
        );
        assert!(change.worse && !verdict_change(&[&bad], &[&good]).unwrap().worse);
        assert_eq!(verdict_change(&[&bad], &[&bad]), None);
        let other = run(|run| (run.verdict, run.owner) = (Verdict::Fail, Some(Owner::Link)));
        let owner = verdict_change(&[&bad], &[&other]).unwrap();
        assert!(!owner.worse && !owner.better, "another owner is no improvement: {owner:?}");
    }

    #[test]
    fn a_count_is_relevant_if_several_runs_agree_on_it() {
        let with = |value: u32| run(|run| run.counts = [("oldest".to_owned(), value)].into());
        let (two, three, four) = (with(2), with(3), with(4));
        assert!(count_changes(&[&two, &two], &[&two, &three]).is_empty());
        let one = count_changes(&[&two], &[&three]);
        assert!(one.len() == 1 && !one[0].relevant, "{one:?}");
        let agreed = count_changes(&[&two, &two], &[&three, &three]);
        assert!(agreed[0].relevant && agreed[0].count == "oldest", "{agreed:?}");
        assert!(!count_changes(&[&two, &two], &[&three, &four])[0].relevant);
    }

    fn came_to(verdict: Verdict, owner: Option<Owner>) -> ScenarioReport {
        run(|run| (run.verdict, run.owner) = (verdict, owner))
    }

    #[test]
    fn a_change_behind_an_equal_gravest_run_is_told() {
        let pass = came_to(Verdict::Pass, None);
        let fail = came_to(Verdict::Fail, Some(Owner::Firmware));
        let hung = came_to(Verdict::Hung, Some(Owner::Firmware));
        let (before, after) = ([&hung, &pass, &pass], [&hung, &fail, &fail]);
        let worse = verdict_change(&before, &after).expect("two of three runs fail that passed");
        assert!(worse.worse && !worse.better, "{worse:?}");
        assert!(worse.a.starts_with("1 of 3 runs: hung") && !worse.a.contains("pass"), "{worse:?}");
        assert!(worse.b.contains("; 2 of 3 runs: fail, owner firmware"), "{worse:?}");
        let better = verdict_change(&after, &before).expect("a change");
        assert!(better.better && !better.worse, "{better:?}");
        let rarer = verdict_change(&[&hung, &hung, &pass], &before).expect("a change");
        assert!(!rarer.better && !rarer.worse, "how often is no direction: {rarer:?}");
    }

    #[test]
    fn the_order_of_the_runs_changes_nothing() {
        let firmware = came_to(Verdict::Fail, Some(Owner::Firmware));
        let link = came_to(Verdict::Fail, Some(Owner::Link));
        assert_eq!(verdict_change(&[&firmware, &link], &[&link, &firmware]), None);
        let more = verdict_change(&[&firmware, &firmware, &link], &[&link, &link, &firmware]);
        let more = more.expect("another owner in more of the runs");
        assert!(!more.worse && !more.better, "{more:?}");
        assert_eq!(
            verdict_change(&[&link, &firmware, &firmware], &[&firmware, &link, &link]),
            Some(more),
            "in another order"
        );
    }
}
