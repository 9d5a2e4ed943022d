//! The two sides of a comparison: reports that are there, or runs that are made for it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};
use clap::ValueEnum;
use emulator::board::Board;
use harness::Plan;
use harness::report::{PeerKind, Report, Timing};
use serde::Serialize;

use crate::cli::BoardOptions;
use crate::firmware::{Release, Variant};
use crate::interrupt::Notice;
use crate::run::{Done, Rig, side_by_side};
use crate::{build, firmware, paths, report};

/// What a person named.
#[derive(Clone, Debug)]
pub enum Named {
    /// Reports, of runs that are to be taken together.
    Reports(Vec<PathBuf>),
    /// A release that is to be run.
    Release {
        /// Which.
        release: Release,
        /// Which build of it.
        variant: Variant,
    },
}

impl Named {
    /// `a.json`, `a.json,b.json`, `RELEASE` or `RELEASE:VARIANT`.
    ///
    /// # Errors
    /// If there is no such file or release, or it lacks the variant.
    pub fn parse(text: &str) -> Result<Self> {
        let is_file = |name: &str| name.ends_with(".json") || Path::new(name).is_file();
        let names: Vec<&str> = text.split(',').collect();
        if names.iter().all(|name| is_file(name)) {
            return Ok(Self::Reports(names.into_iter().map(PathBuf::from).collect()));
        }
        ensure!(
            names.len() == 1,
            "{text}: a list with commas is of report files; of releases there is one a side"
        );
        let (name, variant) = text.split_once(':').unwrap_or((text, Variant::Start.name()));
        let variant = Variant::from_str(variant, false).ok().with_context(|| {
            format!("{text}: {variant} is no build of the firmware: start, start_db, start_x or start_cd")
        })?;
        let release = firmware::at_hand(Some(name))
            .with_context(|| format!("{text} is neither a file nor a firmware release"))?;
        release.read(variant.start_file())?;
        Ok(Self::Release { release, variant })
    }
}

/// How releases are run.
#[derive(Clone, Debug)]
pub struct Runs {
    /// What the image does; its seed is that of the first run.
    pub plan: Plan,
    /// How many runs, each with the next seed.
    pub count: u32,
    /// On which board.
    pub board: Board,
    /// How the image is built.
    pub build: build::Options,
    /// Seconds on the PC after which a run is ended.
    pub timeout_s: u64,
}

impl Runs {
    /// The card of a release, ready to be booted.
    ///
    /// # Errors
    /// If a file is missing or the image cannot be built.
    pub fn rig(&self, release: &Release, variant: Variant) -> Result<Rig> {
        let options = BoardOptions {
            firmware: Some(release.name.clone()),
            variant,
            board: self.board,
            seed: self.plan.seed,
            build: self.build.clone(),
        };
        Ok(Rig::set_up(&options)?.limited(self.timeout_s))
    }

    /// The plan of one run.
    pub fn plan_of(&self, run: usize) -> Plan {
        Plan { seed: self.plan.seed.wrapping_add(run as u64), ..self.plan.clone() }
    }
}

/// A side with its reports.
#[derive(Clone, Debug)]
pub struct Side {
    /// As it was named.
    pub name: String,
    /// One a run, at least one.
    pub reports: Vec<Report>,
}

impl Side {
    /// Of each run that tells it.
    pub fn seeds(&self) -> Vec<u64> {
        self.reports.iter().filter_map(|report| Some(report.plan.as_ref()?.seed)).collect()
    }

    /// The run that stands for the side: the first that tells its timing and clocks.
    pub fn reference(&self) -> &Report {
        let timed = |report: &&Report| report.timing != Timing::Unknown;
        let find =
            |clocks: bool| self.reports.iter().filter(timed).find(|one| !clocks || one.clocks.arm_hz != 0);
        find(true).or_else(|| find(false)).unwrap_or(&self.reports[0])
    }

