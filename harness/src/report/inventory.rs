//! Board, peer, clocks, memory and throttling, as the records tell of them.

use std::collections::BTreeMap;

use vchiq_mbox::property::FirmwareRevision;

use super::{
    answers::Answers,
    board_name::model_of,
    date::date_of,
    firmware::{Answer, Firmware, Heaps, Memory, Temperature, Throttled, text},
    schema::{Board, ClockSetting, Clocks, Peer, PeerKind, Rung, Timing},
    whereabouts::Whereabouts,
};
use crate::record::{self, Fact, Record, When};

/// Takes the records of the inquiry before and after the scenarios.
#[derive(Default)]
pub(super) struct Inventory {
    board: Option<record::BoardFacts>,
    before: Option<record::Clocks>,
    after: Option<record::Clocks>,
    whereabouts: Whereabouts,
    facts: Vec<record::Facts>,
    answers: Answers,
}

impl Inventory {
    /// Takes a record that is its own; others are nobody's here.
    pub(super) fn take(&mut self, record: Record) {
        match record {
            Record::Board(board) => self.board = Some(board),
            Record::Clocks(clocks) if clocks.when == When::Before => self.before = Some(clocks),
            Record::Clocks(clocks) => self.after = Some(clocks),
            Record::Machine(machine) => self.whereabouts.take(machine),
            Record::Facts(facts) => self.facts.push(facts),
            Record::Text(text) => self.answers.add(&text),
            _ => {}
        }
    }

    /// A board that starts again is asked again.
    pub(super) fn restart(&mut self) {
        self.after = None;
        self.facts.clear();
        self.answers.clear();
    }

    /// The line was announced as that of an emulated board.
    pub(super) fn announce_emulated(&mut self) {
        self.whereabouts.announce_emulated();
    }

    /// Rung and timing as the records tell them, and why not more.
    pub(super) fn whereabouts(&self) -> (Rung, Timing, Option<String>) {
        let (rung, timing) = self.whereabouts.labels();
        (rung, timing, self.whereabouts.note())
    }

    pub(super) fn board(&self) -> Board {
        let revision = self.board.as_ref().map_or(0, |board| board.revision);
        Board {
            soc: self.board.as_ref().map_or_else(|| "unknown".to_owned(), |board| board.soc.to_string()),
            model: model_of(revision),
            revision: format!("{revision:x}"),
            dma_channels: self.fact("board", "dma_channels"),
        }
    }

    /// What the peer says it is (property tag 0x00000001); 0 if it did not say.
    fn peer_revision(&self) -> u32 {
        self.whereabouts.peer().map_or(0, |peer| peer.revision)
    }

    pub(super) fn peer(&self, is_model: bool) -> Peer {
        let revision = self.peer_revision();
        let hash = self.whereabouts.peer().and_then(|peer| peer.hash);
        let kind = match revision {
            0 | FirmwareRevision::QEMU => PeerKind::Absent,
            FirmwareRevision::MODEL => PeerKind::Model,
            _ if is_model => PeerKind::Model,
            _ => PeerKind::Firmware,
        };
        Peer {
            kind,
            revision,
            build_id: hash.map(|words| words.map(|word| format!("{word:08x}")).concat()).unwrap_or_default(),
            date: if kind == PeerKind::Absent { String::new() } else { date_of(u64::from(revision)) },
            variant: match self.whereabouts.peer().and_then(|peer| peer.variant) {
                Some(1) => "start",
                Some(2) => "start_x",
                Some(3) => "start_db",
                Some(4) => "start_cd",
                _ => "unknown",
            }
            .to_owned(),
        }
    }

