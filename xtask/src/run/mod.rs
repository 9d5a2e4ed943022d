//! `cargo xtask run`: image, card, machine, report.

mod events;
mod faults;
mod journal;
mod many;
mod output;
mod pace;
mod progress;
mod rig;
mod session;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Error, Result, bail};
use emulator::card::{Card, CardFile};
use emulator::machine::{Peer, Summary};
use emulator::model::Fault;
use harness::Verdict;
use harness::report::{Collector, Finish, Report, Rung, Setup, Timing};

use crate::card;
use crate::cli::{CardOptions, MachineOptions, PeerOption, RunOptions};
use crate::digest::hex_digest;
use crate::image::Image;
use crate::interrupt::{Interrupted, Notice};
use crate::line::Strings;
use crate::outcome::Outcome;
use crate::terminal::say;
use crate::{firmware, paths, report};
pub use faults::{is_expected, scenarios_of};
pub use many::side_by_side;
pub use pace::{Pace, span};
pub use rig::{Rig, Subject};
use session::{Limits, Settings};
pub use session::{SLICE, Step};

/// Time in the machine for the firmware to start the Arm: boards need two seconds. The plan's own limit begins then.
const BOOT_ALLOWANCE: Duration = Duration::from_secs(60);

/// Everything that is known after a run.
#[derive(Debug)]
pub struct Done {
    /// Verdicts, latencies, notes, last words.
    pub report: Report,
    /// What the machine did.
    pub summary: Summary,
    /// How long the run took on the PC.
    pub wall: Duration,
    /// Ctrl-C, if that ended the run.
    pub interrupted: Option<Interrupted>,
}

impl Done {
    /// True if every verdict is `pass`.
    pub fn passed(&self) -> bool {
        self.report.verdict() == Verdict::Pass
    }
}

/// Carries out `cargo xtask run`.
///
/// # Errors
/// If the run could not take place at all, or Ctrl-C ended it. A run that hangs or fails is no error but a verdict.
pub fn run(options: &RunOptions, json: bool) -> Result<Outcome> {
    match options.machine.fault.as_deref() {
        Some("list") => return faults::list(json),
        Some("all") if options.machine.peer == PeerOption::Model => return faults::run_all(options, json),
        _ => {}
    }
    let path = report_path(options);
    report::check_all_writable(&path)?;
    let done = execute_with(options, json, None, Notice::of_interrupts)?;
    let files = report::write_all(&done.report, &path)?;
    if json {
        say!("{}", serde_json::to_string_pretty(&done.report)?);
    } else {
        output::print(&done, &files, options.log);
    }
    if let Some(interrupted) = done.interrupted {
        return Err(Error::new(interrupted).context("what had come by then is reported"));
    }
    Ok(Outcome::passed(done.passed()))
}

fn report_path(options: &RunOptions) -> PathBuf {
    options.report.clone().unwrap_or_else(|| paths::target().join("report/report.json"))
}

/// Makes the card that the options describe, and the image on it.
///
/// # Errors
/// As [`make_files`], or if the files do not fit.
pub fn make_card(options: &CardOptions) -> Result<(Card, Image)> {
    let (files, image) = make_files(options)?;
    Ok((card::build(&files)?, image))
}

/// [`make_card`] for whoever plays VideoCore: the model needs no firmware.
///
/// # Errors
/// As [`make_card`].
pub fn make_card_for(options: &CardOptions, peer: Peer) -> Result<(Card, Image)> {
    if peer == Peer::Firmware {
        return make_card(options);
    }
    let image = Image::build(&options.build)?;
    Ok((card::without_firmware(&options.plan(), &image.kernel)?, image))
}

/// Makes the files of the card that the options describe, and the image among them. What is missing of the firmware
/// is found before anything is built.
///
/// # Errors
/// If a release, a file of it, or `config.txt` is missing, or the image cannot be built.
pub fn make_files(options: &CardOptions) -> Result<(Vec<CardFile>, Image)> {
    let release = firmware::at_hand(options.firmware.as_deref())?;
    release.read(options.variant.start_file())?;
    let image = Image::build(&options.build)?;
    let files = card::files(&release, options.variant, &options.plan(), &image.kernel)?;
    Ok((files, image))
}

/// Boots the card and listens until the end.
///
/// # Errors
/// As [`run`].
pub fn execute(options: &RunOptions, quiet: bool) -> Result<Done> {
    execute_with(options, quiet, None, || Ok(Notice::default()))
}

/// The same, with the Arm stopped for good in a step: what the watchdog is for.
///
/// # Errors
/// As [`run`].
pub fn execute_with_wedge(options: &RunOptions, step: Step) -> Result<Done> {
    execute_with(options, true, Some(step), || Ok(Notice::default()))
}

