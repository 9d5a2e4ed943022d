//! A buffer on its way (MMAL fact sheet 5).

use bitflags::bitflags;
use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout,
    little_endian::{I64, U32},
};

use super::{Header, MAGIC};

/// Bytes that travel in a message.
pub const SHORT_DATA: usize = 128;
/// What follows a [`Buffer`] that a host sends, where times are aligned to their size. The firmware sends none
/// (docs/findings.md).
pub const BUFFER_PADDING: [u8; 4] = [0; 4];
/// Bytes of the bulk transfer that keeps a message without bytes in line.
pub const DUMMY_BULK: u32 = 8;
/// A time that is not known.
pub const UNKNOWN_TIME: i64 = i64::MIN;

bitflags! {
    /// What a buffer holds.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Flags: u32 {
        /// The last of a stream.
        const END_OF_STREAM = 0x1;
        /// A frame begins in it.
        const FRAME_START = 0x2;
        /// A frame ends in it.
        const FRAME_END = 0x4;
        /// It holds a frame that stands alone.
        const KEYFRAME = 0x8;
        /// What came before it is not continued.
        const DISCONTINUITY = 0x10;
        /// It holds codec configuration.
        const CONFIG = 0x20;
        /// Its contents are damaged.
        const CORRUPTED = 0x200;
        /// Its contents did not get through.
        const TRANSMISSION_FAILED = 0x400;
        /// To be decoded but not shown.
        const DECODE_ONLY = 0x800;
        /// A unit of H.264 ends in it.
        const NAL_END = 0x1000;
        // Bits that nobody has named are kept.
        const _ = !0;
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Flags {
    fn format(&self, formatter: defmt::Formatter<'_>) {
        defmt::write!(formatter, "{=u32:#x}", self.bits());
    }
}

impl Flags {
    /// A frame begins and ends in it.
    pub const FRAME: Self = Self::FRAME_START.union(Self::FRAME_END);
}

/// Names a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DriverBuffer {
    /// 0: [`MAGIC`].
    pub magic: U32,
    /// 4: handle of the component.
    pub component: U32,
    /// 8: handle of the port.
    pub port_handle: U32,
    /// 12: this side's number for it.
    pub client_context: U32,
}
const _: () = assert!(size_of::<DriverBuffer>() == 16); // MMAL fact sheet 5

impl DriverBuffer {
    /// For one buffer.
    pub fn new(component: u32, port_handle: u32, client_context: u32) -> Self {
        Self {
            magic: MAGIC.into(),
            component: component.into(),
            port_handle: port_handle.into(),
            client_context: client_context.into(),
        }
    }
}

/// BUFFER_FROM_HOST, BUFFER_TO_HOST and BUFFER_FROM_HOST_ZEROLEN; also PORT_FLUSH, where only `driver` counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Buffer {
    /// 0: header.
    pub header: Header,
    /// 24: names the buffer.
    pub driver: DriverBuffer,
    /// 40: names the buffer whose payload this one shares.
    pub reference: DriverBuffer,
    /// 56: 0.
    pub next: U32,
    /// 60: 0.
    pub private: U32,
    /// 64: 0; otherwise it is an event.
    pub command: U32,
    /// 68: with zero copy the handle of the memory; else any word but 0.
    pub data: U32,
    /// 72: bytes of the memory.
    pub alloc_size: U32,
    /// 76: bytes that count.
    pub length: U32,
    /// 80: where they start.
    pub offset: U32,
    /// 84: [`Flags`].
    pub flags: U32,
    /// 88: when to be shown, in microseconds.
    pub pts: I64,
    /// 96: when to be decoded, in microseconds.
    pub dts: I64,
    /// 104: pointer of the firmware's.
    pub specific: U32,
    /// 108: this side's to use.
    pub user_data: U32,
    /// 112: planes of a picture.
    pub planes: U32,
    /// 116: where they start.
    pub plane_offset: [U32; 4],
    /// 132: bytes of their lines.
    pub pitch: [U32; 4],
    /// 148: flags of video.
    pub video_flags: U32,
    /// 152: 1 for zero copy; the firmware goes by the port.
    pub is_zero_copy: U32,
    /// 156: 1 if `reference` counts.
    pub has_reference: U32,
    /// 160: bytes of `short_data` that count.
    pub payload_in_message: U32,
    /// 164: bytes that travel here.
    pub short_data: [u8; SHORT_DATA],
}
const _: () = assert!(size_of::<Buffer>() + BUFFER_PADDING.len() == 296); // MMAL fact sheet 5
const _: () = assert!(core::mem::offset_of!(Buffer, reference) == 40);
const _: () = assert!(core::mem::offset_of!(Buffer, command) == 64);
const _: () = assert!(core::mem::offset_of!(Buffer, data) == 68);
const _: () = assert!(core::mem::offset_of!(Buffer, length) == 76);
const _: () = assert!(core::mem::offset_of!(Buffer, flags) == 84);
const _: () = assert!(core::mem::offset_of!(Buffer, pts) == 88);
const _: () = assert!(core::mem::offset_of!(Buffer, dts) == 96);
const _: () = assert!(core::mem::offset_of!(Buffer, planes) == 112);
const _: () = assert!(core::mem::offset_of!(Buffer, video_flags) == 148);
const _: () = assert!(core::mem::offset_of!(Buffer, is_zero_copy) == 152);
const _: () = assert!(core::mem::offset_of!(Buffer, payload_in_message) == 160);
const _: () = assert!(core::mem::offset_of!(Buffer, short_data) == 164);
