//! Ports: their settings, actions and parameters (MMAL fact sheet 3 to 6).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, little_endian::U16, little_endian::U32};

use super::Header;

/// Bytes of codec data that travel with a format.
pub const EXTRADATA: usize = 128;
/// Number of the parameter that makes a port zero copy (MMAL fact sheet 6).
pub const ZERO_COPY: u32 = 4;

/// Four letters that name the coding of a stream; little-endian on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Encoding(pub u32);

impl Encoding {
    /// None.
    pub const UNKNOWN: Self = Self(0);
    /// Planes of luma and both chromas, the chromas of half width and height.
    pub const I420: Self = Self::new(*b"I420");
    /// A plane of luma, one of both chromas.
    pub const NV12: Self = Self::new(*b"NV12");
    /// A reference to an image in VideoCore's memory.
    pub const OPAQUE: Self = Self::new(*b"OPQV");
    /// 24 bits a pixel.
    pub const RGB24: Self = Self::new(*b"RGB3");
    /// 32 bits a pixel.
    pub const RGBA: Self = Self::new(*b"RGBA");
    /// H.264.
    pub const H264: Self = Self::new(*b"H264");

    /// Of four letters.
    pub const fn new(letters: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(letters))
    }
}

/// A port as the firmware keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PortBlock {
    /// 0: pointer of the firmware's.
    pub private: U32,
    /// 4: pointer of the firmware's.
    pub name: U32,
    /// 8: type of the port. Linux has it as a word; the firmware's are 16 bits, and the number follows
    /// (docs/findings.md).
    pub kind: U16,
    /// 10: number among those of its type.
    pub index: U16,
    /// 12: number among all of its component.
    pub index_all: U16,
    /// 14: nothing.
    pub padding: U16,
    /// 16: 1 while enabled.
    pub is_enabled: U32,
    /// 20: pointer of the firmware's.
    pub format: U32,
    /// 24: fewest buffers.
    pub buffer_num_min: U32,
    /// 28: smallest buffers, in bytes.
    pub buffer_size_min: U32,
    /// 32: alignment of buffers, in bytes; 0 for any.
    pub buffer_alignment_min: U32,
    /// 36: buffers it works best with.
    pub buffer_num_recommended: U32,
    /// 40: size it works best with, in bytes.
    pub buffer_size_recommended: U32,
    /// 44: buffers this side is going to give.
    pub buffer_num: U32,
    /// 48: their size in bytes.
    pub buffer_size: U32,
    /// 52: pointer of the firmware's.
    pub component: U32,
    /// 56: this side's to use.
    pub userdata: U32,
    /// 60: what it can do, bit by bit.
    pub capabilities: U32,
}
const _: () = assert!(size_of::<PortBlock>() == 64); // MMAL fact sheet 4
const _: () = assert!(core::mem::offset_of!(PortBlock, is_enabled) == 16);
const _: () = assert!(core::mem::offset_of!(PortBlock, buffer_num_min) == 24);
const _: () = assert!(core::mem::offset_of!(PortBlock, buffer_num) == 44);
const _: () = assert!(core::mem::offset_of!(PortBlock, capabilities) == 60);

/// The format of a port, but for what depends on the type of its stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Format {
    /// 0: 0 unknown, 1 control, 2 audio, 3 video, 4 subpicture.
    pub stream: U32,
    /// 4: an [`Encoding`].
    pub encoding: U32,
    /// 8: one of its variants.
    pub variant: U32,
    /// 12: pointer of the firmware's.
    pub specific: U32,
    /// 16: bits a second.
    pub bitrate: U32,
    /// 20: bit by bit.
    pub flags: U32,
    /// 24: bytes of codec data.
    pub extradata_size: U32,
    /// 28: pointer of the firmware's.
    pub extradata: U32,
}
const _: () = assert!(size_of::<Format>() == 32); // MMAL fact sheet 4
const _: () = assert!(core::mem::offset_of!(Format, extradata_size) == 24);

impl Format {
    /// [`Format::stream`] of anything.
    pub const STREAM_UNKNOWN: u32 = 0;
    /// [`Format::stream`] of video.
    pub const STREAM_VIDEO: u32 = 3;
}

/// The part of a format that only video has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct VideoFormat {
    /// 0: pixels of a line, padding included.
    pub width: U32,
    /// 4: lines, padding included.
    pub height: U32,
    /// 8: x, y, width and height of what is to be seen.
    pub crop: [U32; 4],
    /// 24: frames a second, numerator and denominator.
    pub frame_rate: [U32; 2],
    /// 32: pixel aspect, numerator and denominator.
    pub pixel_aspect: [U32; 2],
    /// 40: four letters.
    pub colour_space: U32,
}
const _: () = assert!(size_of::<VideoFormat>() == 44); // MMAL fact sheet 4
const _: () = assert!(core::mem::offset_of!(VideoFormat, crop) == 8);
const _: () = assert!(core::mem::offset_of!(VideoFormat, colour_space) == 40);

