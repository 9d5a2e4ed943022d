//! Ports: settings, parameters, enable, disable, flush.

use vchiq_mbox::{
    Deadline, Platform, Vchiq, Window,
    bulk::{self, BulkMemory, BulkQueue},
};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::{Component, MemoryFailure, Mmal, request::Question};
use crate::{
    error::{Error, Misuse, Place, Violation},
    ids::{ComponentHandle, PortHandle},
    payload::Payload,
    port::{Port, PortInfo, PortType},
    wire::{
        BUFFER_PADDING, Buffer, DUMMY_BULK, DriverBuffer, Encoding, MAX_MESSAGE, MessageType, ParameterReply,
        ParameterRequest, PortAction, PortActionKind, PortBlock, PortConnect, PortInfoGet, PortInfoReply,
        PortInfoSet, Undecodable, ZERO_COPY,
    },
};

/// Bytes that PORT_PARAMETER counts besides the value: the words for number and size.
const PARAMETER_HEAD: usize = 8;
/// Longest value of a parameter.
const MAX_VALUE: usize = MAX_MESSAGE - size_of::<ParameterRequest>();

/// The stream of a port that is made ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream<'p> {
    /// As the firmware has it. Outputs that follow their input take no other.
    AsItIs,
    /// Raw video.
    Video {
        /// Coding.
        encoding: Encoding,
        /// Columns.
        width: u32,
        /// Lines.
        height: u32,
    },
    /// That of another port.
    Same(&'p PortInfo),
}

/// How a port is made ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortSetup<'p> {
    /// Buffers travel by handle.
    pub zero_copy: bool,
    /// Its stream.
    pub stream: Stream<'p>,
    /// Buffers; more if the port wants more.
    pub buffers: u32,
    /// Their bytes; more if the port wants more.
    pub buffer_size: u32,
}

impl PortSetup<'_> {
    fn apply(&self, info: &mut PortInfo) {
        match &self.stream {
            Stream::AsItIs => {}
            Stream::Video { encoding, width, height } => info.set_video(*encoding, *width, *height),
            Stream::Same(other) => info.set_format_of(other),
        }
        info.set_buffers(self.buffers, self.buffer_size);
    }
}