fn execute_with(
    options: &RunOptions,
    quiet: bool,
    halt_arm_in: Option<Step>,
    interrupts: impl FnOnce() -> Result<Notice>,
) -> Result<Done> {
    let peer = peer(&options.machine)?;
    let (card, image) = match &options.machine.card_image {
        Some(path) => (read_card(path)?, Image::build(&options.card.build)?),
        None => make_card_for(&options.card, peer)?,
    };
    let kernel = kernel_on(&card)?;
    if kernel != image.kernel {
        eprintln!("The card holds another image than this tree builds: its log may not decode.");
    }
    let strings = Strings::read(&image.elf)?;
    let settings = Settings {
        board: options.machine.board,
        peer,
        seed: options.card.seed,
        limits: limits(limit_s(&card, &options.card), options.timeout),
        show_log: options.log,
        log_to_stderr: quiet,
        show_progress: !options.log && halt_arm_in.is_none(),
        pace: None,
        raw: options.raw.clone(),
        halt_arm_in,
        interrupts: interrupts()?,
    };
    boot(card, &kernel, &strings, &settings)
}

/// Who plays VideoCore, by the options.
///
/// # Errors
/// If there is no such fault, or nobody who could break a rule.
pub fn peer(options: &MachineOptions) -> Result<Peer> {
    match (options.peer, options.fault.as_deref()) {
        (PeerOption::Firmware, None) => Ok(Peer::Firmware),
        (PeerOption::Firmware, Some(name)) => {
            bail!("--fault {name}: only the model breaks rules on command, so add --peer model")
        }
        (PeerOption::Model, None) => Ok(Peer::Model(None)),
        (PeerOption::Model, Some(name)) => {
            let fault = Fault::by_name(name);
            let fault = fault.with_context(|| {
                format!("there is no fault {name}; `cargo xtask run --peer model --fault list` lists them")
            })?;
            Ok(Peer::Model(Some(fault)))
        }
    }
}

/// Boots a card with this kernel on it.
fn boot(card: Card, kernel: &[u8], strings: &Strings, settings: &Settings) -> Result<Done> {
    let mut collector = Collector::new(Setup {
        rung: Rung::Emulated,
        timing: Timing::Modelled,
        image_sha256: hex_digest(kernel),
        started: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        model_peer: settings.peer != Peer::Firmware,
    });
    let ended = session::run(card, settings, strings, &mut collector)?;
    let finish = Finish {
        wall_s: ended.wall.as_secs(),
        stopped: ended.stopped,
        last_words: ended.evidence,
        by_hand: ended.interrupted.is_some(),
        ..Finish::default()
    };
    let report = collector.finish(finish);
    Ok(Done { report, summary: ended.summary, wall: ended.wall, interrupted: ended.interrupted })
}

/// Time on the board for a card: as asked for, or else as the card says of itself. A card whose command line the image
/// refuses has the default.
fn limit_s(card: &Card, options: &CardOptions) -> u32 {
    options.limit_s.unwrap_or_else(|| card::plan(card).unwrap_or_default().limit_s)
}

fn limits(limit_s: u32, timeout_s: u64) -> Limits {
    Limits {
        boot: BOOT_ALLOWANCE,
        emulated: Duration::from_secs(u64::from(limit_s)) + BOOT_ALLOWANCE,
        wall: Duration::from_secs(timeout_s),
    }
}

fn read_card(path: &Path) -> Result<Card> {
    if !path.is_file() {
        bail!("{} is not the file of a card image; `cargo xtask sdcard` makes one", path.display());
    }
    Ok(Card::from_image(fs::read(path).with_context(|| format!("reading {}", path.display()))?))
}

/// The image on the card. Without one the firmware would wait for ever, and say so to nobody.
fn kernel_on(card: &Card) -> Result<Vec<u8>> {
    let name = card::kernel_name(card);
    card.read_file(&name).with_context(|| format!("the firmware would find no {name} to start on this card"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(command_line: &str) -> Card {
        Card::build(&[CardFile::new("cmdline.txt", command_line)]).unwrap()
    }

    #[test]
    fn a_card_with_a_limit_of_its_own_is_not_ended_before_it() {
        let wish = |limit_s| CardOptions { limit_s, ..CardOptions::default() };
        let long = card("harness.scenario=soak harness.limit_s=7200\n");
        assert_eq!(limit_s(&long, &wish(None)), 7200);
        assert_eq!(limit_s(&long, &wish(Some(30))), 30);
        let default = harness::Plan::default().limit_s;
        for without in [
            card("console=serial0\n"),
            card("harness.limit_s=soon\n"),
            card("harness.nap=1 harness.limit_s=7200"),
        ] {
            assert_eq!(limit_s(&without, &wish(None)), default);
        }
        assert_eq!(limit_s(&Card::from_image(Vec::new()), &wish(None)), default);
    }
}
