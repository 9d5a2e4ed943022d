//! Where a run is, by the records that have come.

use harness::Record;

/// Where a run is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Course {
    /// The scenario that runs, or ran last.
    pub scenario: String,
    /// Its step; empty before the first.
    pub step: String,
    /// Iterations done, and to do; both 0 before the first progress record of a scenario.
    pub iterations: (u32, u32),
}

impl Default for Course {
    /// Before the first scenario.
    fn default() -> Self {
        Self { scenario: "boot".to_owned(), step: String::new(), iterations: (0, 0) }
    }
}

impl Course {
    /// Takes note of a record.
    pub fn record(&mut self, record: &Record) {
        match record {
            Record::ScenarioStart { name } => {
                *self = Self { scenario: name.to_string(), ..Self::default() };
            }
            Record::StepStart { step, .. } => self.step = step.to_string(),
            Record::Progress { done, total, .. } => self.iterations = (*done, *total),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use harness::record::clipped;

    use super::*;

    #[test]
    fn the_course_follows_the_records() {
        let mut course = Course::default();
        course.record(&Record::ScenarioStart { name: clipped("echo") });
        course.record(&Record::StepStart { scenario: clipped("echo"), step: clipped("echo-64") });
        course.record(&Record::Progress { scenario: clipped("echo"), done: 50, total: 1000 });
        let there = Course { scenario: "echo".into(), step: "echo-64".into(), iterations: (50, 1000) };
        assert_eq!(course, there);
        course.record(&Record::ScenarioStart { name: clipped("handshake") });
        assert_eq!(course, Course { scenario: "handshake".into(), ..Course::default() });
    }
}
