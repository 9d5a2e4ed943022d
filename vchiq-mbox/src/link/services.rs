//! Opening and closing services (VCHIQ fact sheet 6).

use zerocopy::IntoBytes;

use super::{Connection, Vchiq};
use crate::{
    deadline::Deadline,
    error::{Error, Misuse, Step},
    platform::{Platform, Window},
    service::{ServiceHandle, State},
    wire::{FourCc, MessageId, MessageType, OpenPayload, Port},
};

/// What OPEN asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OpenRequest {
    /// Name of the service.
    pub fourcc: FourCc,
    /// Version of this client.
    pub version: u16,
    /// Oldest server version this client accepts.
    pub version_min: u16,
    /// Any number; Linux sends a process id.
    pub client_id: u32,
}

impl OpenRequest {
    /// For one version, with client id 0.
    pub const fn new(fourcc: FourCc, version: u16, version_min: u16) -> Self {
        Self { fourcc, version, version_min, client_id: 0 }
    }
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// The services opened at the peer and not closed: what a caller that failed has left behind.
    pub fn opened(&self) -> impl Iterator<Item = (ServiceHandle, FourCc)> {
        self.services.opened()
    }

    /// Opens a service of the peer's. Its messages go through the sync slots if the peer acknowledges it there.
    ///
    /// # Errors
    /// [`Error::Refused`] if the peer has no such service or wants another version. After a timeout the peer is
    /// told to forget the OPEN, and the port stays taken until it has done so.
    pub fn open(&mut self, request: OpenRequest, deadline: Deadline) -> Result<ServiceHandle, Error> {
        self.check_connected()?;
        let handle = self.services.reserve(request.fourcc)?;
        let port = Port::from(handle.port());
        self.tx.quotas.reset(port);
        let OpenRequest { fourcc, version, version_min, client_id } = request;
        let payload = OpenPayload::new(fourcc, client_id, version, version_min);
        let id = MessageId::new(MessageType::Open, port, Port::NONE);
        if let Err(error) = self.queue_until(deadline, id, &[payload.as_bytes()]) {
            self.forget(handle);
            return Err(error);
        }
        let outcome = self.wait_until(deadline, Step::Open, |link| {
            Ok(match link.services.get(handle)?.state {
                State::Opening => None,
                state => Some(state),
            })
        });
        match outcome {
            Ok(State::Refused) => {
                self.forget(handle);
                Err(Error::Refused { fourcc })
            }
            // Closed again already: the caller finds out with its first use.
            Ok(_) => Ok(handle),
            Err(error) => {
                self.abandon_open(handle);
                Err(error)
            }
        }
    }

    /// Tells the peer to close what it may have opened, without waiting for it.
    fn abandon_open(&mut self, handle: ServiceHandle) {
        let id = MessageId::new(MessageType::Close, Port::from(handle.port()), Port::NONE);
        // Without a free slot the peer is not told, and the port stays taken: better than mixing two services up.
        if !matches!(self.connection, Connection::Dead(_))
            && !self.is_paused()
            && self.tx.try_queue(&mut self.shared, id, &[]).is_ok()
        {
            self.counters.sent += 1;
        }
        if let Ok(service) = self.services.get_mut(handle) {
            service.state = State::CloseSent { remote: None };
        }
    }

