//! What both sides said while a scenario ran, as evidence for one that fails.

use harness::Record;

use super::{Entry, Recent};

/// Lines that are kept of each side.
const KEPT: usize = 10;

/// Lines by the scenario they belong to.
pub type Log = (String, Vec<String>);

/// Follows the records of a run.
#[derive(Debug, Default)]
pub struct Around {
    /// The scenario that runs.
    running: Option<String>,
    /// Where the image's log was as it began. A time would not do: a board's clock begins anew with each life.
    since: usize,
    /// When that was, in the machine's time, which the firmware's lines have.
    since_us: u64,
    /// What was said until the board was reset: what comes behind that is its boot.
    before_reset: Option<Vec<String>>,
}

impl Around {
    /// Takes a record, and the time it came. Gives the log of the scenario that is over with it, whether or not its end
    /// came; whether the log is needed depends on what else is lost.
    pub fn record(
        &mut self,
        record: &Record,
        at_us: u64,
        image: &Recent,
        firmware: impl FnOnce() -> Vec<Entry>,
    ) -> Option<Log> {
        let over = match record {
            Record::Start(_) | Record::ScenarioStart { .. } | Record::End { .. } => self.running.take(),
            Record::ScenarioEnd(end) => Some(end.name.to_string()),
            _ => return None,
        };
        let log = over.map(|scenario| {
            let said = self.before_reset.take();
            (scenario, said.unwrap_or_else(|| self.said(at_us, image, &firmware())))
        });
        self.running = match record {
            Record::ScenarioStart { name } => Some(name.to_string()),
            _ => None,
        };
        (self.since, self.since_us, self.before_reset) = (image.position(), at_us, None);
        log
    }

    /// The board is reset.
    pub fn reset(&mut self, image: &Recent, firmware: &[Entry]) {
        if self.running.is_some() && self.before_reset.is_none() {
            self.before_reset = Some(self.said(u64::MAX, image, firmware));
        }
    }

    /// Nothing more will come. Gives the log of the scenario that was running.
    pub fn rest(&mut self, image: &Recent, firmware: &[Entry]) -> Option<Log> {
        let scenario = self.running.take()?;
        let said = self.before_reset.take();
        Some((scenario, said.unwrap_or_else(|| self.said(u64::MAX, image, firmware))))
    }

    /// The last lines of both sides since the scenario began, in time order. The machine may have run on before anybody
    /// looked.
    fn said(&self, until_us: u64, image: &Recent, firmware: &[Entry]) -> Vec<String> {
        let meanwhile = |entry: &&Entry| (self.since_us..=until_us).contains(&entry.at_us);
        let mut lines = last(image.since(self.since).collect());
        let of_firmware = last(firmware.iter().filter(meanwhile).collect());
        // Without these, they are in the order they came in, which holds over a reset, too.
        if !of_firmware.is_empty() {
            lines.extend(of_firmware);
            lines.sort_by_key(|entry| entry.at_us);
        }
        lines.iter().map(ToString::to_string).collect()
    }
}

fn last(mut entries: Vec<&Entry>) -> Vec<&Entry> {
    entries.split_off(entries.len().saturating_sub(KEPT))
}

#[cfg(test)]
mod tests {
    use harness::Verdict;
    use harness::record::{ScenarioEnd, clipped};

    use super::super::Side;
    use super::*;

    fn start(name: &str) -> Record {
        Record::ScenarioStart { name: clipped(name) }
    }

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

    fn keep(image: &mut Recent, times: impl IntoIterator<Item = u64>) {
        times.into_iter().for_each(|at_us| image.keep(entry(at_us, Side::Arm)));
    }

    /// Numbers of the lines, with the side they are from.
    fn lines(log: Option<Log>) -> (String, Vec<String>) {
        let (scenario, lines) = log.expect("a log");
        let short = |line: &String| {
            let (_, line) = line.split_once("] ").expect("a time");
            line.replace("line ", "").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        (scenario, lines.iter().map(short).collect())
    }

    #[test]
    fn the_lines_of_a_failure_are_the_last_of_each_side_while_its_scenario_ran() {
        let (mut around, mut image) = (Around::default(), Recent::default());
        keep(&mut image, [50]);
        assert_eq!(around.record(&start("echo"), 100, &image, Vec::new), None);
        keep(&mut image, [150, 170]);
        let firmware: Vec<Entry> = (180..210).map(|at_us| entry(at_us, Side::VideoCore)).collect();
        let log = lines(around.record(&end(Verdict::Hung), 200, &image, || firmware));
        let of_firmware = (191..=200).map(|at_us| format!("vc {at_us}"));
        let expected = ["arm 150", "arm 170"].map(str::to_owned).into_iter().chain(of_firmware);
        assert_eq!(log, ("echo".to_owned(), expected.collect()));
    }

    #[test]
    fn a_board_whose_clock_begins_anew_with_a_reset_keeps_what_came_before_it() {
        let (mut around, mut image) = (Around::default(), Recent::default());
        keep(&mut image, [900]);
        around.record(&start("echo"), 900, &image, Vec::new);
        keep(&mut image, [910, 920]);
        around.reset(&image, &[entry(915, Side::VideoCore)]);
        keep(&mut image, 1..20);
        let log = lines(around.record(&end(Verdict::Hung), 20, &image, || vec![entry(5, Side::VideoCore)]));
        assert_eq!(log.1, ["arm 910", "vc 915", "arm 920"]);
        around.record(&start("handshake"), 30, &image, Vec::new);
        keep(&mut image, [40]);
        assert_eq!(lines(around.rest(&image, &[])), ("handshake".to_owned(), vec!["arm 40".to_owned()]));
    }

    #[test]
    fn a_scenario_whose_end_is_lost_has_its_log_too() {
        for next in [start("handshake"), Record::End { verdict: Verdict::Pass, records: 0 }] {
            let (mut around, mut image) = (Around::default(), Recent::default());
            around.record(&start("echo"), 100, &image, Vec::new);
            keep(&mut image, [150]);
            let log = lines(around.record(&next, 200, &image, Vec::new));
            assert_eq!(log, ("echo".to_owned(), vec!["arm 150".to_owned()]));
        }
    }
}
