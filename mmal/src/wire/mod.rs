//! The messages of the MMAL service, byte for byte (MMAL fact sheet 2 to 11).
//!
//! Every pointer on the wire is a word of 32 bits. Enumerations arrive as words; what nobody knows is kept as it is.

mod buffer;
mod component;
mod port;
mod statistics;

use vchiq_mbox::FourCc;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, little_endian::U32};

pub use buffer::{BUFFER_PADDING, Buffer, DUMMY_BULK, DriverBuffer, Flags, SHORT_DATA, UNKNOWN_TIME};
pub use component::{
    ComponentCreate, ComponentCreated, EVENT_DATA, Event, NAME_SIZE, OnComponent, padded_name,
};
pub use port::{
    EXTRADATA, Encoding, Format, ParameterReply, ParameterRequest, PortAction, PortActionKind, PortBlock,
    PortConnect, PortInfoGet, PortInfoReply, PortInfoSet, VideoFormat, ZERO_COPY,
};
pub use statistics::{
    BufferStatistics, CommandStatistics, ComponentStatistics, ServiceStatistics, Statistics,
};

/// Name of the service.
pub const MMAL: FourCc = FourCc::new(*b"mmal");
/// Version this client asks for in OPEN: that of Linux.
pub const SERVICE_VERSION: u16 = 15;
/// Oldest server version this client accepts.
pub const SERVICE_VERSION_MIN: u16 = 10;
/// First word of every message, both ways: the bytes "mmal" in memory, which is not the number that OPEN names.
pub const MAGIC: u32 = 0x6c61_6d6d;
/// Longest message of either direction.
pub const MAX_MESSAGE: usize = 512;
/// Longest text of HOST_LOG, its NUL included.
pub const MAX_LOG_TEXT: usize = MAX_MESSAGE - size_of::<Header>();

/// Message numbers (MMAL fact sheet 3). Those that only the firmware's own tools use are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
pub enum MessageType {
    /// Asks for the versions of the service.
    GetVersion = 3,
    /// Makes a component.
    ComponentCreate = 4,
    /// Ends a component.
    ComponentDestroy = 5,
    /// Lets a component work.
    ComponentEnable = 6,
    /// Stops a component's work; its ports keep what they have.
    ComponentDisable = 7,
    /// Asks for a port's handle and settings.
    PortInfoGet = 8,
    /// Changes a port's settings.
    PortInfoSet = 9,
    /// Enables, disables, flushes, connects a port.
    PortAction = 10,
    /// Gives a buffer to a port.
    BufferFromHost = 11,
    /// The firmware gives a buffer back.
    BufferToHost = 12,
    /// Asks for the service's counts.
    GetStatistics = 13,
    /// Sets a parameter of a port.
    PortParameterSet = 14,
    /// Asks for one.
    PortParameterGet = 15,
    /// Something happened to a component.
    EventToHost = 16,
    /// Gives a buffer without bytes to an input that is not zero copy, in line with those that have some; comes with a
    /// bulk transfer of eight bytes.
    BufferFromHostZeroLength = 24,
    /// Flushes a port that is not zero copy, behind the data on its way; comes with a bulk transfer of eight bytes.
    PortFlush = 25,
    /// Puts a line into the firmware's log.
    HostLog = 26,
}

impl MessageType {
    const ALL: [Self; 17] = [
        Self::GetVersion,
        Self::ComponentCreate,
        Self::ComponentDestroy,
        Self::ComponentEnable,
        Self::ComponentDisable,
        Self::PortInfoGet,
        Self::PortInfoSet,
        Self::PortAction,
        Self::BufferFromHost,
        Self::BufferToHost,
        Self::GetStatistics,
        Self::PortParameterSet,
        Self::PortParameterGet,
        Self::EventToHost,
        Self::BufferFromHostZeroLength,
        Self::PortFlush,
        Self::HostLog,
    ];
}

impl TryFrom<u32> for MessageType {
    type Error = u32;

    fn try_from(word: u32) -> Result<Self, u32> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == word).ok_or(word)
    }
}

