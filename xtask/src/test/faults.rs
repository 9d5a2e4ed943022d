//! The model in place of the firmware: a clean run passes, and no broken rule goes unnoticed.

use anyhow::{Result, ensure};
use emulator::model::CATALOGUE;
use harness::Verdict;
use harness::report::{PeerKind, Report};

use super::context::Context;
use crate::{paths, report, run};

/// The model alone, then every fault of the catalogue.
pub fn each_is_found(context: &Context) -> Result<()> {
    let clean = run_model(context, "model", &["--iterations", "100"])?;
    ensure!(clean.verdict() == Verdict::Pass, "the model that breaks nothing does not pass: {clean:#?}");

    let report = run_model(context, "faults", &["--fault", "all"])?;
    ensure!(report.scenarios.len() == CATALOGUE.len(), "{} scenarios in the report", report.scenarios.len());
    for (fault, scenario) in CATALOGUE.iter().zip(&report.scenarios) {
        ensure!(scenario.name == fault.name, "{} where {} should be", scenario.name, fault.name);
        ensure!(run::is_expected(fault, scenario), "{fault:?} came to {scenario:#?}");
        ensure!(scenario.reason.is_some(), "{} has no reason", fault.name);
    }
    context.say(&format!("{} faults found, in {} s", report.scenarios.len(), report.wall_s));
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