/// What became of the buffers of a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Drained {
    /// Came back before the reply; they can be taken.
    pub came_back: usize,
    /// Did not; the firmware has them still.
    pub still_out: usize,
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Asks for a port of a component, by type and number among those of its type.
    ///
    /// # Errors
    /// [`Error::Refused`] if there is none; what ends the wait.
    pub fn port<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        component: &Component,
        kind: PortType,
        index: u32,
        deadline: Deadline,
    ) -> Result<Port, Error> {
        let component = component.handle();
        let (reply, handle, _) = self.get_info(link, component, kind, index, deadline)?;
        Ok(Port { component, handle, kind, index, zero_copy: false, info: PortInfo::of(&reply) })
    }

    /// The same, made ready for buffers in one go: zero copy or not, stream, buffers, enabled.
    ///
    /// # Errors
    /// As [`Self::port`], [`Self::set_zero_copy`], [`Self::set_port`] and [`Self::enable_port`].
    pub fn open_port<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        component: &Component,
        kind: PortType,
        index: u32,
        setup: &PortSetup<'_>,
        deadline: Deadline,
    ) -> Result<Port, Error> {
        let mut port = self.port(link, component, kind, index, deadline)?;
        if setup.zero_copy {
            self.set_zero_copy(link, &mut port, true, deadline)?;
        }
        if setup.stream != Stream::AsItIs {
            self.set_port(link, &mut port, |info| setup.apply(info), deadline)?;
            // The minima may be others now, which the reply does not always tell.
            self.update_port(link, &mut port, deadline)?;
        }
        port.info.set_buffers(setup.buffers, setup.buffer_size);
        self.enable_port(link, &mut port, deadline)?;
        Ok(port)
    }

    /// Asks for the settings of a port again.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Violation::PortHandle`] if it has another handle now; what ends the wait.
    pub fn update_port<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &mut Port,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let (reply, handle, place) = self.get_info(link, port.component, port.kind, port.index, deadline)?;
        self.accept_info(port, &reply, handle, place)
    }

    fn get_info<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        component: ComponentHandle,
        kind: PortType,
        index: u32,
        deadline: Deadline,
    ) -> Result<(PortInfoReply, PortHandle, Place), Error> {
        self.check_component(component)?;
        let question = self.question(MessageType::PortInfoGet)?;
        let asked = [component.number(), kind as u32, index];
        let [component, kind, index] = asked.map(Into::into);
        let message = PortInfoGet { header: question.header(), component, kind, index };
        let place = self.ask(link, question, &[message.as_bytes()], deadline)?;
        self.read_info(question, asked, place)
    }

    /// Changes the settings of a port and tells the firmware. The port then has what the firmware made of them.
    ///
    /// # Errors
    /// [`Error::Refused`], with which the settings stay as they were; what ends the wait.
    pub fn set_port<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &mut Port,
        change: impl FnOnce(&mut PortInfo),
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.check_component(port.component)?;
        let question = self.question(MessageType::PortInfoSet)?;
        let mut info = port.info;
        change(&mut info);
        let asked = [port.component.number(), port.kind as u32, port.index];
        let [component, kind, index] = asked.map(Into::into);
        let PortInfo { port: block, format, video, extradata } = info;
        let header = question.header();
        let message = PortInfoSet { header, component, kind, index, port: block, format, video, extradata };
        let place = self.ask(link, question, &[message.as_bytes()], deadline)?;
        let (reply, handle, place) = self.read_info(question, asked, place)?;
        self.accept_info(port, &reply, handle, place)
    }

    fn read_info(
        &mut self,
        question: Question,
        asked: [u32; 3],
        place: Place,
    ) -> Result<(PortInfoReply, PortHandle, Place), Error> {
        self.check_status(question, place)?;
        let reply: PortInfoReply = self.read_reply(place)?;
        let found = [reply.component, reply.kind, reply.index].map(|word| word.get());
        if found != asked {
            return Err(self.violated(Violation::WrongPort { asked, found, place }));
        }
        let told = reply.port_handle.get();
        match PortHandle::told(told) {
            Some(handle) => Ok((reply, handle, place)),
            None => Err(self.violated(Violation::PortHandle { found: told, place })),
        }
    }

    fn accept_info(
        &mut self,
        port: &mut Port,
        reply: &PortInfoReply,
        handle: PortHandle,
        place: Place,
    ) -> Result<(), Error> {
        if handle != port.handle {
            return Err(self.violated(Violation::PortHandle { found: handle.number(), place }));
        }
        port.info = PortInfo::of(reply);
        Ok(())
    }

    /// Sets a parameter of a port.
    ///
    /// # Errors
    /// [`Misuse::TooLong`]; [`Error::Refused`]; what ends the wait.
    pub fn set_parameter<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        id: u32,
        value: &[u8],
        deadline: Deadline,
    ) -> Result<(), Error> {
        let (question, message) = self.parameter(MessageType::PortParameterSet, port, id, value.len())?;
        self.ask_for_status(link, question, &[message.as_bytes(), value], deadline)
    }

    /// Asks for a parameter of a port; the start of `value` is filled, and that part of it given. What it holds before
    /// is sent along: some parameters name in it what they are asked for.
    ///
    /// # Errors
    /// [`Misuse::TooLong`]; [`Error::Refused`]; [`Violation::WrongParameter`]; what ends the wait.
    pub fn get_parameter<'v, P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        id: u32,
        value: &'v mut [u8],
        deadline: Deadline,
    ) -> Result<&'v [u8], Error> {
        let (question, message) = self.parameter(MessageType::PortParameterGet, port, id, value.len())?;
        let place = self.ask(link, question, &[message.as_bytes(), value], deadline)?;
        self.check_status(question, place)?;
        let bytes = self.message_bytes();
        let (expected, size) = (size_of::<ParameterReply>(), bytes.len());
        let Ok((reply, told)) = ParameterReply::read_from_prefix(bytes) else {
            let reason = Undecodable::Length { words: question.header().words(), size, expected };
            return Err(self.violated(Violation::undecodable(reason, place)));
        };
        let (found, size) = (reply.id.get(), reply.size.get());
        let length = (size as usize).checked_sub(PARAMETER_HEAD);
        let filled = length.and_then(|length| Some((told.get(..length)?, value.get_mut(..length)?)));
        match filled {
            Some((told, filled)) if found == id => {
                filled.copy_from_slice(told);
                Ok(filled)
            }
            _ => Err(self.violated(Violation::WrongParameter { asked: id, found, size, place })),
        }
    }

    fn parameter(
        &mut self,
        kind: MessageType,
        port: &Port,
        id: u32,
        size: usize,
    ) -> Result<(Question, ParameterRequest), Error> {
        self.check_component(port.component)?;
        if size > MAX_VALUE {
            return Err(Misuse::TooLong { size, room: MAX_VALUE }.into());
        }
        let question = self.question(kind)?;
        let message = ParameterRequest {
            header: question.header(),
            component: port.component.number().into(),
            port_handle: port.handle.number().into(),
            id: id.into(),
            size: ((PARAMETER_HEAD + size) as u32).into(),
        };
        Ok((question, message))
    }

    /// Lets buffers of a port travel by handle, or not. To be told before the port is enabled.
    ///
    /// # Errors
    /// As [`Self::set_parameter`].
    pub fn set_zero_copy<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &mut Port,
        zero_copy: bool,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let value = u32::from(zero_copy).to_le_bytes();
        self.set_parameter(link, port, ZERO_COPY, &value, deadline)?;
        port.zero_copy = zero_copy;
        Ok(())
    }

    /// Lets a port take buffers, as many and as large as its settings say.
    ///
    /// # Errors
    /// [`Error::Refused`]; what ends the wait.
    pub fn enable_port<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &mut Port,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.act(link, port, PortActionKind::Enable, deadline)?;
        port.info.port.is_enabled = 1.into();
        Ok(())
    }

    /// Stops a port; the firmware gives the port's buffers back before it answers.
    ///
    /// # Errors
    /// [`Error::Refused`]; what ends the wait.
    pub fn disable_port<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &mut Port,
        deadline: Deadline,
    ) -> Result<Drained, Error> {
        let drained = self.act(link, port, PortActionKind::Disable, deadline)?;
        port.info.port.is_enabled = 0.into();
        Ok(drained)
    }

    /// Lets the firmware give the port's buffers back. Bytes that are still on their way to a port that is not zero copy
    /// may come after it: [`Self::flush_port_with_bulk`] goes behind them.
    ///
    /// # Errors
    /// [`Error::Refused`]; what ends the wait.
    pub fn flush_port<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        deadline: Deadline,
    ) -> Result<Drained, Error> {
        self.act(link, port, PortActionKind::Flush, deadline)
    }

    /// Flushes a port that is not zero copy behind the data that is on its way: PORT_FLUSH, and eight bytes in bulk.
    ///
    /// # Errors
    /// [`MemoryFailure`]: with the memory until it is under way in `bulks`; [`Misuse::BulkSize`] unless it has eight
    /// bytes.
    pub fn flush_port_with_bulk<M: BulkMemory, const K: usize, P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        bulks: &mut BulkQueue<M, K>,
        memory: M,
        deadline: Deadline,
    ) -> Result<(Drained, bulk::InFlight), MemoryFailure<M>> {
        let (size, expected) = (memory.size(), DUMMY_BULK);
        let fits = if size == expected { Ok(()) } else { Err(Misuse::BulkSize { size, expected }) };
        let checked = self.check_component(port.component).and(fits);
        if let Err(misuse) = checked {
            return Err(MemoryFailure { error: misuse.into(), memory: Some(memory) });
        }
        let question = match self.question(MessageType::PortFlush) {
            Ok(question) => question,
            Err(error) => return Err(MemoryFailure { error, memory: Some(memory) }),
        };
        let before = self.out_of(port);
        let mut message = Buffer::new_zeroed();
        message.header = question.header();
        message.driver =
            DriverBuffer::new(port.component.number(), port.handle.number(), question.context.number());
        // The reply comes only once the bytes have come: the transfer is asked for in between.
        let parts: [&[u8]; 2] = [message.as_bytes(), &BUFFER_PADDING];
        if let Err(error) = self.send_request(link, question, &parts, deadline) {
            return Err(MemoryFailure { error, memory: Some(memory) });
        }
        let in_flight = match bulks.transmit(link, self.service, memory, deadline) {
            Ok(in_flight) => in_flight,
            Err(failure) => {
                self.abandon(question.context);
                return Err(MemoryFailure { error: failure.error.into(), memory: Some(failure.memory) });
            }
        };
        let answered = self.await_reply(link, question, deadline);
        match answered.and_then(|place| self.read_status(question, place)) {
            Ok(()) => Ok((self.drained(port, before), in_flight)),
            Err(error) => Err(MemoryFailure { error, memory: None }),
        }
    }

    /// Ties an output to an input: buffers go from one to the other without this side.
    ///
    /// # Errors
    /// [`Error::Refused`]; what ends the wait.
    pub fn connect<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        output: &Port,
        input: &Port,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.tie(link, PortActionKind::Connect, output, input, deadline)
    }

    /// Unties them.
    ///
    /// # Errors
    /// [`Error::Refused`]; what ends the wait.
    pub fn disconnect<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        output: &Port,
        input: &Port,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.tie(link, PortActionKind::Disconnect, output, input, deadline)
    }

    fn tie<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        kind: PortActionKind,
        output: &Port,
        input: &Port,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.check_component(output.component)?;
        self.check_component(input.component)?;
        let question = self.question(MessageType::PortAction)?;
        let message = PortConnect {
            header: question.header(),
            component: output.component.number().into(),
            port_handle: output.handle.number().into(),
            action: (kind as u32).into(),
            other_component: input.component.number().into(),
            other_port: input.handle.number().into(),
        };
        self.ask_for_status(link, question, &[message.as_bytes()], deadline)
    }

    fn act<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        kind: PortActionKind,
        deadline: Deadline,
    ) -> Result<Drained, Error> {
        self.check_component(port.component)?;
        let question = self.question(MessageType::PortAction)?;
        let before = self.out_of(port);
        let message = action(question, port, kind);
        self.ask_for_status(link, question, &[message.as_bytes()], deadline)?;
        Ok(self.drained(port, before))
    }

    fn drained(&self, port: &Port, before: usize) -> Drained {
        let still_out = self.out_of(port);
        Drained { came_back: before.saturating_sub(still_out), still_out }
    }

    /// Buffers of a port that the firmware has.
    pub fn out_of(&self, port: &Port) -> usize {
        let of_port =
            |record: &&crate::record::Record<T>| record.is_out() && record.is_of(port.component, port.handle);
        self.records.iter().filter(of_port).count()
    }
}

fn action(question: Question, port: &Port, kind: PortActionKind) -> PortAction {
    let block = match kind {
        PortActionKind::Enable | PortActionKind::Disable => port.info.port,
        _ => PortBlock::new_zeroed(),
    };
    PortAction {
        header: question.header(),
        component: port.component.number().into(),
        port_handle: port.handle.number().into(),
        action: (kind as u32).into(),
        port: block,
    }
}
