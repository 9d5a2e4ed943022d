//! The line's bytes become runs: which image speaks, what it says, where one run ends and the next begins.
//!
//! Nothing here waits or prints: [`super::listen`] does.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::Verdict;
use harness::banner::{Banner, BuildId};
use harness::record::frame::in_log_line;
use harness::record::{Damage, Frame, Record};
use harness::report::{Collector, Finish, Report, Rung, Setup, Timing};

use super::images::{Fit, Images};
use crate::line::{Announcement, Around, Course, Entry, Framer, LogLine, Piece, Recent, Side};

/// How the image's last line of text begins.
const LAST_LINE: &str = "harness: end, verdict ";
/// What a life that cannot go on with its run reports, after a first record of its own (docs/hangs.md).
const ENDS_THE_RUN_BEFORE: &str = "reset";
/// A board that starts anew so often at one place will do it again.
const MOST_STARTS_AT_ONE_PLACE: usize = 3;

/// What came of some bytes.
pub enum Heard {
    /// A line of the image's log, or what noise made of one.
    Line(Entry),
    /// A record.
    Record(Box<Record>),
    /// Something a person should know.
    Note(String),
    /// Another image than any ELF file at hand: its frames are not decoded.
    WrongImage(String),
    /// Another run has begun: the one before, which is over or was cut off.
    RunBefore(Box<Run>),
}

/// What has come so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Bytes.
    pub bytes: u64,
    /// Records that arrived whole.
    pub records: u64,
    /// Lines of text, and frames that could be decoded, with or without a record.
    pub sound: u64,
    /// Pieces that are neither a frame nor text, and records that arrived damaged.
    pub damaged: u64,
    /// Iterations of scenarios, as far as they were told.
    pub iterations: u64,
}

/// A run, from its first sign to its end.
pub struct Run {
    collector: Collector,
    /// Where it is.
    pub course: Course,
    recent: Recent,
    around: Around,
    began: Instant,
    /// The verdict in the last line of text, once that has come.
    last_line: Option<Verdict>,
    /// Something came of it.
    has_spoken: bool,
}

impl Run {
    fn new(setup: Setup) -> Self {
        Self {
            collector: Collector::new(setup),
            course: Course::default(),
            recent: Recent::default(),
            around: Around::default(),
            began: Instant::now(),
            last_line: None,
            has_spoken: false,
        }
    }

    /// Its last record came, or the last line of text.
    pub fn is_over(&self) -> bool {
        self.collector.is_finished() || self.last_line.is_some()
    }

    /// Nothing more of it will come.
    pub fn is_told(&self) -> bool {
        self.last_line.is_some()
    }

    /// A record or a line came.
    pub fn has_spoken(&self) -> bool {
        self.has_spoken
    }

    /// The report. `stopped` is why there is nothing more, for a run without a last record.
    pub fn finish(mut self, stopped: &str, took: Option<Duration>) -> Report {
        if let Some((scenario, lines)) = self.around.rest(&self.recent, &[]) {
            self.collector.keep_log(&scenario, lines);
        }
        let is_finished = self.collector.is_finished();
        let stopped = match self.last_line {
            Some(verdict) => format!("the image's last line is `{LAST_LINE}{verdict}`"),
            None => stopped.to_owned(),
        };
        let lines = self.recent.into_entries().map(|entry| entry.to_string());
        self.collector.finish(Finish {
            wall_s: took.unwrap_or_else(|| self.began.elapsed()).as_secs(),
            stopped: (!is_finished).then_some(stopped),
            last_words: if is_finished { Vec::new() } else { lines.collect() },
            last_line: self.last_line,
            // A person who ends listening may do so because nothing comes any more.
            by_hand: false,
        })
    }
}

/// Takes bytes.
pub struct Intake {
    images: Images,
    framer: Framer,
    run: Run,
    counts: Counts,
    /// A first record that may begin a new run, or may end this one.
    held: Option<Frame>,
    /// The card's image is none that can be decoded; why.
    wrong: Option<String>,
    /// The card's image has said which it is.
    is_known: bool,
    /// Something came that only the image says.
    is_ours: bool,
    /// The other side is an emulated board, whatever it says of itself.
    is_emulated: bool,
    /// It has said so before its first byte.
    announced: bool,
    /// When the run that is read began, Unix seconds, if it is not heard live.
    recorded: Option<u64>,
    last_us: u64,
    /// Where the runs before were cut off, as long as it is one place.
    cut_off_at: Vec<(String, String)>,
}

