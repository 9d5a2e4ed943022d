//! Stamps of a request and its answer.

use super::MessageInfo;
use crate::{platform::Moment, slot::SlotIndex};

/// Where a sent message was put, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Submitted {
    /// Before the message was built.
    pub begin: Moment,
    /// After it was published and the doorbell rung.
    pub rung: Moment,
    /// True if the peer asked for its doorbell; false if it was awake already.
    pub rang: bool,
    /// Times the sender had to wait for a slot or a quota; `begin..rung` contains those waits.
    pub stalls: u32,
    /// Slot of the message.
    pub slot: SlotIndex,
    /// Byte offset of its header in the slot.
    pub offset: u16,
}

/// The moments of one request and its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Exchange {
    /// Before the request was built.
    pub begin: Moment,
    /// After it was published and the doorbell rung.
    pub rung: Moment,
    /// Entry of the answer's doorbell interrupt; `None` if the answer was found without one.
    pub interrupt: Option<Moment>,
    /// The answer's header had been checked and its service found.
    pub parsed: Moment,
}

impl Exchange {
    /// Puts the stamps of a request and its answer together.
    pub fn between(request: &Submitted, answer: &MessageInfo) -> Self {
        let Submitted { begin, rung, .. } = *request;
        // An interrupt from before the request belongs to something else.
        let interrupt = answer.interrupt.filter(|stamp| stamp.cycles >= begin.cycles);
        Self { begin, rung, interrupt, parsed: answer.parsed }
    }
}
