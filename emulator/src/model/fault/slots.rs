//! Returning the other side's slots.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::{Fail, Hung};
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "slots-kept",
        breaks: "the Arm's slots are never returned",
        stage: Stage::Slots,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::SlotsKept,
    },
    Fault {
        name: "slot-returned-twice",
        breaks: "a slot is returned twice",
        stage: Stage::Slots,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotReturnedTwice,
    },
    Fault {
        name: "slot-returned-foreign",
        breaks: "a slot is returned that does not exist",
        stage: Stage::Slots,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::SlotReturnedForeign,
    },
    Fault {
        name: "recycle-jumps",
        breaks: "the count of returned slots jumps by 70",
        stage: Stage::Slots,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::RecycleJumps,
    },
    Fault {
        name: "claimed-left",
        breaks: "a slot is returned with a message still marked as in use",
        stage: Stage::Slots,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::ClaimedLeft,
    },
];
