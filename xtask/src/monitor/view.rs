//! What a person sees while the run goes on: a live view on a terminal, a line for each scenario elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::Instant;

use harness::{Record, Verdict};

use super::intake::Counts;
use super::live::Live;
use crate::line::{Course, Entry};
use crate::terminal::say;

/// What to show.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Every line of the log.
    pub log: bool,
    /// Standard output is for a program.
    pub json: bool,
}

/// Shows how the run gets on.
pub struct View {
    wish: Wish,
    live: Option<Live>,
    is_coloured: bool,
    began: Instant,
}

impl View {
    /// Live on a terminal, unless each line is shown anyway.
    pub fn new(wish: Wish) -> Self {
        let is_terminal = stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            wish,
            live: (is_terminal && !is_dumb && !wish.log).then(Live::new),
            is_coloured: is_terminal && !is_dumb && !no_color,
            began: Instant::now(),
        }
    }

    /// Says something beside the log.
    pub fn note(&self, text: &str) {
        self.aside(text);
    }

    /// A line of the image's log.
    pub fn line(&mut self, entry: &Entry) {
        if self.wish.log {
            self.log(entry);
        } else if let Some(live) = &mut self.live {
            live.line(entry);
        }
    }

    /// A record, which has moved the course.
    pub fn record(&self, record: &Record, course: &Course) {
        match record {
            Record::ScenarioEnd(end) => self.scenario(&end.name, end.verdict, course),
            Record::Resumed(resumed) => {
                let after = if resumed.scenario.is_empty() { "" } else { " in " };
                self.aside(&format!(
                    "the board was reset by the {}{after}{}; the run goes on",
                    resumed.cause.name(),
                    resumed.scenario
                ));
            }
            _ => {}
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, course: &Course, counts: Counts, waits_for: Option<&str>) {
        if let Some(live) = &mut self.live {
            live.tick(course, counts, waits_for);
        }
    }

    /// Prints a result, with the live view out of the way.
    pub fn aside_of(&self, print: impl FnOnce()) {
        match &self.live {
            Some(live) => live.suspend(print),
            None => print(),
        }
    }

    /// Takes the live view away.
    pub fn clear(&mut self) {
        if let Some(live) = self.live.take() {
            live.clear();
        }
    }

    fn log(&self, entry: &Entry) {
        if self.wish.json {
            eprintln!("{entry}");
        } else {
            say!("{entry}");
        }
    }

    fn scenario(&self, name: &str, verdict: Verdict, course: &Course) {
        let place = course.place(name).map(|place| format!("  ({place})")).unwrap_or_default();
        self.aside(&format!("{name}: {}{place}", self.coloured(verdict)));
    }

    /// A line that stays, with the time since listening began.
    fn aside(&self, text: &str) {
        let line = format!("[{:7.1} s] {text}", self.began.elapsed().as_secs_f64());
        match &self.live {
            // One that cannot be shown is lost to nobody: all of it is in the report.
            Some(live) => live.println(&line),
            None => eprintln!("{line}"),
        }
    }

    fn coloured(&self, verdict: Verdict) -> String {
        let colour = match verdict {
            Verdict::Pass => 32,
            Verdict::Skip | Verdict::Absent => 33,
            Verdict::Fail | Verdict::Hung => 31,
        };
        if self.is_coloured { format!("\x1b[{colour}m{verdict}\x1b[0m") } else { verdict.to_string() }
    }
}
