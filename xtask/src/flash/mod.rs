//! `cargo xtask flash`: writes the card to a disk, after showing what is on it and asking, and reads it back.
//!
//! Everything that touches this PC comes in from outside ([`World`]): what disks there are, who answers, what is written.

mod ask;
mod conclusion;
mod consent;
mod contents;
#[cfg(target_os = "linux")]
mod device;
#[cfg(not(target_os = "linux"))]
#[path = "device_elsewhere.rs"]
mod device;
mod disks;
mod extent;
mod failure;
#[cfg(test)]
mod fake;
mod in_use;
mod list;
mod medium;
mod plan;
mod refuse;
mod system;
mod target;
#[cfg(test)]
mod tests;
mod verify;
mod write;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use emulator::card::{CARD_SIZE, Card};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::CardOptions;
use crate::digest::hex_digest;
use crate::interrupt::Notice;
use crate::outcome::Outcome;
use crate::{card, run};
use consent::Consent;
use device::BlockDevice;
use disks::{Disk, size};
use failure::Failure;
use medium::{Medium, Reading};
use system::System;
use write::{Phase, Written};

/// More than any card of ours: what is larger is another system's, and is not read into memory.
const LARGEST_IMAGE: u64 = 1 << 30;

/// Options of `flash`.
#[derive(Args, Debug)]
#[group(skip)]
pub struct Options {
    /// The disk to write, such as /dev/sdb. Without it, those are listed that could be.
    #[arg(value_name = "DEV")]
    pub device: Option<PathBuf>,
    #[command(flatten)]
    pub card: CardOptions,
    /// Write this card image as it is, instead of making one.
    #[arg(long = "card", value_name = "FILE", requires = "device",
          conflicts_with_all = ["firmware", "variant", "scenarios", "iterations", "seed", "sizes", "deadline_ms",
                                "limit_s", "first_transaction", "delay_us", "samples", "toolchain", "log_level"])]
    pub card_image: Option<PathBuf>,
    /// Do not ask. What is unsafe is refused all the same, and so is a disk that is not a card.
    #[arg(long, requires = "device")]
    pub yes: bool,
    /// Also write a disk that does not look like a card: one that is not removable, or larger than any card.
    ///
    /// A disk that the system runs from, or that is in use, is refused with this too. Its name is asked for; --yes does
    /// not answer, --confirm does.
    #[arg(long = "dangerously-write-fixed-disk", requires = "device")]
    pub fixed_disk: bool,
    /// Write a disk that does not look like a card without asking, if these are its model and size.
    ///
    /// In the words that flash has for them, such as "WDC WD10, 1000204886016 bytes": a script that was made for one disk
    /// does not overwrite another that has got its name.
    #[arg(long, value_name = "WORDS", requires = "fixed_disk", conflicts_with = "yes")]
    pub confirm: Option<String>,
}

/// Writes a card, or lists the disks that could be written.
///
/// # Errors
/// If the disk is refused, nobody agrees, or the card cannot be made or written. A disk that reads back something else
/// is no error but a result that is not a pass.
pub fn run(options: &Options, json: bool) -> Result<Outcome> {
    if !cfg!(target_os = "linux") {
        bail!(
            "flash knows the disks of Linux only. `cargo xtask sdcard --out card.img` writes an image; \
             the Raspberry Pi Imager, or dd, puts it on a card"
        );
    }
    let system = System::of_this_pc();
    let Some(device) = &options.device else {
        list::print(&system, json)?;
        return Ok(Outcome::Pass);
    };
    let job = Job {
        device,
        card: options.card_image.as_deref(),
        yes: options.yes,
        fixed_disk: options.fixed_disk,
        confirm: options.confirm.as_deref(),
    };
    let mut world = World {
        system,
        ask: &mut |disk, notice| ask::agrees(disk, ask::of_terminal, &mut io::stderr(), notice),
        open: &mut |disk| Ok(Box::new(BlockDevice::open(disk)?)),
        image: &mut || image(options),
        notice: &mut Notice::of_interrupts,
        terminal: io::stdin().is_terminal(),
    };
    let flashed = flash(&job, &mut world)?;
    conclusion::report(&flashed, json)
}

/// What is wanted.
#[derive(Clone, Copy, Debug)]
struct Job<'a> {
    device: &'a Path,
    /// The file of the image, if it is not to be made.
    card: Option<&'a Path>,
    yes: bool,
    fixed_disk: bool,
    confirm: Option<&'a str>,
}

/// What this PC has and does.
struct World<'a> {
    system: System,
    /// Whether the person agrees.
    ask: &'a mut dyn FnMut(&Disk, &Notice) -> Result<bool>,
    /// Opens the disk.
    open: &'a mut dyn FnMut(&Disk) -> Result<Box<dyn Medium>>,
    /// Makes or reads the image of the card.
    image: &'a mut dyn FnMut() -> Result<Vec<u8>>,
    /// From when on Ctrl-C is noticed instead of ending the program.
    notice: &'a mut dyn FnMut() -> Result<Notice>,
    /// Whether there is a person to ask.
    terminal: bool,
}

/// What became of it.
#[derive(Debug)]
struct Flashed {
    disk: Disk,
    image_bytes: usize,
    /// So much of the image's start is on the disk.
    image_used: usize,
    image_sha256: String,
    /// The file that the image was read from; `None` for one that was made.
    image_file: Option<PathBuf>,
    /// How it was read back.
    read_back: Reading,
    /// Or the first difference.
    result: Result<Written, failure::Difference>,
}

