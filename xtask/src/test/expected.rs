//! What a firmware release is known to come to, scenario by scenario.

use anyhow::{Context as _, Result};
use harness::report::{Peer, Report, ScenarioReport};
use harness::scenario::{Kind, Needs};
use harness::{Owner, Verdict};
use serde::Deserialize;

/// `tests/data/expected-verdicts.json`.
const FILE: &str = include_str!("../../../tests/data/expected-verdicts.json");

/// All that is known.
#[derive(Deserialize, Debug)]
pub struct Expected {
    firmware: Vec<Firmware>,
}

/// Releases that come to the same.
#[derive(Deserialize, Debug)]
struct Firmware {
    builds: Vec<Build>,
    verdicts: Vec<Exception>,
}

#[derive(Deserialize, Debug)]
struct Build {
    /// First digits of the build's hash.
    build_id: String,
}

/// A scenario that does not pass.
#[derive(Deserialize, Debug)]
struct Exception {
    scenario: String,
    variants: Vec<String>,
    verdict: Verdict,
    owner: Option<Owner>,
    why: String,
}

impl Expected {
    /// Reads the file that is built in.
    pub fn load() -> Result<Self> {
        serde_json::from_str(FILE).context("tests/data/expected-verdicts.json")
    }

    /// Scenarios of the report that came to something else than is known of its firmware, a line each. Of firmware that
    /// nothing is known of there is one line, which says so.
    pub fn differences(&self, report: &Report) -> Vec<String> {
        let Peer { build_id, variant, .. } = &report.peer;
        let Some(firmware) = self.firmware.iter().find(|known| known.is_of(build_id)) else {
            return vec![format!(
                "no verdicts recorded for build {build_id}: look at the report, and add the build to \
                 tests/data/expected-verdicts.json"
            )];
        };
        let scenarios = report.scenarios.iter();
        scenarios.filter_map(|scenario| firmware.difference(variant, scenario)).collect()
    }
}

impl Firmware {
    fn is_of(&self, build_id: &str) -> bool {
        self.builds.iter().any(|known| build_id.starts_with(&known.build_id))
    }

    fn difference(&self, variant: &String, scenario: &ScenarioReport) -> Option<String> {
        let exception = self
            .verdicts
            .iter()
            .find(|known| known.scenario == scenario.name && known.variants.contains(variant));
        let unless_known = if needs_the_model(scenario) { Verdict::Skip } else { Verdict::Pass };
        let (verdict, owner) = exception.map_or((unless_known, None), |known| (known.verdict, known.owner));
        if (scenario.verdict, scenario.owner) == (verdict, owner) {
            return None;
        }
        let because = exception.map_or("nothing else is known of it", |known| known.why.as_str());
        let found = scenario.reason.as_deref().unwrap_or("no reason");
        Some(format!("{}: {} ({found}), expected {verdict}: {because}", scenario.name, scenario.verdict))
    }
}

/// No firmware does by itself what it is about.
fn needs_the_model(scenario: &ScenarioReport) -> bool {
    let kind = Kind::ALL.iter().find(|kind| kind.name() == scenario.name);
    kind.is_some_and(|kind| kind.scenario().needs == Needs::Model)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::example as report;

    fn of(name: &str, verdict: Verdict, owner: Option<Owner>) -> ScenarioReport {
        ScenarioReport {
            name: name.to_owned(),
            verdict,
            owner,
            reason: None,
            next: None,
            took_us: None,
            log: Vec::new(),
            counts: BTreeMap::new(),
            latency: BTreeMap::new(),
            samples: BTreeMap::new(),
            sides: None,
            steps: Vec::new(),
        }
    }

    #[test]
    fn every_exception_is_of_a_scenario_that_exists_and_says_why() {
        for known in Expected::load().unwrap().firmware.iter().flat_map(|firmware| &firmware.verdicts) {
            assert!(Kind::ALL.iter().any(|kind| kind.name() == known.scenario), "{}", known.scenario);
            assert!(!known.why.is_empty() && known.verdict != Verdict::Pass, "{}", known.scenario);
        }
    }

    #[test]
    fn a_pass_that_was_not_expected_is_a_difference_too() {
        let expected = Expected::load().unwrap();
        let mut report = report();
        report.peer.build_id = "102f1e8483000000".to_owned();
        report.peer.variant = "start".to_owned();
        report.scenarios = vec![
            of("echo", Verdict::Pass, None),
            of("free-while-locked", Verdict::Fail, Some(Owner::Firmware)),
            of("offers", Verdict::Skip, None),
        ];
        assert!(expected.differences(&report).is_empty());
        report.scenarios = vec![
            of("echo", Verdict::Hung, Some(Owner::Firmware)),
            of("free-while-locked", Verdict::Pass, None),
        ];
        assert_eq!(expected.differences(&report).len(), 2);
    }

    #[test]
    fn firmware_that_nothing_is_known_of_is_one_line_and_no_list_of_differences() {
        let expected = Expected::load().unwrap();
        let mut report = report();
        report.peer.build_id = "another".to_owned();
        report.scenarios = vec![
            of("free-while-locked", Verdict::Fail, Some(Owner::Firmware)),
            of("shared-payload", Verdict::Fail, Some(Owner::Firmware)),
            of("echo", Verdict::Pass, None),
        ];
        let differences = expected.differences(&report);
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert!(differences[0].contains("no verdicts recorded for build another"), "{differences:?}");
    }
}
