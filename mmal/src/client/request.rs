//! Requests and their replies, one at a time.

use vchiq_mbox::{Deadline, Exchange, Platform, Submitted, Vchiq, Window};
use zerocopy::{FromBytes, IntoBytes};

use super::{Answered, MAX_REQUESTS, Mmal, is_timeout};
use crate::{
    error::{Error, Exhausted, Misuse, Place, Violation},
    fmt::log_warn,
    ids::{ComponentHandle, RequestContext},
    payload::Payload,
    status::Status,
    wire::{Header, MAX_LOG_TEXT, MessageType, Statistics, StatusReply, Undecodable, VersionReply, exactly},
};

/// A request without a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Request {
    pub(super) context: RequestContext,
    pub(super) kind: MessageType,
    pub(super) submitted: Submitted,
    /// The component that it ends.
    pub(super) ends: Option<ComponentHandle>,
    /// The caller has given up waiting.
    pub(super) abandoned: bool,
}

/// What GET_VERSION tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Version {
    /// Unknown to us.
    pub flags: u32,
    /// Version of the service.
    pub major: u32,
    /// Its minor version.
    pub minor: u32,
    /// Oldest client it serves.
    pub minimum: u32,
}

/// Number and type of a request about to be sent.
#[derive(Clone, Copy)]
pub(super) struct Question {
    pub(super) context: RequestContext,
    pub(super) kind: MessageType,
    /// The component that it ends.
    pub(super) ends: Option<ComponentHandle>,
}

impl Question {
    pub(super) fn header(self) -> Header {
        Header::new(self.kind, self.context.number())
    }
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Asks for the versions of the service.
    ///
    /// # Errors
    /// What ends the wait.
    pub fn version<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<Version, Error> {
        let question = self.question(MessageType::GetVersion)?;
        let place = self.ask(link, question, &[question.header().as_bytes()], deadline)?;
        let reply: VersionReply = self.read_reply(place)?;
        let [flags, major, minor, minimum] =
            [reply.flags, reply.major, reply.minor, reply.minimum].map(|word| word.get());
        Ok(Version { flags, major, minor, minimum })
    }

