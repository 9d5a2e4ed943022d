//! Giving buffers to the firmware.

use vchiq_mbox::{Deadline, Platform, Submitted, Vchiq, Window};
use zerocopy::{FromZeros, IntoBytes};

use super::Mmal;
use crate::{
    error::{Error, Exhausted, Misuse},
    ids::BufferContext,
    payload::Payload,
    port::{Port, PortType},
    record::{Record, State},
    wire::{BUFFER_PADDING, Buffer, DriverBuffer, Flags, Header, MessageType, SHORT_DATA, UNKNOWN_TIME},
};

/// What is in a buffer that is given to the firmware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fill {
    /// Bytes that count: 0 for an output.
    pub length: u32,
    /// Where they start.
    pub offset: u32,
    /// What they are.
    pub flags: Flags,
    /// When to be shown, in microseconds; [`UNKNOWN_TIME`] if nobody knows.
    pub pts: i64,
    /// When to be decoded, likewise.
    pub dts: i64,
}

impl Fill {
    /// Nothing: for outputs.
    pub const EMPTY: Self =
        Self { length: 0, offset: 0, flags: Flags::empty(), pts: UNKNOWN_TIME, dts: UNKNOWN_TIME };

    /// So many bytes, a whole frame.
    pub const fn frame(length: u32) -> Self {
        Self { length, flags: Flags::FRAME, ..Self::EMPTY }
    }
}

/// A buffer that the firmware has.
#[must_use = "the payload stays reserved until its return is awaited or taken"]
#[derive(PartialEq, Eq, Debug)]
pub struct InFlight {
    pub(super) context: BufferContext,
}

impl InFlight {
    /// Number of the buffer.
    pub fn context(&self) -> BufferContext {
        self.context
    }
}

/// A buffer that was not given: nothing was sent.
#[derive(Debug)]
pub struct SubmitFailure<T> {
    /// Why.
    pub error: Error,
    /// What it carries.
    pub payload: T,
}

/// How the bytes of a buffer travel.
#[derive(Clone, Copy)]
pub(super) enum Way<'b> {
    ZeroCopy,
    Nothing,
    Short(&'b [u8]),
    Bulk,
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Gives a buffer to a port, by handle. On a port that is not zero copy only a buffer without bytes can be given
    /// so: what an output is to fill, or the end of a stream when no bytes of it are on their way
    /// ([`Self::submit_bulk`] else).
    ///
    /// # Errors
    /// [`SubmitFailure`] with the payload.
    pub fn submit<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        payload: T,
        fill: Fill,
        deadline: Deadline,
    ) -> Result<InFlight, SubmitFailure<T>> {
        let way = if port.zero_copy { Way::ZeroCopy } else { Way::Nothing };
        self.give(link, port, payload, fill, way, deadline)
    }

    /// Gives a buffer whose bytes travel in the message: at most 128, on a port that is not zero copy. The payload is no
    /// more than a number and a size. Length and offset of `fill` do not count.
    ///
    /// # Errors
    /// [`SubmitFailure`] with the payload.
    pub fn submit_short<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        payload: T,
        bytes: &[u8],
        fill: Fill,
        deadline: Deadline,
    ) -> Result<InFlight, SubmitFailure<T>> {
        // A longer one is refused for its length, not cut.
        let fill = Fill { length: u32::try_from(bytes.len()).unwrap_or(u32::MAX), offset: 0, ..fill };
        self.give(link, port, payload, fill, Way::Short(bytes), deadline)
    }

    pub(super) fn give<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        payload: T,
        fill: Fill,
        way: Way<'_>,
        deadline: Deadline,
    ) -> Result<InFlight, SubmitFailure<T>> {
        match self.try_give(link, port, &payload, fill, way, deadline) {
            Ok((context, submitted)) => {
                let &Port { component, handle, kind, zero_copy, .. } = port;
                let state = State::Out;
                let record =
                    Record { context, component, port: handle, kind, zero_copy, submitted, payload, state };
                // There is room: checked before anything was sent.
                if let Err(record) = self.records.push(record) {
                    core::mem::forget(record.payload);
                }
                self.counters.submitted += 1;
                Ok(InFlight { context })
            }
            Err(error) => Err(SubmitFailure { error, payload }),
        }
    }

    fn try_give<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        payload: &T,
        fill: Fill,
        way: Way<'_>,
        deadline: Deadline,
    ) -> Result<(BufferContext, Submitted), Error> {
        self.check_component(port.component)?;
        check(port, payload, fill, way)?;
        if self.records.is_full() {
            return Err(Exhausted::TableFull { capacity: N }.into());
        }
        let context = self.contexts.buffer().ok_or(Exhausted::Contexts)?;
        let kind = match way {
            Way::Bulk if fill.length == 0 => MessageType::BufferFromHostZeroLength,
            _ => MessageType::BufferFromHost,
        };
        let mut message = Buffer::new_zeroed();
        message.header = Header::new(kind, context.number());
        message.driver = DriverBuffer::new(port.component.number(), port.handle.number(), context.number());
        message.data = payload.handle().into();
        message.alloc_size = payload.size().into();
        message.length = fill.length.into();
        message.offset = fill.offset.into();
        message.flags = fill.flags.bits().into();
        message.pts = fill.pts.into();
        message.dts = fill.dts.into();
        message.is_zero_copy = u32::from(port.zero_copy).into();
        if let Way::Short(bytes) = way {
            for (place, byte) in message.short_data.iter_mut().zip(bytes) {
                *place = *byte;
            }
            message.payload_in_message = fill.length.into();
        }
        let submitted = link.send(self.service, &[message.as_bytes(), &BUFFER_PADDING], deadline)?;
        Ok((context, submitted))
    }
}

fn check<T: Payload>(port: &Port, payload: &T, fill: Fill, way: Way<'_>) -> Result<(), Misuse> {
    let (handle, size) = (payload.handle(), payload.size());
    if (handle == 0) != (size == 0) {
        return Err(Misuse::EmptyPayload { handle, size });
    }
    let Fill { length, offset, .. } = fill;
    if offset.checked_add(length).is_none_or(|end| end > size) {
        return Err(Misuse::OutsidePayload { length, offset, size });
    }
    let right_way = match way {
        Way::ZeroCopy => port.zero_copy,
        Way::Nothing => !port.zero_copy && length == 0,
        Way::Short(_) => !port.zero_copy && length != 0,
        Way::Bulk => !port.zero_copy && port.kind == PortType::Input,
    };
    if !right_way {
        return Err(Misuse::WrongWay { zero_copy: port.zero_copy });
    }
    match way {
        Way::Short(bytes) if bytes.len() > SHORT_DATA => {
            Err(Misuse::TooLong { size: bytes.len(), room: SHORT_DATA })
        }
        _ => Ok(()),
    }
}
