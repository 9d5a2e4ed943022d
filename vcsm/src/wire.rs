//! The messages of the SMEM service, byte for byte (VCSM fact sheet 2 to 5).
//!
//! Firmware compares the length of what it receives with the struct it expects, so every struct here has exactly
//! that length.

use vchiq_mbox::FourCc;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, little_endian::U32};

/// Name of the service.
pub const SMEM: FourCc = FourCc::new(*b"SMEM");
/// Version this client asks for in OPEN.
pub const SERVICE_VERSION: u16 = 1;
/// Oldest server version this client accepts.
pub const SERVICE_VERSION_MIN: u16 = 0;
/// Version of the messages, told by CLIENT_VERSION: with 2 firmware sends RELEASED.
pub const PROTOCOL_VERSION: u32 = 2;
/// Bytes of a resource name, NUL included.
pub const NAME_SIZE: usize = 32;
/// Longest message of either direction.
pub const MAX_MESSAGE: usize = 60;

/// Set in the first word of a message that is no reply.
const UNSOLICITED: u32 = 1 << 31;

/// Message numbers (VCSM fact sheet 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
pub enum MessageType {
    /// Makes a block of VideoCore's heap.
    Alloc = 0,
    /// Pins a block and tells where it is.
    Lock = 1,
    /// Takes a lock back.
    Unlock = 2,
    /// Takes a lock back without an answer.
    UnlockNoAnswer = 3,
    /// Lets go of a handle.
    Free = 4,
    /// Changes the size of a block.
    Resize = 5,
    /// Prints the resources into the firmware's log.
    WalkAlloc = 6,
    /// Undoes a request whose reply nobody waits for any longer.
    ActionClean = 7,
    /// Wraps foreign memory in a handle.
    Import = 8,
    /// Tells the protocol version.
    ClientVersion = 9,
    /// Answers [`MessageType::VcMemRequest`].
    VcMemRequestReply = 10,
    /// Firmware is done with an import.
    Released = 11,
    /// Firmware asks for memory.
    VcMemRequest = 12,
}

impl MessageType {
    /// The first word when firmware sends this unasked.
    pub const fn unsolicited(self) -> u32 {
        self as u32 | UNSOLICITED
    }
}

/// How firmware is to treat a resource's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
pub enum CacheType {
    /// Through its caches.
    Cached = 0,
    /// Past them; what Linux always sends.
    NonCached = 1,
}

/// First words of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RequestHeader {
    /// 0: a [`MessageType`].
    pub kind: U32,
    /// 4: transaction id.
    pub transaction: U32,
}
const _: () = assert!(size_of::<RequestHeader>() == 8);

impl RequestHeader {
    /// For one request.
    pub fn new(kind: MessageType, transaction: u32) -> Self {
        Self { kind: (kind as u32).into(), transaction: transaction.into() }
    }
}

/// ALLOC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Alloc {
    /// 0: header.
    pub header: RequestHeader,
    /// 8: a [`CacheType`].
    pub cache_type: U32,
    /// 12: bytes of a unit.
    pub unit: U32,
    /// 16: units.
    pub count: U32,
    /// 20: alignment in bytes.
    pub alignment: U32,
    /// 24: process id of the owner; part of the resource's description.
    pub allocator: U32,
    /// 28: NUL-padded name.
    pub name: [u8; NAME_SIZE],
}
const _: () = assert!(size_of::<Alloc>() == 60); // VCSM fact sheet 3
const _: () = assert!(core::mem::offset_of!(Alloc, alignment) == 8 + 12);

/// Reply to ALLOC.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AllocResult {
    /// 0: transaction id of the request.
    pub transaction: U32,
    /// 4: handle, 0 if refused.
    pub handle: U32,
    /// 8: where the block is now.
    pub memory: U32,
    /// 12: bytes of a unit.
    pub unit: U32,
    /// 16: units.
    pub count: U32,
}
const _: () = assert!(size_of::<AllocResult>() == 20); // VCSM fact sheet 4

/// LOCK, UNLOCK, UNLOCK_NOANS and FREE: all name a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct OnHandle {
    /// 0: header.
    pub header: RequestHeader,
    /// 8: handle.
    pub handle: U32,
    /// 12: 0.
    pub memory: U32,
}
const _: () = assert!(size_of::<OnHandle>() == 16); // VCSM fact sheet 3

