//! The live view: a few lines at the bottom of a terminal, which are drawn anew.

use std::collections::VecDeque;
use std::io::stderr;
use std::time::{Duration, Instant};

use harness::Verdict;
use harness::banner::Banner;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;

use super::intake::Counts;
use crate::line::{Course, Entry};
use crate::terminal::printable;

/// Updates a second: a person reads no faster, and the terminal may be far away.
const UPDATES_PER_SECOND: u8 = 5;
const BETWEEN_UPDATES: Duration = Duration::from_millis(1000 / UPDATES_PER_SECOND as u64);
/// Rates are those of this time.
const RATE_WINDOW: Duration = Duration::from_secs(2);
/// Lines of the log that are shown where there is room.
const MOST_LINES: usize = 5;
/// What a low terminal needs for the rest of the view, and for what is said beside it.
const OTHER_LINES: usize = 7;
/// A terminal that is narrower gets short bars.
const NARROW: usize = 70;

/// A few lines at the bottom of the terminal.
pub struct Live {
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
    /// On standard error, which is a terminal.
    pub fn new() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(UPDATES_PER_SECOND);
        let all = MultiProgress::with_draw_target(target);
        let bar = |template: &str| {
            let bar = all.add(ProgressBar::new(0));
            // A wrong template is a mistake of ours that costs the bar its look, not the run its result.
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        };
        let (_, rows) = size();
        let log = (0..rows.saturating_sub(OTHER_LINES).min(MOST_LINES)).map(|_| bar("{wide_msg}")).collect();
        let run = bar("{spinner} [{elapsed}] {wide_msg}");
        let scenario = bar("  {wide_msg}");
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

    /// A line of the image's log.
    pub fn line(&mut self, entry: &Entry) {
        let Some(line) = short(entry) else { return };
        self.lines.push_back(line);
        if self.lines.len() > self.log.len() {
            self.lines.pop_front();
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, course: &Course, counts: Counts, waits_for: Option<&str>) {
        if self.shown.is_some_and(|shown| shown.elapsed() < BETWEEN_UPDATES) {
            return;
        }
        self.shown = Some(Instant::now());
        self.history.note(Instant::now(), counts);
        let (columns, _) = size();
        let width = if columns < NARROW { 10 } else { 24 };
        self.run.set_message(said_of_run(course, waits_for, width));
        self.scenario.set_message(said_of_scenario(course, width));
        self.rates.set_message(self.history.to_string());
        for (bar, line) in self.log.iter().zip(&self.lines) {
            bar.set_message(line.clone());
        }
        self.run.tick();
    }

    /// Prints a line above the view.
    pub fn println(&self, line: &str) {
        // One that cannot be shown is lost to nobody: all of it is in the report.
        let _ = self.all.println(line);
    }

    /// Prints something else, with the view out of the way.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.all.suspend(print);
    }

    /// Leaves nothing of it.
    pub fn clear(self) {
        for bar in self.log.iter().chain([&self.run, &self.scenario, &self.rates]) {
            bar.finish_and_clear();
        }
    }
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    const COMMON: (usize, usize) = (80, 24);
    tcgetwinsize(stderr()).map_or(COMMON, |size| match (size.ws_col, size.ws_row) {
        (0, _) | (_, 0) => COMMON,
        (columns, rows) => (usize::from(columns), usize::from(rows)),
    })
}

/// A line of the log for a view that has no room to spare: when, and what. The first of many, such as of a register dump,
/// which would move the view; none for the line that only repeats which build runs.
fn short(entry: &Entry) -> Option<String> {
    let text = entry.printable_text();
    let line = text.lines().next().unwrap_or_default().trim();
    let (seconds, micros) = (entry.at_us / 1_000_000, entry.at_us % 1_000_000);
    Banner::parse(line).is_none().then(|| format!("{seconds}.{micros:06} {line}"))
}

fn said_of_run(course: &Course, waits_for: Option<&str>, width: usize) -> String {
    let verdicts = |wanted: Verdict| course.ended.iter().filter(|(_, verdict)| *verdict == wanted).count();
    let all = [Verdict::Pass, Verdict::Skip, Verdict::Absent, Verdict::Fail, Verdict::Hung];
    let counted = all.into_iter().map(|verdict| (verdict, verdicts(verdict))).filter(|(_, count)| *count > 0);
    let counted = counted.map(|(verdict, count)| format!("{count} {verdict}")).collect::<Vec<_>>().join(", ");
    let said = waits_for.map_or(counted, ToOwned::to_owned);
    let (ended, planned) = (course.ended.len(), course.planned.len());
    if planned == 0 {
        // Nobody has said yet what is to run.
        return if said.is_empty() { "the board starts".to_owned() } else { said };
    }
    format!("{} {ended} of {planned} scenarios  {said}", bar(ended as u64, planned as u64, width))
}

