//! What can go wrong with components and buffers, in the families of [`vchiq_mbox::error`].

use core::fmt;

use vchiq_mbox::{MessageInfo, Owner};

use crate::{
    ids::{BufferContext, ComponentHandle, RequestContext},
    status::Status,
    wire::{Buffer, MessageType, Undecodable},
};

/// Where a message lay, and its number among all that were received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Place {
    /// Slot index.
    pub slot: u8,
    /// Byte offset of its header in the slot.
    pub offset: u16,
    /// [`MessageInfo::sequence`].
    pub sequence: u64,
}

/// Slot and offset as one address of the shared memory, and the order: `2+0x0a0, message 6`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, offset, sequence } = *self;
        write!(f, "{slot}+{offset:#05x}, message {sequence}")
    }
}

impl From<MessageInfo> for Place {
    fn from(info: MessageInfo) -> Self {
        Self { slot: info.slot.number(), offset: info.offset, sequence: info.sequence }
    }
}

/// The words of BUFFER_TO_HOST that name a buffer and what is in it, as received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BufferWords {
    /// Magic word of the buffer.
    pub magic: u32,
    /// Handle of the component.
    pub component: u32,
    /// Handle of the port.
    pub port: u32,
    /// Number of the buffer.
    pub context: u32,
    /// Handle of the memory.
    pub data: u32,
    /// Bytes of the memory.
    pub alloc_size: u32,
    /// Bytes that count.
    pub length: u32,
    /// Where they start.
    pub offset: u32,
    /// [`crate::Flags`].
    pub flags: u32,
    /// 1 if it shares the payload of another buffer.
    pub has_reference: u32,
    /// Number of that buffer.
    pub reference: u32,
    /// Bytes in the message.
    pub in_message: u32,
}

impl BufferWords {
    pub(crate) fn of(buffer: &Buffer) -> Self {
        Self {
            magic: buffer.driver.magic.get(),
            component: buffer.driver.component.get(),
            port: buffer.driver.port_handle.get(),
            context: buffer.driver.client_context.get(),
            data: buffer.data.get(),
            alloc_size: buffer.alloc_size.get(),
            length: buffer.length.get(),
            offset: buffer.offset.get(),
            flags: buffer.flags.get(),
            has_reference: buffer.has_reference.get(),
            reference: buffer.reference.client_context.get(),
            in_message: buffer.payload_in_message.get(),
        }
    }
}

/// A caller's mistake; nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Misuse {
    /// A component of another client, or one that has been destroyed.
    #[error("no component with handle {handle:?}")]
    UnknownComponent {
        /// Its handle.
        handle: ComponentHandle,
    },
    /// A token of another client, or one whose payload has been given back.
    #[error("no buffer with context {context:?}")]
    UnknownToken {
        /// Context of the token.
        context: BufferContext,
    },
    /// No number, or no bytes: the firmware would refuse it without giving it back.
    #[error("payload with handle {handle:#x} of {size} bytes")]
    EmptyPayload {
        /// Its handle.
        handle: u32,
        /// Its bytes.
        size: u32,
    },
    /// The bytes that count do not lie in the payload.
    #[error("{length} bytes at {offset} of a payload of {size}")]
    OutsidePayload {
        /// Bytes that count.
        length: u32,
        /// Where they start.
        offset: u32,
        /// Bytes of the payload.
        size: u32,
    },
    /// Bytes cannot travel this way on this port: [`crate::Mmal::submit`] is for zero copy, the others are not.
    #[error("port with zero copy {zero_copy}")]
    WrongWay {
        /// The port is zero copy.
        zero_copy: bool,
    },
    /// More bytes than fit a message.
    #[error("{size} bytes, a message holds {room}")]
    TooLong {
        /// Bytes asked for.
        size: usize,
        /// Bytes there is room for.
        room: usize,
    },
    /// Memory of a bulk transfer must have the length of the data, rounded up to words.
    #[error("memory of {size} bytes, {expected} are moved")]
    BulkSize {
        /// Bytes of the memory.
        size: u32,
        /// Bytes that are moved.
        expected: u32,
    },
    /// There is no bulk transfer to be made for this buffer.
    #[error("the firmware waits for no bulk transfer")]
    NoBulk,
}