fn flash(job: &Job<'_>, world: &mut World<'_>) -> Result<Flashed> {
    let disk = target::find(&world.system, job.device)?;
    refuse(&world.system, &disk, CARD_SIZE as u64, job.fixed_disk)?;
    let consent = consent::of(job, &disk, world.terminal)?;
    permitted(&disk)?;
    let image = (world.image)()?;
    // That took a while: what is shown is what is there now. Who is not asked has agreed to what was there before.
    let seen = read_anew(&world.system, &disk)?;
    if consent == Consent::Given {
        must_be_still(&seen, &disk)?;
    }
    refuse(&world.system, &seen, image.len() as u64, job.fixed_disk)?;
    let mut disk = seen.clone();
    contents::look(&world.system, &mut disk);
    // From here on Ctrl-C is answered with what the card is then.
    let notice = (world.notice)()?;
    match consent {
        Consent::Given => eprintln!("{}", ask::describe(&disk)),
        Consent::Ask => ensure!((world.ask)(&disk, &notice)?, "{} was not touched", disk.path.display()),
    }
    notice.check().with_context(|| format!("{} was not touched", disk.path.display()))?;
    let mut medium = (world.open)(&disk)?;
    // Now nobody else can mount it; and what was shown must be what is there.
    let now = read_anew(&world.system, &seen)?;
    must_be_still(&now, &seen)?;
    refuse(&world.system, &now, image.len() as u64, job.fixed_disk)?;

    let bar = bar();
    let mut progress = |phase, done, total| show(&bar, phase, done, total);
    let written = write::write(&mut *medium, &image, &notice, &mut progress);
    bar.finish_and_clear();
    let result = match written {
        Ok(written) => Ok(written),
        Err(Failure::Differs(difference)) => Err(difference),
        Err(failure) => return Err(explained(failure, &world.system, &seen)),
    };
    Ok(Flashed {
        disk,
        image_bytes: image.len(),
        image_used: extent::used(&image),
        image_sha256: hex_digest(&image),
        image_file: job.card.map(Path::to_owned),
        read_back: medium.reading(),
        result,
    })
}

/// The disk as the kernel knows it at this moment.
fn read_anew(system: &System, disk: &Disk) -> Result<Disk> {
    let now = Disk::read(system, &disk.name).ok().with_context(|| failure::gone(disk))?;
    Ok(Disk { path: disk.path.clone(), ..now })
}

fn must_be_still(now: &Disk, before: &Disk) -> Result<()> {
    ensure!(
        now.is_still(before),
        "{} is another disk or card now than the one before, and was not touched: type the same command to see it",
        now.path.display()
    );
    Ok(())
}

fn refuse(system: &System, disk: &Disk, needed: u64, fixed_disk: bool) -> Result<()> {
    let uses = in_use::uses(system, disk)?;
    match refuse::refusal(disk, &uses, needed, fixed_disk) {
        Some(refusal) => bail!("{}", refusal.explain(disk)),
        None => Ok(()),
    }
}

/// Found out before the card is made: the answer would be the same afterwards.
fn permitted(disk: &Disk) -> Result<()> {
    use rustix::fs::{Access, access};
    use rustix::io::Errno;
    match access(&disk.path, Access::READ_OK | Access::WRITE_OK) {
        Err(Errno::ACCESS | Errno::PERM) => bail!("{}", failure::not_permitted(disk)),
        permitted => permitted.with_context(|| format!("{} cannot be written", disk.path.display())),
    }
}

fn explained(failure: Failure, system: &System, disk: &Disk) -> anyhow::Error {
    // The cause follows after a colon.
    let aftermath = failure.aftermath().trim_end_matches('.');
    let is_there = Disk::read(system, &disk.name).is_ok_and(|now| now.is_still(disk));
    let path = disk.path.display();
    let what = if failure.is_of_device() && !is_there {
        format!(
            "{path} was unplugged while it was written. {aftermath}. The same command writes it from the beginning"
        )
    } else {
        format!("{path} is not finished. {aftermath}")
    };
    anyhow::Error::from(match failure {
        // So that the exit code is that of Ctrl-C.
        Failure::Interrupted(interrupted) => return anyhow::Error::new(interrupted).context(what),
        other => other,
    })
    .context(what)
}

/// The image to write: made by the options, or read.
fn image(options: &Options) -> Result<Vec<u8>> {
    match &options.card_image {
        Some(path) => read_image(path),
        None => Ok(run::make_card(&options.card)?.0.into_image()),
    }
}

fn read_image(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let there = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?;
    ensure!(there.is_file(), "{shown} is not the file of a card image; `cargo xtask sdcard` makes one");
    ensure!(
        there.len() <= LARGEST_IMAGE,
        "{shown} has {}: a card of `cargo xtask sdcard` has {}",
        size(there.len()),
        size(CARD_SIZE as u64)
    );
    let image = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let whole = image.len().is_multiple_of(emulator::card::SECTOR_SIZE) && image.len() >= plan::HEAD;
    ensure!(whole, "{shown} is no card image: {} bytes are no whole number of sectors", image.len());
    let card = Card::from_image(image);
    let kernel = card::kernel_name(&card);
    card.read_file(&kernel).with_context(|| format!("{shown}: no board would start from this card"))?;
    Ok(card.into_image())
}

/// Hidden where standard error is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let template = "{msg:8} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}";
    // A wrong template is a mistake of ours that costs the bar its look.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, phase: Phase, done: u64, total: u64) {
    let name = match phase {
        Phase::Write => "writing",
        Phase::Check => "checking",
    };
    if bar.message() != name {
        bar.set_message(name);
        bar.reset_elapsed();
    }
    bar.set_length(total);
    bar.set_position(done);
}
