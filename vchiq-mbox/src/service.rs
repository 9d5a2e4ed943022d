//! The services this side has opened or offers, and their states (VCHIQ fact sheet 6).

use crate::{
    error::{Exhausted, Misuse},
    wire::{FourCc, Port},
};

/// Services open at a time; local ports are 0 to this less one.
pub const MAX_SERVICES: usize = 16;

/// Names a service opened or offered by this side. Stale once the service has been closed, or is offered no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ServiceHandle {
    port: u8,
    generation: u16,
}

impl ServiceHandle {
    /// The local port.
    pub const fn port(self) -> u8 {
        self.port
    }
}

/// Where a service is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Free,
    /// OPEN sent.
    Opening,
    /// The peer answered OPEN by CLOSE.
    Refused,
    Open {
        remote: Port,
        /// DATA goes through the sync slots.
        sync: bool,
    },
    /// CLOSE sent; the port is taken until the peer's CLOSE arrives. The peer's port is unknown as long as its answer
    /// to OPEN is.
    CloseSent {
        remote: Option<Port>,
    },
    /// The peer closed it and has had its answer; the caller does not know yet.
    ClosedByPeer,
    /// Offered by this side; nobody has opened it.
    Listening,
    /// Closed, but the peer still has bulk memory of it: the port cannot be used again before it has let go.
    Lingering,
}

/// What a service offered by this side accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Offered {
    pub(crate) version: u16,
    pub(crate) version_min: u16,
    pub(crate) synchronous: bool,
}

#[derive(Clone, Copy)]
pub(crate) struct Service {
    pub(crate) fourcc: FourCc,
    pub(crate) state: State,
    pub(crate) peer_version: Option<u16>,
    /// Set for a service offered by this side.
    pub(crate) offered: Option<Offered>,
    /// What the peer sent with its OPEN.
    pub(crate) client_id: u32,
    generation: u16,
}

impl Service {
    /// A handle can name it.
    fn is_named(&self) -> bool {
        !matches!(self.state, State::Free | State::Lingering)
    }
}

/// All local ports.
pub(crate) struct Services {
    table: [Service; MAX_SERVICES],
}

impl Services {
    pub(crate) const fn new() -> Self {
        let free = Service {
            fourcc: FourCc(0),
            state: State::Free,
            peer_version: None,
            offered: None,
            client_id: 0,
            generation: 0,
        };
        Self { table: [free; MAX_SERVICES] }
    }

    /// Takes the lowest free port.
    pub(crate) fn reserve(&mut self, fourcc: FourCc) -> Result<ServiceHandle, Exhausted> {
        let (port, service) = self
            .table
            .iter_mut()
            .enumerate()
            .find(|(_, service)| service.state == State::Free)
            .ok_or(Exhausted::ServiceTableFull)?;
        let generation = service.generation.wrapping_add(1);
        *service = Service {
            fourcc,
            state: State::Opening,
            peer_version: None,
            offered: None,
            client_id: 0,
            generation,
        };
        Ok(ServiceHandle { port: port as u8, generation })
    }

    /// Frees every port. Generations go on, so that no handle of before names anything.
    pub(crate) fn forget_all(&mut self) {
        for service in &mut self.table {
            service.state = State::Free;
        }
    }

    /// The service that a handle names.
    pub(crate) fn get(&self, handle: ServiceHandle) -> Result<&Service, Misuse> {
        self.table
            .get(usize::from(handle.port))
            .filter(|service| service.generation == handle.generation && service.is_named())
            .ok_or(Misuse::StaleHandle { port: handle.port })
    }

    pub(crate) fn get_mut(&mut self, handle: ServiceHandle) -> Result<&mut Service, Misuse> {
        self.table
            .get_mut(usize::from(handle.port))
            .filter(|service| service.generation == handle.generation && service.is_named())
            .ok_or(Misuse::StaleHandle { port: handle.port })
    }

    /// The service at a port that the peer names, unless the port is free.
    pub(crate) fn at_port(&mut self, port: Port) -> Option<(ServiceHandle, &mut Service)> {
        let number = port.number();
        let service =
            self.table.get_mut(usize::from(number)).filter(|service| service.state != State::Free)?;
        Some((ServiceHandle { port: number as u8, generation: service.generation }, service))
    }

    /// The services that this side has opened at the peer and not closed.
    pub(crate) fn opened(&self) -> impl Iterator<Item = (ServiceHandle, FourCc)> {
        let places = self.table.iter().enumerate();
        let opened = places.filter(|(_, service)| {
            service.offered.is_none() && matches!(service.state, State::Open { .. } | State::ClosedByPeer)
        });
        opened.map(|(port, service)| {
            (ServiceHandle { port: port as u8, generation: service.generation }, service.fourcc)
        })
    }

    /// The first service with a port that is as wanted.
    pub(crate) fn find(&self, mut wanted: impl FnMut(&Service) -> bool) -> Option<ServiceHandle> {
        let (port, service) = self
            .table
            .iter()
            .enumerate()
            .find(|(_, service)| service.state != State::Free && wanted(service))?;
        Some(ServiceHandle { port: port as u8, generation: service.generation })
    }
}
