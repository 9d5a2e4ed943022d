//! `monitor` against an emulated board: what comes over a serial line, and what a line and people do to it.

mod damage;
mod live;
mod ports;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use harness::banner::{Banner, BuildId};
use harness::report::{Report, Rung, Timing};
use harness::{Verdict, record::ResetCause};

use super::context::Context;
use crate::cli::{CardOptions, RunOptions};
use crate::run::{self, Step};
use crate::{paths, report};

/// Where the suite's recordings and reports are.
fn file(name: &str) -> PathBuf {
    paths::target().join("report/monitor").join(name)
}

/// The line of an emulated board, and the report that `run` made of it.
struct Recorded {
    path: PathBuf,
    bytes: Vec<u8>,
    report: Report,
}

impl Recorded {
    /// The first byte of a piece of the line behind this part of it, so that a cut there loses nothing.
    fn cut_at(&self, part: usize, of: usize) -> usize {
        let middle = self.bytes.len() * part / of;
        self.bytes[middle..].iter().position(|byte| *byte == 0).map_or(middle, |zero| middle + zero + 1)
    }
}

/// Everything that a line carries arrives; what it destroys is told; what people do in the middle costs nothing.
pub fn hears_what_there_is(context: &Context) -> Result<()> {
    let whole = record(context, "whole", 0, "bring-up,echo,handshake")?;
    let reset = record(context, "reset", 1, "close-with-imports,echo,handshake")?;
    ensure!(
        reset.report.resets.iter().any(|reset| reset.cause == ResetCause::Image),
        "the board was not reset: {:#?}",
        reset.report
    );
    let wedged = record_wedged().context("an Arm that stops")?;
    for (recorded, code) in [(&whole, 0), (&reset, 1), (&wedged, 1)] {
        let heard = replay(context, recorded, code)?;
        same(&heard, &recorded.report).context("the recording comes to another report than the run")?;
    }
    context.say("recordings of a run, and of two with a reset in it, come to the reports that run made");
    unannounced(context, &whole)?;
    other_images(context, &whole)?;
    live::on_a_pseudo_terminal(context, &whole, [&reset, &wedged])?;
    ports::are_refused_with_words(context)?;
    live::over_tcp(context, &whole)?;
    damage::is_told(context, &whole, &reset)
}

/// Runs the emulated board and keeps its line.
fn record(context: &Context, name: &str, code: i32, scenarios: &str) -> Result<Recorded> {
    let (raw, json) = (file(&format!("{name}.raw")), file(&format!("{name}.json")));
    let tool = context.xtask(["run", "--scenario", scenarios, "--iterations", "40", "--raw"])?;
    context.must_end_with(code, tool.arg(&raw).arg("--report").arg(&json))?;
    let bytes = fs::read(&raw).with_context(|| format!("no recording at {}", raw.display()))?;
    Ok(Recorded { path: raw, bytes, report: report::read(&json)? })
}

/// The Arm is stopped in a step, and the watchdog resets the board in mid-run.
fn record_wedged() -> Result<Recorded> {
    let path = file("wedged.raw");
    let card = CardOptions {
        scenarios: ["bring-up", "echo", "second-init"].map(str::to_owned).to_vec(),
        iterations: 20_000,
        ..CardOptions::default()
    };
    let options = RunOptions { raw: Some(path.clone()), ..RunOptions::of(card) };
    let report = run::execute_with_wedge(&options, Step { scenario: "echo", step: "echo-64" })?.report;
    let by_watchdog = report.resets.iter().filter(|reset| reset.cause == ResetCause::Watchdog);
    ensure!(by_watchdog.count() == 1, "the watchdog did not reset the board: {report:#?}");
    let bytes = fs::read(&path).with_context(|| format!("no recording at {}", path.display()))?;
    Ok(Recorded { path, bytes, report })
}

/// The image itself tells what it runs on: the line of text before the first byte may be lost.
fn unannounced(context: &Context, whole: &Recorded) -> Result<()> {
    let mut bytes = whole.bytes.clone();
    bytes[1] ^= 1;
    let path = file("unannounced.raw");
    fs::write(&path, &bytes)?;
    let heard = replay(context, &Recorded { path, bytes, report: whole.report.clone() }, 0)?;
    same(&heard, &whole.report)?;
    context.say("without its announcement an emulated board is none the less known as one");
    Ok(())
}