impl Intake {
    /// With nothing heard yet. `recorded` is the Unix time of a recording.
    pub fn new(images: Images, is_emulated: bool, recorded: Option<u64>) -> Self {
        let setup = setup_of(is_emulated, recorded);
        Self {
            images,
            framer: Framer::default(),
            run: Run::new(setup),
            counts: Counts::default(),
            held: None,
            wrong: None,
            is_known: false,
            is_ours: false,
            is_emulated,
            announced: false,
            recorded,
            last_us: 0,
            cut_off_at: Vec::new(),
        }
    }

    /// The run that is heard.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What has come so far, over all runs.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Why the frames are not decoded, if they are not.
    pub fn wrong_image(&self) -> Option<&str> {
        self.wrong.as_deref()
    }

    /// Something came that only the image says, or whoever offers an emulated one's line.
    pub fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// The board starts anew again and again where it started anew before.
    pub fn goes_in_circles(&self) -> Option<&(String, String)> {
        (self.cut_off_at.len() >= MOST_STARTS_AT_ONE_PLACE).then(|| self.cut_off_at.last())?
    }

    /// Takes bytes as they come.
    pub fn bytes(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for byte in bytes {
            self.counts.bytes += 1;
            if let Some(piece) = self.framer.byte(*byte) {
                self.piece(piece, &mut heard);
            }
        }
        heard
    }

    /// The line was cut: what comes next does not go on with what came last.
    pub fn cut(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        if let Some(piece) = self.framer.cut() {
            self.piece(piece, &mut heard);
        }
        heard
    }

    /// Nothing more will come on the line.
    pub fn end(&mut self) -> Vec<Heard> {
        let mut heard = self.cut();
        self.let_go(&mut heard);
        heard
    }

    /// Gives the run as it is, and listens for another.
    pub fn take_run(&mut self) -> Run {
        self.next_run()
    }

    fn next_run(&mut self) -> Run {
        let mut setup = setup_of(self.is_emulated, self.recorded);
        setup.image_sha256.clone_from(&self.run.collector.setup().image_sha256);
        let mut next = Run::new(setup);
        if self.announced {
            next.collector.announce_emulated();
        }
        std::mem::replace(&mut self.run, next)
    }

    fn piece(&mut self, piece: Piece, heard: &mut Vec<Heard>) {
        if let Piece::Text(text) = &piece {
            self.text(text, heard);
        }
        if self.wrong.is_some() && matches!(piece, Piece::Frame(_)) {
            return;
        }
        let Some(line) = self.line(piece) else { return };
        if !line.is_sound {
            self.counts.damaged += 1;
        } else {
            self.counts.sound += 1;
            self.run.has_spoken = true;
        }
        self.last_us = line.at_us.unwrap_or(self.last_us);
        let record = in_log_line(&line.message);
        self.is_ours |= record.as_ref().is_some_and(is_by_an_image);
        match record {
            Some(Ok(frame)) => self.frame(frame, heard),
            Some(Err(damage)) => {
                self.counts.damaged += 1;
                self.run.collector.damage(damage);
            }
            None => {
                let entry = self.entry(&line);
                self.run.recent.keep(entry.clone());
                heard.push(Heard::Line(entry));
            }
        }
    }

    /// `None` for a frame without any ELF file.
    fn line(&self, piece: Piece) -> Option<LogLine> {
        match (self.images.current(), piece) {
            (Some(image), piece) => Some(image.strings.line(piece)),
            (None, Piece::Text(text)) => Some(LogLine::text(text)),
            (None, Piece::Frame(_)) => None,
        }
    }

    /// By the image's own clock, as far as it has been told.
    fn entry(&self, line: &LogLine) -> Entry {
        Entry { at_us: self.last_us, side: Side::Arm, text: format!("{:5} {}", line.level, line.message) }
    }

    /// What can be read without an ELF file.
    fn text(&mut self, text: &str, heard: &mut Vec<Heard>) {
        if Announcement::is(text) {
            self.is_ours = true;
            self.announced = true;
            self.run.collector.announce_emulated();
        } else if let Some(banner) = Banner::parse(text) {
            self.banner(&banner, heard);
        } else if let Some(verdict) = text.strip_prefix(LAST_LINE) {
            self.is_ours = true;
            self.run.last_line = verdict_named(verdict);
        }
    }

    /// Each life of the image begins with it. It comes between scenarios, too, but not within one.
    fn banner(&mut self, banner: &Banner<'_>, heard: &mut Vec<Heard>) {
        self.run.around.reset(&self.run.recent, &[]);
        (self.is_known, self.is_ours) = (true, true);
        let fit = self.images.fit(banner);
        self.wrong = match fit {
            Fit::Right => None,
            Fit::Found(path) => {
                heard.push(Heard::Note(format!(
                    "the card's image is build {}: decoded by {}",
                    banner.build,
                    path.display()
                )));
                None
            }
            Fit::Wrong(why) => {
                if self.wrong.as_ref() != Some(&why) {
                    heard.push(Heard::WrongImage(why.clone()));
                }
                Some(why)
            }
        };
        self.run.collector.setup().image_sha256 =
            if self.wrong.is_none() { sha256(&self.images) } else { String::new() };
    }

