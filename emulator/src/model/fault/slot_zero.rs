//! Slot zero.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::Fail;
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "slot-zero-magic",
        breaks: "the magic of slot zero is overwritten in the other byte order",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroMagic,
    },
    Fault {
        name: "slot-zero-version",
        breaks: "the version is lowered to 2, below the minimum",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroVersion,
    },
    Fault {
        name: "slot-zero-slot-size",
        breaks: "the slot size is changed to 8192",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroSlotSize,
    },
    Fault {
        name: "slot-zero-range",
        breaks: "the master's last slot becomes the slave's last slot",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotZeroRange,
    },
    Fault {
        name: "slot-queue-outside",
        breaks: "the master's slot queue names a slot that does not exist",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotQueueOutside,
    },
    Fault {
        name: "slot-queue-foreign",
        breaks: "the master's slot queue names a slot of the slave's",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotQueueForeign,
    },
    Fault {
        name: "slot-queue-twice",
        breaks: "the master's slot queue names a slot twice",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotQueueTwice,
    },
    Fault {
        name: "slot-queue-changed",
        breaks: "an entry of the master's slot queue changes after CONNECT",
        stage: Stage::SlotZero,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotQueueChanged,
    },
];
