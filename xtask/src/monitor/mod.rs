//! `cargo xtask monitor`: listens to a board's serial line, shows how its run gets on, and reports like `run`.

mod address;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod garbage;
mod hints;
mod images;
mod intake;
mod listen;
mod live;
mod ports;
mod results;
mod source;
mod view;

use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Error, Result, bail};
use clap::{Args, value_parser};
use harness::report::Report;

use crate::image_store::Store;
use crate::interrupt::Notice;
use crate::line::Recording;
use crate::outcome::Outcome;
use crate::paths;
use crate::terminal::{printable, say};
use address::Address;
use images::{Image, Images};
use intake::{Heard, Intake, Run};
use listen::{Limits, Listener, Why};
use results::Results;
use source::Source;
use view::{View, Wish};

/// What the image sends at (`boot/src/serial.rs`).
const BAUD: u32 = 921_600;
/// Where nobody can press Ctrl-C, listening ends after so long without a byte, and after so long in all.
const UNATTENDED_FIRST_BYTE: Duration = Duration::from_secs(120);
const UNATTENDED_WALL: Duration = Duration::from_secs(3600);

/// What to listen to, and what to show of it.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Listen to this serial port; without it to the only USB adapter there is.
    #[arg(value_name = "PORT", conflicts_with_all = ["file", "tcp"])]
    pub port: Option<PathBuf>,
    /// Read a recording of the line instead; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "tcp")]
    pub file: Option<PathBuf>,
    /// Listen to a TCP port that passes on the line's bytes as they are (ser2net, an emulated board).
    #[arg(long, value_name = "HOST:PORT", value_parser = Address::parse)]
    pub tcp: Option<Address>,
    /// Set the serial port to this rate.
    #[arg(long, value_name = "BITS/S", default_value_t = BAUD, value_parser = value_parser!(u32).range(300..=4_000_000))]
    pub baud: u32,
    /// Decode with this image's ELF file; without it the one that was built last, or whichever build here is the card's.
    #[arg(long, value_name = "FILE")]
    pub elf: Option<PathBuf>,
    /// The other side is an emulated board that does not say so: its times are not measured.
    #[arg(long)]
    pub emulated: bool,
    /// Write the report to this file instead of target/report/report.json.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Keep the line's bytes in this file instead of beside the report; `--file` reads them again.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub raw: Option<PathBuf>,
    /// Show each line of the image's log.
    #[arg(long)]
    pub log: bool,
    /// Listen on for the next run after one has ended.
    #[arg(long, conflicts_with = "file")]
    pub stay: bool,
    /// End if no byte has come after so long; without it 120 where nobody can press Ctrl-C, else never.
    #[arg(long = "first-byte-s", value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=86_400))]
    pub first_byte_s: Option<u64>,
    /// End listening after so long; without it 3600 where nobody can press Ctrl-C, else never.
    #[arg(long = "limit-s", value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=2_592_000))]
    pub limit_s: Option<u64>,
}

/// Carries out `cargo xtask monitor`.
///
/// # Errors
/// If there is nothing to listen to, the image's log cannot be decoded, or a report cannot be written. A run that fails
/// or hangs is no error but a verdict.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    let images = Images::at_hand(options.elf.as_deref())?;
    let path = options.report.clone().unwrap_or_else(|| paths::target().join("report/report.json"));
    let results = Results::to(path)?;
    let source = source_of(options)?;
    let recording = recording(options, &source, results.path())?;
    let name = source.name();
    let baud = matches!(source, Source::Serial { .. }).then_some(options.baud);
    let is_recording = source.is_recording();
    let recorded = options.file.as_deref().and_then(modified);
    let interrupts = Notice::of_interrupts()?;
    let listening = source.listen()?;
    if !is_recording {
        eprintln!("listening to {name}; Ctrl-C ends it and reports what has come");
    }
    let mut listener = Listener {
        intake: Intake::new(images, options.emulated, recorded),
        view: View::new(Wish { log: options.log, json }),
        recording,
        results,
        limits: limits(options),
        stays: options.stay,
        json,
        source: name,
        baud,
        is_recording,
        interrupts,
    };
    let why = listener.listen(&listening)?;
    if let Some(nothing) = listener.nothing_of_ours() {
        bail!("{nothing}");
    }
    conclude(&listener, &why, json)
}

