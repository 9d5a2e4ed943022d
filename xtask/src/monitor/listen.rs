//! Listens until the run has ended, or something ends the listening.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::hints;
use super::intake::{Heard, Intake, Run};
use super::results::Results;
use super::source::{Event, Listening};
use super::view::View;
use crate::interrupt::{Interrupted, Notice};
use crate::line::Recording;
use crate::report;
use crate::terminal::{printable, say};

/// Between two looks at clocks and signals.
const TICK: Duration = Duration::from_millis(50);
/// Time for the last line of text behind the last record.
const LAST_LINE_PATIENCE: Duration = Duration::from_millis(500);

/// Why a run has no end though the board goes on.
const STARTED_ANEW: &str = "the board was started anew, by its power or by hand";

/// When listening ends by itself, beside the end of the run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Without a byte so long after the beginning.
    pub first_byte: Option<Duration>,
    /// So long after the beginning.
    pub wall: Option<Duration>,
}

/// Why listening ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// The run has ended.
    Told,
    /// There is no more to read.
    NoMore,
    /// Ctrl-C.
    Interrupted(Interrupted),
    /// The time is up.
    Limit,
    /// No byte has come.
    Silence,
    /// The board starts anew at the same place, over and over.
    Circles,
}

impl Why {
    /// As the reason of a run that did not come to its end.
    fn in_words(&self, limits: Limits) -> String {
        let seconds = |limit: Option<Duration>| limit.unwrap_or_default().as_secs();
        match self {
            Self::Told | Self::NoMore => "the recording ends here".to_owned(),
            Self::Interrupted(_) => "listening was ended".to_owned(),
            Self::Limit => format!("the limit of {} s was reached", seconds(limits.wall)),
            Self::Silence => format!("no byte came within {} s", seconds(limits.first_byte)),
            Self::Circles => "the board starts anew at the same place, over and over".to_owned(),
        }
    }
}

/// What listening needs.
pub struct Listener {
    /// Bytes in, runs out.
    pub intake: Intake,
    /// What a person sees.
    pub view: View,
    /// The bytes as they came; none for a recording.
    pub recording: Option<Recording>,
    /// The reports.
    pub results: Results,
    /// When it ends.
    pub limits: Limits,
    /// Listens on after a run.
    pub stays: bool,
    /// Nothing is to be printed on standard output.
    pub json: bool,
    /// Where bytes come from, in words.
    pub source: String,
    /// Rate of a serial port.
    pub baud: Option<u32>,
    /// The source is a recording: no time passes in it.
    pub is_recording: bool,
    /// Ctrl-C.
    pub interrupts: Notice,
}

/// Clocks of the listening.
struct Clocks {
    began: Instant,
    last_byte: Instant,
    over_since: Option<Instant>,
    /// The hint about the present silence has been given.
    said_silent: bool,
    said_unsound: bool,
    is_gone: bool,
}

impl Listener {
    /// Listens to the end. Every run that was heard has its report by then.
    ///
    /// # Errors
    /// If a report cannot be written.
    pub fn listen(&mut self, listening: &Listening) -> Result<Why> {
        let now = Instant::now();
        let mut clocks = Clocks {
            began: now,
            last_byte: now,
            over_since: None,
            said_silent: false,
            said_unsound: false,
            is_gone: false,
        };
        let why = self.until_the_end(listening, &mut clocks)?;
        let heard = self.intake.end();
        self.take(heard)?;
        let run = self.intake.take_run();
        let nothing_to_tell = matches!(why, Why::Interrupted(_)) || !self.results.is_empty();
        let is_refused = self.intake.wrong_image().is_some() || self.nothing_of_ours().is_some();
        if why != Why::Told && !is_refused && (run.has_spoken() || !nothing_to_tell) {
            self.finish(run, &why.in_words(self.limits))?;
        }
        self.view.clear();
        Ok(why)
    }

    /// What is wrong with a recording that holds nothing of the harness; a line that is heard may yet say something.
    pub fn nothing_of_ours(&self) -> Option<String> {
        let is_other = self.is_recording && !self.intake.is_ours() && self.intake.wrong_image().is_none();
        is_other.then(|| hints::nothing_of_ours(&self.source, self.intake.counts()))
    }

