//! Sending and receiving DATA.

use super::{
    Message, Vchiq,
    message::{HeldMessage, Unread},
    timing::Submitted,
};
use crate::{
    deadline::Deadline,
    error::{Error, Exhausted, Misuse, Step},
    platform::{Moment, Platform, Window},
    service::{ServiceHandle, State},
    slot::transmit::Placed,
    wire::{MAX_PAYLOAD, MessageId, MessageType, Port},
};

/// The header of a DATA message, and the way it goes.
#[derive(Clone, Copy)]
struct Route {
    id: MessageId,
    sync: bool,
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Sends one message made of `parts`, waiting for a slot or quota until the deadline.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`], [`Misuse::MessageTooLong`], [`Error::ClosedByPeer`]; [`Exhausted`] names what was still
    /// used up at the deadline.
    pub fn send(
        &mut self,
        service: ServiceHandle,
        parts: &[&[u8]],
        deadline: Deadline,
    ) -> Result<Submitted, Error> {
        let begin = self.shared.platform.now();
        let mut route = self.route(service, parts)?;
        let mut stalls = 0;
        loop {
            let reason = match self.queue_data(route, parts) {
                Ok(placed) => return Ok(self.submitted(begin, stalls, placed)),
                Err(Error::Exhausted(reason)) => reason,
                Err(error) => return Err(error),
            };
            stalls += 1;
            self.wait_for_room(deadline, reason)?;
            // The service may have been closed meanwhile.
            route = self.route(service, parts)?;
        }
    }

    /// Sends one message now, or says what is used up.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn try_send(&mut self, service: ServiceHandle, parts: &[&[u8]]) -> Result<Submitted, Error> {
        let begin = self.shared.platform.now();
        self.poll()?;
        let route = self.route(service, parts)?;
        let placed = self.queue_data(route, parts)?;
        Ok(self.submitted(begin, 0, placed))
    }

    /// The oldest unread message of a service, if there is one; never waits.
    ///
    /// # Errors
    /// [`Misuse::StaleHandle`]; [`Error::ClosedByPeer`] once everything sent before the CLOSE has been read.
    pub fn try_receive(&mut self, service: ServiceHandle) -> Result<Option<Message<'_, P, W>>, Error> {
        self.poll()?;
        let taken = self.take_unread(service)?;
        Ok(taken.map(|unread| self.message(unread)))
    }

    /// The oldest unread message of a service, waiting for one until the deadline.
    ///
    /// # Errors
    /// As [`Self::try_receive`]; [`Step::Receive`] at the deadline.
    pub fn receive(
        &mut self,
        service: ServiceHandle,
        deadline: Deadline,
    ) -> Result<Message<'_, P, W>, Error> {
        let unread = self.wait_until(deadline, Step::Receive, |link| link.take_unread(service))?;
        Ok(self.message(unread))
    }

    fn message(&mut self, unread: Unread) -> Message<'_, P, W> {
        let Unread { id, info } = unread;
        Message { link: self, id, info }
    }

    fn take_unread(&mut self, service: ServiceHandle) -> Result<Option<Unread>, Error> {
        let state = self.services.get(service)?.state;
        if let Some(index) = self.unread.iter().position(|unread| unread.info.service == service) {
            return Ok(Some(self.unread.remove(index)));
        }
        match state {
            State::Open { .. } => Ok(None),
            State::ClosedByPeer => Err(Error::ClosedByPeer { port: Port::from(service.port()) }),
            _ => Err(Misuse::NotOpen { port: service.port() }.into()),
        }
    }

    pub(super) fn release_unread(&mut self, service: ServiceHandle) {
        while let Some(index) = self.unread.iter().position(|unread| unread.info.service == service) {
            let Unread { id, info } = self.unread.remove(index);
            self.release(HeldMessage { id, info, session: self.session });
        }
    }

    /// Where a DATA message goes, if the service can send it.
    fn route(&self, service: ServiceHandle, parts: &[&[u8]]) -> Result<Route, Error> {
        self.check_connected()?;
        let port = Port::from(service.port());
        let (remote, sync) = match self.services.get(service)?.state {
            State::Open { remote, sync } => (remote, sync),
            State::ClosedByPeer => return Err(Error::ClosedByPeer { port }),
            _ => return Err(Misuse::NotOpen { port: service.port() }.into()),
        };
        let size = parts.iter().map(|part| part.len()).sum();
        if size > MAX_PAYLOAD {
            return Err(Misuse::MessageTooLong { size }.into());
        }
        Ok(Route { id: MessageId::new(MessageType::Data, port, remote), sync })
    }

    fn queue_data(&mut self, route: Route, parts: &[&[u8]]) -> Result<Placed, Error> {
        if route.sync { self.queue_sync(route.id, parts) } else { self.queue(route.id, parts) }
    }

    /// Queues any message, waiting for a slot until the deadline.
    pub(super) fn queue_until(
        &mut self,
        deadline: Deadline,
        id: MessageId,
        parts: &[&[u8]],
    ) -> Result<(), Error> {
        loop {
            match self.queue(id, parts) {
                Ok(_) => return Ok(()),
                Err(Error::Exhausted(reason)) => self.wait_for_room(deadline, reason)?,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn queue(&mut self, id: MessageId, parts: &[&[u8]]) -> Result<Placed, Error> {
        self.check_not_paused()?;
        let placed = self.tx.try_queue(&mut self.shared, id, parts)?;
        self.counters.sent += 1;
        Ok(placed)
    }

    /// One step of waiting for what is used up; `reason` is the error at the deadline.
    pub(super) fn wait_for_room(&mut self, deadline: Deadline, reason: Exhausted) -> Result<(), Error> {
        let before = (self.tx.available(), self.connection);
        self.poll()?;
        if before != (self.tx.available(), self.connection) {
            return Ok(());
        }
        if deadline.has_passed(&self.shared.platform) {
            return Err(reason.into());
        }
        self.shared.wait_for_event(deadline);
        Ok(())
    }

    fn submitted(&self, begin: Moment, stalls: u32, placed: Placed) -> Submitted {
        let Placed { slot, offset, rang } = placed;
        Submitted { begin, rung: self.shared.platform.now(), rang, stalls, slot, offset }
    }
}
