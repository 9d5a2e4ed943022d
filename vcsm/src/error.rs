//! What can go wrong with a lent buffer, in the families of [`vchiq_mbox::error`].

use core::fmt;

use vchiq_mbox::{BusAddress, MessageInfo, Owner};

use crate::{
    ids::{Handle, KernelId, TransactionId},
    wire::{MessageType, Undecodable},
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

/// A caller's mistake; nothing was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Misuse {
    /// A buffer of no bytes.
    #[error("buffer of no bytes")]
    EmptyBuffer,
    /// Memory that is not among what may be lent ([`crate::Options`]).
    #[error("{size} bytes at {:#010x} are not ours to lend", .address.0)]
    NotLendable {
        /// Where VideoCore would find the first byte.
        address: BusAddress,
        /// Bytes.
        size: u32,
    },
    /// A token of another client, or one whose buffer has been given back.
    #[error("no buffer with kernel id {kernel_id:?} in this state")]
    UnknownToken {
        /// Kernel id of the token.
        kernel_id: KernelId,
    },
    /// A block of another client, or one that has been freed.
    #[error("no block with handle {handle:?}")]
    UnknownBlock {
        /// Handle of the token.
        handle: Handle,
    },
    /// A block that is locked can be neither resized nor freed.
    #[error("block {handle:?} is locked {locks} times")]
    BlockLocked {
        /// Its handle.
        handle: Handle,
        /// Its locks.
        locks: u32,
    },
    /// UNLOCK of a block that is not locked.
    #[error("block {handle:?} is not locked")]
    BlockNotLocked {
        /// Its handle.
        handle: Handle,
    },
    /// An abandoned request for the block has not been answered yet.
    #[error("block {handle:?} has a request under way")]
    BlockBusy {
        /// Its handle.
        handle: Handle,
    },
    /// The service is not closed while firmware may still use a buffer: firmware of 2022 halts (docs/findings.md).
    #[error("{count} buffers are out: CLOSE would halt the firmware")]
    BuffersOut {
        /// Buffers that firmware may still use.
        count: usize,
    },
    /// ACTION_CLEAN for an import that is not abandoned without a reply.
    #[error("nothing to undo for kernel id {kernel_id:?}")]
    NothingToUndo {
        /// Its number.
        kernel_id: KernelId,
    },
}

/// Something of ours is used up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Exhausted {
    /// Every place of the table holds a buffer that is out.
    #[error("{capacity} buffers are out")]
    TableFull {
        /// Places of the table.
        capacity: usize,
    },
    /// Every place for heap blocks, or for their requests under way, is taken.
    #[error("{capacity} heap blocks or requests under way")]
    BlocksFull {
        /// Places.
        capacity: usize,
    },
    /// Every place for spare buffers is taken.
    #[error("{capacity} spare buffers")]
    SparesFull {
        /// Places.
        capacity: usize,
    },
    /// All 2^32 - 1 kernel ids have been used.
    #[error("no kernel id left")]
    KernelIds,
}