/// PORT_INFO_GET.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PortInfoGet {
    /// 0: header.
    pub header: Header,
    /// 24: handle of the component.
    pub component: U32,
    /// 28: type of the port.
    pub kind: U32,
    /// 32: number among those of its type.
    pub index: U32,
}
const _: () = assert!(size_of::<PortInfoGet>() == 36); // MMAL fact sheet 3

/// PORT_INFO_SET.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PortInfoSet {
    /// 0: header.
    pub header: Header,
    /// 24: handle of the component.
    pub component: U32,
    /// 28: type of the port.
    pub kind: U32,
    /// 32: number among those of its type.
    pub index: U32,
    /// 36: the port.
    pub port: PortBlock,
    /// 100: its format.
    pub format: Format,
    /// 132: the video part of it.
    pub video: VideoFormat,
    /// 176: codec data.
    pub extradata: [u8; EXTRADATA],
}
const _: () = assert!(size_of::<PortInfoSet>() == 304); // MMAL fact sheet 3
const _: () = assert!(core::mem::offset_of!(PortInfoSet, format) == 100);
const _: () = assert!(core::mem::offset_of!(PortInfoSet, video) == 132);
const _: () = assert!(core::mem::offset_of!(PortInfoSet, extradata) == 176);

/// Reply to PORT_INFO_GET and PORT_INFO_SET.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PortInfoReply {
    /// 0: header.
    pub header: Header,
    /// 24: a status.
    pub status: U32,
    /// 28: handle of the component.
    pub component: U32,
    /// 32: type of the port.
    pub kind: U32,
    /// 36: number among those of its type.
    pub index: U32,
    /// 40: the firmware's own affair.
    pub found: U32,
    /// 44: handle of the port.
    pub port_handle: U32,
    /// 48: the port.
    pub port: PortBlock,
    /// 112: its format.
    pub format: Format,
    /// 144: the video part of it.
    pub video: VideoFormat,
    /// 188: codec data.
    pub extradata: [u8; EXTRADATA],
}
const _: () = assert!(size_of::<PortInfoReply>() == 316); // MMAL fact sheet 3
const _: () = assert!(core::mem::offset_of!(PortInfoReply, port_handle) == 44);
const _: () = assert!(core::mem::offset_of!(PortInfoReply, format) == 112);
const _: () = assert!(core::mem::offset_of!(PortInfoReply, video) == 144);
const _: () = assert!(core::mem::offset_of!(PortInfoReply, extradata) == 188);

/// What PORT_ACTION does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
pub enum PortActionKind {
    /// Lets it take buffers.
    Enable = 1,
    /// Stops it; it gives its buffers back.
    Disable = 2,
    /// It gives its buffers back.
    Flush = 3,
    /// Ties an output to an input.
    Connect = 4,
    /// Unties them.
    Disconnect = 5,
}

/// PORT_ACTION, but for connecting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PortAction {
    /// 0: header.
    pub header: Header,
    /// 24: handle of the component.
    pub component: U32,
    /// 28: handle of the port.
    pub port_handle: U32,
    /// 32: a [`PortActionKind`].
    pub action: U32,
    /// 36: the port.
    pub port: PortBlock,
}
const _: () = assert!(size_of::<PortAction>() == 100); // MMAL fact sheet 3
const _: () = assert!(core::mem::offset_of!(PortAction, port) == 36);

/// PORT_ACTION to connect and disconnect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PortConnect {
    /// 0: header.
    pub header: Header,
    /// 24: handle of the component.
    pub component: U32,
    /// 28: handle of the port.
    pub port_handle: U32,
    /// 32: a [`PortActionKind`].
    pub action: U32,
    /// 36: handle of the other component.
    pub other_component: U32,
    /// 40: handle of the other port.
    pub other_port: U32,
}
const _: () = assert!(size_of::<PortConnect>() == 44); // MMAL fact sheet 3

/// Start of PORT_PARAMETER_SET, which the value follows, and of PORT_PARAMETER_GET, which room for it follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ParameterRequest {
    /// 0: header.
    pub header: Header,
    /// 24: handle of the component.
    pub component: U32,
    /// 28: handle of the port.
    pub port_handle: U32,
    /// 32: number of the parameter.
    pub id: U32,
    /// 36: bytes of the value, and 8 for `id` and `size`.
    pub size: U32,
}
const _: () = assert!(size_of::<ParameterRequest>() == 40); // MMAL fact sheet 3

/// Start of the reply to PORT_PARAMETER_GET; the value follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ParameterReply {
    /// 0: header.
    pub header: Header,
    /// 24: a status.
    pub status: U32,
    /// 28: number of the parameter.
    pub id: U32,
    /// 32: bytes of the value, and 8 for `id` and `size`.
    pub size: U32,
}
const _: () = assert!(size_of::<ParameterReply>() == 36); // MMAL fact sheet 3
