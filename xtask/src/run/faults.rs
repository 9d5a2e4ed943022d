//! The model's faults: their list, and one short run each.

use std::time::Instant;

use anyhow::{Context, Result};
use comfy_table::Table;
use emulator::machine::Peer;
use emulator::model::{CATALOGUE, Fault, Stage};
use harness::report::{Report, ScenarioReport};
use harness::scenario::Kind;
use harness::{Plan, Verdict};

use super::many::side_by_side;
use super::session::Settings;
use super::{boot, limits, report_path};
use crate::card;
use crate::cli::RunOptions;
use crate::image::Image;
use crate::interrupt::Notice;
use crate::line::Strings;
use crate::outcome::Outcome;
use crate::report::{self, Files};
use crate::terminal::{Look, say};

/// The longest wait of a run. The model answers within microseconds, so this is long, and a fault that hangs costs
/// little.
const TIMEOUT_MS: u32 = 25;

/// Prints the catalogue.
pub fn list(json: bool) -> Result<Outcome> {
    if json {
        let faults: Vec<_> = CATALOGUE.iter().map(as_json).collect();
        say!("{}", serde_json::to_string_pretty(&faults)?);
    } else {
        say!(
            "{}",
            table(
                &["fault", "stage", "what it breaks"],
                CATALOGUE.map(|fault| {
                    [fault.name.to_owned(), fault.stage.name().to_owned(), fault.breaks.to_owned()]
                })
            )
        );
    }
    Ok(Outcome::passed(true))
}

fn as_json(fault: &Fault) -> serde_json::Value {
    serde_json::json!({
        "name": fault.name,
        "stage": fault.stage.name(),
        "breaks": fault.breaks,
        "verdict": fault.verdict.name(),
        "owner": fault.owner.name(),
    })
}

/// Runs every fault by itself and makes one report, whose scenarios are the faults. The outcome is good if each
/// was found and put down to the right owner.
pub fn run_all(options: &RunOptions, json: bool) -> Result<Outcome> {
    let started = Instant::now();
    let path = report_path(options);
    report::check_all_writable(&path)?;
    let image = Image::build(&options.card.build)?;
    let strings = Strings::read(&image.elf)?;
    let runs = Runs { options, image: &image, strings: &strings };
    let mut reports = runs.each()?;
    // The last fault lies late in a run: its report says who the peer is, which that of a dead mailbox cannot.
    let mut all = reports.last().context("the catalogue is empty")?.clone();
    all.scenarios =
        CATALOGUE.iter().zip(&mut reports).map(|(fault, report)| scenario_of(fault, report)).collect();
    all.resets.clear();
    all.wall_s = started.elapsed().as_secs();
    let files = report::write_all(&all, &path)?;
    let unexpected: Vec<_> = CATALOGUE
        .iter()
        .zip(&all.scenarios)
        .filter(|(fault, scenario)| !is_expected(fault, scenario))
        .collect();
    if json {
        say!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        print(&all, &files);
    }
    for (fault, scenario) in &unexpected {
        eprintln!("{}: expected {} by {}", scenario.name, fault.verdict.name(), fault.owner.name());
    }
    Ok(Outcome::passed(unexpected.is_empty()))
}

/// What the runs have in common.
struct Runs<'a> {
    options: &'a RunOptions,
    image: &'a Image,
    strings: &'a Strings,
}

impl Runs<'_> {
    /// A report a fault, in the order of the catalogue.
    fn each(&self) -> Result<Vec<Report>> {
        side_by_side(CATALOGUE.len(), |index| {
            let fault = CATALOGUE[index];
            let report = self.one(fault).with_context(|| fault.name)?;
            eprintln!("{:3} of {}: {}", index + 1, CATALOGUE.len(), fault.name);
            Ok(report)
        })
    }

    fn one(&self, fault: Fault) -> Result<Report> {
        let options = self.options;
        let plan =
            Plan { iterations: fault.iterations(), timeout_ms: TIMEOUT_MS, ..plan_for(fault, options) };
        let settings = Settings {
            board: options.machine.board,
            peer: Peer::Model(Some(fault)),
            seed: options.card.seed,
            limits: limits(plan.limit_s, options.timeout),
            show_log: false,
            log_to_stderr: true,
            show_progress: false,
            pace: None,
            raw: None,
            halt_arm_in: None,
            interrupts: Notice::default(),
        };
        let card = card::without_firmware(&plan, &self.image.kernel)?;
        Ok(boot(card, &self.image.kernel, self.strings, &settings)?.report)
    }
}

/// The plan with those scenarios only that can meet the fault.
fn plan_for(fault: Fault, options: &RunOptions) -> Plan {
    let scenarios = scenarios_of(fault.stage).iter().copied().collect();
    Plan { scenarios, ..options.card.plan() }
}

/// Those scenarios only that can meet a fault of the stage.
pub const fn scenarios_of(stage: Stage) -> &'static [Kind] {
    match stage {
        Stage::Mailbox => &[Kind::BringUp],
        Stage::SlotZero | Stage::Connection | Stage::Transport | Stage::Slots | Stage::Echo => {
            &[Kind::BringUp, Kind::Echo]
        }
        Stage::Bulk => &[Kind::Bulk],
        Stage::Client => &[Kind::Offers],
        Stage::Pause => &[Kind::Pause],
        Stage::Command => &[Kind::Gencmd],
        Stage::OldClient => &[Kind::VersionOne],
        Stage::SharedMemory => &[Kind::Handshake],
        Stage::Heap => &[Kind::Heap],
    }
}

/// The first scenario that did not pass, under the fault's name.
fn scenario_of(fault: &Fault, report: &mut Report) -> ScenarioReport {
    let broken = |scenario: &ScenarioReport| matches!(scenario.verdict, Verdict::Fail | Verdict::Hung);
    let absent = |scenario: &ScenarioReport| scenario.verdict != Verdict::Pass;
    let place = report.scenarios.iter().position(broken);
    let place = place.or_else(|| report.scenarios.iter().position(absent)).unwrap_or(0);
    let mut scenario = report.scenarios.swap_remove(place);
    let met_in = std::mem::replace(&mut scenario.name, fault.name.to_owned());
    scenario.reason = scenario.reason.map(|reason| format!("{met_in}: {reason}"));
    scenario.latency.clear();
    scenario.sides = None;
    scenario
}

/// True if the verdict and the owner are those of the catalogue.
pub fn is_expected(fault: &Fault, scenario: &ScenarioReport) -> bool {
    let owner = scenario.owner.map(|owner| owner.name());
    scenario.verdict.name() == fault.verdict.name() && owner == Some(fault.owner.name())
}

fn print(report: &Report, files: &Files) {
    let rows = report.scenarios.iter().map(|scenario| {
        let owner = scenario.owner.map_or("", |owner| owner.name());
        let reason = scenario.reason.clone().unwrap_or_default();
        [scenario.name.clone(), scenario.verdict.name().to_owned(), owner.to_owned(), reason]
    });
    say!("{}", table(&["fault", "verdict", "owner", "what was seen"], rows));
    say!("{} faults in {} s; times modelled", report.scenarios.len(), report.wall_s);
    say!("report: {files}");
}

fn table<const N: usize>(header: &[&str; N], rows: impl IntoIterator<Item = [String; N]>) -> Table {
    let mut table = report::new_table(header, Look::of_stdout());
    table.add_rows(rows);
    table
}