    /// The name of each scenario of each run.
    pub fn scenarios(&self) -> impl Iterator<Item = &str> {
        self.reports.iter().flat_map(|report| &report.scenarios).map(|scenario| scenario.name.as_str())
    }
}

/// Reads the reports of both sides, or makes them.
///
/// # Errors
/// If a file is no report, a board does not start, or Ctrl-C came.
pub fn both(names: [&str; 2], runs: &Runs, interrupts: &Notice) -> Result<[Side; 2]> {
    let [a, b] = names.map(Named::parse);
    let named = [a?, b?];
    // Before anything is run: a file that is no report should not cost the time of a run.
    let mut sides = [Vec::new(), Vec::new()];
    for (named, reports) in named.iter().zip(&mut sides) {
        if let Named::Reports(paths) = named {
            *reports = paths.iter().map(|path| report::read(path)).collect::<Result<_>>()?;
        }
    }
    let rigs = named.each_ref().map(|named| match named {
        Named::Reports(_) => Ok(None),
        Named::Release { release, variant } => {
            runs.rig(release, *variant).map(|rig| Some(rig.interrupted_by(interrupts)))
        }
    });
    let [a, b] = rigs;
    let rigs = [a?, b?];
    let jobs: Vec<(usize, usize)> = (0..runs.count as usize)
        .flat_map(|run| [(0, run), (1, run)])
        .filter(|(side, _)| rigs[*side].is_some())
        .collect();
    let made = side_by_side(jobs.len(), |job| {
        let (side, run) = jobs[job];
        let rig = rigs[side].as_ref().context("a side without a board")?;
        let plan = runs.plan_of(run);
        interrupts.check()?;
        let done: Done = rig.boot(&plan, None).with_context(|| names[side].to_owned())?;
        if let Some(interrupted) = done.interrupted {
            let told =
                "nothing was compared; the reports of the runs that ended are in target/report/compare";
            return Err(Error::new(interrupted).context(told));
        }
        let report = done.report;
        eprintln!("{}, seed {}: {} in {} s", names[side], plan.seed, report.verdict(), report.wall_s);
        let file = format!("report/compare/{}-{}.json", names[side].replace(':', "-"), plan.seed);
        report::write_all(&report, &paths::target().join(file))?;
        Ok((side, report))
    })?;
    for (side, report) in made {
        sides[side].push(report);
    }
    let [a, b] = sides;
    let side = |index: usize, reports| Side { name: names[index].to_owned(), reports };
    Ok([side(0, a), side(1, b)])
}

/// What a side is, by the report that stands for it.
#[derive(Clone, Debug, Serialize)]
pub struct Identity {
    /// As it was named.
    pub name: String,
    /// Reports.
    pub runs: usize,
    /// `emulated`, `board` ….
    pub rung: &'static str,
    /// `measured` or `modelled`.
    pub timing: &'static str,
    /// Model and SoC.
    pub board: String,
    /// Commit of the image.
    pub image: String,
    /// Who answered: kind, variant, day and hash of the build.
    pub peer: String,
    /// Hz of the Arm.
    pub arm_hz: u32,
    /// Hz of the core.
    pub core_hz: u32,
    /// Of each run.
    pub seeds: Vec<u64>,
}

impl Identity {
    /// Reads it off.
    pub fn of(side: &Side) -> Self {
        let first = side.reference();
        let peer = &first.peer;
        let hash = peer.build_id.get(..10).unwrap_or(&peer.build_id);
        Self {
            name: side.name.clone(),
            runs: side.reports.len(),
            rung: first.rung.name(),
            timing: first.timing.name(),
            board: format!("{} ({})", first.board.model, first.board.soc),
            image: first.image.git.clone(),
            peer: match peer.kind {
                PeerKind::Absent => "no VideoCore firmware".to_owned(),
                kind => format!("{} {} of {} ({hash})", kind.name(), peer.variant, peer.date),
            },
            arm_hz: first.clocks.arm_hz,
            core_hz: first.clocks.core_hz,
            seeds: side.seeds(),
        }
    }
}