fn replay(context: &Context, recorded: &Recorded, code: i32) -> Result<Report> {
    let json = file("replayed.json");
    let tool = context.xtask(["monitor", "--file"])?.arg(&recorded.path).arg("--report").arg(&json);
    context.must_end_with(code, tool)?;
    report::read(&json)
}

/// All but what a machine counts beside the line, and clocks on the wall.
fn same(heard: &Report, run: &Report) -> Result<()> {
    let timeless = |report: &Report| {
        let mut report = Report { wall_s: 0, started: String::new(), ..report.clone() };
        report.last_words.clear();
        // The line has no log of the firmware's.
        report.scenarios.iter_mut().for_each(|scenario| (scenario.sides, scenario.log) = (None, Vec::new()));
        report
    };
    ensure!(
        timeless(heard) == timeless(run),
        "heard {:#?}\nfrom the run {:#?}",
        timeless(heard),
        timeless(run)
    );
    ensure!(heard.rung == Rung::Emulated && heard.timing == Timing::Modelled, "taken for a board");
    Ok(())
}

/// Another ELF file than the card's is not used; the right one is found by the build, or how to get it is told.
fn other_images(context: &Context, whole: &Recorded) -> Result<()> {
    let json = file("images.json");
    let monitor = |raw: &PathBuf| -> Result<_> {
        Ok(context.xtask(["monitor", "--file"])?.arg(raw).arg("--report").arg(&json))
    };
    let banner = whole.bytes.split(|byte| *byte == 0).filter_map(|piece| std::str::from_utf8(piece).ok());
    let line = banner.map(str::trim_end).find(|line| Banner::parse(line).is_some());
    let line = line.context("the recording has no banner")?;

    let elf = file("other.elf");
    let mut other = fs::read(crate::build::elf_path()).context("the image's ELF file")?;
    let ours = crate::image_store::build_of(&other).context("the ELF file has no build id")?.to_string();
    let id: Vec<u8> =
        (0..8).filter_map(|at| u8::from_str_radix(&ours[2 * at..2 * at + 2], 16).ok()).collect();
    let place =
        other.windows(id.len()).position(|window| window == id).context("the id is not in the file")?;
    other[place] ^= 0xff;
    fs::write(&elf, other)?;
    let found = context.must_pass(monitor(&whole.path)?.arg("--elf").arg(&elf))?;
    ensure!(found.stderr.contains("by-id"), "not told that another file decodes: {}", found.stderr);

    let foreign = Banner { build: BuildId::new([0x5a; BuildId::BYTES]), git: "0123456789ab" }.to_string();
    let mut bytes = whole.bytes.clone();
    let mut told = 0;
    // Each scenario tells it again.
    while let Some(at) = bytes.windows(line.len()).position(|window| window == line.as_bytes()) {
        bytes.splice(at..at + line.len(), foreign.bytes());
        told += 1;
    }
    ensure!(told > whole.report.scenarios.len(), "the build is told {told} times only");
    let raw = file("foreign.raw");
    fs::write(&raw, bytes)?;
    let _ = fs::remove_file(&json);
    let refused = context.must_end_with(2, monitor(&raw)?)?;
    for part in ["5a5a5a5a5a5a5a5a", "git checkout 0123456789ab && cargo xtask build", &ours] {
        ensure!(refused.stderr.contains(part), "{part:?} is not in {}", refused.stderr);
    }
    ensure!(!json.exists(), "nonsense was reported");
    let refused = context.must_end_with(2, monitor(&raw)?.arg("--json"))?;
    ensure!(refused.stdout.is_empty(), "standard output is for an object: {}", refused.stdout);
    let heard = context.must_pass(monitor(&whole.path)?.arg("--json"))?;
    let report: Report = serde_json::from_str(&heard.stdout).context("standard output is no report")?;
    same(&report, &whole.report)?;
    context.say("the card's own ELF file is found by its build; where there is none, nothing is decoded and the way is told");
    Ok(())
}

/// Names and verdicts.
fn verdicts(report: &Report) -> Vec<(&str, Verdict)> {
    report.scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.verdict)).collect()
}