    /// Asks for the counts that the service keeps, over all its clients; `reset` lets it begin again at 0.
    ///
    /// # Errors
    /// What ends the wait.
    pub fn statistics<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        reset: bool,
        deadline: Deadline,
    ) -> Result<Statistics, Error> {
        use zerocopy::FromZeros;

        let question = self.question(MessageType::GetStatistics)?;
        let mut message = Statistics::new_zeroed();
        message.header = question.header();
        message.reset = u32::from(reset).into();
        let place = self.ask(link, question, &[message.as_bytes()], deadline)?;
        self.read_reply(place)
    }

    /// Puts a line into the firmware's log.
    ///
    /// # Errors
    /// [`Misuse::TooLong`] beyond 487 bytes; what ends the wait; [`Error::Refused`].
    pub fn log<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        text: &str,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let (size, room) = (text.len(), MAX_LOG_TEXT - 1);
        if size > room {
            return Err(Misuse::TooLong { size, room }.into());
        }
        let question = self.question(MessageType::HostLog)?;
        let header = question.header();
        self.ask_for_status(link, question, &[header.as_bytes(), text.as_bytes(), &[0]], deadline)
    }

    /// A number for a request, if there is room to remember it.
    pub(super) fn question(&mut self, kind: MessageType) -> Result<Question, Error> {
        if self.requests.is_full() {
            return Err(Exhausted::RequestsFull { capacity: MAX_REQUESTS }.into());
        }
        let context = self.contexts.request().ok_or(Exhausted::Contexts)?;
        Ok(Question { context, kind, ends: None })
    }

    /// Sends a request and waits until its reply lies in `self.message`.
    pub(super) fn ask<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        question: Question,
        parts: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Place, Error> {
        self.send_request(link, question, parts, deadline)?;
        self.await_reply(link, question, deadline)
    }

    /// Sends a request; several may be under way, but only one is waited for.
    pub(super) fn send_request<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        question: Question,
        parts: &[&[u8]],
        deadline: Deadline,
    ) -> Result<(), Error> {
        let submitted = link.send(self.service, parts, deadline)?;
        self.note_request(question, submitted, false);
        Ok(())
    }

    pub(super) fn await_reply<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        question: Question,
        deadline: Deadline,
    ) -> Result<Place, Error> {
        let Question { context, kind, .. } = question;
        loop {
            match self.receive(link, deadline) {
                Ok(Some(answered)) => {
                    let Answered { info, .. } = answered;
                    self.last_answer = Some(answered);
                    return Ok(Place::from(info));
                }
                Ok(None) => {}
                Err(error) => {
                    self.abandon(context);
                    let timed_out = Error::RequestTimedOut { request: kind, context };
                    return Err(if is_timeout(&error) { timed_out } else { error });
                }
            }
        }
    }

    /// Asks, and looks at the status, which is all there is.
    pub(super) fn ask_for_status<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        question: Question,
        parts: &[&[u8]],
        deadline: Deadline,
    ) -> Result<(), Error> {
        let place = self.ask(link, question, parts, deadline)?;
        self.read_status(question, place)
    }

    /// The status of a reply that has nothing else.
    pub(super) fn read_status(&mut self, question: Question, place: Place) -> Result<(), Error> {
        self.check_status(question, place)?;
        self.read_reply::<StatusReply>(place).map(drop)
    }

    /// Looks at the status of a reply, which stands at the same place in all that have one. A refusal may be shorter
    /// than the reply it stands for.
    pub(super) fn check_status(&mut self, question: Question, place: Place) -> Result<(), Error> {
        let Question { context, kind, .. } = question;
        let bytes = self.message_bytes();
        let Ok((reply, _)) = StatusReply::read_from_prefix(bytes) else {
            let words = question.header().words();
            let reason = Undecodable::Length { words, size: bytes.len(), expected: size_of::<StatusReply>() };
            return Err(self.violated(Violation::undecodable(reason, place)));
        };
        match Status::from_word(reply.status.get()) {
            Status::Success => Ok(()),
            status => Err(Error::Refused { request: kind, context, status }),
        }
    }

    /// The reply that lies in `self.message`.
    pub(super) fn read_reply<R: FromBytes>(&mut self, place: Place) -> Result<R, Error> {
        let bytes = self.message_bytes();
        // It was read before: the message had a header.
        let decoded = match Header::read_from_prefix(bytes) {
            Ok((header, _)) => exactly(&header, bytes),
            Err(_) => Err(Undecodable::Size { size: bytes.len() }),
        };
        decoded.map_err(|reason| self.violated(Violation::undecodable(reason, place)))
    }

    /// Counts what breaks the protocol.
    pub(super) fn violated(&mut self, violation: Violation) -> Error {
        self.counters.violations += 1;
        log_warn!("mmal: {}", violation);
        violation.into()
    }

    pub(super) fn message_bytes(&self) -> &[u8] {
        self.message.bytes.get(..self.message.size).unwrap_or_default()
    }

    pub(super) fn note_request(&mut self, question: Question, submitted: Submitted, abandoned: bool) {
        let Question { context, kind, ends } = question;
        let request = Request { context, kind, submitted, ends, abandoned };
        // There is room: checked before a number was taken.
        let _ = self.requests.push(request);
        self.counters.requests += 1;
    }

    pub(super) fn abandon(&mut self, context: RequestContext) {
        if let Some(request) = self.requests.iter_mut().find(|request| request.context == context) {
            request.abandoned = true;
            self.counters.abandoned += 1;
            log_warn!("mmal: {} {} abandoned", request.kind, context);
        }
    }
}

impl Answered {
    pub(super) fn between(submitted: &Submitted, info: vchiq_mbox::MessageInfo) -> Self {
        Self { exchange: Exchange::between(submitted, &info), info }
    }
}
