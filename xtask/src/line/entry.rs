//! A line of a log, with its time and who wrote it.

use std::collections::VecDeque;

use crate::terminal::printable;

/// Who wrote a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The image, by its serial line.
    Arm,
    /// The firmware, in the message log that it keeps in RAM.
    VideoCore,
    /// The firmware, by a serial line (`uart_2ndstage=1`).
    VideoCoreSerial,
    /// The emulator: something that happened in the machine.
    Machine,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Arm => "arm",
            Self::VideoCore => "vc",
            Self::VideoCoreSerial => "vc-uart",
            Self::Machine => "machine",
        }
    }
}

/// A line of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When it was written: µs since power-on.
    pub at_us: u64,
    /// By whom.
    pub side: Side,
    /// What.
    pub text: String,
}

impl Entry {
    /// What, as it may be shown: noise may decode to anything, and the firmware may write anything.
    pub fn printable_text(&self) -> String {
        printable(&self.text)
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, micros) = (self.at_us / 1_000_000, self.at_us % 1_000_000);
        write!(f, "[{seconds:4}.{micros:06}] {:<7} {}", self.side.name(), self.printable_text())
    }
}

/// Lines that are kept as evidence for a run without a last record. A register dump has 20.
const KEPT: usize = 30;

/// The latest lines.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    entries: VecDeque<Entry>,
    /// How many have been let go of.
    gone: usize,
}

impl Recent {
    /// Keeps a line, and lets go of the oldest.
    pub fn keep(&mut self, entry: Entry) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
            self.gone += 1;
        }
        self.entries.push_back(entry);
    }

    /// How many lines there have been: a place in the log, for [`Recent::since`].
    pub fn position(&self) -> usize {
        self.gone + self.entries.len()
    }

    /// Those from this place on that are kept, oldest first.
    pub fn since(&self, position: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().skip(position.saturating_sub(self.gone))
    }

    /// All that are kept, oldest first.
    pub fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_its_time_in_seconds_and_its_side() {
        let entry = Entry { at_us: 2_119_282, side: Side::VideoCore, text: "File read".into() };
        assert_eq!(entry.to_string(), "[   2.119282] vc      File read");
    }

    #[test]
    fn no_line_commands_the_terminal() {
        let entry = Entry { at_us: 0, side: Side::Arm, text: "\x1b]0;title\x07".into() };
        assert!(entry.to_string().ends_with("arm     \\x1b]0;title\\x07"), "{entry}");
    }

    #[test]
    fn the_latest_lines_are_kept() {
        let mut recent = Recent::default();
        for number in 0..100 {
            recent.keep(Entry { at_us: number, side: Side::Arm, text: String::new() });
        }
        assert_eq!(recent.position(), 100);
        for (place, first) in [(0, 70), (70, 70), (98, 98), (100, 100)] {
            let since: Vec<u64> = recent.since(place).map(|entry| entry.at_us).collect();
            assert_eq!(since, (first..100).collect::<Vec<_>>());
        }
        let kept: Vec<u64> = recent.into_entries().map(|entry| entry.at_us).collect();
        assert_eq!(kept, (70..100).collect::<Vec<_>>());
    }
}
