//! How fast a work of many runs gets on, and when it will be done.

use std::time::{Duration, Instant};

use crate::report::grouped;

/// A work of many runs, seen from one of them.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// All there is to do.
    total: u64,
    /// Done when this command began.
    at_begin: u64,
    /// Done when this run began.
    before: u64,
    begun: Instant,
}

impl Pace {
    /// A command that begins now, with `done` of `total` done by earlier ones.
    pub fn begin(done: u64, total: u64) -> Self {
        Self { total, at_begin: done, before: done, begun: Instant::now() }
    }

    /// The next run begins.
    pub fn next_run(self, done: u64) -> Self {
        Self { before: done, ..self }
    }

    /// All there is to do.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Done, with so many in this run.
    pub fn position(&self, in_this_run: u32) -> u64 {
        self.before + u64::from(in_this_run)
    }

    /// Rate and time left, with so many done.
    pub fn so_far(&self, done: u64) -> String {
        estimate(done.saturating_sub(self.at_begin), self.total.saturating_sub(done), self.begun.elapsed())
    }
}

/// The rate at which `done` came in `time`, and how long `left` takes at that.
fn estimate(done: u64, left: u64, time: Duration) -> String {
    let rate = done as f64 / time.as_secs_f64().max(0.001);
    if done == 0 {
        return "no estimate yet".to_owned();
    }
    let left = Duration::try_from_secs_f64(left as f64 / rate).unwrap_or(Duration::MAX);
    format!("{}/s, {} left", grouped(rate.round() as u64), span(left))
}

/// A time as people say it: the two largest units.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{} h {minutes} min", grouped(hours)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_the_rate_of_this_command_over_what_is_left() {
        assert_eq!(estimate(5000, 1_200_000, Duration::from_secs(2)), "2 500/s, 8 min 0 s left");
        assert_eq!(estimate(1, 0, Duration::from_secs(2)), "1/s, 0 s left");
        assert_eq!(estimate(0, 10, Duration::from_secs(2)), "no estimate yet");
        let resumed = Pace::begin(1000, 3000).next_run(2000);
        assert_eq!((resumed.position(500), resumed.total()), (2500, 3000));
    }

    #[test]
    fn a_time_has_its_two_largest_units() {
        let said = [59, 60, 3599, 3600, 90_061].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(said, ["59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "25 h 1 min"]);
    }
}
