//! One line that sums a comparison up, and the direction that decides the exit code.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Comparison;
use super::caveats::are_few;

/// Which way the whole went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Nothing that matters.
    Same,
    /// At least one thing got worse.
    Worse,
    /// Things got better, and none worse.
    Better,
    /// Things are different, and which is better cannot be told.
    Different,
    /// Nothing that matters in what was compared, and not all could be.
    Incomplete,
}

/// Scenarios that are named in the line; more are only counted.
const NAMED: usize = 3;

/// One kind of change: how many, and of what.
struct Part {
    count: usize,
    one: &'static str,
    several: &'static str,
    /// Where: scenarios, or scenarios with a step.
    places: BTreeSet<String>,
}

impl Part {
    fn new(one: &'static str, several: &'static str, places: impl Iterator<Item = String>) -> Self {
        let places: Vec<String> = places.collect();
        Self { count: places.len(), one, several, places: places.into_iter().collect() }
    }

    /// `2 graver verdicts (echo, handshake)`.
    fn in_words(&self) -> String {
        let what = if self.count == 1 { self.one } else { self.several };
        let mut named: Vec<String> = self.places.iter().take(NAMED).cloned().collect();
        if self.places.len() > NAMED {
            named.push("…".to_owned());
        }
        format!("{} {what} ({})", self.count, named.join(", "))
    }
}

/// Sums up.
pub fn conclude(comparison: &mut Comparison) {
    let found = parts(comparison);
    let count = |parts: &[Part]| parts.iter().map(|part| part.count).sum::<usize>();
    let incomplete = !comparison.void.is_empty() || found.uncompared.count > 0;
    let direction = if count(&found.worse) > 0 {
        Direction::Worse
    } else if count(&found.different) > 0 {
        Direction::Different
    } else if count(&found.better) > 0 {
        Direction::Better
    } else if incomplete {
        Direction::Incomplete
    } else {
        Direction::Same
    };
    let what = match direction {
        Direction::Same => "no relevant change",
        Direction::Worse => "regression",
        Direction::Better => "improvement",
        Direction::Different => "changed",
        Direction::Incomplete => "incomplete: no relevant change in what was compared",
    };
    let all = found.worse.iter().chain(&found.different).chain(&found.better);
    let details: Vec<String> = all.filter(|part| part.count > 0).map(Part::in_words).collect();
    let mut line = what.to_owned();
    if !details.is_empty() {
        line.push_str(": ");
        line.push_str(&details.join(", "));
    }
    if comparison.figures.iter().any(|figure| figure.relevant)
        && are_few(comparison.a.runs, comparison.b.runs)
    {
        line.push_str("; figures of so few runs may differ by chance");
    }
    let one_run = comparison.a.runs.min(comparison.b.runs) == 1;
    if one_run && comparison.tests.iter().any(|tested| tested.relevant) {
        line.push_str("; a side of one run tells that runs differ, not why");
    }
    if direction == Direction::Same {
        line.push_str(&unheeded(comparison));
    }
    let scenarios = if comparison.scenarios == 1 { "scenario" } else { "scenarios" };
    line.push_str(&format!("; {} {scenarios} compared", comparison.scenarios));
    if !comparison.void.is_empty() {
        line.push_str(", but no times or instructions");
    } else if found.uncompared.count > 0 {
        line.push_str(", but not ");
        line.push_str(&found.uncompared.in_words());
    }
    (comparison.direction, comparison.conclusion) = (direction, line);
}