/// The reports of every run on a line whose bytes have all come.
///
/// # Errors
/// If the ELF file decodes nothing.
pub fn decode(elf: &[u8], bytes: &[u8]) -> Result<Vec<Report>> {
    let images = Images::new(Some(Image::of(PathBuf::new(), elf)?), Store::at(PathBuf::new()));
    let mut intake = Intake::new(images, false, Some(0));
    let mut heard = intake.bytes(bytes);
    heard.extend(intake.end());
    let before = heard.into_iter().filter_map(|heard| match heard {
        Heard::RunBefore(run) => Some(*run),
        _ => None,
    });
    let mut runs: Vec<Run> = before.collect();
    runs.push(intake.take_run());
    Ok(runs.into_iter().map(|run| run.finish("the recording ends here", Some(Duration::ZERO))).collect())
}

fn source_of(options: &Options) -> Result<Source> {
    Ok(match (&options.file, &options.tcp, &options.port) {
        (Some(path), _, _) if path == Path::new("-") => Source::Stdin,
        (Some(path), _, _) => Source::File(path.clone()),
        (_, Some(address), _) => Source::Tcp(address.clone()),
        (_, _, Some(path)) => Source::Serial { path: path.clone(), baud: options.baud },
        _ => Source::Serial { path: ports::only_one()?, baud: options.baud },
    })
}

/// Beside the report: `report.raw`. A recording is not recorded once more, but standard input is.
fn recording(options: &Options, source: &Source, report: &Path) -> Result<Option<Recording>> {
    if matches!(source, Source::File(_)) {
        return Ok(None);
    }
    let path = options.raw.clone().unwrap_or_else(|| report.with_extension("raw"));
    Recording::to(path).map(Some)
}

/// When a recording was made, Unix seconds.
fn modified(path: &Path) -> Option<u64> {
    let modified = path.metadata().ok()?.modified().ok()?;
    Some(modified.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn limits(options: &Options) -> Limits {
    let attended = stderr().is_terminal();
    let limit = |asked: Option<u64>, unattended| {
        asked.map(Duration::from_secs).or_else(|| (!attended).then_some(unattended))
    };
    Limits {
        first_byte: limit(options.first_byte_s, UNATTENDED_FIRST_BYTE),
        wall: limit(options.limit_s, UNATTENDED_WALL),
    }
}

fn conclude(listener: &Listener, why: &Why, json: bool) -> Result<Outcome> {
    let recording = listener.recording.as_ref().and_then(Recording::whole);
    if !json {
        listener.results.say_where();
        if let Some(path) = recording {
            say!("bytes as they came: {}", path.display());
        }
    } else if let Some(report) = listener.results.last() {
        say!("{}", serde_json::to_string_pretty(report)?);
    }
    if let Some((scenario, step)) = listener.intake.goes_in_circles() {
        let place = printable(&format!("{scenario} {step}"));
        eprintln!(
            "the board starts anew in {place} again and again: leave this scenario out (docs/hangs.md)"
        );
    }
    if let Why::Interrupted(signal) = why {
        let reported = if listener.results.is_empty() {
            "nothing has come to report"
        } else {
            "what had come is reported"
        };
        return Err(Error::new(*signal).context(reported));
    }
    if let Some(wrong) = listener.intake.wrong_image() {
        let later = recording.map(|path| {
            format!(
                ". The bytes are kept: `cargo xtask monitor --file {} --elf FILE` decodes them",
                path.display()
            )
        });
        bail!("{wrong}{}", later.unwrap_or_default());
    }
    Ok(Outcome::passed(listener.results.passed()))
}
