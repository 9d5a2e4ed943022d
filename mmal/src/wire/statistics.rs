//! The service's own counts: an independent witness (MMAL fact sheet 11).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, little_endian::U32};

use super::Header;

/// Counts of buffers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BufferStatistics {
    /// 0: came from hosts.
    pub rx: U32,
    /// 4: with zero copy.
    pub rx_zero_copy: U32,
    /// 8: without bytes.
    pub rx_empty: U32,
    /// 12: not taken.
    pub rx_fails: U32,
    /// 16: went to hosts.
    pub tx: U32,
    /// 20: with zero copy.
    pub tx_zero_copy: U32,
    /// 24: without bytes.
    pub tx_empty: U32,
    /// 28: not sent.
    pub tx_fails: U32,
    /// 32: with their bytes in the message.
    pub tx_short: U32,
    /// 36: with their bytes in the message.
    pub rx_short: U32,
}
const _: () = assert!(size_of::<BufferStatistics>() == 40); // MMAL fact sheet 11

/// Counts of clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ServiceStatistics {
    /// 0: came.
    pub created: U32,
    /// 4: about to go.
    pub pending_destroy: U32,
    /// 8: went.
    pub destroyed: U32,
    /// 12: could not be served.
    pub failures: U32,
}
const _: () = assert!(size_of::<ServiceStatistics>() == 16); // MMAL fact sheet 11

/// Counts of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CommandStatistics {
    /// 0: not understood.
    pub bad: U32,
    /// 4: carried out.
    pub executed: U32,
    /// 8: failed.
    pub failed: U32,
    /// 12: answered.
    pub replies: U32,
    /// 16: not answered.
    pub reply_fails: U32,
}
const _: () = assert!(size_of::<CommandStatistics>() == 20); // MMAL fact sheet 11

/// Counts of components.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ComponentStatistics {
    /// 0: made.
    pub created: U32,
    /// 4: ended.
    pub destroyed: U32,
    /// 8: about to end.
    pub destroying: U32,
    /// 12: could not be made.
    pub failed: U32,
    /// 16: places of the list that follows, in use.
    pub list_size: U32,
}
const _: () = assert!(size_of::<ComponentStatistics>() == 20); // MMAL fact sheet 11

/// GET_STATS and its reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Statistics {
    /// 0: header.
    pub header: Header,
    /// 24: buffers.
    pub buffers: BufferStatistics,
    /// 64: clients.
    pub services: ServiceStatistics,
    /// 80: messages.
    pub commands: CommandStatistics,
    /// 100: events sent, and not sent.
    pub events: [U32; 2],
    /// 108: components.
    pub components: ComponentStatistics,
    /// 128: the last components, nine words each.
    pub component_list: [[U32; 9]; 8],
    /// 416: the service's threads.
    pub worker: [U32; 4],
    /// 432: 1 to count from 0 again after the reply.
    pub reset: U32,
}
const _: () = assert!(size_of::<Statistics>() == 436); // MMAL fact sheet 11
const _: () = assert!(core::mem::offset_of!(Statistics, services) == 64);
const _: () = assert!(core::mem::offset_of!(Statistics, commands) == 80);
const _: () = assert!(core::mem::offset_of!(Statistics, events) == 100);
const _: () = assert!(core::mem::offset_of!(Statistics, components) == 108);
const _: () = assert!(core::mem::offset_of!(Statistics, component_list) == 128);
const _: () = assert!(core::mem::offset_of!(Statistics, worker) == 416);
const _: () = assert!(core::mem::offset_of!(Statistics, reset) == 432);
