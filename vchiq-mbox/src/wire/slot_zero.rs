//! Slot zero: the header and the two shared states (VCHIQ fact sheet 2.1 and 2.2).

use core::mem::offset_of;

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout,
    little_endian::{U16, U32},
};

/// 'VCHI', first word of slot zero.
pub const MAGIC: u32 = 0x5643_4849;
/// Newest protocol version this side speaks.
pub const VERSION: u16 = 8;
/// Oldest protocol version this side speaks.
pub const VERSION_MIN: u16 = 3;
/// Slots that slot zero can describe, both sides together.
pub const MAX_SLOTS: usize = 128;
/// Slots of one side.
pub const MAX_SLOTS_PER_SIDE: usize = 64;
/// Entries of a slot queue; a power of two.
pub const SLOT_QUEUE_LENGTH: usize = MAX_SLOTS_PER_SIDE;

/// Words of the diagnostic array.
const DEBUG_WORDS: usize = 11;

/// One of the four events of a side. The peer sets `fired`; the rest is its owner's.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RemoteEvent {
    /// 0: the owner wants the doorbell rung.
    pub armed: U32,
    /// 4: the peer has signalled.
    pub fired: U32,
    /// 8: private to the owner.
    pub event: U32,
}
const _: () = assert!(size_of::<RemoteEvent>() == 12);

/// What one side publishes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SharedState {
    /// 00: 1 once the owner has finished its half.
    pub initialised: U32,
    /// 04: first data slot.
    pub slot_first: U32,
    /// 08: last data slot, inclusive.
    pub slot_last: U32,
    /// 0c: slot for synchronous messages.
    pub slot_sync: U32,
    /// 10: new messages for the owner.
    pub trigger: RemoteEvent,
    /// 1c: end of what the owner has published, in bytes since the start.
    pub tx_pos: U32,
    /// 20: slots came back to the owner.
    pub recycle: RemoteEvent,
    /// 2c: slots ever made available to the owner; the peer counts it up.
    pub slot_queue_recycle: U32,
    /// 30: a message lies in the peer's sync slot.
    pub sync_trigger: RemoteEvent,
    /// 3c: the owner's sync slot is empty.
    pub sync_release: RemoteEvent,
    /// 48: the owner's slots in the order of use; the peer appends.
    pub slot_queue: [U32; SLOT_QUEUE_LENGTH],
    /// 148: diagnostics of the owner; the first word is their number.
    pub debug: [U32; DEBUG_WORDS],
}
const _: () = assert!(size_of::<SharedState>() == 372);
const _: () = assert!(offset_of!(SharedState, tx_pos) == 0x1c);
const _: () = assert!(offset_of!(SharedState, recycle) == 0x20);
const _: () = assert!(offset_of!(SharedState, slot_queue_recycle) == 0x2c);
const _: () = assert!(offset_of!(SharedState, slot_queue) == 0x48);
const _: () = assert!(offset_of!(SharedState, debug) == 0x148);

/// The first 1288 bytes of the window.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SlotZero {
    /// 000: [`MAGIC`].
    pub magic: U32,
    /// 004: agreed version; a peer with a smaller one lowers it.
    pub version: U16,
    /// 006: oldest version of the side that laid slot zero out.
    pub version_min: U16,
    /// 008: size of this struct.
    pub slot_zero_size: U32,
    /// 00c: bytes of a slot.
    pub slot_size: U32,
    /// 010: [`MAX_SLOTS`].
    pub max_slots: U32,
    /// 014: [`MAX_SLOTS_PER_SIDE`].
    pub max_slots_per_side: U32,
    /// 018: bus address of the fragments pool, and the number of fragments.
    pub platform_data: [U32; 2],
    /// 020: VideoCore's half.
    pub master: SharedState,
    /// 194: our half.
    pub slave: SharedState,
    /// 308: reserved.
    pub slot_info: [U32; MAX_SLOTS],
}
const _: () = assert!(size_of::<SlotZero>() == 1288);
const _: () = assert!(offset_of!(SlotZero, master) == 0x020);
const _: () = assert!(offset_of!(SlotZero, slave) == 0x194);
const _: () = assert!(offset_of!(SlotZero, slot_info) == 0x308);

/// A half of slot zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// VideoCore.
    Master,
    /// The Arm: us.
    Slave,
}

/// The four events of a side (VCHIQ fact sheet 5.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// New messages.
    Trigger,
    /// Slots came back.
    Recycle,
    /// A message lies in the other side's sync slot.
    SyncTrigger,
    /// The owner's sync slot has been emptied.
    SyncRelease,
}

impl EventKind {
    /// Every event.
    pub const ALL: [Self; 4] = [Self::SyncTrigger, Self::SyncRelease, Self::Trigger, Self::Recycle];
}

/// Byte offsets in slot zero.
pub mod field {
    use super::*;

