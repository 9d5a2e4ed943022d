//! What a person sees while the run goes on: a live view on a terminal, a line for each scenario elsewhere.

use std::time::Instant;

use harness::{Record, Verdict};

use super::intake::Counts;
use super::live::Live;
use crate::line::{Course, Entry};
use crate::terminal::{Look, printable, say};

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
    look: Look,
    began: Instant,
}

impl View {
    /// Live on a terminal, unless each line is shown anyway.
    pub fn new(wish: Wish) -> Self {
        let look = Look::of_stderr();
        // Such a terminal cannot draw anything anew.
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let live = (look.terminal && !is_dumb && !wish.log).then(Live::new);
        Self { wish, live, look, began: Instant::now() }
    }

    /// Says something beside the log.
    pub fn note(&self, text: &str) {
        self.aside(&printable(text));
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
        if let Some(said) = said_of(record, course, self.look) {
            self.aside(&said);
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

    /// A line that stays, with the time since listening began.
    fn aside(&self, text: &str) {
        let line = format!("[{:7.1} s] {text}", self.began.elapsed().as_secs_f64());
        match &self.live {
            // One that cannot be shown is lost to nobody: all of it is in the report.
            Some(live) => live.println(&line),
            None => eprintln!("{line}"),
        }
    }
}

/// What is said of a record, if anything. Its names are whatever the line says.
fn said_of(record: &Record, course: &Course, look: Look) -> Option<String> {
    match record {
        Record::ScenarioEnd(end) => {
            let place = course.place(&end.name).map(|place| format!("  ({place})")).unwrap_or_default();
            Some(format!("{}: {}{place}", printable(&end.name), coloured(end.verdict, look)))
        }
        Record::Resumed(resumed) => {
            let after = if resumed.scenario.is_empty() { "" } else { " in " };
            let (cause, scenario) = (resumed.cause.name(), printable(&resumed.scenario));
            Some(format!("the board was reset by the {cause}{after}{scenario}; the run goes on"))
        }
        _ => None,
    }
}

fn coloured(verdict: Verdict, look: Look) -> String {
    let colour = match verdict {
        Verdict::Pass => 32,
        Verdict::Skip | Verdict::Absent => 33,
        Verdict::Fail | Verdict::Hung => 31,
    };
    if look.colours { format!("\x1b[{colour}m{verdict}\x1b[0m") } else { verdict.to_string() }
}

#[cfg(test)]
mod tests {
    use harness::record::{ScenarioEnd, clipped};

    use super::*;

    #[test]
    fn a_name_from_the_line_does_not_command_the_terminal_and_a_verdict_has_its_colour() {
        let end = Record::ScenarioEnd(ScenarioEnd {
            name: clipped("\x1b[2J"),
            verdict: Verdict::Pass,
            owner: None,
            reason: None,
            counts: Default::default(),
            took_us: None,
        });
        let said = |look| said_of(&end, &Course::default(), look).expect("a line");
        assert_eq!(said(Look::PLAIN), "\\x1b[2J: pass");
        assert_eq!(said(Look { terminal: true, colours: true }), "\\x1b[2J: \x1b[32mpass\x1b[0m");
    }
}