    /// Closes a service: sends CLOSE and waits for the peer's. Unread messages are released.
    ///
    /// If the peer has closed it already, this only gives the port back. A service of ours listens again afterwards;
    /// one that nobody has opened is withdrawn. After a timeout the handle is stale and
    /// the port stays taken until the peer's CLOSE arrives.
    ///
    /// # Errors
    /// [`Misuse::StaleHandle`], [`Misuse::NotOpen`], and what ends the wait.
    pub fn close(&mut self, handle: ServiceHandle, deadline: Deadline) -> Result<(), Error> {
        self.check_connected()?;
        self.release_unread(handle);
        loop {
            let remote = match self.services.get(handle)?.state {
                State::Open { remote, .. } => remote,
                // Ours, and nobody has opened it: withdrawn.
                State::Listening => {
                    self.forget(handle);
                    return Ok(());
                }
                // Possibly while we waited for a slot: the peer has had its answer, and gets no second CLOSE.
                State::ClosedByPeer => {
                    self.release_unread(handle);
                    self.settle(handle);
                    return Ok(());
                }
                _ => return Err(Misuse::NotOpen { port: handle.port() }.into()),
            };
            let id = MessageId::new(MessageType::Close, Port::from(handle.port()), remote);
            match self.queue(id, &[]) {
                Ok(_) => {
                    self.services.get_mut(handle)?.state = State::CloseSent { remote: Some(remote) };
                    break;
                }
                Err(Error::Exhausted(reason)) => self.wait_for_room(deadline, reason)?,
                Err(error) => return Err(error),
            }
        }
        self.release_unread(handle);
        self.wait_until(deadline, Step::Close, |link| {
            Ok(match link.services.get(handle) {
                Ok(service) if matches!(service.state, State::CloseSent { .. }) => None,
                _ => Some(()),
            })
        })
    }

    /// Version of the server, from its OPENACK; `None` if that was too short to hold one.
    ///
    /// # Errors
    /// [`Misuse::StaleHandle`].
    pub fn peer_version(&self, handle: ServiceHandle) -> Result<Option<u16>, Misuse> {
        Ok(self.services.get(handle)?.peer_version)
    }

    /// Name of the service.
    ///
    /// # Errors
    /// [`Misuse::StaleHandle`].
    pub fn fourcc(&self, handle: ServiceHandle) -> Result<FourCc, Misuse> {
        Ok(self.services.get(handle)?.fourcc)
    }

    /// True while messages can be exchanged.
    pub fn is_open(&self, handle: ServiceHandle) -> bool {
        self.services.get(handle).is_ok_and(|service| matches!(service.state, State::Open { .. }))
    }

    /// True if its messages go through the sync slots, because the peer acknowledged it there.
    ///
    /// # Errors
    /// [`Misuse::StaleHandle`].
    pub fn is_synchronous(&self, handle: ServiceHandle) -> Result<bool, Misuse> {
        Ok(matches!(self.services.get(handle)?.state, State::Open { sync: true, .. }))
    }

    /// Slots and messages of the service's that the peer has not returned.
    ///
    /// # Errors
    /// [`Misuse::StaleHandle`].
    pub fn quota_in_use(&self, handle: ServiceHandle) -> Result<(u16, u16), Misuse> {
        self.services.get(handle)?;
        Ok(self.tx.quotas.in_use(Port::from(handle.port())))
    }

    /// Sets how many slots and messages the service may have with the peer; `None` stands for the default. They last
    /// until the service ends.
    ///
    /// # Errors
    /// [`Misuse::StaleHandle`]; [`Misuse::Quota`] below what is in use, or for 65535.
    pub fn set_quotas(
        &mut self,
        handle: ServiceHandle,
        slots: Option<u16>,
        messages: Option<u16>,
    ) -> Result<(), Misuse> {
        self.services.get(handle)?;
        self.tx.quotas.set(Port::from(handle.port()), slots, messages)
    }

    /// After the last CLOSE: a service of ours listens again, another one's port is free; unless the peer still has
    /// bulk memory of it.
    pub(super) fn settle(&mut self, handle: ServiceHandle) {
        let lingering = self.bulks.has_pending(handle.port());
        if let Ok(service) = self.services.get_mut(handle) {
            service.state = match service.offered {
                _ if lingering => State::Lingering,
                Some(_) => State::Listening,
                None => State::Free,
            };
        }
    }

    fn forget(&mut self, handle: ServiceHandle) {
        if let Ok(service) = self.services.get_mut(handle) {
            service.state = State::Free;
        }
    }

    pub(super) fn check_connected(&self) -> Result<(), Error> {
        match self.connection {
            Connection::Connected | Connection::Pausing | Connection::Paused => Ok(()),
            Connection::Dead(violation) => Err(violation.into()),
            Connection::Prepared | Connection::Connecting => Err(Misuse::NotConnected.into()),
        }
    }
}
