//! Both processors' logs as one, in time order.

use emulator::firmware_log::{Line, Ring};
use emulator::machine::Machine;

use crate::line::{Entry, Side};

/// Collects lines until they are taken in time order.
#[derive(Debug, Default)]
pub struct Journal {
    waiting: Vec<Entry>,
    firmware: FirmwareLog,
}

impl Journal {
    /// Notes a line.
    pub fn note(&mut self, entry: Entry) {
        self.waiting.push(entry);
    }

    /// Everything noted and logged by the firmware since the last call, in time order.
    ///
    /// Nothing comes before the Arm starts: only then is the firmware's log read, which goes back to its first line.
    pub fn take(&mut self, machine: &Machine) -> Vec<Entry> {
        if machine.arm_released() { self.take_all(machine) } else { Vec::new() }
    }

    /// The same at the end of a run, whether or not the Arm was started.
    pub fn take_all(&mut self, machine: &Machine) -> Vec<Entry> {
        let lines = self.firmware.new_lines(machine).into_iter().map(of_firmware);
        self.waiting.extend(lines);
        let mut entries = std::mem::take(&mut self.waiting);
        entries.sort_by_key(|entry| entry.at_us);
        entries
    }

    /// The firmware begins again, with a log of its own.
    pub fn forget_firmware(&mut self) {
        self.firmware = FirmwareLog::default();
    }

    /// The firmware's latest lines, as evidence for a run that ended badly.
    pub fn last_firmware_lines(&mut self, machine: &Machine, count: usize) -> Vec<Entry> {
        let lines = self.firmware.all_lines(machine);
        let skipped = lines.len().saturating_sub(count);
        lines.into_iter().skip(skipped).map(of_firmware).collect()
    }
}

fn of_firmware(line: Line) -> Entry {
    Entry { at_us: u64::from(line.time_us), side: Side::VideoCore, text: line.text }
}

/// The firmware's ring of messages, and how far it has been read.
#[derive(Debug, Default)]
struct FirmwareLog {
    ring: Option<Ring>,
    searches: u32,
    last: Option<Line>,
}

/// Looking for the ring reads all of RAM, so it is not tried for ever.
const MAX_SEARCHES: u32 = 4;

impl FirmwareLog {
    fn all_lines(&mut self, machine: &Machine) -> Vec<Line> {
        if self.ring.is_none() && self.searches < MAX_SEARCHES {
            self.searches += 1;
            self.ring = Ring::find(machine.ram());
        }
        self.ring.map_or(Vec::new(), |ring| ring.lines(machine.ram()))
    }

    /// The lines behind the last one seen. The ring exists when the Arm starts at the latest.
    fn new_lines(&mut self, machine: &Machine) -> Vec<Line> {
        let mut lines = self.all_lines(machine);
        let seen = self.last.as_ref().and_then(|last| lines.iter().rposition(|line| line == last));
        let lines = lines.split_off(seen.map_or(0, |seen| seen + 1));
        if let Some(last) = lines.last() {
            self.last = Some(last.clone());
        }
        lines
    }
}