/// Reply to LOCK.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct LockResult {
    /// 0: transaction id of the request.
    pub transaction: U32,
    /// 4: handle.
    pub handle: U32,
    /// 8: where the block is now.
    pub memory: U32,
    /// 12: where it was before, if it has moved.
    pub old_memory: U32,
}
const _: () = assert!(size_of::<LockResult>() == 16); // VCSM fact sheet 4

/// RESIZE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Resize {
    /// 0: header.
    pub header: RequestHeader,
    /// 8: handle.
    pub handle: U32,
    /// 12: 0.
    pub memory: U32,
    /// 16: bytes.
    pub new_size: U32,
}
const _: () = assert!(size_of::<Resize>() == 20); // VCSM fact sheet 3

/// Reply to UNLOCK and RESIZE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct StatusResult {
    /// 0: transaction id of the request.
    pub transaction: U32,
    /// 4: 0 for success; signed.
    pub status: U32,
}
const _: () = assert!(size_of::<StatusResult>() == 8); // VCSM fact sheet 4

/// WALK_ALLOC: nothing but its header.
pub type WalkAlloc = RequestHeader;

/// ACTION_CLEAN.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ActionClean {
    /// 0: header.
    pub header: RequestHeader,
    /// 8: [`MessageType`] of the request to undo.
    pub action: U32,
    /// 12: its transaction id.
    pub action_transaction: U32,
}
const _: () = assert!(size_of::<ActionClean>() == 16); // VCSM fact sheet 3

/// IMPORT.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Import {
    /// 0: header.
    pub header: RequestHeader,
    /// 8: a [`CacheType`].
    pub cache_type: U32,
    /// 12: bus address.
    pub address: U32,
    /// 16: bytes.
    pub size: U32,
    /// 20: echoed in RELEASED.
    pub kernel_id: U32,
    /// 24: process id of the owner; part of the resource's description.
    pub allocator: U32,
    /// 28: NUL-padded name.
    pub name: [u8; NAME_SIZE],
}
const _: () = assert!(size_of::<Import>() == 60); // VCSM fact sheet 3
const _: () = assert!(core::mem::offset_of!(Import, kernel_id) == 8 + 12);
const _: () = assert!(core::mem::offset_of!(Import, name) == 8 + 20);

/// Reply to IMPORT.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ImportResult {
    /// 0: transaction id of the request.
    pub transaction: U32,
    /// 4: handle, 0 if refused.
    pub handle: U32,
}
const _: () = assert!(size_of::<ImportResult>() == 8); // VCSM fact sheet 4

/// CLIENT_VERSION.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ClientVersion {
    /// 0: header.
    pub header: RequestHeader,
    /// 8: [`PROTOCOL_VERSION`].
    pub version: U32,
}
const _: () = assert!(size_of::<ClientVersion>() == 12); // VCSM fact sheet 3

/// Firmware's acknowledgement of CLIENT_VERSION.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct VersionAck {
    /// 0: 0x80000009.
    pub command: U32,
    /// 4: transaction id of the request.
    pub transaction: U32,
    /// 8: version.
    pub version: U32,
}
const _: () = assert!(size_of::<VersionAck>() == 12); // VCSM fact sheet 5

/// RELEASED.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Released {
    /// 0: 0x8000000b.
    pub command: U32,
    /// 4: bus address of the import.
    pub address: U32,
    /// 8: its bytes.
    pub size: U32,
    /// 12: its kernel id.
    pub kernel_id: U32,
    /// 16: its handle.
    pub handle: U32,
}
const _: () = assert!(size_of::<Released>() == 20); // VCSM fact sheet 3

impl Released {
    /// Its five words, for reports.
    pub fn words(&self) -> [u32; 5] {
        [self.command, self.address, self.size, self.kernel_id, self.handle].map(U32::get)
    }
}

/// VC_MEM_REQUEST.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct VcMemRequest {
    /// 0: 0x8000000c.
    pub command: U32,
    /// 4: firmware's own transaction id.
    pub transaction: U32,
    /// 8: bytes.
    pub size: U32,
    /// 12: alignment in bytes.
    pub align: U32,
    /// 16: NUL-padded name.
    pub name: [u8; NAME_SIZE],
    /// 48: handle.
    pub handle: U32,
}
const _: () = assert!(size_of::<VcMemRequest>() == 52); // VCSM fact sheet 4

