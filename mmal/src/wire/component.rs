//! Components and what they tell.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, little_endian::U32};

use super::Header;

/// Bytes of a component's name, NUL included.
pub const NAME_SIZE: usize = 128;
/// Most bytes of details that travel with an event.
pub const EVENT_DATA: usize = 256;

/// COMPONENT_CREATE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ComponentCreate {
    /// 0: header.
    pub header: Header,
    /// 24: this side's number for it, named in its events.
    pub client_component: U32,
    /// 28: NUL-padded name, without the `vc.` of applications.
    pub name: [u8; NAME_SIZE],
    /// 156: process id.
    pub pid: U32,
}
const _: () = assert!(size_of::<ComponentCreate>() == 160); // MMAL fact sheet 3
const _: () = assert!(core::mem::offset_of!(ComponentCreate, pid) == 156);

/// Reply to COMPONENT_CREATE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ComponentCreated {
    /// 0: header.
    pub header: Header,
    /// 24: a status.
    pub status: U32,
    /// 28: the firmware's handle.
    pub handle: U32,
    /// 32: input ports.
    pub inputs: U32,
    /// 36: output ports.
    pub outputs: U32,
    /// 40: clock ports.
    pub clocks: U32,
}
const _: () = assert!(size_of::<ComponentCreated>() == 44); // MMAL fact sheet 3
const _: () = assert!(core::mem::offset_of!(ComponentCreated, inputs) == 32);

/// COMPONENT_DESTROY, COMPONENT_ENABLE and COMPONENT_DISABLE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct OnComponent {
    /// 0: header.
    pub header: Header,
    /// 24: the firmware's handle.
    pub component: U32,
}
const _: () = assert!(size_of::<OnComponent>() == 28); // MMAL fact sheet 3

/// Start of EVENT_TO_HOST; `length` bytes of details follow. Linux reads a struct of 304 bytes, of which the firmware
/// sends no more than it needs (docs/findings.md).
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Event {
    /// 0: header.
    pub header: Header,
    /// 24: this side's number for the component.
    pub client_component: U32,
    /// 28: type of the port.
    pub port_type: U32,
    /// 32: number of the port among those of its type.
    pub port_index: U32,
    /// 36: what happened, four letters.
    pub command: U32,
    /// 40: bytes of the details.
    pub length: U32,
}
const _: () = assert!(size_of::<Event>() == 44); // MMAL fact sheet 3
const _: () = assert!(size_of::<Event>() + EVENT_DATA + 4 == 304);

impl Event {
    /// ERRO: the first word of the details is a status.
    pub const ERROR: u32 = u32::from_le_bytes(*b"ERRO");
    /// EEOS: the end of a stream has gone through.
    pub const END_OF_STREAM: u32 = u32::from_le_bytes(*b"EEOS");
    /// EFCH: a port has another format.
    pub const FORMAT_CHANGED: u32 = u32::from_le_bytes(*b"EFCH");
    /// EPCH: a parameter has another value.
    pub const PARAMETER_CHANGED: u32 = u32::from_le_bytes(*b"EPCH");
}

/// A name as it stands in COMPONENT_CREATE: cut to 127 bytes, NUL-padded.
pub fn padded_name(name: &str) -> [u8; NAME_SIZE] {
    let mut padded = [0; NAME_SIZE];
    for (byte, letter) in padded.iter_mut().take(NAME_SIZE - 1).zip(name.bytes()) {
        *byte = letter;
    }
    padded
}
