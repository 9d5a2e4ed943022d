//! Services that this side offers and the peer opens (VCHIQ fact sheet 6.2).

use zerocopy::{FromBytes, IntoBytes};

use super::{Connection, Vchiq, dispatch::Next};
use crate::{
    deadline::Deadline,
    error::{Error, Misuse, Step},
    fmt::log_debug,
    platform::{Platform, Window},
    service::{Offered, ServiceHandle, State},
    slot::receive::Incoming,
    wire::{FourCc, MessageId, MessageType, OpenAckPayload, OpenPayload, Port},
};

/// A service to offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offer {
    /// Its name.
    pub fourcc: FourCc,
    /// Its version.
    pub version: u16,
    /// The oldest client it accepts.
    pub version_min: u16,
    /// Its messages go through the sync slots, if both sides have them.
    pub synchronous: bool,
}

impl Offer {
    /// A service whose messages go through the ordinary slots.
    pub const fn new(fourcc: FourCc, version: u16, version_min: u16) -> Self {
        Self { fourcc, version, version_min, synchronous: false }
    }
}

/// Who has opened a service of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Client {
    /// Its port.
    pub port: Port,
    /// Its version.
    pub version: u16,
    /// The number it sent with its OPEN.
    pub client_id: u32,
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Offers a service: the peer may open it from CONNECT on. One client at a time; after its end,
    /// [`Self::close`] lets the next one in, and closing a service that nobody has open withdraws it.
    ///
    /// # Errors
    /// [`Misuse::OfferedTwice`], [`crate::error::Exhausted::ServiceTableFull`].
    pub fn offer(&mut self, offer: Offer) -> Result<ServiceHandle, Error> {
        let Offer { fourcc, version, version_min, synchronous } = offer;
        if self.services.find(|service| service.offered.is_some() && service.fourcc == fourcc).is_some() {
            return Err(Misuse::OfferedTwice { fourcc }.into());
        }
        let handle = self.services.reserve(fourcc)?;
        self.tx.quotas.reset(Port::from(handle.port()));
        let service = self.services.get_mut(handle)?;
        service.offered = Some(Offered { version, version_min, synchronous });
        service.state = State::Listening;
        Ok(handle)
    }

    /// Waits until the peer has opened a service of ours.
    ///
    /// # Errors
    /// [`Step::Accept`] at the deadline; [`Error::ClosedByPeer`] if it has been closed again already.
    pub fn accept(&mut self, service: ServiceHandle, deadline: Deadline) -> Result<Client, Error> {
        self.check_connected()?;
        self.wait_until(deadline, Step::Accept, |link| {
            let found = link.services.get(service)?;
            match found.state {
                State::Listening => Ok(None),
                State::Open { remote, .. } => Ok(Some(Client {
                    port: remote,
                    version: found.peer_version.unwrap_or(0),
                    client_id: found.client_id,
                })),
                State::ClosedByPeer => Err(Error::ClosedByPeer { port: Port::from(service.port()) }),
                _ => Err(Misuse::NotOpen { port: service.port() }.into()),
            }
        })
    }

    /// Accepts or refuses an OPEN of the peer's.
    pub(super) fn on_open(&mut self, message: Incoming) -> Next {
        let client = message.id.source();
        match self.listener(message) {
            // OPENACK has a payload and cannot be put off: whoever pauses opens nothing.
            Some((handle, payload)) if self.connection != Connection::Pausing => {
                self.acknowledge(handle, client, &payload)
            }
            _ => {
                let next = self.answer(MessageType::Close, Port::NONE, client);
                if matches!(next, Next::Advance) {
                    self.counters.opens_refused += 1;
                    log_debug!("vchiq: refused OPEN from port {}", client);
                }
                next
            }
        }
    }

    /// The service that an OPEN asks for, if it is offered in a version that suits both.
    fn listener(&self, message: Incoming) -> Option<(ServiceHandle, OpenPayload)> {
        let mut bytes = [0; size_of::<OpenPayload>()];
        // Services become visible with CONNECT; a longer payload is somebody's extension.
        if !self.peer_connected || usize::from(message.size) < bytes.len() {
            return None;
        }
        self.shared.load_payload(message.slot, usize::from(message.offset), &mut bytes);
        let payload = OpenPayload::read_from_bytes(&bytes).ok()?;
        let handle = self.services.find(|service| {
            service.state == State::Listening
                && service.fourcc.0 == payload.fourcc.get()
                && service.offered.is_some_and(|offered| {
                    offered.version >= payload.version_min.get()
                        && payload.version.get() >= offered.version_min
                })
        })?;
        Some((handle, payload))
    }

    fn acknowledge(&mut self, handle: ServiceHandle, client: Port, payload: &OpenPayload) -> Next {
        let has_sync_slots = self.has_sync_slots();
        let Some(offered) = self.services.get(handle).ok().and_then(|service| service.offered) else {
            return Next::Advance;
        };
        let sync = offered.synchronous && has_sync_slots;
        let id = MessageId::new(MessageType::OpenAck, Port::from(handle.port()), client);
        let acknowledgement = OpenAckPayload { version: offered.version.into() };
        let parts: [&[u8]; 1] = [acknowledgement.as_bytes()];
        let sent = if sync {
            self.queue_sync(id, &parts).map_err(|error| match error {
                Error::Exhausted(reason) => reason,
                _ => crate::error::Exhausted::SyncSlotInUse,
            })
        } else {
            self.tx.try_queue(&mut self.shared, id, &parts).inspect(|_| self.counters.sent += 1)
        };
        if let Err(reason) = sent {
            return Next::Stop(reason);
        }
        if let Ok(service) = self.services.get_mut(handle) {
            service.state = State::Open { remote: client, sync };
            service.peer_version = Some(payload.version.get());
            service.client_id = payload.client_id.get();
        }
        self.counters.opens_accepted += 1;
        Next::Advance
    }
}
