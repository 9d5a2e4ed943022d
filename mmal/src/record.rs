//! One buffer, and whether the firmware has it.

use vchiq_mbox::{Exchange, MessageInfo, Submitted};

use crate::{
    error::BufferWords,
    ids::{BufferContext, ComponentHandle, PortHandle},
    payload::Payload,
    port::PortType,
    wire::{Flags, SHORT_DATA},
};

/// What the firmware says of a buffer that has come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Filled {
    /// 0; otherwise four letters of an event that came with it.
    pub command: u32,
    /// Bytes that count.
    pub length: u32,
    /// Where they start.
    pub offset: u32,
    /// What they are.
    pub flags: Flags,
    /// When to be shown, in microseconds; [`crate::wire::UNKNOWN_TIME`] if nobody knows.
    pub pts: i64,
    /// When to be decoded, likewise.
    pub dts: i64,
}

/// Where the bytes of a buffer that has come back are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Data {
    /// Nowhere: there are none, or it was an input.
    None,
    /// In its memory.
    InMemory,
    /// In the memory of a buffer that another port has, or had: the payload was handed on.
    Shared {
        /// The buffer it belongs to.
        with: BufferContext,
    },
    /// Here.
    Short {
        /// The bytes.
        bytes: [u8; SHORT_DATA],
        /// How many count.
        length: u8,
    },
    /// With the firmware, which waits for [`crate::Mmal::receive_bulk`].
    Bulk {
        /// How many.
        length: u32,
    },
    /// Lost: the firmware could not use the handle ([`Flags::TRANSMISSION_FAILED`]).
    Failed,
}

/// How a buffer came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum How {
    /// By BUFFER_TO_HOST.
    Returned {
        /// When it was submitted, and when its return was read.
        exchange: Exchange,
        /// Where the message lay, and its order among all messages of the link.
        info: MessageInfo,
    },
    /// The firmware destroyed its component without giving it back.
    ComponentDestroyed,
}

/// Where a buffer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is no heap, and short data lies nowhere else")]
pub(crate) enum State {
    Out,
    Back { how: How, filled: Filled, data: Data },
}

/// A submitted buffer. It owns the payload: whatever becomes of the caller's tokens, it stays reserved.
pub(crate) struct Record<T> {
    pub(crate) context: BufferContext,
    pub(crate) component: ComponentHandle,
    pub(crate) port: PortHandle,
    pub(crate) kind: PortType,
    pub(crate) zero_copy: bool,
    pub(crate) submitted: Submitted,
    pub(crate) payload: T,
    pub(crate) state: State,
}

impl<T: Payload> Record<T> {
    pub(crate) fn is_out(&self) -> bool {
        self.state == State::Out
    }

    pub(crate) fn is_of(&self, component: ComponentHandle, port: PortHandle) -> bool {
        (self.component, self.port) == (component, port)
    }

    /// BUFFER_TO_HOST names exactly this buffer: its port, and its handle or the one whose payload it shares.
    pub(crate) fn is_named_by(&self, words: &BufferWords, shared: Option<u32>) -> bool {
        let failed = Flags::from_bits_retain(words.flags).contains(Flags::TRANSMISSION_FAILED);
        let memory_fits = !self.zero_copy
            || words.data == shared.unwrap_or(self.payload.handle())
            || (failed && words.data == 0);
        (words.component, words.port) == (self.component.number(), self.port.number()) && memory_fits
    }

    pub(crate) fn outstanding(&self) -> Outstanding {
        Outstanding {
            context: self.context,
            component: self.component,
            port: self.port,
            handle: self.payload.handle(),
        }
    }
}

/// A buffer that the firmware has, for reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Outstanding {
    /// Its number.
    pub context: BufferContext,
    /// Component of its port.
    pub component: ComponentHandle,
    /// Its port.
    pub port: PortHandle,
    /// Handle of its memory.
    pub handle: u32,
}
