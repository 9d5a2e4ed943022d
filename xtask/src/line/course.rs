//! Where a run is, by the records that have come.

use harness::scenario::Kind;
use harness::{Record, Verdict};

/// Where a run is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Course {
    /// The scenario that runs, or ran last.
    pub scenario: String,
    /// Its step; empty before the first.
    pub step: String,
    /// Iterations done, and to do; both 0 before the first progress record of a scenario.
    pub iterations: (u32, u32),
    /// Steps of the scenario that have ended.
    pub steps: usize,
    /// Scenarios that the run is to run, as announced.
    pub planned: Vec<String>,
    /// Scenarios that have ended, with their verdicts, each once.
    pub ended: Vec<(String, Verdict)>,
}

impl Default for Course {
    /// Before the first scenario.
    fn default() -> Self {
        Self {
            scenario: "boot".to_owned(),
            step: String::new(),
            iterations: (0, 0),
            steps: 0,
            planned: Vec::new(),
            ended: Vec::new(),
        }
    }
}

impl Course {
    /// Takes note of a record.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::Planned { name } if !self.planned.iter().any(|planned| *planned == **name) => {
                self.planned.push(name.to_string());
            }
            Record::ScenarioStart { name } => {
                self.scenario = name.to_string();
                self.step.clear();
                self.iterations = (0, 0);
                self.steps = 0;
            }
            Record::StepStart { step, .. } => self.step = step.to_string(),
            Record::Step(_) => self.steps += 1,
            Record::Progress { done, total, .. } => self.iterations = (*done, *total),
            Record::ScenarioEnd(end) => self.end(&end.name, end.verdict),
            Record::Before { name, verdict } => self.end(name, *verdict),
            _ => {}
        }
    }

    fn end(&mut self, name: &str, verdict: Verdict) {
        if !self.ended.iter().any(|(ended, _)| ended == name) {
            self.ended.push((name.to_owned(), verdict));
        }
    }

    /// How many steps the scenario has, by the catalogue; for `bring-up` they are the rungs of the ladder.
    pub fn steps_in_all(&self) -> Option<usize> {
        let kind = Kind::ALL.iter().find(|kind| kind.name() == self.scenario)?;
        Some(kind.scenario().steps.len())
    }

    /// Which scenario of how many this one is: `2 of 3`.
    pub fn place(&self, scenario: &str) -> Option<String> {
        let place = self.planned.iter().position(|planned| planned == scenario)?;
        Some(format!("{} of {}", place + 1, self.planned.len()))
    }
}

#[cfg(test)]
mod tests {
    use harness::record::{ScenarioEnd, clipped};

    use super::*;

    #[test]
    fn the_course_follows_the_records() {
        let mut course = Course::default();
        for name in ["echo", "handshake", "echo"] {
            course.record(&Record::Planned { name: clipped(name) });
        }
        course.record(&Record::ScenarioStart { name: clipped("echo") });
        course.record(&Record::StepStart { scenario: clipped("echo"), step: clipped("echo-64") });
        course.record(&Record::Progress { scenario: clipped("echo"), done: 50, total: 1000 });
        assert_eq!((course.step.as_str(), course.iterations), ("echo-64", (50, 1000)));
        assert_eq!(course.place("echo").as_deref(), Some("1 of 2"));
        assert_eq!(course.steps_in_all(), Some(Kind::Echo.scenario().steps.len()));
        let end = ScenarioEnd {
            name: clipped("echo"),
            verdict: Verdict::Pass,
            owner: None,
            reason: None,
            counts: Default::default(),
            took_us: None,
        };
        course.record(&Record::ScenarioEnd(end));
        course.record(&Record::ScenarioStart { name: clipped("handshake") });
        assert_eq!((course.step.as_str(), course.iterations), ("", (0, 0)));
        assert_eq!(course.place("handshake").as_deref(), Some("2 of 2"));
        // After a reset the verdicts from before are told once more.
        course.record(&Record::Before { name: clipped("echo"), verdict: Verdict::Pass });
        assert_eq!(course.ended, [("echo".to_owned(), Verdict::Pass)]);
    }
}
