//! `cargo xtask compare A B`: what changed between two reports or two firmware releases. `docs/compare.md` has the method.

mod caveats;
mod changes;
mod conclusion;
mod conditions;
mod figure;
mod markdown;
mod measured;
mod power;
mod print;
mod sections;
mod side;
mod statistics;
mod steps;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, value_parser};
use emulator::board::Board;
use harness::Plan;
use harness::report::Timing;
use serde::Serialize;
use serde_json::json;

use crate::cli::{self, CardOptions};
use crate::interrupt::Notice;
use crate::outcome::Outcome;
use crate::replace::Replacement;
use crate::terminal::{Look, say};
use crate::{build, report};
use caveats::Caveats;
use changes::{CountChange, Pair, Thresholds, VerdictChange, runs_of, scenarios};
use conclusion::Direction;
use figure::Figure;
use measured::{Intervals, Tested};
pub use side::Runs;
use side::{Identity, Side};
use steps::StepGap;

/// Options of `compare`.
#[derive(Args, Debug)]
pub struct Options {
    /// What it was before: a report, several of equal runs with commas, a release, or RELEASE:VARIANT.
    #[arg(required_unless_present = "power")]
    pub a: Option<String>,
    /// What it is now, likewise.
    #[arg(required_unless_present = "power")]
    pub b: Option<String>,
    #[command(flatten)]
    pub suite: Suite,
    /// Run each release so often, each time with the next seed, to see how much the interleaving changes.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=100))]
    pub seeds: u32,
    /// Let a scenario's instructions or cycles differ by less than this, modelled, without calling it a change.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    pub count_threshold: f64,
    /// Let the median of a step differ by less than this without calling it a change.
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub threshold: f64,
    /// Let the slow end of a step (p99 modelled; p95, p99, p99.9 measured) differ by less than this without calling it a
    /// change.
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0, value_parser = percent)]
    pub tail_threshold: f64,
    /// Probability of a false alarm among all tests of measured times.
    #[arg(long, value_name = "P", default_value_t = 0.01, value_parser = probability)]
    pub alpha: f64,
    /// Show every figure, not only those that moved.
    #[arg(long)]
    pub all: bool,
    /// Also write it as Markdown, for the comment on a pull request or the summary of a job.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Compare nothing, but simulate so many comparisons of measured runs of each kind, and tell how often what is found.
    #[arg(long, value_name = "COMPARISONS", value_parser = value_parser!(u32).range(1..=100_000),
          conflicts_with_all = ["a", "b", "markdown", "all", "seeds", "scenarios", "board", "iterations", "seed", "timeout",
                                "toolchain", "log_level"])]
    pub power: Option<u32>,
}

impl Options {
    fn thresholds(&self) -> Thresholds {
        Thresholds { count: self.count_threshold, median: self.threshold, tail: self.tail_threshold }
    }
}

/// What is run of a release.
#[derive(Args, Clone, Debug)]
pub struct Suite {
    /// Run these scenarios or groups of a release instead of `basics`; `all` runs every one.
    #[arg(long = "scenario", value_name = "NAME", value_delimiter = ',', value_parser = cli::scenario_words(),
          hide_possible_values = true)]
    pub scenarios: Vec<String>,
    #[command(flatten)]
    pub on: On,
}

/// How a release is run.
#[derive(Args, Clone, Debug)]
pub struct On {
    /// Emulate this board.
    #[arg(long, value_name = "BOARD", default_value = Board::PI_3B.name, value_parser = cli::board())]
    pub board: Board,
    /// Repeat pings of each size, and handshakes, this often.
    #[arg(long, value_name = "N", default_value_t = Plan::default().iterations,
          value_parser = value_parser!(u32).range(1..=100_000_000))]
    pub iterations: u32,
    /// Seed of the first run.
    #[arg(long, value_name = "N", default_value_t = Plan::default().seed)]
    pub seed: u64,
    /// End a run after this much time on the PC.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    #[command(flatten)]
    pub build: build::Options,
}

impl On {
    /// Runs of these scenarios.
    pub fn runs(&self, scenarios: &[String], count: u32) -> Runs {
        let card = CardOptions {
            scenarios: scenarios.to_vec(),
            iterations: self.iterations,
            seed: self.seed,
            ..CardOptions::default()
        };
        let (board, build) = (self.board, self.build.clone());
        Runs { plan: card.plan(), count, board, build, timeout_s: self.timeout }
    }
}

fn percent(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if (0.0..=1000.0).contains(&value) { Ok(value) } else { Err("0 to 1000 percent".to_owned()) }
}

fn probability(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err("between 0 and 1".to_owned()) }
}

