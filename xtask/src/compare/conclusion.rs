//! One line that sums a comparison up, and the direction that decides the exit code.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Comparison;

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
    let counts = comparison.counts.iter().filter(|change| change.relevant);
    let counts = counts.map(|change| format!("{} {}", change.scenario, change.count));
    let gaps = |one_sided: bool| {
        let gaps = comparison
            .step_gaps
            .iter()
            .filter(move |gap| !gap.compared && gap.only_in.is_some() == one_sided);
        gaps.map(|gap| format!("{} {}", gap.scenario, gap.step))
    };
    Parts {
        worse: [
            Part::new("graver verdict", "graver verdicts", verdicts(true, false)),
            Part::new("figure up", "figures up", moved(true)),
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
            Part::new("less grave verdict", "less grave verdicts", verdicts(false, true)),
            Part::new("figure down", "figures down", moved(false)),
        ],
        uncompared: Part::new("step", "steps", gaps(false)),
    }
}