/// Figures that do differ and are no change, in brackets: those below their threshold, and those in doubt for another
/// reason.
fn unheeded(comparison: &Comparison) -> String {
    let figures = comparison.figures.iter().filter(|figure| figure.apart && !figure.relevant).count();
    let tests = comparison.tests.iter().filter(|tested| tested.p_holm < comparison.alpha && !tested.relevant);
    let (below, in_doubt): (Vec<_>, Vec<_>) =
        tests.partition(|tested| tested.is_below(&comparison.thresholds_percent));
    let below = match figures + below.len() {
        0 => None,
        1 => Some("1 figure differs by less than its threshold".to_owned()),
        several => Some(format!("{several} figures differ by less than their threshold")),
    };
    let why = "by more, but runs overlap or the interval holds 0";
    let in_doubt = match in_doubt.len() {
        0 => None,
        1 => Some(format!("1 figure differs {why}")),
        several => Some(format!("{several} figures differ {why}")),
    };
    let told: Vec<String> = below.into_iter().chain(in_doubt).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

struct Parts {
    worse: [Part; 2],
    different: [Part; 4],
    better: [Part; 2],
    uncompared: Part,
}

fn parts(comparison: &Comparison) -> Parts {
    let verdicts = |worse: bool, better: bool| {
        let kind = move |change: &&super::VerdictChange| (change.worse, change.better) == (worse, better);
        comparison.verdicts.iter().filter(kind).map(|change| change.scenario.clone())
    };
    let moved = |up: bool| {
        let figures = comparison.figures.iter().filter(|figure| figure.relevant);
        let figures = figures
            .map(|figure| (figure.shift_percent, format!("{} {}", figure.scenario, figure.what)))
            .collect::<Vec<_>>();
        let tests = comparison.tests.iter().filter(|tested| tested.relevant);
        let tests = tests.map(|tested| {
            (tested.shift_percent, format!("{} {} {}", tested.scenario, tested.step, tested.quantile))
        });
        let all: Vec<_> = figures.into_iter().chain(tests).collect();
        all.into_iter().filter(move |(shift, _)| (*shift > 0.0) == up).map(|(_, place)| place)
    };
    let missing = comparison.only_in_a.iter().chain(&comparison.only_in_b).cloned();
    // Where the verdict changed, other counts and missing steps follow from it. The tables have them.
    let ends_elsewhere =
        |scenario: &String| comparison.verdicts.iter().any(|change| change.scenario == *scenario);
    let counts = comparison.counts.iter();
    let counts = counts.filter(|change| change.relevant && !ends_elsewhere(&change.scenario));
    let counts = counts.map(|change| format!("{} {}", change.scenario, change.count));
    let gaps = |one_sided: bool| {
        let gaps = comparison
            .step_gaps
            .iter()
            .filter(move |gap| !gap.compared && gap.only_in.is_some() == one_sided)
            .filter(|gap| gap.only_in.is_none() || !ends_elsewhere(&gap.scenario));
        gaps.map(|gap| format!("{} {}", gap.scenario, gap.step))
    };
    Parts {
        worse: [
            Part::new("verdict worse", "verdicts worse", verdicts(true, false)),
            Part::new("figure higher", "figures higher", moved(true)),
        ],
        different: [
            Part::new(
                "verdict with another owner or in more or fewer runs",
                "verdicts with another owner or in more or fewer runs",
                verdicts(false, false),
            ),
            Part::new("scenario on one side only", "scenarios on one side only", missing),
            Part::new("step on one side only", "steps on one side only", gaps(true)),
            Part::new("count changed", "counts changed", counts),
        ],
        better: [
            Part::new("verdict better", "verdicts better", verdicts(false, true)),
            Part::new("figure lower", "figures lower", moved(false)),
        ],
        uncompared: Part::new("step", "steps", gaps(false)),
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use harness::report::{Counters, Report, ScenarioReport, Throttled, Timing};
    use harness::{Owner, Verdict};

    use super::super::measured::Tested;
    use super::super::statistics::tests::latency;
    use super::super::tests::compared;
    use super::*;

    /// The second scenario, `handshake`.
    fn scenario(report: &mut Report) -> &mut ScenarioReport {
        &mut report.scenarios[1]
    }

    fn verdict(verdict: Verdict, owner: Option<Owner>) -> impl Fn(&mut Report) {
        move |report| (scenario(report).verdict, scenario(report).owner) = (verdict, owner)
    }

    fn cycles(arm_cycles: u64, vpu_instructions: u64) -> impl Fn(&mut Report) {
        move |report| scenario(report).sides = Some(Counters { arm_cycles, vpu_instructions })
    }

    fn throttled(report: &mut Report) {
        report.throttled = Some(Throttled { times_void: true, ..Throttled::default() });
    }

    fn none(_: &mut Report) {}

    fn both(one: impl Fn(&mut Report), other: impl Fn(&mut Report)) -> impl Fn(&mut Report) {
        move |report| {
            one(report);
            other(report);
        }
    }

    #[test]
    fn the_line_says_what_changed_and_where() {
        let fails = || verdict(Verdict::Fail, Some(Owner::Firmware));
        let passes = || verdict(Verdict::Pass, None);
        let line = |a: &dyn Fn(&mut Report), b: &dyn Fn(&mut Report)| compared(a, b).conclusion;
        let end = "; 2 scenarios compared";
        let few = "; figures of so few runs may differ by chance; 2 scenarios compared";
        let no_times = "; 2 scenarios compared, but no times or instructions";
        for (found, expected) in [
            (line(&none, &none), format!("no relevant change{end}")),
            (line(&passes(), &fails()), format!("regression: 1 verdict worse (handshake){end}")),
            (
                line(&passes(), &verdict(Verdict::Skip, None)),
                format!("regression: 1 verdict worse (handshake){end}"),
            ),
            (line(&fails(), &passes()), format!("improvement: 1 verdict better (handshake){end}")),
            (
                line(&fails(), &verdict(Verdict::Fail, Some(Owner::Link))),
                format!("changed: 1 verdict with another owner or in more or fewer runs (handshake){end}"),
            ),
            (
                line(&cycles(1000, 1000), &cycles(1050, 1000)),
                format!("regression: 1 figure higher (handshake arm_cycles){few}"),
            ),
            (
                line(&cycles(1000, 1000), &cycles(1000, 900)),
                format!("improvement: 1 figure lower (handshake vpu_instructions){few}"),
            ),
            (
                line(&cycles(1000, 1000), &cycles(1050, 900)),
                format!(
                    "regression: 1 figure higher (handshake arm_cycles), 1 figure lower (handshake vpu_instructions){few}"
                ),
            ),
            (
                line(&cycles(1000, 1000), &cycles(1001, 1000)),
                format!("no relevant change (1 figure differs by less than its threshold){end}"),
            ),
            (
                line(&cycles(1000, 1000), &cycles(1001, 1001)),
                format!("no relevant change (2 figures differ by less than their threshold){end}"),
            ),
            (
                line(&none, &|report| report.scenarios.truncate(1)),
                "changed: 1 scenario on one side only (handshake); 1 scenario compared".to_owned(),
            ),
            (
                line(&none, &|report| {
                    scenario(report).latency.insert("new".into(), latency([5]));
                }),
                format!("changed: 1 step on one side only (handshake new){end}"),
            ),
            (
                line(&none, &throttled),
                format!("incomplete: no relevant change in what was compared{no_times}"),
            ),
            (
                line(&passes(), &both(fails(), throttled)),
                format!("regression: 1 verdict worse (handshake){no_times}"),
            ),
            (
                line(&fails(), &both(passes(), throttled)),
                format!("improvement: 1 verdict better (handshake){no_times}"),
            ),
            // A scenario that goes on where it failed before takes longer, and is no regression for it.
            (
                line(&both(fails(), cycles(1000, 1000)), &both(passes(), cycles(2000, 1000))),
                format!("improvement: 1 verdict better (handshake){end}"),
            ),
            (
                line(&passes(), &both(fails(), |report| scenario(report).latency.clear())),
                format!("regression: 1 verdict worse (handshake){end}"),
            ),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_step_that_cannot_be_compared_is_named_and_the_comparison_is_not_the_same() {
        let damaged = |report: &mut Report| {
            let step = scenario(report).latency.values_mut().next().expect("a step");
            step.n += 1;
        };
        let comparison = compared(none, damaged);
        assert_eq!(comparison.direction, Direction::Incomplete);
        assert_eq!(
            comparison.conclusion,
            "incomplete: no relevant change in what was compared; 2 scenarios compared, but not 1 step (handshake import)"
        );
    }

    #[test]
    fn more_than_three_places_are_only_counted() {
        let many = |verdict: Verdict| {
            move |report: &mut Report| {
                let one = report.scenarios[1].clone();
                report.scenarios = (0..5)
                    .map(|number| ScenarioReport { name: format!("s{number}"), verdict, ..one.clone() })
                    .collect();
            }
        };
        let line = compared(many(Verdict::Pass), many(Verdict::Hung)).conclusion;
        assert_eq!(line, "regression: 5 verdicts worse (s0, s1, s2, …); 5 scenarios compared");
    }

    /// A significant test that is no change.
    fn undecided(quantile: &'static str, shift_percent: f64) -> Tested {
        Tested {
            scenario: "handshake".to_owned(),
            step: "import".to_owned(),
            quantile,
            n_a: 1000,
            n_b: 1000,
            a: 1000.0,
            b: 1000.0 * (1.0 + shift_percent / 100.0),
            shift_percent,
            interval_percent: [-1.0, 25.0],
            superiority: None,
            slowest: None,
            p: 0.0001,
            p_holm: 0.001,
            relevant: false,
        }
    }

    #[test]
    fn a_figure_is_said_to_be_below_its_threshold_only_if_it_is() {
        let line = |tests: &[Tested]| {
            let mut comparison = compared(none, none);
            comparison.tests = tests.to_vec();
            conclude(&mut comparison);
            comparison.conclusion
        };
        let end = "; 2 scenarios compared";
        let (below, above) = (undecided("p99", 9.0), undecided("p50", 19.8));
        assert_eq!(
            line(slice::from_ref(&below)),
            format!("no relevant change (1 figure differs by less than its threshold){end}")
        );
        assert_eq!(
            line(slice::from_ref(&above)),
            format!(
                "no relevant change (1 figure differs by more, but runs overlap or the interval holds 0){end}"
            )
        );
        assert_eq!(
            line(&[below.clone(), below, above]),
            format!(
                "no relevant change (2 figures differ by less than their threshold, 1 figure differs by more, but runs \
                 overlap or the interval holds 0){end}"
            )
        );
    }

    #[test]
    fn a_change_between_two_measured_runs_says_that_they_are_two_runs() {
        let measured = |cycles: u64| {
            move |report: &mut Report| {
                report.timing = Timing::Measured;
                report.scenarios.iter_mut().for_each(|scenario| scenario.latency.clear());
                let samples = latency((0..1000).map(|number| cycles + number % 100).collect::<Vec<_>>());
                scenario(report).latency.insert("import".to_owned(), samples);
            }
        };
        let changed = compared(measured(10_000), measured(20_000));
        assert_eq!(changed.direction, Direction::Worse);
        assert!(
            changed.conclusion.contains("; a side of one run tells that runs differ, not why"),
            "{changed:?}"
        );
        let same = compared(measured(10_000), measured(10_000)).conclusion;
        assert!(!same.contains("one run"), "{same}");
    }
}
