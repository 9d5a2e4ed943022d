//! What each message from the firmware does.

use heapless::Vec;
use vchiq_mbox::{Deadline, Exchange, HeldMessage, MessageInfo, Platform, Vchiq, Window};
use zerocopy::{FromBytes, IntoBytes};

use super::{
    Answered, Mmal, is_timeout,
    request::{Question, Request},
};
use crate::{
    error::{BufferWords, Error, Place, Violation},
    fmt::log_warn,
    ids::ComponentHandle,
    payload::Payload,
    port::PortType,
    record::{Data, Filled, How, Record, State},
    status::Status,
    wire::{
        self, Buffer, ComponentCreated, EVENT_DATA, Flags, Header, MAGIC, MessageType, OnComponent,
        SHORT_DATA, StatusReply, buffer_of, header_of,
    },
};

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum EventKind {
    /// Something failed.
    Error(Status),
    /// The end of a stream has gone through.
    EndOfStream,
    /// The port has another format.
    FormatChanged,
    /// A parameter has another value.
    ParameterChanged,
    /// Anything else: four letters.
    Other(u32),
}

/// EVENT_TO_HOST.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Component.
    pub component: ComponentHandle,
    /// Type of its port.
    pub port: PortType,
    /// Number of the port among those of its type.
    pub index: u32,
    /// What happened.
    pub kind: EventKind,
    /// Details.
    pub data: Vec<u8, EVENT_DATA>,
    /// Where the message lay, and its order among all messages of the link.
    pub info: MessageInfo,
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Reads what the firmware has sent; never waits. Gives the number of messages read.
    ///
    /// # Errors
    /// [`Error::Link`]; the first [`Violation`] met, after which the rest is left for the next call.
    pub fn poll<P: Platform, W: Window>(&mut self, link: &mut Vchiq<P, W>) -> Result<u32, Error> {
        let mut messages = 0;
        loop {
            self.destroy_unwanted(link)?;
            let Some(message) = link.try_receive(self.service)? else {
                return Ok(messages);
            };
            let held = message.hold();
            self.take(link, held)?;
            messages += 1;
        }
    }

    /// The oldest event that nobody has taken; reads nothing itself ([`Self::poll`]).
    pub fn take_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Waits for an event.
    ///
    /// # Errors
    /// [`Error::EventTimedOut`] at the deadline; what else ends the wait.
    pub fn await_event<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            self.receive(link, deadline)
                .map_err(|error| if is_timeout(&error) { Error::EventTimedOut } else { error })?;
        }
    }

    /// Waits for one message and handles it. A reply that is waited for is left in `self.message`.
    pub(super) fn receive<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<Option<Answered>, Error> {
        self.destroy_unwanted(link)?;
        let held = link.receive(self.service, deadline)?.hold();
        self.take(link, held)
    }

    /// Copies a message out, lets the slot go, and handles the copy.
    fn take<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        held: HeldMessage,
    ) -> Result<Option<Answered>, Error> {
        let info = held.info();
        let copied = link.copy_held(&held, &mut self.message.bytes).map(<[u8]>::len);
        link.release(held);
        let place = Place::from(info);
        let handled = match copied {
            Ok(size) => {
                self.message.size = size;
                self.handle(info, place)
            }
            Err(_) => Err(Violation::Size { size: usize::from(info.size), place }),
        };
        handled.map_err(|violation| self.violated(violation))
    }

    fn handle(&mut self, info: MessageInfo, place: Place) -> Result<Option<Answered>, Violation> {
        let undecodable = |reason| Violation::undecodable(reason, place);
        let (header, kind) = header_of(self.message_bytes()).map_err(undecodable)?;
        match kind {
            MessageType::BufferToHost => {
                let buffer = buffer_of(&header, self.message_bytes()).map_err(undecodable)?;
                self.on_buffer(&buffer, info, place)?;
                Ok(None)
            }
            MessageType::EventToHost => {
                self.on_event(&header, info, place)?;
                Ok(None)
            }
            _ => self.on_reply(&header, kind, info, place),
        }
    }

    fn on_reply(
        &mut self,
        header: &Header,
        kind: MessageType,
        info: MessageInfo,
        place: Place,
    ) -> Result<Option<Answered>, Violation> {
        let (words, number) = (header.words(), header.context.get());
        let Some(index) = self.requests.iter().position(|request| request.context.number() == number) else {
            return Err(match self.history.find(number) {
                Some(first) => Violation::DuplicateReply { words, first, again: place },
                None => Violation::ReplyToNobody { words, place },
            });
        };
        let Some(request) = self.requests.get(index).copied() else { return Ok(None) };
        if request.kind != kind {
            return Err(Violation::WrongReply { asked: request.kind, words, place });
        }
        self.requests.swap_remove(index);
        self.history.note(request.context, place);
        if request.abandoned {
            self.counters.late_replies += 1;
            self.undo(&request);
            return Ok(None);
        }
        Ok(Some(Answered::between(&request.submitted, info)))
    }

    /// A component that was made for nobody is destroyed; one that has ended after all is forgotten.
    fn undo(&mut self, request: &Request) {
        if let Some(handle) = request.ends
            && StatusReply::read_from_bytes(self.message_bytes()).is_ok_and(|reply| reply.status.get() == 0)
        {
            self.forget_component(handle);
        }
        if request.kind != MessageType::ComponentCreate {
            return;
        }
        let Ok(created) = ComponentCreated::read_from_bytes(self.message_bytes()) else { return };
        let handle = ComponentHandle::unwanted(created.handle.get());
        let known = self.components.iter().any(|component| component.number() == handle.number());
        if created.status.get() == 0 && !known {
            // There is room for one a request.
            let _ = self.unwanted.push(handle);
        }
    }

    /// Destroys components whose COMPONENT_CREATE had been given up, without waiting. What finds no slot now is sent
    /// by a later call.
    pub(super) fn destroy_unwanted<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
    ) -> Result<(), Error> {
        while let Some(handle) = self.unwanted.last().copied() {
            let Ok(question) = self.question(MessageType::ComponentDestroy) else { return Ok(()) };
            let question = Question { ends: Some(handle), ..question };
            let message = OnComponent { header: question.header(), component: handle.number().into() };
            let submitted = match link.try_send(self.service, &[message.as_bytes()]) {
                Ok(submitted) => submitted,
                Err(error) if error.is_retryable() => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            self.unwanted.pop();
            self.note_request(question, submitted, true);
        }
        Ok(())
    }

    fn on_event(&mut self, header: &Header, info: MessageInfo, place: Place) -> Result<(), Violation> {
        let bytes = self.message_bytes();
        let (event, details) = wire::Event::read_from_prefix(bytes).map_err(|_| {
            let (words, size, expected) = (header.words(), bytes.len(), size_of::<wire::Event>());
            Violation::Length { words, size, expected, place }
        })?;
        let (number, command) = (event.client_component.get(), event.command.get());
        let found = self.components.iter().find(|component| component.context().number() == number);
        let component = *found.ok_or(Violation::EventOfNobody { component: number, command, place })?;
        let (port_type, length) = (event.port_type.get(), event.length.get());
        let out_of_range = Violation::EventRange { command, port_type, length, place };
        let port = PortType::try_from(port_type).map_err(|_| out_of_range)?;
        let details = details.get(..length as usize).ok_or(out_of_range)?;
        let data = Vec::from_slice(details).map_err(|_| out_of_range)?;
        let first_word = details.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let kind = match command {
            wire::Event::ERROR => EventKind::Error(Status::from_word(first_word)),
            wire::Event::END_OF_STREAM => EventKind::EndOfStream,
            wire::Event::FORMAT_CHANGED => EventKind::FormatChanged,
            wire::Event::PARAMETER_CHANGED => EventKind::ParameterChanged,
            other => EventKind::Other(other),
        };
        let event = Event { component, port, index: event.port_index.get(), kind, data, info };
        self.counters.events += 1;
        if self.events.push_back(event).is_err() {
            self.counters.events_lost += 1;
            log_warn!("mmal: event {=u32:#x} lost", command);
        }
        Ok(())
    }

    fn on_buffer(&mut self, buffer: &Buffer, info: MessageInfo, place: Place) -> Result<(), Violation> {
        let words = BufferWords::of(buffer);
        let index = self.records.iter().position(|record| record.context.number() == words.context);
        let Some((index, record)) = index.and_then(|index| Some((index, self.records.get(index)?))) else {
            return Err(match self.contexts.issued_buffer(words.context) {
                Some(_) => Violation::BufferTwice { words, place },
                None => Violation::BufferUnknown { words, place },
            });
        };
        if !record.is_out() {
            return Err(Violation::BufferTwice { words, place });
        }
        let handle = record.payload.handle();
        let expected = [record.component.number(), record.port.number(), handle];
        let mismatch = Violation::BufferMismatch { words, expected, place };
        let shared = match words.has_reference {
            0 => None,
            _ => {
                let owner = |record: &&Record<T>| record.context.number() == words.reference;
                Some(self.records.iter().find(owner).ok_or(mismatch)?)
            }
        };
        let shared_handle = shared.map(|shared| shared.payload.handle());
        if words.magic != MAGIC || !record.is_named_by(&words, shared_handle) {
            return Err(mismatch);
        }
        let size = shared.unwrap_or(record).payload.size();
        let shared = shared.map(|shared| shared.context);
        let fits = words.offset.checked_add(words.length).is_some_and(|end| end <= size);
        let in_message = words.in_message as usize;
        if !fits || in_message > SHORT_DATA {
            return Err(Violation::BufferRange { words, size, place });
        }
        let flags = Flags::from_bits_retain(words.flags);
        let data = match shared {
            _ if flags.contains(Flags::TRANSMISSION_FAILED) => Data::Failed,
            Some(with) => Data::Shared { with },
            None if record.zero_copy => Data::InMemory,
            None if record.kind == PortType::Input || words.length == 0 => Data::None,
            None if in_message != 0 => Data::Short { bytes: buffer.short_data, length: in_message as u8 },
            None => Data::Bulk { length: words.length },
        };
        let filled = Filled {
            command: buffer.command.get(),
            length: words.length,
            offset: words.offset,
            flags,
            pts: buffer.pts.get(),
            dts: buffer.dts.get(),
        };
        let how = How::Returned { exchange: Exchange::between(&record.submitted, &info), info };
        if let Some(record) = self.records.get_mut(index) {
            record.state = State::Back { how, filled, data };
        }
        self.counters.returned += 1;
        Ok(())
    }
}
