//! One lent buffer, and where it is in its life.
//!
//! ```text
//! Importing ──reply──→ Imported ──FREE──→ Freeing ──RELEASED──→ Returned
//!     │  └──refused──→ Returned    └──RELEASED (violation)──→ Returned
//!     └─ timeout: abandoned; the late reply is freed at once, unless ACTION_CLEAN has been sent
//! Given (to firmware that asked for memory) ──RELEASED──→ spare again
//! ```

use vchiq_mbox::{Exchange, MessageInfo, Submitted};

use crate::{
    ids::{Handle, KernelId, TransactionId},
    lend::Lend,
    wire::{MessageType, Released},
};

/// Where a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// IMPORT sent, no reply yet.
    Importing { submitted: Submitted },
    /// Firmware has a handle on it.
    Imported { handle: Handle, exchange: Exchange },
    /// FREE sent, no RELEASED yet.
    Freeing { handle: Handle, submitted: Submitted },
    /// Given to firmware, which had asked for so many bytes.
    Given { handle: u32, size: u32 },
    /// Firmware has no claim on it: refused, or released.
    Returned(Outcome),
}

/// How a buffer came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Refused,
    ReleasedEarly,
    /// Undone by firmware after ACTION_CLEAN.
    Undone,
    Released {
        exchange: Exchange,
        info: MessageInfo,
    },
}

/// A lent buffer. It owns the buffer, so that whatever becomes of the caller's tokens, the memory stays reserved.
pub(crate) struct Record<B> {
    pub(crate) kernel_id: KernelId,
    pub(crate) transaction: TransactionId,
    pub(crate) buffer: B,
    /// The caller has given up waiting for the reply.
    pub(crate) abandoned: bool,
    /// ACTION_CLEAN has been sent: firmware is to undo the import by itself.
    pub(crate) cleaned: bool,
    pub(crate) state: State,
}

impl<B: Lend> Record<B> {
    /// The handle, while firmware has one.
    pub(crate) fn handle(&self) -> Option<Handle> {
        match self.state {
            State::Imported { handle, .. } | State::Freeing { handle, .. } => Some(handle),
            State::Given { handle, .. } => Handle::told(handle),
            State::Importing { .. } | State::Returned(_) => None,
        }
    }

    /// Firmware may still use the memory.
    pub(crate) fn is_out(&self) -> bool {
        !matches!(self.state, State::Returned(_))
    }

    /// The words that RELEASED must have; handle 0 if none is known.
    pub(crate) fn expected_release(&self) -> [u32; 5] {
        let size = match self.state {
            State::Given { size, .. } => size,
            _ => self.buffer.size(),
        };
        [
            MessageType::Released.unsolicited(),
            self.buffer.bus_address().0,
            size,
            self.kernel_id.number(),
            self.handle().map_or(0, Handle::number),
        ]
    }

    /// RELEASED tells of exactly this buffer. Firmware that undoes an import may do so before its handle is known.
    pub(crate) fn is_released_by(&self, released: &Released) -> bool {
        let (words, mut expected) = (released.words(), self.expected_release());
        if matches!(self.state, State::Importing { .. }) {
            if !self.cleaned || words[4] == 0 {
                return false;
            }
            expected[4] = words[4];
        }
        words == expected
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
    pub handle: Option<Handle>,
    /// FREE has been sent.
    pub freed: bool,
    /// The wait for its IMPORT's reply was given up.
    pub abandoned: bool,
    /// Firmware had asked for memory.
    pub given: bool,
}
