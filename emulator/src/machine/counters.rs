//! What the processors have done.

/// Instructions and cycles since power-on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Retired by all Arm cores.
    pub arm_instructions: u64,
    /// Cycles of the Arm clock.
    pub arm_cycles: u64,
    /// Retired by both VPU cores.
    pub vpu_instructions: u64,
}
