//! A port of a component, and its settings.

use crate::{
    ids::{ComponentHandle, PortHandle},
    wire::{EXTRADATA, Encoding, Format, PortBlock, PortInfoReply, VideoFormat},
};

/// What a port is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
pub enum PortType {
    /// Events, and parameters of the component as a whole.
    Control = 1,
    /// Data to the component.
    Input = 2,
    /// Data from it.
    Output = 3,
    /// Times.
    Clock = 4,
}

impl TryFrom<u32> for PortType {
    type Error = u32;

    fn try_from(word: u32) -> Result<Self, u32> {
        let all = [Self::Control, Self::Input, Self::Output, Self::Clock];
        all.into_iter().find(|kind| *kind as u32 == word).ok_or(word)
    }
}

/// Settings of a port, as the firmware told them last. What is changed here is told to the firmware by
/// [`crate::Mmal::set_port`] and [`crate::Mmal::enable_port`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortInfo {
    /// Buffers, and what the port can do.
    pub port: PortBlock,
    /// Coding of its stream.
    pub format: Format,
    /// The part of it that only video has.
    pub video: VideoFormat,
    /// Codec data; [`Format::extradata_size`] bytes count.
    pub extradata: [u8; EXTRADATA],
}

impl PortInfo {
    pub(crate) fn of(reply: &PortInfoReply) -> Self {
        let PortInfoReply { port, format, video, extradata, .. } = *reply;
        Self { port, format, video, extradata }
    }

    /// True if the port takes buffers.
    pub fn is_enabled(&self) -> bool {
        self.port.is_enabled.get() != 0
    }

    /// Asks for so many buffers of so many bytes, or for the port's own minimum where that is more.
    pub fn set_buffers(&mut self, number: u32, size: u32) {
        self.port.buffer_num = number.max(self.port.buffer_num_min.get()).into();
        self.port.buffer_size = size.max(self.port.buffer_size_min.get()).into();
    }

    /// Raw video. Lines and columns are padded to what VideoCore wants of I420: 32 by 16 (MMAL fact sheet 4).
    pub fn set_video(&mut self, encoding: Encoding, width: u32, height: u32) {
        self.format.stream = Format::STREAM_VIDEO.into();
        self.format.encoding = encoding.0.into();
        self.format.variant = 0.into();
        self.video.width = width.next_multiple_of(32).into();
        self.video.height = height.next_multiple_of(16).into();
        self.video.crop = [0, 0, width, height].map(Into::into);
    }

    /// The same stream as that of another port; buffers stay as they are.
    pub fn set_format_of(&mut self, other: &Self) {
        // Pointers are each port's own, and the firmware's.
        let (specific, extradata) = (self.format.specific, self.format.extradata);
        self.format = Format { specific, extradata, ..other.format };
        self.video = other.video;
        self.extradata = other.extradata;
    }
}

/// Bytes of an I420 picture with padded lines and columns (MMAL fact sheet 4).
pub const fn i420_size(width: u32, height: u32) -> u32 {
    width.next_multiple_of(32) * height.next_multiple_of(16) * 3 / 2
}

/// A port, named by its component's handle and its own.
#[derive(PartialEq, Eq, Debug)]
pub struct Port {
    pub(crate) component: ComponentHandle,
    pub(crate) handle: PortHandle,
    pub(crate) kind: PortType,
    pub(crate) index: u32,
    pub(crate) zero_copy: bool,
    pub(crate) info: PortInfo,
}

impl Port {
    /// The component it belongs to.
    pub fn component(&self) -> ComponentHandle {
        self.component
    }

    /// The firmware's handle.
    pub fn handle(&self) -> PortHandle {
        self.handle
    }

    /// What it is for.
    pub fn kind(&self) -> PortType {
        self.kind
    }

    /// Its number among the ports of its type.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Buffers travel by handle.
    pub fn is_zero_copy(&self) -> bool {
        self.zero_copy
    }

    /// Settings as told last.
    pub fn info(&self) -> &PortInfo {
        &self.info
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_padded_to_whole_blocks() {
        assert_eq!(i420_size(64, 64), 6144);
        assert_eq!(i420_size(33, 17), 64 * 32 * 3 / 2);
    }
}
