//! On what the run ran, as far as it was told: what `rung` and `timing` of a report rest on.
//!
//! Nothing is taken for granted. A board is one whose core says that it is no emulated one and whose firmware says that
//! it is none of QEMU or ours; where nobody said so, or two things were said, the report says `unknown`.

use vchiq_mbox::property::FirmwareRevision;

use super::schema::{Rung, Timing};
use crate::record::{Core, Machine, Peer};

/// What was told, each thing once.
#[derive(Default)]
pub(super) struct Whereabouts {
    /// Whoever offers the line announced an emulated board.
    announced: bool,
    machines: Vec<Machine>,
}

/// More different records than a run can have: nobody shall fill memory with them.
const MOST_MACHINES: usize = 16;

impl Whereabouts {
    /// The line was announced as that of an emulated board.
    pub(super) fn announce_emulated(&mut self) {
        self.announced = true;
    }

    pub(super) fn take(&mut self, machine: Machine) {
        if self.machines.len() < MOST_MACHINES && !self.machines.contains(&machine) {
            self.machines.push(machine);
        }
    }

    /// Who answered last, unless nobody ever did.
    pub(super) fn peer(&self) -> Option<&Peer> {
        let peers = || self.machines.iter().rev().map(|machine| &machine.peer);
        peers().find(|peer| peer.revision != 0).or_else(|| peers().next())
    }

    /// Rung and timing by what was told.
    pub(super) fn labels(&self) -> (Rung, Timing) {
        const UNKNOWN: (Rung, Timing) = (Rung::Unknown, Timing::Unknown);
        if self.contradiction().is_some() {
            return UNKNOWN;
        }
        match (self.is_emulated(), self.revision()) {
            (true, _) => (Rung::Emulated, Timing::Modelled),
            (false, Some(FirmwareRevision::QEMU)) => (Rung::Qemu, Timing::Modelled),
            (false, Some(_)) if self.is_silicon() => (Rung::Board, Timing::Measured),
            _ => UNKNOWN,
        }
    }

    /// Why the labels are `unknown`, or what was told twice and differently.
    pub(super) fn note(&self) -> Option<String> {
        let left_open = "so it is not known whether the times are measured or modelled";
        if let Some(contradiction) = self.contradiction() {
            return Some(format!("{contradiction}: {left_open}"));
        }
        (self.labels().0 == Rung::Unknown).then(|| {
            if self.is_silicon() {
                format!("the firmware did not say what it is, which QEMU's and a board's would: {left_open}")
            } else {
                format!("no record arrived that tells what the image ran on: {left_open}")
            }
        })
    }

    fn contradiction(&self) -> Option<&'static str> {
        let differs = |differs: fn(&Machine, &Machine) -> bool| {
            self.machines.iter().any(|one| self.machines.iter().any(|other| differs(one, other)))
        };
        if self.is_emulated() && self.is_silicon() {
            return Some("an emulated board and a real one were told of in one run");
        }
        if differs(|one, other| one.build != other.build) {
            return Some("two builds of the image were told of in one run");
        }
        let both_answer = |one: &Machine, other: &Machine| {
            one.peer.revision != 0 && other.peer.revision != 0 && one.peer.revision != other.peer.revision
        };
        differs(both_answer).then_some("two firmwares were told of in one run")
    }

    /// Said by the line, by the core, or by the peer: the model runs nowhere else.
    fn is_emulated(&self) -> bool {
        let says_so = |machine: &Machine| {
            machine.core == Core::Emulated || machine.peer.revision == FirmwareRevision::MODEL
        };
        self.announced || self.machines.iter().any(says_so)
    }

    fn is_silicon(&self) -> bool {
        self.machines.iter().any(|machine| machine.core == Core::Silicon)
    }

    fn revision(&self) -> Option<u32> {
        self.peer().map(|peer| peer.revision).filter(|revision| *revision != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRMWARE: u32 = 1_661_522_596;

    fn machine(core: Core, revision: u32) -> Machine {
        Machine { build: [1; 8], core, peer: Peer { revision, ..Peer::UNASKED } }
    }

    fn told(announced: bool, machines: &[Machine]) -> Whereabouts {
        let mut told = Whereabouts { announced, machines: Vec::new() };
        machines.iter().for_each(|machine| told.take(machine.clone()));
        told
    }

    #[test]
    fn times_are_measured_only_where_core_and_firmware_say_so() {
        let (silicon, emulated) = (Core::Silicon, Core::Emulated);
        let unknown = (Rung::Unknown, Timing::Unknown);
        for (announced, machines, labels) in [
            (false, &[machine(silicon, FIRMWARE)][..], (Rung::Board, Timing::Measured)),
            (false, &[machine(silicon, 0), machine(silicon, FIRMWARE)], (Rung::Board, Timing::Measured)),
            (false, &[], unknown),
            (false, &[machine(silicon, 0)], unknown),
            (true, &[], (Rung::Emulated, Timing::Modelled)),
            (false, &[machine(emulated, 0)], (Rung::Emulated, Timing::Modelled)),
            (true, &[machine(emulated, FIRMWARE)], (Rung::Emulated, Timing::Modelled)),
            (false, &[machine(silicon, FirmwareRevision::QEMU)], (Rung::Qemu, Timing::Modelled)),
            (true, &[machine(silicon, FIRMWARE)], unknown),
            (false, &[machine(silicon, FIRMWARE), machine(emulated, FIRMWARE)], unknown),
            (false, &[machine(silicon, FIRMWARE), machine(silicon, FirmwareRevision::QEMU)], unknown),
            (false, &[machine(silicon, FirmwareRevision::MODEL)], unknown),
        ] {
            let told = told(announced, machines);
            assert_eq!(told.labels(), labels, "{announced}, {machines:?}");
            assert_eq!(
                told.note().is_some(),
                labels == unknown,
                "{announced}, {machines:?}: {:?}",
                told.note()
            );
        }
    }

    #[test]
    fn what_was_told_twice_and_differently_is_named() {
        let emulated = machine(Core::Emulated, FIRMWARE);
        let other = Machine { build: [2; 8], ..emulated.clone() };
        let note = |machines: &[Machine]| told(false, machines).note().unwrap_or_default();
        assert!(note(&[emulated.clone(), other]).contains("two builds"));
        assert!(note(&[emulated.clone(), machine(Core::Emulated, 7)]).contains("two firmwares"));
        assert!(note(&[emulated.clone(), machine(Core::Silicon, FIRMWARE)]).contains("a real one"));
        assert_eq!(note(&[emulated.clone(), emulated]), "");
    }

    #[test]
    fn a_peer_that_has_answered_once_is_known() {
        let told = told(false, &[machine(Core::Silicon, FIRMWARE), machine(Core::Silicon, 0)]);
        assert_eq!(told.peer().map(|peer| peer.revision), Some(FIRMWARE));
    }
}
