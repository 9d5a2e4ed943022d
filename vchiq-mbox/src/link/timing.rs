//! Cycle stamps of a request and its answer.

use super::MessageInfo;
use crate::slot::SlotIndex;

/// Where a sent message was put, and when. Stamps are [`crate::Clock::cycles`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Submitted {
    /// Before the message was built.
    pub begin: u64,
    /// After it was published and the doorbell rung.
    pub rung: u64,
    /// True if the peer asked for its doorbell; false if it was awake already.
    pub rang: bool,
    /// Times the sender had to wait for a slot or a quota; `begin..rung` contains those waits.
    pub stalls: u32,
    /// Slot of the message.
    pub slot: SlotIndex,
    /// Byte offset of its header in the slot.
    pub offset: u16,
}

/// One request and its answer, in cycles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Exchange {
    /// Building, publishing and ringing.
    pub submit: u64,
    /// From ringing to the entry of the answer's doorbell interrupt; `None` if the answer was found without one.
    pub doorbell_to_irq: Option<u64>,
    /// From that interrupt to the answer's being decoded; `None` without an interrupt.
    pub parse: Option<u64>,
    /// From before building to the answer's being decoded.
    pub total: u64,
}

impl Exchange {
    /// Puts the stamps of a request and its answer together.
    pub fn between(request: &Submitted, answer: &MessageInfo) -> Self {
        // An interrupt from before the request belongs to something else.
        let interrupt = answer.interrupt.filter(|stamp| *stamp >= request.rung && *stamp <= answer.parsed);
        Self {
            submit: request.rung.wrapping_sub(request.begin),
            doorbell_to_irq: interrupt.map(|stamp| stamp - request.rung),
            parse: interrupt.map(|stamp| answer.parsed - stamp),
            total: answer.parsed.wrapping_sub(request.begin),
        }
    }
}
