//! The shared-memory service with a client that never tells its version.
//!
//! Silence after CLIENT_VERSION is no fault, but version 1 (VCSM fact sheet 5). Only to a client that does not ask for the
//! version does a dead service differ from an old one.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::Hung;
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "smem-silent",
    breaks: "OPEN of SMEM is answered, and no message after it",
    stage: Stage::OldClient,
    verdict: Hung,
    owner: Firmware,
    defect: Defect::SmemSilent,
}];
