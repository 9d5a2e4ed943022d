//! One lent buffer, and where it is in its life.
//!
//! ```text
//! Importing ──reply──→ Imported ──FREE──→ Freeing ──RELEASED──→ Returned
//!     │  └──refused──→ Returned    └──RELEASED (violation)──→ Returned
//!     └─ timeout: abandoned; the late reply is freed at once
//! ```

use vchiq_mbox::{Exchange, MessageInfo, Submitted};

use crate::{
    ids::{KernelId, TransactionId},
    lend::Lend,
    wire::{MessageType, Released},
};

/// Where a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// IMPORT sent, no reply yet.
    Importing,
    /// Firmware has a handle on it.
    Imported { handle: u32, exchange: Exchange },
    /// FREE sent, no RELEASED yet.
    Freeing { handle: u32, submitted: Submitted },
    /// Firmware has no claim on it: refused, or released.
    Returned(Outcome),
}

/// How a buffer came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Refused,
    ReleasedEarly,
    Released { exchange: Exchange, info: MessageInfo },
}

/// A lent buffer. It owns the buffer, so that whatever becomes of the caller's tokens, the memory stays reserved.
pub(crate) struct Record<B> {
    pub(crate) kernel_id: KernelId,
    pub(crate) transaction: TransactionId,
    pub(crate) submitted: Submitted,
    pub(crate) buffer: B,
    /// The caller has given up waiting for the reply.
    pub(crate) abandoned: bool,
    pub(crate) state: State,
}

impl<B: Lend> Record<B> {
    /// The handle, while firmware has one.
    pub(crate) fn handle(&self) -> Option<u32> {
        match self.state {
            State::Imported { handle, .. } | State::Freeing { handle, .. } => Some(handle),
            State::Importing | State::Returned(_) => None,
        }
    }

    /// Firmware may still use the memory.
    pub(crate) fn is_out(&self) -> bool {
        !matches!(self.state, State::Returned(_))
    }

    /// The words that RELEASED must have; handle 0 if none is known.
    pub(crate) fn expected_release(&self) -> [u32; 5] {
        [
            MessageType::Released.unsolicited(),
            self.buffer.bus_address().0,
            self.buffer.size(),
            self.kernel_id.number(),
            self.handle().unwrap_or(0),
        ]
    }

    /// RELEASED tells of exactly this import.
    pub(crate) fn is_released_by(&self, released: &Released) -> bool {
        self.handle().is_some() && released.words() == self.expected_release()
    }
}

/// A buffer that firmware may still use, for reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Outstanding {
    /// Its number.
    pub kernel_id: KernelId,
    /// Number of its IMPORT.
    pub transaction: TransactionId,
    /// Its handle, once known.
    pub handle: Option<u32>,
    /// FREE has been sent.
    pub freed: bool,
    /// The wait for its IMPORT's reply was given up.
    pub abandoned: bool,
}
