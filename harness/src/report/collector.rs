//! Records in, report out.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    date::timestamp_of,
    firmware::Memory,
    inventory::Inventory,
    schema::{
        Asked, Counters, Image, Latency, Report, Reset, Rung, SCHEMA, ScenarioReport, StepReport, Timing,
    },
};
use crate::{
    histogram::{Histogram, Summary},
    record::{self, Damage, Fact, Frame, Record, frame::in_log_line},
    verdict::{Owner, Verdict},
};

/// What the collector cannot learn from records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// On which rung; [`Rung::Unknown`] if the records shall tell.
    pub rung: Rung,
    /// Where times come from; what is given here does not count for an unknown rung.
    pub timing: Timing,
    /// SHA-256 of `kernel8.img`, hex; empty without one.
    pub image_sha256: String,
    /// When the run began, Unix seconds.
    pub started: u64,
    /// VideoCore is played by the model.
    pub model_peer: bool,
}

/// How the run ended, seen from the PC.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Finish {
    /// Wall time in seconds.
    pub wall_s: u64,
    /// Why the machine stopped, if not by itself after the last record.
    pub stopped: Option<String>,
    /// The last lines of both logs, where each processor stood: for a run without a last record.
    pub last_words: Vec<String>,
    /// The verdict in the image's last line of plain text, if that line came.
    pub last_line: Option<Verdict>,
    /// A person ended the run, while the machine was running: nothing hung.
    pub by_hand: bool,
}

/// Takes records one by one.
pub struct Collector {
    setup: Setup,
    start: Option<record::Start>,
    /// By whichever life, each once: a run that begins without them has not reached them either.
    planned: Vec<String>,
    inventory: Inventory,
    scenarios: Vec<Pending>,
    running_step: Option<(String, String)>,
    resets: Vec<Reset>,
    end: Option<Verdict>,
    received: u16,
    lost: u32,
    damaged: Vec<Damage>,
}

/// What has gone wrong on the line so far. A damaged record leaves a gap once the next one comes, so neither number
/// alone is the whole, and their sum counts twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Trouble {
    lost: u32,
    damaged: u32,
}

impl Trouble {
    /// Records that have been lost or damaged since `earlier`, at least.
    fn since(self, earlier: Self) -> u32 {
        let lost = self.lost.saturating_sub(earlier.lost);
        lost.max(self.damaged.saturating_sub(earlier.damaged))
    }
}

/// A scenario whose records are still coming in.
struct Pending {
    name: String,
    end: Option<record::ScenarioEnd>,
    first_failure: Option<String>,
    steps: Vec<StepReport>,
    histograms: BTreeMap<String, Parts>,
    samples: BTreeMap<String, Raw>,
    at_start: Option<Counters>,
    at_end: Option<Counters>,
    log: Vec<String>,
    /// Records lost or damaged when it began.
    trouble_before: Trouble,
    trouble: Trouble,
}

/// A histogram whose parts are still coming in.
struct Parts {
    summary: Summary,
    expected: u16,
    seen: u16,
    buckets: Vec<(u16, u32)>,
}

/// Raw samples whose parts are still coming in.
struct Raw {
    kept: u16,
    cycles: Vec<u32>,
    /// A part came without the one before it.
    gap: bool,
}

