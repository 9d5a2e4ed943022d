//! VideoCore as the one who asks.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::{Fail, Hung};
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "open-ours-short",
        breaks: "OPEN of a service of the Arm's has no versions",
        stage: Stage::Client,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::OpenOursShort,
    },
    Fault {
        name: "open-ours-twice",
        breaks: "OPEN of a service of the Arm's is sent twice",
        stage: Stage::Client,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::OpenOursTwice,
    },
    Fault {
        name: "close-ours-silent",
        breaks: "the client of a service of the Arm's gets its answer and never closes",
        stage: Stage::Client,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::CloseOursSilent,
    },
    Fault {
        name: "use-released-unasked",
        breaks: "REMOTE_RELEASE comes without a REMOTE_USE",
        stage: Stage::Client,
        verdict: Hung,
        owner: Firmware,
        defect: Defect::UseReleasedUnasked,
    },
    Fault {
        name: "use-while-paused",
        breaks: "REMOTE_USE is sent behind PAUSE",
        stage: Stage::Client,
        verdict: Fail,
        owner: Firmware,
        defect: Defect::UseWhilePaused,
    },
];
