//! Every scenario against the real firmware, compared with what is known of the release.

use anyhow::{Result, ensure};
use harness::Verdict;
use harness::scenario::Kind;

use super::context::Context;
use super::expected::Expected;
use crate::{paths, report};

/// Release builds and debug builds, which assert more.
const VARIANTS: [&str; 2] = ["start", "start_db"];
/// Enough for each scenario to go round its loops; the suites `emulated` and `soak` go on for longer.
const ITERATIONS: &str = "200";

/// Scenarios that a run of all can only skip, because of what others did before them on the same link.
const ALONE: [Kind; 1] = [Kind::VersionOne];

/// All scenarios end, each as it is known to; those that must be alone pass when they are.
pub fn comes_to_what_is_known(context: &Context) -> Result<()> {
    let expected = Expected::load()?;
    for variant in VARIANTS {
        let path = paths::target().join(format!("report/test-catalogue-{variant}.json"));
        let options = ["--variant", variant, "--scenario", "all", "--iterations", ITERATIONS];
        let tool = context.xtask(["run", "--report"])?.arg(&path).args(options);
        // The scenarios that are known not to pass see to the exit code.
        context.must_end_with(1, tool)?;
        let report = report::read(&path)?;
        for kind in Kind::ALL {
            let found = report.scenarios.iter().any(|scenario| scenario.name == kind.name());
            ensure!(found, "{variant}: {} is not in the report", kind.name());
        }
        let differences = expected.differences(&report);
        ensure!(differences.is_empty(), "{variant}:\n{}", differences.join("\n"));
        let passed = report.scenarios.iter().filter(|scenario| scenario.verdict == Verdict::Pass);
        let (passed, all) = (passed.count(), report.scenarios.len());
        context.say(&format!(
            "{variant}: {all} scenarios as known, {passed} of them pass, in {} s",
            report.wall_s
        ));
        for kind in ALONE {
            passes_alone(context, variant, kind)?;
        }
    }
    Ok(())
}

fn passes_alone(context: &Context, variant: &str, kind: Kind) -> Result<()> {
    let name = kind.name();
    let path = paths::target().join(format!("report/test-{name}-{variant}.json"));
    let options = ["--variant", variant, "--scenario", name];
    let tool = context.xtask(["run", "--report"])?.arg(&path).args(options);
    context.must_end_with(0, tool)?;
    let report = report::read(&path)?;
    let passed =
        matches!(report.scenarios.as_slice(), [only] if only.name == name && only.verdict == Verdict::Pass);
    ensure!(passed, "{variant}: {name} alone does not pass: {report:#?}");
    context.say(&format!("{variant}: {name} passes alone"));
    Ok(())
}