/// Something of ours is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Exhausted {
    /// Every place of the table holds a buffer that is out, or back and not taken.
    #[error("{capacity} buffers are out or not taken")]
    TableFull {
        /// Places of the table.
        capacity: usize,
    },
    /// Every place for components is taken.
    #[error("{capacity} components")]
    ComponentsFull {
        /// Places.
        capacity: usize,
    },
    /// Every place for requests without a reply is taken.
    #[error("{capacity} requests without a reply")]
    RequestsFull {
        /// Places.
        capacity: usize,
    },
    /// All 2^32 - 1 contexts have been used.
    #[error("no context left")]
    Contexts,
}

/// The firmware broke the protocol of the service. Words are as received.
///
/// The call that met it returns it; the client goes on, and no buffer comes back by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Violation {
    /// Shorter than a header, or longer than any message.
    #[error("message of {size} bytes at {place}")]
    Size {
        /// Bytes.
        size: usize,
        /// Where it lay.
        place: Place,
    },
    /// Another magic word: a message of another service, or of nobody.
    #[error("message without the magic word {words:x?} at {place}")]
    Magic {
        /// Its first words.
        words: [u32; 6],
        /// Where it lay.
        place: Place,
    },
    /// A type that nobody knows, or that the firmware never sends.
    #[error("unknown message {words:x?} of {size} bytes at {place}")]
    UnknownMessage {
        /// Its header.
        words: [u32; 6],
        /// Bytes.
        size: usize,
        /// Where it lay.
        place: Place,
    },
    /// Wrong length for its type.
    #[error("message {words:x?} of {size} bytes, {expected} expected, at {place}")]
    Length {
        /// Its header.
        words: [u32; 6],
        /// Bytes.
        size: usize,
        /// Bytes it must have.
        expected: usize,
        /// Where it lay.
        place: Place,
    },
    /// A reply to a request that is not under way.
    #[error("reply {words:x?} to nobody at {place}")]
    ReplyToNobody {
        /// Its header.
        words: [u32; 6],
        /// Where it lay.
        place: Place,
    },
    /// A second reply to a request.
    #[error("reply {words:x?} at {again} repeats the one at {first}")]
    DuplicateReply {
        /// Its header.
        words: [u32; 6],
        /// Where the first lay.
        first: Place,
        /// Where the second lay.
        again: Place,
    },
    /// A reply of another type than its request.
    #[error("{asked:?} answered by {words:x?} at {place}")]
    WrongReply {
        /// What was asked.
        asked: MessageType,
        /// Header of the reply.
        words: [u32; 6],
        /// Where it lay.
        place: Place,
    },
    /// A component was given a handle that another component still has.
    #[error("component handle {handle:#x} given again at {place}")]
    HandleInUse {
        /// The handle.
        handle: u32,
        /// Where the reply lay.
        place: Place,
    },
    /// More ports of a kind than the service has for anybody.
    #[error("component with {ports:?} inputs, outputs, clocks at {place}")]
    PortCount {
        /// Inputs, outputs, clocks.
        ports: [u32; 3],
        /// Where the reply lay.
        place: Place,
    },
    /// PORT_INFO_GET or PORT_INFO_SET answered for another port.
    #[error("port {asked:x?} asked for, {found:x?} answered at {place}")]
    WrongPort {
        /// Component, type and index asked for.
        asked: [u32; 3],
        /// Those of the reply.
        found: [u32; 3],
        /// Where the reply lay.
        place: Place,
    },
    /// A port has a handle above 255, or another than before.
    #[error("port handle {found:#x} at {place}")]
    PortHandle {
        /// The handle.
        found: u32,
        /// Where the reply lay.
        place: Place,
    },
    /// PORT_PARAMETER_GET answered for another parameter, or for more bytes than it holds.
    #[error("parameter {asked:#x} answered by {found:#x} of {size} bytes at {place}")]
    WrongParameter {
        /// Parameter asked for.
        asked: u32,
        /// Parameter of the reply.
        found: u32,
        /// Bytes of its value and 8, as the reply has it.
        size: u32,
        /// Where the reply lay.
        place: Place,
    },
    /// BUFFER_TO_HOST for a number that no buffer ever had.
    #[error("BUFFER_TO_HOST {words:x?} for nobody at {place}")]
    BufferUnknown {
        /// Its words.
        words: BufferWords,
        /// Where it lay.
        place: Place,
    },
    /// BUFFER_TO_HOST for a buffer that has come back before.
    #[error("BUFFER_TO_HOST {words:x?} again at {place}")]
    BufferTwice {
        /// Its words.
        words: BufferWords,
        /// Where it lay.
        place: Place,
    },
    /// BUFFER_TO_HOST whose magic word, port or handle is not the buffer's.
    #[error("BUFFER_TO_HOST {words:x?}, expected {expected:x?}, at {place}")]
    BufferMismatch {
        /// Its words.
        words: BufferWords,
        /// Component, port and handle of the buffer.
        expected: [u32; 3],
        /// Where it lay.
        place: Place,
    },
    /// BUFFER_TO_HOST whose bytes lie outside the memory, or the message.
    #[error("BUFFER_TO_HOST {words:x?} outside {size} bytes at {place}")]
    BufferRange {
        /// Its words.
        words: BufferWords,
        /// Bytes of the memory.
        size: u32,
        /// Where it lay.
        place: Place,
    },
    /// An event of a component that is none of ours.
    #[error("event {command:#010x} of component {component:#x} at {place}")]
    EventOfNobody {
        /// The component's number.
        component: u32,
        /// Four letters.
        command: u32,
        /// Where it lay.
        place: Place,
    },
    /// An event of no known type of port, or of more bytes than its message holds.
    #[error("event {command:#010x} of port type {port_type} with {length} bytes at {place}")]
    EventRange {
        /// Four letters.
        command: u32,
        /// Type of the port.
        port_type: u32,
        /// Bytes of the details.
        length: u32,
        /// Where it lay.
        place: Place,
    },
}