/// All that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    a: Identity,
    b: Identity,
    timing: &'static str,
    thresholds_percent: Thresholds,
    alpha: f64,
    /// Why figures are not compared, if they are not.
    void: Vec<String>,
    notes: Vec<String>,
    scenarios: usize,
    only_in_a: Vec<String>,
    only_in_b: Vec<String>,
    /// Steps that are compared in part or not at all, and why.
    step_gaps: Vec<StepGap>,
    verdicts: Vec<VerdictChange>,
    counts: Vec<CountChange>,
    /// Of modelled runs.
    figures: Vec<Figure>,
    /// Of measured ones.
    tests: Vec<Tested>,
    direction: Direction,
    conclusion: String,
}

/// Compares, prints, and tells by the outcome whether something changed.
///
/// # Errors
/// If a side cannot be read or run, or the two must not be compared.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let (Some(a), Some(b)) = (&options.a, &options.b) else {
        return power(options, json);
    };
    if let Some(file) = &options.markdown {
        // Before the runs, which take a minute.
        report::check_writable(file)?;
    }
    let runs = options.suite.on.runs(&options.suite.scenarios, options.seeds);
    let [a, b] = side::both([a, b], &runs, &Notice::of_interrupts()?)?;
    let thresholds = options.thresholds();
    let comparison = compare(&a, &b, thresholds, options.alpha)?;
    if let Some(file) = &options.markdown {
        write_markdown(&comparison, file)?;
    }
    if json {
        say!("{}", serde_json::to_string_pretty(&comparison)?);
    } else {
        say!("{}", print::text(&comparison, options.all, Look::of_stdout()));
    }
    Ok(Outcome::passed(comparison.direction == Direction::Same))
}

fn write_markdown(comparison: &Comparison, file: &Path) -> Result<()> {
    let text = markdown::markdown(comparison);
    Replacement::write(file, |out| Ok(out.write_all(text.as_bytes())?))?.finish()
}

/// What the tests of measured times can find, simulated.
fn power(options: &Options, json: bool) -> Result<Outcome> {
    let rows = power::simulate(options.power.unwrap_or(1), options.thresholds(), options.alpha)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&json!({ "alpha": options.alpha, "rows": rows }))?);
    } else {
        power::print(&rows, options.alpha, Look::of_stdout());
    }
    Ok(Outcome::Pass)
}

fn compare(a: &Side, b: &Side, thresholds: Thresholds, alpha: f64) -> Result<Comparison> {
    let caveats = Caveats::of(a, b)?;
    let (names_a, names_b) = (scenarios(a), scenarios(b));
    let only = |ours: &[&str], theirs: &[&str]| -> Vec<String> {
        ours.iter().filter(|name| !theirs.contains(name)).map(|name| (*name).to_owned()).collect()
    };
    let common = names_a.iter().filter(|name| names_b.contains(name));
    let pairs: Vec<Pair<'_>> = common.map(|name| Pair::of(runs_of(a, name), runs_of(b, name))).collect();
    if pairs.is_empty() {
        bail!("{} and {} have no scenario in common: there is nothing to compare", a.name, b.name);
    }
    let timing = match a.reference().timing {
        Timing::Unknown => b.reference().timing,
        known => known,
    };
    let comparable = caveats.void.is_empty();
    let modelled = comparable && timing == Timing::Modelled;
    let measured = comparable && timing == Timing::Measured;
    let figures = pairs.iter().filter(|_| modelled);
    let mut comparison = Comparison {
        a: Identity::of(a),
        b: Identity::of(b),
        timing: timing.name(),
        thresholds_percent: thresholds,
        alpha,
        void: caveats.void,
        notes: caveats.notes,
        scenarios: pairs.len(),
        only_in_a: only(&names_a, &names_b),
        only_in_b: only(&names_b, &names_a),
        step_gaps: pairs.iter().flat_map(|pair| pair.steps.gaps.clone()).collect(),
        verdicts: pairs.iter().filter_map(|pair| changes::verdict_change(&pair.a, &pair.b)).collect(),
        counts: pairs.iter().flat_map(|pair| changes::count_changes(&pair.a, &pair.b)).collect(),
        figures: figures.flat_map(|pair| changes::figures(pair, thresholds)).collect(),
        tests: if measured {
            measured::test(&pairs, thresholds, alpha, Intervals::OfAll)
        } else {
            Vec::new()
        },
        direction: Direction::Same,
        conclusion: String::new(),
    };
    conclusion::conclude(&mut comparison);
    Ok(comparison)
}

#[cfg(test)]
pub(super) mod tests {
    use harness::report::{Latency, Report, ScenarioReport};
    use harness::{Owner, Verdict};

    use super::statistics::tests::latency;
    use super::*;
    use crate::report::example;

