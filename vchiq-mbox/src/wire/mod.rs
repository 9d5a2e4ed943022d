//! Layouts and numbers that both sides agree on (VCHIQ fact sheet 1 and 2).
//!
//! Integers are little-endian; sizes and offsets are pinned by constant assertions beside each type.

mod fourcc;
mod message;
mod pagelist;
mod slot_zero;

pub use fourcc::FourCc;
pub use message::{
    BulkPayload, CLAIMED, HEADER_SIZE, MAX_PAYLOAD, MessageId, MessageType, OpenAckPayload, OpenPayload,
    Port, UnknownMessageType, stride,
};
pub use pagelist::{
    PAGE_SIZE, PAGELIST_BYTES, PAGELIST_ENTRIES, PageList, PageListError, PageListFormat, PageListHeader,
    PageListKind,
};
pub use slot_zero::{
    EventKind, MAGIC, MAX_SLOTS, MAX_SLOTS_PER_SIDE, RemoteEvent, SLOT_QUEUE_LENGTH, SharedState, Side,
    SlotZero, VERSION, VERSION_MIN, field,
};

/// Bytes of a slot.
pub const SLOT_SIZE: usize = 4096;