    fn until_the_end(&mut self, listening: &Listening, clocks: &mut Clocks) -> Result<Why> {
        loop {
            match listening.events.recv_timeout(TICK) {
                Ok(Event::Bytes(bytes)) => {
                    clocks.last_byte = Instant::now();
                    clocks.said_silent = false;
                    self.record(&bytes);
                    let heard = self.intake.bytes(&bytes);
                    self.take(heard)?;
                }
                Ok(Event::Gone(why)) => {
                    clocks.is_gone = true;
                    // A replay must not join what was torn apart either.
                    self.record(&[0]);
                    let heard = self.intake.cut();
                    self.take(heard)?;
                    self.view.note(&format!("{} is gone ({why}): waiting for it to come back", self.source));
                }
                Ok(Event::Back(name)) => {
                    clocks.is_gone = false;
                    clocks.last_byte = Instant::now();
                    self.view.note(&format!("{name} is back"));
                }
                Ok(Event::End) | Err(RecvTimeoutError::Disconnected) => return Ok(Why::NoMore),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Err(interrupted) = self.interrupts.check() {
                return Ok(Why::Interrupted(interrupted));
            }
            if self.run_is_told(clocks) {
                let run = self.intake.take_run();
                clocks.over_since = None;
                if self.intake.wrong_image().is_none() {
                    self.finish(run, "")?;
                }
                if !self.stays && !self.is_recording {
                    return Ok(Why::Told);
                }
            }
            if let Some(why) = self.time_is_up(clocks) {
                return Ok(why);
            }
            self.look_around(clocks);
        }
    }

    /// The run has ended, and its last line of text has come or does not come.
    fn run_is_told(&self, clocks: &mut Clocks) -> bool {
        let run = self.intake.run();
        if !run.is_over() {
            return false;
        }
        let since = *clocks.over_since.get_or_insert_with(Instant::now);
        run.is_told() || (!self.is_recording && since.elapsed() >= LAST_LINE_PATIENCE)
    }

    fn time_is_up(&self, clocks: &Clocks) -> Option<Why> {
        let is_past = |limit: Option<Duration>| limit.is_some_and(|limit| clocks.began.elapsed() >= limit);
        if self.intake.goes_in_circles().is_some() {
            return Some(Why::Circles);
        }
        if self.is_recording {
            return None;
        }
        if self.intake.counts().bytes == 0 && is_past(self.limits.first_byte) {
            return Some(Why::Silence);
        }
        is_past(self.limits.wall).then_some(Why::Limit)
    }

    /// Shows how it gets on, and says what to check if it does not.
    fn look_around(&mut self, clocks: &mut Clocks) {
        let counts = self.intake.counts();
        let course = &self.intake.run().course;
        let waits_for = match (clocks.is_gone, self.intake.wrong_image()) {
            (true, _) => Some("waiting for the port"),
            (_, Some(_)) => Some("another image: recorded, not decoded"),
            _ if counts.bytes == 0 => Some("waiting for the board"),
            _ => None,
        };
        self.view.tick(course, counts, waits_for);
        if self.is_recording || clocks.is_gone {
            return;
        }
        let silence = clocks.last_byte.elapsed();
        let patience = if counts.bytes == 0 { hints::SILENCE_AT_FIRST } else { hints::SILENCE_LATER };
        if silence >= patience && !clocks.said_silent {
            clocks.said_silent = true;
            self.view.note(&match counts.bytes {
                0 => hints::nothing_came(&self.source, self.baud),
                _ => hints::silent_since(silence, course),
            });
        }
        if !clocks.said_unsound
            && self.intake.wrong_image().is_none()
            && let Some(hint) = hints::nothing_is_sound(counts, self.baud)
        {
            clocks.said_unsound = true;
            self.view.note(&hint);
        }
    }

    fn record(&mut self, bytes: &[u8]) {
        let Some(recording) = &mut self.recording else { return };
        if let Err(error) = recording.add(bytes) {
            self.view.note(&format!("{error:#}"));
        }
    }

    fn take(&mut self, heard: Vec<Heard>) -> Result<()> {
        for one in heard {
            match one {
                Heard::Line(entry) => self.view.line(&entry),
                Heard::Record(record) => self.view.record(&record, &self.intake.run().course),
                Heard::Note(text) => self.view.note(&text),
                Heard::WrongImage(why) => self
                    .view
                    .note(&format!("{why}. Until then its frames are not decoded, but every byte is kept")),
                Heard::RunBefore(run) => {
                    if !run.is_over() {
                        self.view
                            .note("the board was started anew in the middle of the run: that run is cut off");
                    }
                    self.finish(*run, STARTED_ANEW)?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, run: Run, stopped: &str) -> Result<()> {
        let took = self.is_recording.then_some(Duration::ZERO);
        let report = run.finish(stopped, took);
        if !self.json {
            self.view.aside_of(|| {
                say!("{}", report::summary(&report).trim_end());
                report.last_words.iter().for_each(|line| say!("  {}", printable(line)));
            });
        }
        if let Some(path) = self.results.add(report)?
            && self.stays
        {
            self.view.note(&format!("the report of the run before is {} now", path.display()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use harness::report::{Collector, Finish, Rung, Setup, Timing};

    use super::*;

    /// What a report advises if its run ended so.
    fn advice(stopped: &str) -> String {
        let setup = Setup {
            rung: Rung::Board,
            timing: Timing::Measured,
            image_sha256: String::new(),
            started: 0,
            model_peer: false,
        };
        let finish = Finish { stopped: Some(stopped.to_owned()), ..Finish::default() };
        let report = Collector::new(setup).finish(finish);
        report.scenarios.into_iter().find_map(|scenario| scenario.next).unwrap_or_default()
    }

    #[test]
    fn each_way_to_end_listening_has_advice_that_fits_it() {
        let limits =
            Limits { first_byte: Some(Duration::from_secs(15)), wall: Some(Duration::from_secs(900)) };
        for (why, fits) in [
            (Why::NoMore, "record up to the last line"),
            (Why::Interrupted(Interrupted { signal: 2 }), "still sending"),
            (Why::Limit, "--limit-s of `monitor`"),
            (Why::Silence, "--baud"),
            (Why::Circles, "power supply"),
        ] {
            let advice = advice(&why.in_words(limits));
            assert!(advice.contains(fits), "{why:?}: {advice}");
        }
        assert!(advice(STARTED_ANEW).contains("a report of its own"));
    }
}
