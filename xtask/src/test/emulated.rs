//! The card on the emulated board with the real firmware, run by this program as a person would run it.

use anyhow::{Context as _, Result, ensure};
use harness::report::{Latency, PeerKind, Report, ScenarioReport, Timing};
use harness::{Histogram, Verdict};

use super::context::Context;
use crate::{paths, report};

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
        let name = format!("{variant}-{board}");
        let options = ["--variant", variant, "--board", board, "--iterations", iterations];
        let report = run(context, 0, &name, &options).with_context(|| name.clone())?;
        let handshake = check_handshake(&report, iterations.parse()?);
        let handshake = handshake.with_context(|| format!("{name}: {report:#?}"))?;
        context.say(&format!("{name}: {handshake}"));
    }
    Ok(())
}

/// The cut-down firmware lacks the shared-memory service, and does not start the Arm of an emulated board
/// (`docs/emulator.md` says why): the verdict is `hung`, in bounded time, and the reason says what to use instead.
pub fn cut_down(context: &Context) -> Result<()> {
    let report = run(context, 1, "start_cd", &["--variant", "start_cd"])?;
    let first = report.scenarios.first().context("the report has no scenario")?;
    ensure!(first.verdict == Verdict::Hung, "start_cd is not hung: {report:#?}");
    let reason = first.reason.as_deref().with_context(|| format!("{} has no reason", first.name))?;
    ensure!(reason.contains("never started the Arm"), "start_cd hangs otherwise than known: {reason}");
    ensure!(reason.contains("use start, start_db or start_x"), "no way out is told: {reason}");
    context.say(&format!("start_cd: {} {}: {reason}", first.name, first.verdict));
    Ok(())
}

/// The same seed, the same report; two clocks on the wall aside.
pub fn determinism(context: &Context) -> Result<()> {
    for (seed, samples) in [("1", "0"), ("77", "2048")] {
        let options = ["--seed", seed, "--iterations", "100", "--samples", samples];
        let once = || run(context, 0, "determinism", &options).map(timeless);
        let (first, second) = (once()?, once()?);
        ensure!(first == second, "two runs with seed {seed} differ:\n{first:#?}\n{second:#?}");
        match samples {
            "0" => ensure!(raw_samples(&first) == 0, "samples are kept that nobody asked for"),
            _ => context.say(&format!("{} raw samples, as the histograms", check_samples(&first)?)),
        }
    }
    Ok(())
}

fn raw_samples(report: &Report) -> usize {
    let samples = report.scenarios.iter().flat_map(|scenario| scenario.samples.values());
    samples.map(Vec::len).sum()
}

/// With room for all of them, the raw samples of each timed step make its histogram again. Gives how many there are.
fn check_samples(report: &Report) -> Result<usize> {
    for scenario in &report.scenarios {
        ensure!(scenario.samples.len() == scenario.latency.len(), "{}: steps without samples", scenario.name);
        for (step, cycles) in &scenario.samples {
            let mut histogram = Histogram::new();
            cycles.iter().for_each(|cycles| histogram.record(u64::from(*cycles)));
            let told = scenario.latency.get(step);
            let made = Latency::of(&histogram);
            ensure!(made.as_ref() == told, "{}, {step}: {made:?} of the samples, {told:?}", scenario.name);
        }
    }
    let all = raw_samples(report);
    ensure!(all > 0, "no samples are kept");
    Ok(all)
}

/// Runs, and reads the report back from its file.
fn run(context: &Context, exit_code: i32, name: &str, options: &[&str]) -> Result<Report> {
    let path = paths::target().join(format!("report/test-{name}.json"));
    let tool = context.xtask(["run", "--report"])?.arg(&path).args(options);
    context.must_end_with(exit_code, tool)?;
    report::read(&path)
}

fn scenario<'r>(report: &'r Report, name: &str) -> Result<&'r ScenarioReport> {
    let found = report.scenarios.iter().find(|scenario| scenario.name == name);
    found.with_context(|| format!("the report has no scenario {name}"))
}

fn check_handshake(report: &Report, iterations: u32) -> Result<String> {
    ensure!(report.peer.kind == PeerKind::Firmware, "the peer is not firmware");
    ensure!(report.timing == Timing::Modelled, "the times are not labelled modelled");
    let handshake = scenario(report, "handshake")?;
    let count = |name: &str| handshake.counts.get(name).copied().unwrap_or(0);
    let (imports, released) = (count("imports"), count("released"));
    ensure!(imports >= iterations, "{imports} imports, {iterations} asked for");
    ensure!(imports == released, "{imports} imports, but {released} released");

    let mut medians = Vec::new();
    for step in TIMED_STEPS {
        let latency = handshake.latency.get(step).with_context(|| format!("step {step} was not timed"))?;
        let ordered = 0 < latency.p50 && latency.p50 <= latency.p99 && latency.p99 <= latency.max;
        ensure!(ordered, "step {step}: {latency:?}");
        medians.push(format!("{step} {}", latency.p50));
    }
    Ok(format!("{imports} imports, as many released; p50 in cycles (modelled): {}", medians.join(", ")))
}

/// The report without what may differ from run to run.
fn timeless(report: Report) -> Report {
    Report { wall_s: 0, started: String::new(), ..report }
}