/// First words of every message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Header {
    /// 0: [`MAGIC`].
    pub magic: U32,
    /// 4: a [`MessageType`]; a reply has that of its request.
    pub kind: U32,
    /// 8: the firmware's own affair.
    pub control_service: U32,
    /// 12: echoed in the reply.
    pub context: U32,
    /// 16: a status; most replies have theirs at 24.
    pub status: U32,
    /// 20: 0.
    pub padding: U32,
}
const _: () = assert!(size_of::<Header>() == 24); // MMAL fact sheet 2
const _: () = assert!(core::mem::offset_of!(Header, context) == 12);
const _: () = assert!(core::mem::offset_of!(Header, status) == 16);

impl Header {
    /// For one message.
    pub fn new(kind: MessageType, context: u32) -> Self {
        Self {
            magic: MAGIC.into(),
            kind: (kind as u32).into(),
            control_service: 0.into(),
            context: context.into(),
            status: 0.into(),
            padding: 0.into(),
        }
    }

    /// Its six words, for reports.
    pub fn words(&self) -> [u32; 6] {
        [self.magic, self.kind, self.control_service, self.context, self.status, self.padding].map(U32::get)
    }
}

/// GET_VERSION: nothing but its header.
pub type GetVersion = Header;

/// Reply to GET_VERSION.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct VersionReply {
    /// 0: header.
    pub header: Header,
    /// 24: unknown to us.
    pub flags: U32,
    /// 28: version of the service.
    pub major: U32,
    /// 32: its minor version.
    pub minor: U32,
    /// 36: oldest client it serves.
    pub minimum: U32,
}
const _: () = assert!(size_of::<VersionReply>() == 40); // MMAL fact sheet 3
const _: () = assert!(core::mem::offset_of!(VersionReply, major) == 28);

/// Reply that is a status and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct StatusReply {
    /// 0: header.
    pub header: Header,
    /// 24: a status.
    pub status: U32,
}
const _: () = assert!(size_of::<StatusReply>() == 28); // MMAL fact sheet 3

/// Why the start of a message is not a header of this service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undecodable {
    /// Shorter than a header, or longer than any message.
    Size {
        /// Its bytes.
        size: usize,
    },
    /// Another magic word.
    Magic {
        /// The header's words.
        words: [u32; 6],
    },
    /// A type that nobody knows.
    Unknown {
        /// The header's words.
        words: [u32; 6],
        /// Bytes of the message.
        size: usize,
    },
    /// Wrong length for its type.
    Length {
        /// The header's words.
        words: [u32; 6],
        /// Bytes of the message.
        size: usize,
        /// Bytes it must have.
        expected: usize,
    },
}

/// Reads the header of a message.
///
/// # Errors
/// [`Undecodable`].
pub fn header_of(bytes: &[u8]) -> Result<(Header, MessageType), Undecodable> {
    let size = bytes.len();
    let (header, _) = Header::read_from_prefix(bytes).map_err(|_| Undecodable::Size { size })?;
    let words = header.words();
    if header.magic.get() != MAGIC {
        return Err(Undecodable::Magic { words });
    }
    let kind = MessageType::try_from(header.kind.get()).map_err(|_| Undecodable::Unknown { words, size })?;
    Ok((header, kind))
}

/// Reads BUFFER_TO_HOST, with or without the padding of hosts; its header has been read.
///
/// # Errors
/// [`Undecodable::Length`].
pub fn buffer_of(header: &Header, bytes: &[u8]) -> Result<Buffer, Undecodable> {
    let padded = bytes.len() == size_of::<Buffer>() + BUFFER_PADDING.len();
    let whole = if padded { bytes.get(..size_of::<Buffer>()).unwrap_or_default() } else { bytes };
    exactly(header, whole)
}

/// Reads a message of exactly the length of `T`, whose header has been read.
///
/// # Errors
/// [`Undecodable::Length`].
pub fn exactly<T: FromBytes>(header: &Header, bytes: &[u8]) -> Result<T, Undecodable> {
    let (size, expected) = (bytes.len(), size_of::<T>());
    T::read_from_bytes(bytes).map_err(|_| Undecodable::Length { words: header.words(), size, expected })
}