impl Collector {
    /// Without records.
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            start: None,
            planned: Vec::new(),
            inventory: Inventory::default(),
            scenarios: Vec::new(),
            running_step: None,
            resets: Vec::new(),
            end: None,
            received: 0,
            lost: 0,
            damaged: Vec::new(),
        }
    }

    /// Takes a line of the decoded log, with what the machine's counters say now, if it has any. Returns the
    /// record in it, for a progress bar; `None` for a line that carries none or a damaged one.
    pub fn log_line(&mut self, line: &str, counters: Option<Counters>) -> Option<Record> {
        match in_log_line(line)? {
            Ok(frame) => {
                let record = frame.record.clone();
                self.frame(frame, counters);
                Some(record)
            }
            Err(damage) => {
                self.damage(damage);
                None
            }
        }
    }

    /// Notes a record that arrived damaged.
    pub fn damage(&mut self, damage: Damage) {
        self.damaged.push(damage);
    }

    /// Takes a frame, with what the machine's counters say now, if it has any.
    pub fn frame(&mut self, frame: Frame, counters: Option<Counters>) {
        // A reset of the board begins a new count.
        let first = matches!(frame.record, Record::Start(_) | Record::Resumed(_));
        let expected = if first || self.is_behind(&frame) { 0 } else { self.received };
        if expected == 0 && !first {
            // What the life before it was in has been cut off.
            self.running_step = None;
        }
        self.lost = self.lost.saturating_add(frame.sequence.wrapping_sub(expected).into());
        self.received = frame.sequence.wrapping_add(1);
        match frame.record {
            Record::Start(start) => self.start(start),
            Record::Resumed(resumed) => self.resume(resumed),
            Record::Before { name, verdict } => self.note_before(&name, verdict),
            Record::Planned { name } => {
                if !self.planned.iter().any(|planned| *planned == *name) {
                    self.planned.push(name.to_string());
                }
            }
            told @ (Record::Board(_)
            | Record::Clocks(_)
            | Record::Machine(_)
            | Record::Facts(_)
            | Record::Text(_)) => self.inventory.take(told),
            Record::ScenarioStart { name } => {
                let trouble_before = self.trouble();
                let mut pending = Pending::new(name.to_string(), trouble_before);
                pending.at_start = counters;
                self.scenarios.push(pending);
            }
            Record::StepStart { scenario, step } => {
                self.running_step = Some((scenario.to_string(), step.to_string()));
            }
            Record::Progress { .. } => {}
            Record::Step(step) => self.step(&step),
            Record::Latency(latency) => self.pending(&latency.scenario).latency(&latency),
            Record::Samples(samples) => self.pending(&samples.scenario).samples(&samples),
            Record::ScenarioEnd(end) => {
                let trouble = self.trouble();
                let pending = self.pending(&end.name);
                pending.trouble = trouble;
                pending.at_end = counters;
                pending.end = Some(end);
                self.running_step = None;
            }
            Record::End { verdict, .. } => self.end = Some(verdict),
        }
    }

    /// Keeps the last lines of both logs with a scenario. They are evidence of why it failed, so a report has them only if it
    /// did, which may be by what is lost of its records.
    pub fn keep_log(&mut self, scenario: &str, lines: Vec<String>) {
        if let Some(pending) = self.scenarios.iter_mut().rfind(|pending| pending.name == scenario) {
            pending.log = lines;
        }
    }

    /// The frame begins another run than the one whose records have come: it says so, or it begins a scenario that has
    /// begun before, and none runs twice. [`Collector::frame`] takes it for the same run nevertheless.
    pub fn begins_anew(&self, frame: &Frame) -> bool {
        match &frame.record {
            Record::Start(_) => self.has_begun(),
            Record::Resumed(_) => self.is_finished(),
            Record::ScenarioStart { name } => self.scenarios.iter().any(|pending| pending.name == **name),
            _ => false,
        }
    }

    /// A record has come.
    pub fn has_begun(&self) -> bool {
        self.start.is_some() || self.received > 0
    }

    /// The board has started again, and the record that says so is lost.
    fn is_behind(&self, frame: &Frame) -> bool {
        frame.sequence.wrapping_sub(self.received) > u16::MAX / 2
    }

    /// Whoever offers the line says that an emulated board is behind it.
    pub fn announce_emulated(&mut self) {
        self.inventory.announce_emulated();
    }

    /// What the caller knew when the run began, and may have learnt better.
    pub fn setup(&mut self) -> &mut Setup {
        &mut self.setup
    }

    /// The last record of a run has arrived.
    pub fn is_finished(&self) -> bool {
        self.end.is_some()
    }

    /// How many scenarios have been announced.
    pub fn planned(&self) -> usize {
        self.planned.len()
    }

    /// Writes the report. A run without a last record is `hung` where it stopped, `skip` if a person stopped it.
    pub fn finish(mut self, finish: Finish) -> Report {
        // After a fault of its own the image writes nothing but text, and that says `fail`: only then is there no last
        // record to lose.
        let lost_end = finish.last_line.filter(|verdict| self.end.is_none() && *verdict != Verdict::Fail);
        if let Some(verdict) = lost_end {
            self.lost = self.lost.saturating_add(1);
            self.close_lost();
            let reason =
                format_args!("the last record was lost on its way; the image ended with verdict {verdict}");
            self.add_end(Verdict::Fail, reason);
        } else if self.end.is_none() && finish.by_hand {
            self.close_cut_off();
        } else if self.end.is_none() {
            self.close_hung(finish.stopped.as_deref());
        } else {
            self.close_lost();
        }
        self.add_unreached(finish.by_hand);
        self.add_unseen();
        let (rung, timing, whereabouts) = self.where_it_ran();
        let start = self.start.take();
        let firmware = self.inventory.firmware();
        let answers = firmware.as_ref().map_or(&[][..], |firmware| &firmware.answers);
        let memory = self.inventory.memory(answers);
        let mut notes = self.notes();
        notes.extend(whereabouts);
        notes.extend(memory.iter().flat_map(Memory::changes));
        Report {
            schema: SCHEMA,
            image: Image {
                git: start.as_ref().map(|start| start.git.to_string()).unwrap_or_default(),
                sha256: self.setup.image_sha256.clone(),
                profile: start.as_ref().map(|start| start.profile.to_string()).unwrap_or_default(),
            },
            board: self.inventory.board(),
            rung,
            timing,
            clocks: self.inventory.clocks(),
            peer: self.inventory.peer(self.setup.model_peer),
            firmware,
            memory,
            throttled: self.inventory.throttled(),
            temperature: self.inventory.temperature(),
            plan: start.as_ref().map(Asked::of),
            started: timestamp_of(self.setup.started),
            wall_s: finish.wall_s,
            resets: self.resets,
            scenarios: self.scenarios.into_iter().map(Pending::into_report).collect(),
            notes,
            last_words: finish.last_words,
        }
    }

    /// The rung, where times come from, and what is to be said of it.
    fn where_it_ran(&self) -> (Rung, Timing, Option<String>) {
        match self.setup.rung {
            Rung::Unknown => self.inventory.whereabouts(),
            rung => (rung, self.setup.timing, None),
        }
    }

    fn start(&mut self, start: record::Start) {
        // A reset in the middle of a run that does not go on: what ran before it did not end.
        if self.start.is_some() && self.end.is_none() {
            self.close_hung(Some("the image started again"));
        }
        self.start = Some(start);
        self.inventory.restart();
    }

    /// The run goes on after a reset. What ended before it stands; what was running is about to be told.
    fn resume(&mut self, resumed: record::Resumed) {
        let record::Resumed { start, scenario, cause, .. } = resumed;
        if self.start.as_ref().is_some_and(|earlier| *earlier != start) {
            self.start(start);
        } else {
            self.start = Some(start);
            self.inventory.restart();
        }
        // What the machine did in between is not the scenario's.
        self.scenarios.iter_mut().filter(|pending| pending.end.is_none()).for_each(|pending| {
            pending.at_start = None;
        });
        self.running_step = None;
        self.resets.push(Reset { scenario: scenario.to_string(), cause });
    }

    /// A scenario that ended before the reset; news only to a log that began after it, or lost its end.
    fn note_before(&mut self, name: &str, verdict: Verdict) {
        let known = self.scenarios.iter().any(|pending| pending.name == name && pending.end.is_some());
        if known {
            return;
        }
        let pending = self.pending(name);
        pending.trouble = pending.trouble_before;
        pending.end = Some(record::ScenarioEnd {
            name: record::clipped(name),
            verdict,
            owner: None,
            reason: Some(record::clipped("its records from before the reset are missing")),
            counts: heapless::Vec::new(),
            took_us: None,
        });
    }

    /// Records lost and damaged so far.
    fn trouble(&self) -> Trouble {
        Trouble { lost: self.lost, damaged: self.damaged.len() as u32 }
    }

    /// The pending scenario of this name; one whose start was lost is made up.
    fn pending(&mut self, name: &str) -> &mut Pending {
        let place = self.scenarios.iter().rposition(|pending| pending.name == name);
        let place = place.unwrap_or_else(|| {
            // The start that is missing is this scenario's own trouble.
            let Trouble { lost, damaged } = self.trouble();
            let trouble_before = Trouble { lost: lost.saturating_sub(1), damaged };
            self.scenarios.push(Pending::new(name.to_owned(), trouble_before));
            self.scenarios.len() - 1
        });
        &mut self.scenarios[place]
    }

    fn step(&mut self, step: &record::Step) {
        self.running_step = None;
        let ended = StepReport {
            name: step.step.to_string(),
            verdict: step.verdict,
            owner: step.owner,
            reason: step.reason.as_ref().map(ToString::to_string),
            evidence: step.evidence.iter().map(|Fact { name, value }| (name.to_string(), *value)).collect(),
        };
        let pending = self.pending(&step.scenario);
        if step.verdict != Verdict::Pass && step.verdict != Verdict::Skip {
            pending.first_failure.get_or_insert_with(|| format!("{}: {}", ended.name, ended.detail()));
        }
        pending.steps.push(ended);
    }

    /// No last record: the scenario that was running hung; if none was, the image did not get to one.
    fn close_hung(&mut self, stopped: Option<&str>) {
        let mut reason = match (&self.running_step, self.start.is_some()) {
            (Some((_, step)), _) => format!("{step}: no further record from the image"),
            (None, true) => "no further record from the image".to_owned(),
            (None, false) => "no record from the image".to_owned(),
        };
        if let Some(stopped) = stopped {
            let _ = write!(reason, "; {stopped}");
        }
        let running = self.scenarios.iter_mut().rev().find(|pending| pending.end.is_none());
        let pending = match running {
            Some(pending) => pending,
            None => {
                let name = if self.scenarios.is_empty() { "boot" } else { "end" };
                let trouble = self.trouble();
                self.scenarios.push(Pending::new(name.to_owned(), trouble));
                let last = self.scenarios.len() - 1;
                &mut self.scenarios[last]
            }
        };
        if let (Some((scenario, step)), name) = (&self.running_step, &pending.name)
            && scenario == name
        {
            pending.steps.push(StepReport {
                name: step.clone(),
                verdict: Verdict::Hung,
                owner: None,
                reason: Some(reason.clone()),
                evidence: Vec::new(),
            });
        }
        pending.first_failure.get_or_insert(reason);
    }

    /// A person ended the run: the scenario that was running has no verdict of its own.
    fn close_cut_off(&mut self) {
        let step = self.running_step.take().map_or(String::new(), |(_, step)| format!("in {step}: "));
        let reason = format!("{step}the run was stopped by hand");
        let trouble = self.trouble();
        if !self.scenarios.iter().any(|pending| pending.end.is_none()) {
            self.scenarios.push(Pending::new("end".to_owned(), trouble));
        }
        for pending in self.scenarios.iter_mut().filter(|pending| pending.end.is_none()) {
            pending.trouble = trouble;
            pending.end = Some(record::ScenarioEnd {
                name: record::clipped(&pending.name),
                verdict: Verdict::Skip,
                owner: None,
                reason: Some(record::clipped(&reason)),
                counts: heapless::Vec::new(),
                took_us: None,
            });
        }
    }

    /// The run went on past the scenarios that have no end: their last record was lost, or damaged.
    fn close_lost(&mut self) {
        let trouble = self.trouble();
        for pending in self.scenarios.iter_mut().filter(|pending| pending.end.is_none()) {
            pending.trouble = trouble;
        }
    }

    /// The image's own verdict counts also where the records that explain it did not arrive.
    fn add_unseen(&mut self) {
        let Some(told) = self.end else { return };
        // A scenario without an end is no pass already.
        let seen: Option<Vec<Verdict>> =
            self.scenarios.iter().map(|pending| pending.end.as_ref().map(|end| end.verdict)).collect();
        let Some(seen) = seen else { return };
        let seen = seen.into_iter().reduce(Verdict::and).unwrap_or(Verdict::Pass);
        if seen.and(told) != seen {
            let reason =
                format_args!("the image ended with verdict {told}, and no record that arrived says why");
            self.add_end(Verdict::Fail, reason);
        }
    }

    /// A line for what belongs to no scenario that is known.
    fn add_end(&mut self, verdict: Verdict, reason: std::fmt::Arguments<'_>) {
        let mut pending = Pending::new("end".to_owned(), self.trouble());
        pending.end = Some(record::ScenarioEnd {
            name: record::clipped("end"),
            verdict,
            owner: Some(Owner::Harness),
            reason: Some(record::clipped(&reason.to_string())),
            counts: heapless::Vec::new(),
            took_us: None,
        });
        self.scenarios.push(pending);
    }

    /// A scenario that was asked for and never began is reported, not left out.
    fn add_unreached(&mut self, by_hand: bool) {
        let reason = match (self.lost > 0, by_hand) {
            (true, _) => "not reached, or its records were lost",
            (false, true) => "not reached: the run was stopped by hand",
            (false, false) => "not reached",
        };
        for name in std::mem::take(&mut self.planned) {
            if self.scenarios.iter().any(|pending| pending.name == name) {
                continue;
            }
            let mut pending = Pending::new(name.clone(), Trouble::default());
            pending.end = Some(record::ScenarioEnd {
                name: record::clipped(&name),
                verdict: Verdict::Skip,
                owner: None,
                reason: Some(record::clipped(reason)),
                counts: heapless::Vec::new(),
                took_us: None,
            });
            self.scenarios.push(pending);
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.lost > 0 {
            notes.push(format!("{} records lost on their way", self.lost));
        }
        // An image of another commit damages every record in the same way.
        let mut last = None;
        for damage in &self.damaged {
            if last.replace(damage) != Some(damage) {
                notes.push(format!("a damaged record: {damage}"));
            }
        }
        notes.extend(self.inventory.notes());
        notes
    }
}

