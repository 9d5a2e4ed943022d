//! The model in place of the firmware: clean runs pass, and no broken rule goes unnoticed.

use anyhow::{Context as _, Result, ensure};
use emulator::model::{CATALOGUE, Fault};
use harness::Verdict;
use harness::report::{PeerKind, Report, ScenarioReport};
use harness::scenario::Kind;

use super::context::Context;
use crate::{paths, report, run};

/// Where a run stops that cannot even read its plan.
const BEFORE_SCENARIOS: &str = "plan";

/// The model alone, then every fault of the catalogue.
pub fn each_is_found(context: &Context) -> Result<()> {
    must_be_clean(context, &Kind::named("basics").collect::<Vec<_>>(), "100")?;
    let plans = clean_plans();
    for scenarios in &plans {
        must_be_clean(context, scenarios, "40")?;
    }
    context.say(&format!("{} clean runs pass", plans.len() + 1));

    let report = run_model(context, "faults", &["--fault", "all"])?;
    ensure!(report.scenarios.len() == CATALOGUE.len(), "{} scenarios in the report", report.scenarios.len());
    for (fault, scenario) in CATALOGUE.iter().zip(&report.scenarios) {
        ensure!(scenario.name == fault.name, "{} where {} should be", scenario.name, fault.name);
        ensure!(run::is_expected(fault, scenario), "{fault:?} came to {scenario:#?}");
        must_say_where(fault, scenario)?;
    }
    context.say(&format!("{} faults found, in {} s", report.scenarios.len(), report.wall_s));
    Ok(())
}

/// The scenarios that faults are run with, as they are put together there. A list apart from the others, because a
/// scenario may want a link that no other has used.
fn clean_plans() -> Vec<&'static [Kind]> {
    let mut plans: Vec<&'static [Kind]> =
        CATALOGUE.iter().map(|fault| run::scenarios_of(fault.stage)).collect();
    plans.dedup();
    plans
}

/// What a fault is blamed for must pass without it, with none of it skipped.
fn must_be_clean(context: &Context, scenarios: &[Kind], iterations: &str) -> Result<()> {
    let names = scenarios.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(",");
    let clean = run_model(context, "model", &["--scenario", &names, "--iterations", iterations])?;
    ensure!(clean.scenarios.len() == scenarios.len(), "{} scenarios of {names}", clean.scenarios.len());
    for scenario in &clean.scenarios {
        ensure!(scenario.verdict == Verdict::Pass, "without a fault: {scenario:#?}");
    }
    Ok(())
}

/// The reason begins with the scenario that met the fault, which is one of those run for it, and says more than that.
fn must_say_where(fault: &Fault, found: &ScenarioReport) -> Result<()> {
    let reason = found.reason.as_deref().with_context(|| format!("{} has no reason", fault.name))?;
    let (met_in, seen) = reason.split_once(": ").unwrap_or((reason, ""));
    let scenarios = run::scenarios_of(fault.stage);
    let is_known = met_in == BEFORE_SCENARIOS || scenarios.iter().any(|kind| kind.name() == met_in);
    ensure!(is_known, "{}: no scenario of its plan in {reason:?}", fault.name);
    ensure!(!seen.trim().is_empty(), "{}: nothing was seen: {reason:?}", fault.name);
    Ok(())
}

fn run_model(context: &Context, name: &str, options: &[&str]) -> Result<Report> {
    let path = paths::target().join(format!("report/test-{name}.json"));
    let tool = context.xtask(["run", "--peer", "model", "--report"])?.arg(&path).args(options);
    context.must_pass(tool)?;
    let report = report::read(&path)?;
    ensure!(report.peer.kind == PeerKind::Model, "the peer is not the model");
    Ok(report)
}