    /// A record tells the build, too: the line of text may have been lost, or never heard.
    fn build(&mut self, build: BuildId, heard: &mut Vec<Heard>) {
        let decoder = self.images.current().and_then(|image| image.build);
        if decoder == Some(build) {
            self.is_known = true;
            self.run.collector.setup().image_sha256 = sha256(&self.images);
        } else if !std::mem::replace(&mut self.is_known, true) {
            let ours = decoder.map_or_else(
                || "one that does not say which build it is".to_owned(),
                |ours| ours.to_string(),
            );
            heard.push(Heard::Note(format!(
                "the card's image is build {build}, and the ELF file that decodes it is {ours}: its records are sound, but \
                 lines of its log may read wrong"
            )));
        }
    }

    fn frame(&mut self, frame: Frame, heard: &mut Vec<Heard>) {
        self.counts.records += 1;
        if let Some(first) = self.held.take() {
            let ends_the_run_before = matches!(
                &frame.record, Record::ScenarioStart { name } if name == ENDS_THE_RUN_BEFORE
            );
            if !ends_the_run_before {
                self.interrupt(heard);
            }
            self.take(first, heard);
        }
        if self.run.collector.begins_anew(&frame) {
            if matches!(frame.record, Record::Start(_)) && !self.run.is_over() {
                self.held = Some(frame);
                return;
            }
            self.interrupt(heard);
        }
        self.take(frame, heard);
    }

    /// The first record that was held back begins a run of its own: nothing came that says otherwise.
    fn let_go(&mut self, heard: &mut Vec<Heard>) {
        if let Some(first) = self.held.take() {
            self.interrupt(heard);
            self.take(first, heard);
        }
    }

    fn interrupt(&mut self, heard: &mut Vec<Heard>) {
        let place = (self.run.course.scenario.clone(), self.run.course.step.clone());
        if self.run.is_over() || self.cut_off_at.last() != Some(&place) {
            self.cut_off_at.clear();
        }
        if !self.run.is_over() {
            self.cut_off_at.push(place);
        }
        let run = self.next_run();
        self.run.has_spoken = true;
        heard.push(Heard::RunBefore(Box::new(run)));
    }

    fn take(&mut self, frame: Frame, heard: &mut Vec<Heard>) {
        let first = matches!(frame.record, Record::Start(_) | Record::Resumed(_));
        if !first && !self.run.collector.has_begun() {
            heard.push(Heard::Note(self.began_late(&frame)));
        }
        if let Record::Machine(machine) = &frame.record {
            self.build(BuildId::new(machine.build), heard);
        }
        let before = self.run.course.iterations.0;
        let record = frame.record.clone();
        self.run.course.record(&record);
        let (now, _) = self.run.course.iterations;
        self.counts.iterations += u64::from(now.saturating_sub(before));
        self.run.collector.frame(frame, None);
        if let Some((scenario, lines)) =
            self.run.around.record(&record, self.last_us, &self.run.recent, Vec::new)
        {
            self.run.collector.keep_log(&scenario, lines);
        }
        heard.push(Heard::Record(Box::new(record)));
    }
}

impl Intake {
    fn began_late(&self, frame: &Frame) -> String {
        let path = self.images.current().map(|image| image.path.display().to_string()).unwrap_or_default();
        let which = if self.is_known {
            String::new()
        } else {
            format!("; the image's build was not told, {path} decodes it")
        };
        format!("the run had begun before: its first {} records are missing{which}", frame.sequence)
    }
}

/// Its checksum is right; so is that of an image of another commit.
fn is_by_an_image(record: &Result<Frame, Damage>) -> bool {
    matches!(record, Ok(_) | Err(Damage::Version(_) | Damage::Contents))
}

fn sha256(images: &Images) -> String {
    images.current().map(|image| image.sha256.clone()).unwrap_or_default()
}

/// Which image runs is not known before it has told, nor on what.
fn setup_of(is_emulated: bool, recorded: Option<u64>) -> Setup {
    let (rung, timing) =
        if is_emulated { (Rung::Emulated, Timing::Modelled) } else { (Rung::Unknown, Timing::Unknown) };
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Setup {
        rung,
        timing,
        image_sha256: String::new(),
        started: recorded.unwrap_or_else(now),
        model_peer: false,
    }
}

fn verdict_named(name: &str) -> Option<Verdict> {
    [Verdict::Pass, Verdict::Skip, Verdict::Absent, Verdict::Fail, Verdict::Hung]
        .into_iter()
        .find(|verdict| verdict.name() == name)
}