impl Pending {
    fn new(name: String, trouble: Trouble) -> Self {
        Self {
            name,
            end: None,
            first_failure: None,
            steps: Vec::new(),
            histograms: BTreeMap::new(),
            samples: BTreeMap::new(),
            at_start: None,
            at_end: None,
            log: Vec::new(),
            trouble_before: trouble,
            trouble,
        }
    }

    fn latency(&mut self, latency: &record::Latency) {
        let summary =
            Summary { n: latency.n, min: latency.min, max: latency.max, overflow: latency.overflow };
        let parts = self.histograms.entry(latency.step.to_string()).or_insert(Parts {
            summary,
            expected: latency.parts,
            seen: 0,
            buckets: Vec::new(),
        });
        parts.seen = parts.seen.saturating_add(1);
        parts.buckets.extend(latency.buckets.iter().copied());
    }

    fn samples(&mut self, part: &record::Samples) {
        let raw = self.samples.entry(part.step.to_string()).or_insert(Raw {
            kept: part.kept,
            cycles: Vec::new(),
            gap: false,
        });
        raw.gap |= raw.cycles.len() != usize::from(part.first);
        raw.cycles.extend(part.cycles.iter().copied());
    }

    fn into_report(self) -> ScenarioReport {
        let mut latency = BTreeMap::new();
        let mut broken = None;
        for (step, parts) in self.histograms {
            match parts.histogram() {
                Ok(histogram) => latency.extend(Latency::of(&histogram).map(|figures| (step, figures))),
                Err(why) => broken = Some(format!("times of {step} are incomplete: {why}")),
            }
        }
        let mut samples = BTreeMap::new();
        for (step, raw) in self.samples {
            match raw.whole() {
                Ok(cycles) => drop(samples.insert(step, cycles)),
                Err(why) => broken = Some(format!("samples of {step} are incomplete: {why}")),
            }
        }
        let lost = self.trouble.since(self.trouble_before);
        if lost > 0 {
            broken = Some(format!("{lost} records lost or damaged on their way"));
        }
        let sides = self.at_start.zip(self.at_end).map(|(start, end)| end.since(start));
        let Some(end) = self.end else {
            let (verdict, owner, reason) = match self.first_failure {
                None if lost > 0 => (Verdict::Fail, Some(Owner::Harness), broken),
                reason => (Verdict::Hung, None, reason),
            };
            return ScenarioReport {
                verdict,
                owner,
                next: advice(&self.name, verdict, owner, reason.as_deref().unwrap_or_default()),
                name: self.name,
                reason,
                took_us: None,
                counts: BTreeMap::new(),
                latency,
                samples,
                sides: None,
                steps: self.steps,
                log: self.log,
            };
        };
        let counts = end.counts.iter().map(|Fact { name, value }| (name.to_string(), *value)).collect();
        let (verdict, owner, reason) = match (end.verdict, broken) {
            // A pass that cannot be shown is no pass.
            (Verdict::Pass, Some(why)) => (Verdict::Fail, Some(Owner::Harness), Some(why)),
            (verdict, _) => {
                let reason = self.first_failure.or(end.reason.map(|reason| reason.to_string()));
                let reason = if verdict == Verdict::Pass { None } else { reason };
                (verdict, end.owner, reason)
            }
        };
        let next = advice(&self.name, verdict, owner, reason.as_deref().unwrap_or_default());
        let log = if matches!(verdict, Verdict::Fail | Verdict::Hung) { self.log } else { Vec::new() };
        ScenarioReport {
            name: self.name,
            verdict,
            owner,
            reason,
            next,
            took_us: end.took_us,
            counts,
            latency,
            samples,
            sides,
            steps: self.steps,
            log,
        }
    }
}

/// What to look at next, as the report has it.
fn advice(scenario: &str, verdict: Verdict, owner: Option<Owner>, reason: &str) -> Option<String> {
    super::advice::advice(scenario, verdict, owner, reason).map(ToOwned::to_owned)
}

impl Parts {
    fn histogram(&self) -> Result<Histogram, String> {
        if self.seen != self.expected {
            return Err(format!("{} of {} parts", self.seen, self.expected));
        }
        Histogram::from_parts(self.summary, self.buckets.iter().copied()).map_err(|why| why.to_string())
    }
}

impl Raw {
    /// All of them, or why that cannot be said: samples with a gap would be another series.
    fn whole(self) -> Result<Vec<u32>, String> {
        if self.gap || self.cycles.len() != usize::from(self.kept) {
            return Err(format!("{} of {} samples", self.cycles.len(), self.kept));
        }
        Ok(self.cycles)
    }
}
