//! PAUSE and RESUME from the Arm.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::Hung;
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "pause-silent",
    breaks: "PAUSE of the Arm's is not answered",
    stage: Stage::Pause,
    verdict: Hung,
    owner: Firmware,
    defect: Defect::PauseSilent,
}];
