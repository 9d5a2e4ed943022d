//! What both sides said while a scenario ran, as evidence for one that fails.

use harness::{Record, Verdict};

use super::{Entry, Recent};

/// Lines that are kept of each side.
const KEPT: usize = 10;

/// Follows the records of a run.
#[derive(Debug, Default)]
pub struct Around {
    /// When the latest scenario began.
    since_us: u64,
    /// When it ended. The machine may have run on before anybody looked.
    until_us: u64,
    /// What the firmware had said when the board was reset: it begins again with an empty log.
    before_reset: Vec<Entry>,
}

impl Around {
    /// Takes a record, and the time it came. Gives the scenario if it has ended badly, and its log is to be kept.
    pub fn record(&mut self, record: &Record, at_us: u64) -> Option<String> {
        match record {
            Record::ScenarioStart { .. } => {
                self.since_us = at_us;
                self.before_reset.clear();
                None
            }
            Record::ScenarioEnd(end) if matches!(end.verdict, Verdict::Fail | Verdict::Hung) => {
                self.until_us = at_us;
                Some(end.name.to_string())
            }
            _ => None,
        }
    }

    /// The board is reset: these are the firmware's lines so far.
    pub fn reset(&mut self, firmware: Vec<Entry>) {
        self.before_reset.extend(firmware);
    }

    /// The last lines of both sides while the scenario ran, in time order.
    pub fn lines(&self, image: &Recent, firmware: &[Entry]) -> Vec<String> {
        let meanwhile = |entry: &&Entry| (self.since_us..=self.until_us).contains(&entry.at_us);
        let of_image = last(image.entries().filter(meanwhile).collect());
        let of_firmware = last(self.before_reset.iter().chain(firmware).filter(meanwhile).collect());
        let mut lines = [of_image, of_firmware].concat();
        lines.sort_by_key(|entry| entry.at_us);
        lines.iter().map(ToString::to_string).collect()
    }
}

fn last(mut entries: Vec<&Entry>) -> Vec<&Entry> {
    entries.split_off(entries.len().saturating_sub(KEPT))
}

#[cfg(test)]
mod tests {
    use harness::record::{ScenarioEnd, clipped};

    use super::super::Side;
    use super::*;

    fn end(verdict: Verdict) -> Record {
        Record::ScenarioEnd(ScenarioEnd {
            name: clipped("echo"),
            verdict,
            owner: None,
            reason: None,
            counts: Default::default(),
            took_us: None,
        })
    }

    fn entry(at_us: u64, side: Side) -> Entry {
        Entry { at_us, side, text: format!("line {at_us}") }
    }

    #[test]
    fn the_lines_of_a_failure_are_the_last_of_each_side_while_its_scenario_ran() {
        let mut around = Around::default();
        assert_eq!(around.record(&Record::ScenarioStart { name: clipped("echo") }, 100), None);
        let mut image = Recent::default();
        [50, 150, 170].into_iter().for_each(|at_us| image.keep(entry(at_us, Side::Arm)));
        around.reset(vec![entry(60, Side::VideoCore), entry(160, Side::VideoCore)]);
        let firmware: Vec<Entry> = (180..210).map(|at_us| entry(at_us, Side::VideoCore)).collect();
        assert_eq!(around.record(&end(Verdict::Pass), 200), None);
        assert_eq!(around.record(&end(Verdict::Hung), 200).as_deref(), Some("echo"));
        let lines = around.lines(&image, &firmware);
        assert_eq!(lines.len(), 2 + KEPT, "{lines:#?}");
        assert!(
            lines[0].ends_with("arm     line 150") && lines[11].ends_with("vc      line 200"),
            "{lines:#?}"
        );
        let few = around.lines(&image, &[]);
        assert!(few.iter().any(|line| line.ends_with("vc      line 160")), "before the reset: {few:#?}");
    }
}
