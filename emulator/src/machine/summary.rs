//! What a run came to.

use super::Counters;

/// A register that was used and that nobody models.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unmodelled {
    /// Bus address.
    pub address: u32,
    /// Block and register, or the block and an offset.
    pub register: String,
    /// Loads.
    pub reads: u64,
    /// Stores.
    pub writes: u64,
    /// Who did it first: "vpu0", "arm2", "external".
    pub first_by: &'static str,
    /// Address of the instruction that did it first.
    pub first_pc: u64,
}

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Summary {
    /// Virtual time since power-on.
    pub now_ns: u64,
    /// Totals.
    pub counters: Counters,
    /// Instructions by VPU core.
    pub vpu_instructions: [u64; 2],
    /// Instructions by Arm core.
    pub arm_instructions: [u64; 4],
    /// Registers nobody models, by address.
    pub unmodelled: Vec<Unmodelled>,
}
