//! The card on the emulated board with the real firmware, run by this program as a person would run it.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::context::Context;

/// Runs with each of these must pass: variant, board, handshakes.
const RUNS: [(&str, &str, &str); 5] = [
    ("start", "3b", "1000"),
    ("start_db", "3b", "200"),
    ("start_x", "3b", "200"),
    ("start", "zero2w", "200"),
    ("start_db", "zero2w", "200"),
];

/// Steps of the handshake that must have been timed.
const TIMED_STEPS: [&str; 4] = ["import", "use", "free", "released"];

/// Every variant on every board: as many RELEASED as imports, everything timed.
pub fn passes(context: &Context) -> Result<()> {
    for (variant, board, iterations) in RUNS {
        let name = format!("{variant} on {board}");
        let options = ["--variant", variant, "--board", board, "--iterations", iterations];
        let report = run(context, 0, &options).with_context(|| name.clone())?;
        let handshake =
            check_handshake(&report, iterations).with_context(|| format!("{name}: {report:#}"))?;
        context.say(&format!("{name}: {handshake}"));
    }
    Ok(())
}

/// The cut-down firmware lacks the service: a verdict, not an error, and not a pass.
pub fn absent(context: &Context) -> Result<()> {
    let report = run(context, 1, &["--variant", "start_cd"])?;
    let bring_up = scenario(&report, "bring-up")?;
    let reason = bring_up["reason"].as_str().unwrap_or_default();
    ensure!(bring_up["verdict"] == "absent", "bring-up is not absent: {report:#}");
    ensure!(!reason.is_empty(), "the verdict absent has no reason: {report:#}");
    context.say(&format!("start_cd: absent: {reason}"));
    Ok(())
}

/// The same seed, the same report; two clocks on the wall aside.
pub fn determinism(context: &Context) -> Result<()> {
    for seed in ["1", "77"] {
        let options = ["--seed", seed, "--iterations", "100"];
        let (first, second) = (timeless(run(context, 0, &options)?), timeless(run(context, 0, &options)?));
        ensure!(first == second, "two runs with seed {seed} differ:\n{first:#}\n{second:#}");
    }
    Ok(())
}

/// Runs and reads the report from standard output.
fn run(context: &Context, exit_code: i32, options: &[&str]) -> Result<Value> {
    let tool = context.xtask(["--json", "run"])?.args(options);
    let finished = context.must_end_with(exit_code, tool)?;
    serde_json::from_str(&finished.stdout).with_context(|| format!("no report: {}", finished.stdout))
}

fn scenario<'r>(report: &'r Value, name: &str) -> Result<&'r Value> {
    let scenarios = report["scenarios"].as_array().context("the report has no scenarios")?;
    let found = scenarios.iter().find(|scenario| scenario["name"] == name);
    found.with_context(|| format!("the report has no scenario {name}"))
}

fn check_handshake(report: &Value, iterations: &str) -> Result<String> {
    ensure!(report["peer"]["kind"] == "firmware", "peer is not firmware");
    ensure!(report["timing"] == "modelled", "timing is not labelled modelled");
    let handshake = scenario(report, "handshake")?;
    let count = |name: &str| handshake["counts"][name].as_u64().unwrap_or(0);
    let (imports, released) = (count("imports"), count("released"));
    ensure!(imports >= iterations.parse()?, "{imports} imports, {iterations} asked for");
    ensure!(imports == released, "{imports} imports, but {released} released");
    for step in TIMED_STEPS {
        let latency = &handshake["latency"][step];
        let figure = |name: &str| latency[name].as_u64().unwrap_or(0);
        ensure!(figure("p50") > 0, "step {step} was not timed");
        ensure!(figure("p50") <= figure("p99") && figure("p99") <= figure("max"), "step {step}: {latency}");
    }
    let p50 = TIMED_STEPS.map(|step| format!("{step} {}", handshake["latency"][step]["p50"])).join(", ");
    Ok(format!("{imports} imports, as many released; p50 in cycles (modelled): {p50}"))
}

/// The report without what may differ from run to run.
fn timeless(mut report: Value) -> Value {
    if let Some(fields) = report.as_object_mut() {
        fields.remove("wall_s");
        fields.remove("started");
    }
    report
}