impl Violation {
    pub(crate) fn undecodable(reason: Undecodable, place: Place) -> Self {
        match reason {
            Undecodable::Size { size } => Self::Size { size, place },
            Undecodable::Magic { words } => Self::Magic { words, place },
            Undecodable::Unknown { words, size } => Self::UnknownMessage { words, size, place },
            Undecodable::Length { words, size, expected } => Self::Length { words, size, expected, place },
        }
    }
}

/// Any failure of the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The link under the service.
    #[error(transparent)]
    Link(#[from] vchiq_mbox::Error),
    /// The caller's mistake.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// Used up; what comes back makes room.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// The firmware has no MMAL service: the cut-down variant, chosen by gpu_mem=16.
    #[error("firmware has no mmal service (cut-down firmware? set gpu_mem to 32 or more)")]
    Absent,
    /// The firmware said no.
    #[error("{request:?} {context:?} refused: {status:?}")]
    Refused {
        /// What was asked.
        request: MessageType,
        /// Its number.
        context: RequestContext,
        /// Why.
        status: Status,
    },
    /// No reply before the deadline. A late one is recognised, and a component that it made is destroyed.
    #[error("{request:?} {context:?} abandoned")]
    RequestTimedOut {
        /// What was asked.
        request: MessageType,
        /// Its number.
        context: RequestContext,
    },
    /// A buffer has not come back before the deadline.
    #[error("buffer {context:?} not returned")]
    ReturnTimedOut {
        /// Its number.
        context: BufferContext,
    },
    /// No event before the deadline.
    #[error("no event")]
    EventTimedOut,
    /// The firmware broke the protocol.
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl Error {
    /// Who answers for it.
    pub const fn owner(&self) -> Owner {
        match self {
            Self::Link(error) => error.owner(),
            Self::Misuse(_) | Self::Exhausted(_) => Owner::Harness,
            Self::Absent
            | Self::Refused { .. }
            | Self::RequestTimedOut { .. }
            | Self::ReturnTimedOut { .. }
            | Self::EventTimedOut
            | Self::Violation(_) => Owner::Firmware,
        }
    }

    /// The status that the firmware refused with.
    pub const fn status(&self) -> Option<Status> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}