    pub(super) fn clocks(&self) -> Clocks {
        let known = |hz: u32| (hz != 0).then_some(hz);
        let before = |field: fn(&record::Clocks) -> u32| self.before.as_ref().map_or(0, field);
        let after = |field: fn(&record::Clocks) -> u32| self.after.as_ref().map(field).and_then(known);
        Clocks {
            arm_hz: before(|clocks| clocks.arm_hz),
            core_hz: before(|clocks| clocks.core_hz),
            arm_after_hz: after(|clocks| clocks.arm_hz),
            core_after_hz: after(|clocks| clocks.core_hz),
            counter_hz: known(before(|clocks| clocks.counter_hz)),
            cycles_hz: known(before(|clocks| clocks.cycles_hz)),
            bracket_cycles: self.before.map(|clocks| clocks.bracket_cycles),
            settings: self.clock_settings(),
        }
    }

    fn clock_settings(&self) -> BTreeMap<String, ClockSetting> {
        let mut settings: BTreeMap<String, ClockSetting> = BTreeMap::new();
        for record::Facts { topic, facts } in &self.facts {
            for Fact { name, value } in facts {
                let place = match topic.as_str() {
                    "clock-rate" => |setting: &mut ClockSetting, hz| setting.set_hz = Some(hz),
                    "clock-min" => |setting: &mut ClockSetting, hz| setting.min_hz = Some(hz),
                    "clock-max" => |setting: &mut ClockSetting, hz| setting.max_hz = Some(hz),
                    _ => continue,
                };
                place(settings.entry(name.to_string()).or_default(), *value);
            }
        }
        settings
    }

    /// `None` from firmware that answers no command.
    pub(super) fn firmware(&self) -> Option<Firmware> {
        let answers = self.answers.list();
        let version_text = text(&answers, When::Before, "version").unwrap_or_default().to_owned();
        (!answers.is_empty()).then_some(Firmware { version_text, answers })
    }

    pub(super) fn memory(&self, answers: &[Answer]) -> Option<Memory> {
        let memory = Memory {
            arm_bytes: self.board.as_ref().map_or(0, |board| board.arm_memory),
            vc_bytes: self.board.as_ref().map_or(0, |board| board.vc_memory),
            before: Heaps::of(answers, When::Before),
            after: Heaps::of(answers, When::After),
        };
        (memory != Memory::default()).then_some(memory)
    }

    pub(super) fn throttled(&self) -> Option<Throttled> {
        let word = |clocks: Option<record::Clocks>| clocks.and_then(|clocks| clocks.throttled);
        Throttled::of(word(self.before), word(self.after))
    }

    pub(super) fn temperature(&self) -> Option<Temperature> {
        let read = |clocks: Option<record::Clocks>| clocks.and_then(|clocks| clocks.millidegrees);
        let temperature = Temperature {
            before_millidegrees: read(self.before),
            after_millidegrees: read(self.after),
            limit_millidegrees: self.fact("board", "max_millidegrees"),
        };
        (temperature != Temperature::default()).then_some(temperature)
    }

    /// What a reader should know of the clocks before comparing times.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let (Some(before), Some(after)) = (self.before, self.after) {
            let known = before.arm_hz != 0 && after.arm_hz != 0;
            if known && before.arm_hz.abs_diff(after.arm_hz) > before.arm_hz / 1000 {
                notes.push(format!(
                    "the Arm clock moved from {} to {} Hz: do not compare these times",
                    before.arm_hz, after.arm_hz
                ));
            }
        }
        if let Some(clocks) = self.before
            && clocks.arm_hz != 0
            && clocks.arm_hz.abs_diff(clocks.cycles_hz) > clocks.arm_hz / 50
        {
            notes.push(format!(
                "the cycle counter runs at {} Hz, the firmware measures {} Hz",
                clocks.cycles_hz, clocks.arm_hz
            ));
        }
        notes
    }

    fn fact(&self, topic: &str, name: &str) -> Option<u32> {
        let facts = self.facts.iter().filter(|facts| facts.topic == topic);
        facts.flat_map(|facts| &facts.facts).find(|fact| fact.name == name).map(|fact| fact.value)
    }
}
