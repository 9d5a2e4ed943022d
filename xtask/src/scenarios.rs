//! `scenarios`: what can be run, for people and for programs.

use anyhow::Result;
use harness::scenario::{Group, Kind, Scenario};
use serde::Serialize;

use crate::outcome::Outcome;
use crate::terminal::say;

/// A scenario as `--json` shows it.
#[derive(Serialize)]
struct Described {
    name: &'static str,
    group: &'static str,
    proves: &'static str,
    asked_by: &'static str,
    runs_on: &'static str,
    steps: &'static [&'static str],
    passes_when: &'static str,
}

impl From<&'static Scenario> for Described {
    fn from(scenario: &'static Scenario) -> Self {
        let Scenario { name, group, needs, proves, asked_by, steps, passes_when } = *scenario;
        Self { name, group: group.name(), proves, asked_by, runs_on: needs.rungs(), steps, passes_when }
    }
}

/// Lists every scenario.
///
/// # Errors
/// If the list cannot be written as JSON, which does not happen.
pub fn list(json: bool) -> Result<Outcome> {
    if json {
        let scenarios: Vec<Described> =
            Kind::ALL.iter().map(|kind| Described::from(kind.scenario())).collect();
        say!("{}", serde_json::to_string_pretty(&serde_json::json!({ "scenarios": scenarios }))?);
        return Ok(Outcome::Pass);
    }
    for group in Group::ALL {
        say!("{}: {}", group.name(), group.about());
        say!("");
        let of_group =
            Kind::ALL.iter().map(|kind| kind.scenario()).filter(|scenario| scenario.group == group);
        of_group.for_each(print);
    }
    say!("Run one, a group, or all: cargo xtask run --scenario NAME[,NAME …]");
    Ok(Outcome::Pass)
}

fn print(scenario: &Scenario) {
    say!("  {}", scenario.name);
    say!("      proves       {}", scenario.proves);
    say!("      passes when  {}", scenario.passes_when);
    say!("      asked by     {}", scenario.asked_by);
    say!("      runs on      {}", scenario.needs.rungs());
    say!("      steps        {}", scenario.steps.join(", "));
    say!("");
}
