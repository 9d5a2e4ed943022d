//! Blocks of VideoCore's own heap.

use super::ExpectedOwner::Firmware;
use super::ExpectedVerdict::Hung;
use super::{Defect, Fault, Stage};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "heap-silent",
    breaks: "one LOCK of a heap block is not answered",
    stage: Stage::Heap,
    verdict: Hung,
    owner: Firmware,
    defect: Defect::HeapSilent,
}];
