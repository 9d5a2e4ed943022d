//! The progress bar: where the run is, how far, how fast. Nothing is shown when standard error is no terminal.

use std::time::{Duration, Instant};

use harness::Record;
use indicatif::{ProgressBar, ProgressStyle};

use super::pace::Pace;
use crate::line::Course;

/// Shows how a run gets on.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    pace: Option<Pace>,
    course: Course,
    shown: Instant,
}

const BETWEEN_UPDATES: Duration = Duration::from_millis(100);

impl Progress {
    /// A bar, or none at all where lines of a log are shown instead. With a pace it is the bar of the longer work.
    pub fn new(visible: bool, pace: Option<Pace>) -> Self {
        let bar = if visible { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let template = "{spinner} [{elapsed}] {bar:30} {pos}/{len} {msg}";
        // A wrong template is a mistake of ours that costs the bar its look, not the run its result.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        if let Some(pace) = pace {
            bar.set_length(pace.total());
            bar.set_position(pace.position(0));
        }
        Self { bar, pace, course: Course::default(), shown: Instant::now() }
    }

    /// Takes note of a record.
    pub fn record(&mut self, record: &Record) {
        self.course.record(record);
        let Record::Progress { done, total, .. } = record else { return };
        match self.pace {
            Some(pace) => self.bar.set_position(pace.position(*done)),
            None => {
                self.bar.set_length(u64::from(*total));
                self.bar.set_position(u64::from(*done));
            }
        }
    }

    /// Shows the time in the machine and how fast it runs.
    pub fn tick(&mut self, now_ns: u64, instructions: u64, wall: Duration) {
        if self.shown.elapsed() < BETWEEN_UPDATES {
            return;
        }
        self.shown = Instant::now();
        let mips = instructions as f64 / wall.as_secs_f64().max(0.001) / 1e6;
        let seconds = now_ns as f64 / 1e9;
        let Course { scenario, step, .. } = &self.course;
        let pace = self.pace.map_or(String::new(), |pace| format!("{}; ", pace.so_far(self.bar.position())));
        self.bar.set_message(format!("{pace}{scenario} {step}  {seconds:.3} s emulated, {mips:.0} MIPS"));
        self.bar.tick();
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
