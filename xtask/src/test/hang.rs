//! A hang is a result: the run goes on after a reset, and one report has all of it.

use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use harness::report::{Report, Reset};
use harness::{Owner, Verdict, record::ResetCause};
use signal_hook::consts::SIGINT;

use super::context::Context;
use crate::cli::{CardOptions, RunOptions};
use crate::run::{self, Step};
use crate::shell::Tool;
use crate::{paths, report};

/// Handshakes, and pings of each size.
const ITERATIONS: &str = "20";
/// So many pings that the step is not over when the Arm is stopped.
const MANY_ITERATIONS: u32 = 20_000;

/// Firmware that halts, then an Arm that stops.
pub fn a_hang_is_a_result(context: &Context) -> Result<()> {
    for variant in ["start", "start_db"] {
        let report = firmware_halts(context, variant)?;
        let reason = report.scenarios[0].reason.clone().unwrap_or_default();
        context.say(&format!("{variant}: close-with-imports hung, echo and handshake passed; {reason}"));
    }
    let (once, again) = (firmware_halts(context, "start")?, firmware_halts(context, "start")?);
    ensure!(timeless(&once) == timeless(&again), "two runs with a reset differ:\n{once:#?}\n{again:#?}");
    let reason = arm_stops()?;
    context.say(&format!("an Arm that stops in echo-64: {reason}"));
    a_person_stops(context)?;
    context.say("Ctrl-C: what was running is skip, and reported");
    Ok(())
}

/// Ctrl-C in the middle of a run that would take hours is no hang, and costs nothing that was heard.
fn a_person_stops(context: &Context) -> Result<()> {
    const AFTER_S: &str = "20";
    let path = paths::target().join("report/test-stopped.json");
    if path.exists() {
        fs::remove_file(&path)?;
    }
    let program = env::current_exe().context("finding our own program")?;
    // In the foreground the signal comes once, as from a terminal; otherwise also to the process group, and a second one
    // ends the program at once.
    let options = ["--foreground", "--signal=INT", "--preserve-status", AFTER_S];
    let tool = Tool::new("timeout").args(options).arg(&program);
    let tool =
        tool.args(["run", "--scenario", "bring-up,handshake", "--iterations", "100000000", "--report"]);
    context.must_end_with(128 + SIGINT, tool.arg(&path))?;
    let report = report::read(&path)?;
    check(&report, ["bring-up", "handshake"], [Verdict::Pass, Verdict::Skip])?;
    let reason = report.scenarios[1].reason.as_deref().unwrap_or_default();
    ensure!(reason.contains("stopped by hand"), "{reason}");
    Ok(())
}

/// CLOSE of the SMEM service with imports out halts firmware of 2022 (`docs/findings.md`).
fn firmware_halts(context: &Context, variant: &str) -> Result<Report> {
    let path = paths::target().join(format!("report/test-hang-{variant}.json"));
    let tool = context.xtask(["run", "--scenario", "close-with-imports,echo,handshake"])?;
    let tool = tool.args(["--iterations", ITERATIONS, "--variant", variant, "--report"]).arg(&path);
    context.must_end_with(1, tool)?;
    let report = report::read(&path)?;
    let verdicts = [Verdict::Hung, Verdict::Pass, Verdict::Pass];
    check(&report, ["close-with-imports", "echo", "handshake"], verdicts)?;
    let hung = &report.scenarios[0];
    let reason = hung.reason.as_deref().unwrap_or_default();
    ensure!(hung.owner == Some(Owner::Firmware) && reason.starts_with("reopen: "), "{hung:#?}");
    check_resets(&report, "close-with-imports", ResetCause::Image)?;
    Ok(report)
}

/// The Arm is stopped in a step, as by a debugger; the watchdog resets the board, and the image tells which step it was.
fn arm_stops() -> Result<String> {
    let scenarios = ["bring-up", "echo", "second-init"];
    let mut options = RunOptions::of(CardOptions {
        scenarios: scenarios.map(str::to_owned).to_vec(),
        iterations: MANY_ITERATIONS,
        ..CardOptions::default()
    });
    options.timeout = 240;
    let done = run::execute_with_wedge(&options, Step { scenario: "echo", step: "echo-64" })?;
    let report = &done.report;
    check(report, scenarios, [Verdict::Pass, Verdict::Hung, Verdict::Pass])?;
    check_resets(report, "echo", ResetCause::Watchdog)?;
    let echo = &report.scenarios[1];
    let reason = echo.reason.clone().unwrap_or_default();
    for part in ["echo-64: the Arm made no progress", "iterations=0x", "tx_pos=0x", "peer.tx_pos=0x"] {
        ensure!(reason.contains(part), "{part:?} is not in {reason:?}");
    }
    let done = echo.counts.get("iterations").copied().unwrap_or(0);
    let range = MANY_ITERATIONS..2 * MANY_ITERATIONS;
    ensure!(range.contains(&done), "{done} iterations, the step has those of {range:?}");
    Ok(reason)
}

fn check<const N: usize>(report: &Report, names: [&str; N], verdicts: [Verdict; N]) -> Result<()> {
    let found: Vec<_> =
        report.scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.verdict)).collect();
    let expected: Vec<_> = names.into_iter().zip(verdicts).collect();
    ensure!(found == expected, "{found:?}, expected {expected:?}\n{report:#?}");
    Ok(())
}

fn check_resets(report: &Report, scenario: &str, cause: ResetCause) -> Result<()> {
    let expected = [Reset { scenario: scenario.to_owned(), cause }];
    ensure!(report.resets == expected, "resets {:?}, expected {expected:?}", report.resets);
    Ok(())
}

/// The report without what may differ from run to run.
fn timeless(report: &Report) -> Report {
    Report { wall_s: 0, started: String::new(), ..report.clone() }
}
