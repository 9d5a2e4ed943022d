//! Which steps' times can be held against each other. One that cannot is told with its reason, never left out in silence.

use std::collections::BTreeSet;

use harness::report::{Latency, ScenarioReport};
use serde::Serialize;

use super::statistics::Distribution;

/// A step that is compared only in part, or not at all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StepGap {
    /// Of which scenario.
    pub scenario: String,
    /// Which.
    pub step: String,
    /// `A` or `B`, if no run of the other side has it.
    pub only_in: Option<&'static str>,
    /// Some runs have it, and were compared.
    pub compared: bool,
    /// What is the matter.
    pub why: String,
}

/// The steps of a scenario that both sides have, and those with a gap.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Steps {
    /// Names of those that can be compared, in order.
    pub comparable: Vec<String>,
    /// The others, and those that some runs lack.
    pub gaps: Vec<StepGap>,
}

impl Steps {
    /// Looks at every run of either side.
    pub fn of(a: &[&ScenarioReport], b: &[&ScenarioReport]) -> Self {
        let names: BTreeSet<&String> = a.iter().chain(b).flat_map(|run| run.latency.keys()).collect();
        let mut steps = Self::default();
        for step in names {
            let gap = gap(step, a, b);
            if gap.as_ref().is_none_or(|gap| gap.compared) {
                steps.comparable.push(step.clone());
            }
            steps.gaps.extend(gap);
        }
        steps
    }
}

fn gap(step: &String, a: &[&ScenarioReport], b: &[&ScenarioReport]) -> Option<StepGap> {
    let scenario = a.first().or(b.first()).map(|run| run.name.clone()).unwrap_or_default();
    let made = |only_in, compared, why| StepGap { scenario, step: step.clone(), only_in, compared, why };
    let sides = [("A", a), ("B", b)].map(|(side, runs)| {
        let with: Vec<&Latency> = runs.iter().filter_map(|run| run.latency.get(step)).collect();
        (side, runs.len(), with)
    });
    for (here, there) in [(&sides[0], &sides[1]), (&sides[1], &sides[0])] {
        if there.2.is_empty() {
            let why = format!("{} has no samples of it", there.0);
            return Some(made(Some(here.0), false, why));
        }
    }
    for (side, _, with) in &sides {
        let damaged = with.iter().find_map(|latency| Distribution::of(latency).err());
        if let Some(damage) = damaged {
            return Some(made(None, false, format!("a histogram of {side} does not add up: {damage}")));
        }
    }
    let units: BTreeSet<&str> = sides.iter().flat_map(|side| &side.2).map(|one| one.unit.as_str()).collect();
    if units.len() > 1 {
        let units: Vec<&str> = units.into_iter().collect();
        return Some(made(None, false, format!("its units differ: {}", units.join(" and "))));
    }
    let (side, runs, with) = sides.iter().find(|(_, runs, with)| with.len() < *runs)?;
    let why = format!("{} of {runs} runs of {side} lack it", runs - with.len());
    Some(made(None, true, why))
}

#[cfg(test)]
mod tests {
    use super::super::statistics::tests::latency;
    use super::*;
    use crate::report::example;

    fn run(steps: &[(&str, Latency)]) -> ScenarioReport {
        let mut run = example().scenarios.remove(0);
        run.latency = steps.iter().map(|(name, latency)| ((*name).to_owned(), latency.clone())).collect();
        run
    }

    fn whole() -> Latency {
        latency([100, 101, 102])
    }

    #[test]
    fn a_step_that_only_a_later_run_has_is_compared_and_told() {
        let (both, one) = (run(&[("use", whole()), ("free", whole())]), run(&[("use", whole())]));
        let steps = Steps::of(&[&one, &both], &[&both, &both]);
        assert_eq!(steps.comparable, ["free", "use"]);
        assert_eq!(steps.gaps.len(), 1);
        assert!(steps.gaps[0].compared && steps.gaps[0].why == "1 of 2 runs of A lack it", "{steps:?}");
    }

    #[test]
    fn steps_of_one_side_and_damaged_ones_are_not_compared() {
        let a = run(&[("use", whole()), ("old", whole()), ("sum", whole()), ("unit", whole())]);
        let damaged = Latency { n: 2, ..whole() };
        let other = Latency { unit: "ns".to_owned(), ..whole() };
        let b = run(&[("use", whole()), ("new", whole()), ("sum", damaged), ("unit", other)]);
        let steps = Steps::of(&[&a], &[&b]);
        assert_eq!(steps.comparable, ["use"]);
        let told: Vec<_> = steps.gaps.iter().map(|gap| (gap.step.as_str(), gap.only_in)).collect();
        assert_eq!(told, [("new", Some("B")), ("old", Some("A")), ("sum", None), ("unit", None)]);
        assert!(steps.gaps[2].why.contains("3 samples in buckets, 2 in all"), "{steps:?}");
        assert!(steps.gaps[3].why.contains("cycles and ns"), "{steps:?}");
    }
}
