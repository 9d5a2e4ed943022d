//! What a person sees while the run goes on: a live view on a terminal, a line for each scenario elsewhere.

use std::collections::VecDeque;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use harness::{Record, Verdict};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::intake::Counts;
use crate::line::{Course, Entry};
use crate::terminal::say;

/// Between two updates of the live view.
const BETWEEN_UPDATES: Duration = Duration::from_millis(100);
/// Rates are those of this time.
const RATE_WINDOW: Duration = Duration::from_secs(2);
/// Lines of the log that the live view shows.
const LINES: usize = 5;

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
            Some(live) => live.all.suspend(print),
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
        let place = course.place().map(|place| format!("  ({place})")).unwrap_or_default();
        self.aside(&format!("{name}: {}{place}", self.coloured(verdict)));
    }

    /// A line that stays, with the time since listening began.
    fn aside(&self, text: &str) {
        let line = format!("[{:7.1} s] {text}", self.began.elapsed().as_secs_f64());
        match &self.live {
            // One that cannot be shown is lost to nobody: all of it is in the report.
            Some(live) => drop(live.all.println(line)),
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

/// A few lines at the bottom of the terminal, which are drawn anew.
struct Live {
    all: MultiProgress,
    run: ProgressBar,
    scenario: ProgressBar,
    rates: ProgressBar,
    log: Vec<ProgressBar>,
    lines: VecDeque<String>,
    history: Rates,
    shown: Option<Instant>,
}

impl Live {
    fn new() -> Self {
        let all = MultiProgress::new();
        let bar = |template: &str| {
            let bar = all.add(ProgressBar::new(0));
            // A wrong template is a mistake of ours that costs the bar its look, not the run its result.
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        };
        let log = (0..LINES).map(|_| bar("{wide_msg}")).collect();
        let run = bar("{spinner} [{elapsed}] {bar:24} {pos}/{len} scenarios  {wide_msg}");
        let scenario = bar("  {bar:24} {wide_msg}");
        let rates = bar("  {wide_msg}");
        Self {
            all,
            run,
            scenario,
            rates,
            log,
            lines: VecDeque::new(),
            history: Rates::default(),
            shown: None,
        }
    }

    fn line(&mut self, entry: &Entry) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        // A line of many lines, such as a register dump, would move the view.
        self.lines.push_back(entry.to_string().lines().next().unwrap_or_default().to_owned());
    }

    fn tick(&mut self, course: &Course, counts: Counts, waits_for: Option<&str>) {
        if self.shown.is_some_and(|shown| shown.elapsed() < BETWEEN_UPDATES) {
            return;
        }
        self.shown = Some(Instant::now());
        self.history.note(Instant::now(), counts);
        self.run.set_length(course.planned.len() as u64);
        self.run.set_position(course.ended.len() as u64);
        self.run.set_message(waits_for.map_or_else(|| said_of_run(course), ToOwned::to_owned));
        let (done, total) = of_scenario(course);
        self.scenario.set_length(total);
        self.scenario.set_position(done);
        self.scenario.set_message(said_of_scenario(course));
        self.rates.set_message(self.history.to_string());
        for (bar, line) in self.log.iter().zip(&self.lines) {
            bar.set_message(line.clone());
        }
        self.run.tick();
    }

    fn clear(self) {
        for bar in self.log.iter().chain([&self.run, &self.scenario, &self.rates]) {
            bar.finish_and_clear();
        }
    }
}

fn said_of_run(course: &Course) -> String {
    let verdicts = |wanted: Verdict| course.ended.iter().filter(|(_, verdict)| *verdict == wanted).count();
    let all = [Verdict::Pass, Verdict::Skip, Verdict::Absent, Verdict::Fail, Verdict::Hung];
    let counted = all.into_iter().map(|verdict| (verdict, verdicts(verdict))).filter(|(_, count)| *count > 0);
    counted.map(|(verdict, count)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ")
}

/// Iterations where the scenario tells them, steps elsewhere.
fn of_scenario(course: &Course) -> (u64, u64) {
    match course.iterations {
        (_, 0) => (course.steps as u64, course.steps_in_all().unwrap_or(0) as u64),
        (done, total) => (u64::from(done), u64::from(total)),
    }
}

fn said_of_scenario(course: &Course) -> String {
    let Course { scenario, step, iterations: (done, total), .. } = course;
    let iterations = if *total == 0 { String::new() } else { format!(", {done} of {total} iterations") };
    let steps = course.steps_in_all().map(|all| format!(", {} of {all} steps", course.steps));
    let step = if step.is_empty() { String::new() } else { format!(": {step}") };
    format!("{scenario}{step}{}{iterations}", steps.unwrap_or_default())
}

/// What came in the last seconds.
#[derive(Debug, Default)]
struct Rates {
    past: VecDeque<(Instant, Counts)>,
}

impl Rates {
    fn note(&mut self, now: Instant, counts: Counts) {
        while self.past.len() > 1
            && self.past.front().is_some_and(|(at, _)| now.duration_since(*at) > RATE_WINDOW)
        {
            self.past.pop_front();
        }
        self.past.push_back((now, counts));
    }
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Some((from, before)), Some((to, now))) = (self.past.front(), self.past.back()) else {
            return Ok(());
        };
        let seconds = to.duration_since(*from).as_secs_f64();
        let rate = |now: u64, before: u64| {
            if seconds > 0.0 { (now.saturating_sub(before) as f64 / seconds).round() } else { 0.0 }
        };
        write!(
            f,
            "{:.0} records/s, {:.0} iterations/s, {:.0} bytes/s; {} bytes, {} damaged",
            rate(now.records, before.records),
            rate(now.iterations, before.iterations),
            rate(now.bytes, before.bytes),
            now.bytes,
            now.damaged
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let mut rates = Rates::default();
        let begun = Instant::now();
        for second in 0..10 {
            let counts = Counts { bytes: second * second * 100, records: second * 10, ..Counts::default() };
            rates.note(begun + Duration::from_secs(second), counts);
        }
        let said = rates.to_string();
        assert!(
            said.starts_with("10 records/s, 0 iterations/s, 1600 bytes/s; 8100 bytes, 0 damaged"),
            "{said}"
        );
    }

    #[test]
    fn the_ladder_is_told_by_its_rungs_and_a_loop_by_its_iterations() {
        let ladder =
            Course { scenario: "bring-up".into(), step: "clocks".into(), steps: 2, ..Course::default() };
        let rungs = ladder.steps_in_all().unwrap();
        assert_eq!(said_of_scenario(&ladder), format!("bring-up: clocks, 2 of {rungs} steps"));
        assert_eq!(of_scenario(&ladder), (2, rungs as u64));
        let looping = Course { iterations: (50, 1000), ..ladder };
        assert_eq!(of_scenario(&looping), (50, 1000));
        assert!(said_of_scenario(&looping).ends_with("50 of 1000 iterations"));
    }
}