/// VC_MEM_REQUEST_REPLY.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct VcMemRequestReply {
    /// 0: header, with an id of ours that firmware ignores.
    pub header: RequestHeader,
    /// 8: firmware's transaction id.
    pub request: U32,
    /// 12: bus address, 0 for failure.
    pub address: U32,
    /// 16: kernel id, 0 for failure.
    pub kernel_id: U32,
}
const _: () = assert!(size_of::<VcMemRequestReply>() == 20); // VCSM fact sheet 3

/// Longest reply, in bytes.
const MAX_REPLY: usize = size_of::<AllocResult>();

/// A reply: it carries no type, so its shape is known only to who knows the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    bytes: [u8; MAX_REPLY],
    size: usize,
}

impl Reply {
    fn of(message: &[u8], word: u32) -> Result<Self, Undecodable> {
        let mut bytes = [0; MAX_REPLY];
        let size = message.len();
        let room = bytes.get_mut(..size).ok_or(Undecodable::Length { word, size, expected: MAX_REPLY })?;
        room.copy_from_slice(message);
        Ok(Self { bytes, size })
    }

    /// Word at an index; 0 past the end.
    pub fn word(&self, index: usize) -> u32 {
        let bytes = self.bytes.get(index * 4..index * 4 + 4).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Transaction id of the request.
    pub fn transaction(&self) -> u32 {
        self.word(0)
    }

    /// The reply to a request of a known type.
    ///
    /// # Errors
    /// [`Undecodable::Length`].
    pub fn read<T: FromBytes>(&self) -> Result<T, Undecodable> {
        exactly(&self.bytes[..self.size.min(MAX_REPLY)], self.transaction())
    }
}

/// A message from firmware, told apart by its first word and checked for length only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FromFirmware {
    /// A reply.
    Reply(Reply),
    /// CLIENT_VERSION was understood.
    VersionAck(VersionAck),
    /// Firmware is done with an import.
    Released(Released),
    /// Firmware asks for memory.
    MemoryRequest(VcMemRequest),
}

/// A message that cannot be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undecodable {
    /// Not a single word long.
    Empty {
        /// Its bytes.
        size: usize,
    },
    /// Wrong length for its first word.
    Length {
        /// The first word.
        word: u32,
        /// Its bytes.
        size: usize,
        /// Bytes it must have.
        expected: usize,
    },
    /// An unsolicited message of a type nobody knows.
    Unknown {
        /// The first word.
        word: u32,
        /// Its bytes.
        size: usize,
    },
}

impl FromFirmware {
    /// Decodes a whole message.
    ///
    /// # Errors
    /// [`Undecodable`], with the first word.
    pub fn decode(bytes: &[u8]) -> Result<Self, Undecodable> {
        let size = bytes.len();
        let (word, _) = U32::read_from_prefix(bytes).map_err(|_| Undecodable::Empty { size })?;
        let word = word.get();
        if word & UNSOLICITED == 0 {
            return Reply::of(bytes, word).map(Self::Reply);
        }
        match word & !UNSOLICITED {
            number if number == MessageType::ClientVersion as u32 => {
                exactly(bytes, word).map(Self::VersionAck)
            }
            number if number == MessageType::Released as u32 => exactly(bytes, word).map(Self::Released),
            number if number == MessageType::VcMemRequest as u32 => {
                exactly(bytes, word).map(Self::MemoryRequest)
            }
            _ => Err(Undecodable::Unknown { word, size }),
        }
    }
}

fn exactly<T: FromBytes>(bytes: &[u8], word: u32) -> Result<T, Undecodable> {
    let expected = size_of::<T>();
    T::read_from_bytes(bytes).map_err(|_| Undecodable::Length { word, size: bytes.len(), expected })
}

/// A name as it stands in a message: cut to 31 bytes, NUL-padded.
pub fn padded_name(name: &str) -> [u8; NAME_SIZE] {
    let mut padded = [0; NAME_SIZE];
    for (byte, letter) in padded.iter_mut().take(NAME_SIZE - 1).zip(name.bytes()) {
        *byte = letter;
    }
    padded
}