    fn direction(a: impl FnOnce(&mut ScenarioReport), b: impl FnOnce(&mut ScenarioReport)) -> Direction {
        let side = |name: &str, report: Report| Side { name: name.to_owned(), reports: vec![report] };
        let (mut before, mut after) = (example(), example());
        a(&mut before.scenarios[1]);
        b(&mut after.scenarios[1]);
        let thresholds = Thresholds { count: 1.0, median: 5.0, tail: 10.0 };
        compare(&side("a", before), &side("b", after), thresholds, 0.01).expect("comparable").direction
    }

    pub(super) fn compared(a: impl FnOnce(&mut Report), b: impl FnOnce(&mut Report)) -> Comparison {
        let side = |name: &str, change: &mut dyn FnMut(&mut Report)| {
            let mut report = example();
            change(&mut report);
            Side { name: name.to_owned(), reports: vec![report] }
        };
        let (mut a, mut b) = (Some(a), Some(b));
        let a = side("a", &mut |report| a.take().into_iter().for_each(|change| change(report)));
        let b = side("b", &mut |report| b.take().into_iter().for_each(|change| change(report)));
        compare(&a, &b, Thresholds { count: 1.0, median: 5.0, tail: 10.0 }, 0.01).expect("comparable")
    }

    #[test]
    fn a_step_that_one_side_has_alone_is_told_and_is_a_change() {
        let with_step = |report: &mut Report| {
            let latency = latency([100, 101, 102]);
            report.scenarios[1].latency.insert("brand-new".to_owned(), latency);
        };
        for comparison in [compared(|_| (), with_step), compared(with_step, |_| ())] {
            let told = serde_json::to_string(&comparison).unwrap();
            assert!(told.contains("brand-new"), "{told}");
            assert_eq!(comparison.direction, Direction::Different);
        }
    }

    #[test]
    fn a_histogram_that_does_not_add_up_is_told() {
        for (n, timing) in [(1, Timing::Modelled), (900, Timing::Modelled), (900, Timing::Measured)] {
            let with = |n: u32| {
                move |report: &mut Report| {
                    report.timing = timing;
                    let latency = Latency { n, ..latency([100, 101, 102]) };
                    report.scenarios[1].latency.insert("damaged".to_owned(), latency);
                }
            };
            let comparison = compared(with(3), with(n));
            let told = serde_json::to_string(&comparison).unwrap();
            assert!(told.contains("does not add up"), "{told}");
            assert!(comparison.direction != Direction::Same, "{}", comparison.conclusion);
        }
    }

    #[test]
    fn nothing_in_common_is_no_agreement() {
        let side = |report: Report| Side { name: "side".to_owned(), reports: vec![report] };
        let thresholds = Thresholds { count: 1.0, median: 5.0, tail: 10.0 };
        let mut other = example();
        other.scenarios.iter_mut().for_each(|scenario| scenario.name.push_str("-other"));
        let refused = compare(&side(example()), &side(other), thresholds, 0.01).unwrap_err();
        assert!(refused.to_string().contains("nothing to compare"), "{refused}");
    }

    #[test]
    fn a_verdict_in_more_of_the_runs_is_a_change() {
        let failing = |runs: usize| -> Side {
            let report = |number| {
                let mut report = example();
                let passes = number >= runs;
                report.scenarios[1].verdict = if passes { Verdict::Pass } else { Verdict::Fail };
                report
            };
            Side { name: "side".to_owned(), reports: (0..5).map(report).collect() }
        };
        let thresholds = Thresholds { count: 1.0, median: 5.0, tail: 10.0 };
        let compared = |a, b| compare(&failing(a), &failing(b), thresholds, 0.01).expect("comparable");
        assert_eq!(compared(1, 1).direction, Direction::Same);
        let more = compared(1, 5);
        assert_eq!(more.direction, Direction::Different);
        assert!(more.verdicts[0].a.starts_with("1 of 5 runs: fail"), "{more:?}");
    }

    #[test]
    fn a_failure_of_another_owner_is_neither_worse_nor_better() {
        let fail =
            |owner| move |one: &mut ScenarioReport| (one.verdict, one.owner) = (Verdict::Fail, Some(owner));
        let pass = |one: &mut ScenarioReport| (one.verdict, one.owner) = (Verdict::Pass, None);
        assert_eq!(direction(fail(Owner::Harness), fail(Owner::Firmware)), Direction::Different);
        assert_eq!(direction(fail(Owner::Firmware), pass), Direction::Better);
        assert_eq!(direction(pass, fail(Owner::Firmware)), Direction::Worse);
        assert_eq!(direction(pass, pass), Direction::Same);
    }

    /// A board's whole scenario has the log's way to the PC in it; the steps are what is compared.
    #[test]
    fn how_long_a_scenario_took_is_not_compared() {
        let took = |took_us| move |one: &mut ScenarioReport| one.took_us = took_us;
        assert_eq!(direction(took(Some(1_000)), took(Some(9_000_000))), Direction::Same);
        assert_eq!(direction(took(None), took(Some(1))), Direction::Same);
    }
}
