//! Text commands by the service GCMD.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::Hung;
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "gencmd-silent",
    breaks: "one text command is not answered",
    stage: Stage::Command,
    verdict: Hung,
    owner: Firmware,
    defect: Defect::GencmdSilent,
}];