/// Firmware broke the protocol of the service. Words are as received.
///
/// The call that met it returns it; the client goes on, and no buffer comes back by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Violation {
    /// Not a single word long, or longer than any message.
    #[error("message of {size} bytes at {place}")]
    Size {
        /// Bytes.
        size: usize,
        /// Where it lay.
        place: Place,
    },
    /// Wrong length for its first word.
    #[error("message {word:#010x} of {size} bytes, {expected} expected, at {place}")]
    Length {
        /// The first word.
        word: u32,
        /// Bytes.
        size: usize,
        /// Bytes it must have.
        expected: usize,
        /// Where it lay.
        place: Place,
    },
    /// An unsolicited message of a type nobody knows.
    #[error("unknown message {word:#010x} of {size} bytes at {place}")]
    UnknownMessage {
        /// The first word.
        word: u32,
        /// Bytes.
        size: usize,
        /// Where it lay.
        place: Place,
    },
    /// A version acknowledgement that nobody asked for.
    #[error("unexpected version acknowledgement {words:x?} at {place}")]
    UnexpectedVersionAck {
        /// Its words.
        words: [u32; 3],
        /// Where it lay.
        place: Place,
    },
    /// A reply to a transaction that is not under way.
    #[error("reply {words:x?} to nobody at {place}")]
    ReplyToNobody {
        /// Its words: transaction and result.
        words: [u32; 2],
        /// Where it lay.
        place: Place,
    },
    /// A second reply to a transaction.
    #[error("reply {words:x?} at {again} repeats the one at {first}")]
    DuplicateReply {
        /// Its words: transaction and result.
        words: [u32; 2],
        /// Where the first lay.
        first: Place,
        /// Where the second lay; the difference of the sequences is the distance.
        again: Place,
    },
    /// An import was given a handle that another import still has.
    #[error("handle {handle:?} of kernel id {holder:?} given again at {place}")]
    HandleInUse {
        /// The handle.
        handle: Handle,
        /// Who has it.
        holder: KernelId,
        /// Where the reply lay.
        place: Place,
    },
    /// A heap block was given a handle that another block still has.
    #[error("handle {handle:?} of a block given again at {place}")]
    BlockHandleInUse {
        /// The handle.
        handle: Handle,
        /// Where the reply lay.
        place: Place,
    },
    /// LOCK answered for another block.
    #[error("LOCK of {asked:?} answered for another: {words:x?} at {place}")]
    WrongHandle {
        /// The handle asked for.
        asked: Handle,
        /// The answer's words.
        words: [u32; 4],
        /// Where it lay.
        place: Place,
    },
    /// RELEASED for a kernel id that no buffer ever had.
    #[error("RELEASED {words:x?} for nobody at {place}")]
    ReleasedUnknown {
        /// Its words.
        words: [u32; 5],
        /// Where it lay.
        place: Place,
    },
    /// RELEASED for a buffer that has come back before.
    #[error("RELEASED {words:x?} again at {place}")]
    ReleasedTwice {
        /// Its words.
        words: [u32; 5],
        /// Where it lay.
        place: Place,
    },
    /// RELEASED although no FREE was sent: somebody else dropped the service's reference.
    #[error("RELEASED {words:x?} before FREE at {place}")]
    ReleasedBeforeFree {
        /// Its words.
        words: [u32; 5],
        /// Where it lay.
        place: Place,
    },
    /// RELEASED whose address, size or handle is not the import's.
    #[error("RELEASED {words:x?}, expected {expected:x?}, at {place}")]
    ReleasedMismatch {
        /// Its words.
        words: [u32; 5],
        /// What was imported; the handle is 0 if none is known.
        expected: [u32; 5],
        /// Where it lay.
        place: Place,
    },
}

impl Violation {
    pub(crate) fn undecodable(reason: Undecodable, place: Place) -> Self {
        match reason {
            Undecodable::Empty { size } => Self::Size { size, place },
            Undecodable::Length { word, size, expected } => Self::Length { word, size, expected, place },
            Undecodable::Unknown { word, size } => Self::UnknownMessage { word, size, place },
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
    /// Used up; buffers that come back make room.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// Firmware has no SMEM service: the cut-down variant, chosen by gpu_mem=16.
    #[error("firmware has no SMEM service (cut-down firmware? set gpu_mem to 32 or more)")]
    Absent,
    /// Firmware gave no handle.
    #[error("IMPORT of kernel id {kernel_id:?} refused")]
    ImportRefused {
        /// The buffer.
        kernel_id: KernelId,
        /// The request.
        transaction: TransactionId,
    },
    /// No reply to IMPORT before the deadline. The buffer stays reserved until the late reply and a RELEASED.
    #[error("IMPORT of kernel id {kernel_id:?} abandoned")]
    ImportTimedOut {
        /// The buffer.
        kernel_id: KernelId,
        /// The request.
        transaction: TransactionId,
    },
    /// Firmware answered a request for a heap block by a failure.
    #[error("{request:?} {transaction:?} refused with {status:#x}")]
    Refused {
        /// What was asked.
        request: MessageType,
        /// The request.
        transaction: TransactionId,
        /// The answer's status; 0 where a handle or an address is missing.
        status: u32,
    },
    /// No reply to a request for a heap block. Its late reply is recognised, and what it gave is given back.
    #[error("{request:?} {transaction:?} abandoned")]
    RequestTimedOut {
        /// What was asked.
        request: MessageType,
        /// The request.
        transaction: TransactionId,
    },
    /// No RELEASED before the deadline.
    #[error("no RELEASED for kernel id {kernel_id:?}")]
    ReleaseTimedOut {
        /// The buffer.
        kernel_id: KernelId,
    },
    /// Version 1 firmware never tells when it is done with a buffer.
    #[error("version 1 firmware sends no RELEASED")]
    NoReleaseNotice,
    /// The buffer has come back before it was freed ([`Violation::ReleasedBeforeFree`]).
    #[error("kernel id {kernel_id:?} was released before it was freed")]
    AlreadyReleased {
        /// The buffer.
        kernel_id: KernelId,
    },
    /// Firmware broke the protocol.
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
            | Self::ImportRefused { .. }
            | Self::ImportTimedOut { .. }
            | Self::Refused { .. }
            | Self::RequestTimedOut { .. }
            | Self::ReleaseTimedOut { .. }
            | Self::NoReleaseNotice
            | Self::AlreadyReleased { .. }
            | Self::Violation(_) => Owner::Firmware,
        }
    }
}