fn said_of_scenario(course: &Course, width: usize) -> String {
    let (scenario, step, (done, total)) =
        (printable(&course.scenario), printable(&course.step), course.iterations);
    if course.planned.is_empty() && step.is_empty() {
        return String::new();
    }
    let iterations = if total == 0 { String::new() } else { format!(", {done} of {total} iterations") };
    let steps = course.steps_in_all().map(|all| format!(", {} of {all} steps", course.steps));
    let step = if step.is_empty() { String::new() } else { format!(": {step}") };
    let (so_far, all) = of_scenario(course);
    format!("{} {scenario}{step}{}{iterations}", bar(so_far, all, width), steps.unwrap_or_default())
}

/// Iterations where the scenario tells them, steps elsewhere.
fn of_scenario(course: &Course) -> (u64, u64) {
    match course.iterations {
        (_, 0) => (course.steps as u64, course.steps_in_all().unwrap_or(0) as u64),
        (done, total) => (u64::from(done), u64::from(total)),
    }
}

/// How much of it is done; nothing of what nobody knows the size of.
fn bar(done: u64, total: u64, width: usize) -> String {
    let filled =
        (done.min(total) as usize).checked_mul(width).and_then(|all| all.checked_div(total as usize));
    let filled = filled.unwrap_or(0);
    "█".repeat(filled) + &"░".repeat(width - filled)
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

/// What matters most comes first: a narrow terminal cuts the rest.
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
            "{} bytes, {} damaged; {:.0} bytes/s, {:.0} records/s, {:.0} iterations/s",
            now.bytes,
            now.damaged,
            rate(now.bytes, before.bytes),
            rate(now.records, before.records),
            rate(now.iterations, before.iterations),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Side, fake};

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let mut rates = Rates::default();
        let begun = Instant::now();
        for second in 0..10 {
            let counts = Counts { bytes: second * second * 100, records: second * 10, ..Counts::default() };
            rates.note(begun + Duration::from_secs(second), counts);
        }
        let said = rates.to_string();
        assert_eq!(said, "8100 bytes, 0 damaged; 1600 bytes/s, 10 records/s, 0 iterations/s");
    }

    #[test]
    fn the_ladder_is_told_by_its_rungs_and_a_loop_by_its_iterations() {
        let ladder =
            Course { scenario: "bring-up".into(), step: "clocks".into(), steps: 2, ..Course::default() };
        let rungs = ladder.steps_in_all().unwrap();
        assert_eq!(said_of_scenario(&ladder, 0), format!(" bring-up: clocks, 2 of {rungs} steps"));
        assert_eq!(of_scenario(&ladder), (2, rungs as u64));
        let looping = Course { iterations: (50, 1000), ..ladder };
        assert_eq!(of_scenario(&looping), (50, 1000));
        assert!(said_of_scenario(&looping, 0).ends_with("50 of 1000 iterations"));
    }

    #[test]
    fn no_name_from_the_line_commands_the_terminal() {
        let crafted = Course {
            scenario: "\x1b[2J".into(),
            step: "\x1b]0;title\x07".into(),
            planned: vec!["echo".into()],
            ..Course::default()
        };
        assert_eq!(said_of_scenario(&crafted, 0), " \\x1b[2J: \\x1b]0;title\\x07");
    }

    #[test]
    fn a_bar_is_full_at_the_end_and_empty_as_long_as_nobody_knows_the_whole() {
        assert_eq!([bar(0, 0, 4), bar(1, 4, 4), bar(4, 4, 4)], ["░░░░", "█░░░", "████"]);
        assert_eq!([bar(9, 4, 4), bar(u64::MAX, u64::MAX, 4)], ["████", "░░░░"]);
    }

    #[test]
    fn before_the_plan_is_known_no_scenarios_are_counted() {
        let course = Course::default();
        assert_eq!(said_of_run(&course, Some("waiting for the board"), 4), "waiting for the board");
        assert_eq!(
            (said_of_run(&course, None, 4).as_str(), said_of_scenario(&course, 4).as_str()),
            ("the board starts", "")
        );
        let planned = Course { planned: vec!["echo".into(), "ids".into()], ..course };
        assert_eq!(said_of_run(&planned, None, 4), "░░░░ 0 of 2 scenarios  ");
    }

    #[test]
    fn a_line_of_the_log_is_shown_by_time_and_text_and_the_builds_not_again() {
        let entry = |text: &str| Entry { at_us: 2_119_282, side: Side::Arm, text: text.to_owned() };
        assert_eq!(short(&entry("INFO  vchiq: up\nmore")).as_deref(), Some("2.119282 INFO  vchiq: up"));
        assert_eq!(short(&entry("\x1b[2J")).as_deref(), Some("2.119282 \\x1b[2J"));
        let mut line = fake::Line::default();
        line.banner();
        let banner = String::from_utf8(line.bytes).unwrap();
        assert_eq!(short(&entry(banner.trim_matches('\0').trim_end())), None);
    }
}