    const fn base(side: Side) -> usize {
        match side {
            Side::Master => offset_of!(SlotZero, master),
            Side::Slave => offset_of!(SlotZero, slave),
        }
    }

    /// Version in the low half, oldest version in the high half.
    pub const VERSIONS: usize = offset_of!(SlotZero, version);

    /// [`SharedState::initialised`].
    pub const fn initialised(side: Side) -> usize {
        base(side) + offset_of!(SharedState, initialised)
    }
    /// [`SharedState::slot_first`].
    pub const fn slot_first(side: Side) -> usize {
        base(side) + offset_of!(SharedState, slot_first)
    }
    /// [`SharedState::slot_last`].
    pub const fn slot_last(side: Side) -> usize {
        base(side) + offset_of!(SharedState, slot_last)
    }
    /// [`SharedState::slot_sync`].
    pub const fn slot_sync(side: Side) -> usize {
        base(side) + offset_of!(SharedState, slot_sync)
    }
    /// [`SharedState::tx_pos`].
    pub const fn tx_pos(side: Side) -> usize {
        base(side) + offset_of!(SharedState, tx_pos)
    }
    /// [`SharedState::slot_queue_recycle`].
    pub const fn slot_queue_recycle(side: Side) -> usize {
        base(side) + offset_of!(SharedState, slot_queue_recycle)
    }
    /// Entry of [`SharedState::slot_queue`] for a running queue number; wraps at the queue's length.
    pub const fn slot_queue(side: Side, number: u32) -> usize {
        base(side) + offset_of!(SharedState, slot_queue) + 4 * (number as usize % SLOT_QUEUE_LENGTH)
    }
    /// Word of [`SharedState::debug`]; wraps at the array's length.
    pub const fn debug(side: Side, word: usize) -> usize {
        base(side) + offset_of!(SharedState, debug) + 4 * (word % DEBUG_WORDS)
    }
    const fn event(side: Side, kind: EventKind) -> usize {
        base(side)
            + match kind {
                EventKind::Trigger => offset_of!(SharedState, trigger),
                EventKind::Recycle => offset_of!(SharedState, recycle),
                EventKind::SyncTrigger => offset_of!(SharedState, sync_trigger),
                EventKind::SyncRelease => offset_of!(SharedState, sync_release),
            }
    }
    /// [`RemoteEvent::armed`].
    pub const fn armed(side: Side, kind: EventKind) -> usize {
        event(side, kind) + offset_of!(RemoteEvent, armed)
    }
    /// [`RemoteEvent::fired`].
    pub const fn fired(side: Side, kind: EventKind) -> usize {
        event(side, kind) + offset_of!(RemoteEvent, fired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Absolute offsets as printed in VCHIQ fact sheet 2.2.
    #[test]
    fn offsets_are_those_of_the_protocol() {
        assert_eq!(field::VERSIONS, 0x004);
        assert_eq!((field::initialised(Side::Master), field::initialised(Side::Slave)), (0x020, 0x194));
        assert_eq!((field::slot_first(Side::Master), field::slot_first(Side::Slave)), (0x024, 0x198));
        assert_eq!((field::slot_last(Side::Master), field::slot_last(Side::Slave)), (0x028, 0x19c));
        assert_eq!((field::slot_sync(Side::Master), field::slot_sync(Side::Slave)), (0x02c, 0x1a0));
        assert_eq!((field::tx_pos(Side::Master), field::tx_pos(Side::Slave)), (0x03c, 0x1b0));
        let recycle = (field::slot_queue_recycle(Side::Master), field::slot_queue_recycle(Side::Slave));
        assert_eq!(recycle, (0x04c, 0x1c0));
        assert_eq!((field::slot_queue(Side::Master, 0), field::slot_queue(Side::Slave, 0)), (0x068, 0x1dc));
        assert_eq!((field::slot_queue(Side::Master, 31), field::slot_queue(Side::Slave, 31)), (0x0e4, 0x258));
        assert_eq!(field::slot_queue(Side::Slave, 64), field::slot_queue(Side::Slave, 0));
        assert_eq!((field::debug(Side::Master, 0), field::debug(Side::Slave, 0)), (0x168, 0x2dc));
        for (kind, master, slave) in [
            (EventKind::Trigger, 0x030, 0x1a4),
            (EventKind::Recycle, 0x040, 0x1b4),
            (EventKind::SyncTrigger, 0x050, 0x1c4),
            (EventKind::SyncRelease, 0x05c, 0x1d0),
        ] {
            assert_eq!((field::armed(Side::Master, kind), field::armed(Side::Slave, kind)), (master, slave));
            assert_eq!(
                (field::fired(Side::Master, kind), field::fired(Side::Slave, kind)),
                (master + 4, slave + 4)
            );
        }
    }
}
