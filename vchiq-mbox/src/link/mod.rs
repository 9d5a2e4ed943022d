//! The VCHIQ peer that the Arm is: slave to VideoCore's master.
//!
//! Order of use: [`Vchiq::prepare`] lays slot zero out; the caller hands [`Vchiq::bus_address`] to the firmware
//! (property [`crate::property::VchiqInit`]); [`Vchiq::connect`] exchanges CONNECT; then services are opened, used
//! and closed; services of our own are offered. Everything happens in the caller's thread, within calls; [`Vchiq::poll`] makes progress without
//! waiting.

mod bulk;
mod dispatch;
mod message;
mod misbehaviour;
mod offer;
mod pause;
mod positions;
mod prepare;
mod remains;
mod reset;
mod services;
mod sync;
mod timing;
mod transfer;

use heapless::Vec;

pub(crate) use bulk::{BulkId, Ended};
pub use bulk::{BulkSetup, CacheLine, Direction, Moved};
pub use dispatch::{Counters, Stray};
pub use message::{HeldMessage, Message, MessageInfo};
pub use misbehaviour::{MAX_KEPT, Misbehaviour};
pub use offer::{Client, Offer};
pub use positions::{EventWords, Positions};
pub use remains::Remains;
pub use reset::VideoCoreReset;
pub use services::OpenRequest;
pub use timing::{Exchange, Submitted};

use crate::{
    deadline::Deadline,
    error::{Error, Exhausted, Misuse, Step, Violation},
    fmt::{log_error, log_info},
    platform::{BusAddress, Platform, Window},
    service::Services,
    slot::{Layout, receive::Receiver, shared::Shared, transmit::Transmitter},
    wire::{MessageId, MessageType, Port, Side, VERSION, VERSION_MIN, field},
};

/// Messages that may wait to be received by the caller, over all services. The receiver stops when they are
/// reached, and goes on as soon as one is taken.
pub const MAX_UNREAD: usize = 256;

/// Where the connection is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Connection {
    /// Slot zero is laid out; nothing sent.
    Prepared,
    /// CONNECT sent, the peer's still missing.
    Connecting,
    /// Both CONNECTs exchanged.
    Connected,
    /// This side has sent PAUSE; nothing more may be sent, and the peer's PAUSE is still missing.
    Pausing,
    /// The link is paused; nothing may be sent until the side that paused it resumes.
    Paused,
    /// The peer broke the protocol.
    Dead(Violation),
}

/// One side of a VCHIQ link.
pub struct Vchiq<P, W> {
    shared: Shared<P, W>,
    layout: Layout,
    tx: Transmitter,
    rx: Receiver,
    services: Services,
    unread: Vec<message::Unread, MAX_UNREAD>,
    sync: sync::SyncSlots,
    bulks: bulk::Bulks,
    pause: pause::Pause,
    misbehaving: misbehaviour::Misbehaving,
    connection: Connection,
    /// The peer's CONNECT has arrived.
    peer_connected: bool,
    /// The version both sides speak, known from the peer's CONNECT on.
    version: Option<u16>,
    /// Which session this is, counted by [`Self::start_over`]: messages of a former one are worth nothing.
    session: u16,
    /// Why the receiver stopped before the end, last time it ran.
    receiver_stalled: Option<Exhausted>,
    /// Messages received so far, over all services.
    sequence: u64,
    counters: Counters,
    last_stray: Option<Stray>,
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Lays slot zero out in `window` with the 65 slots of Linux, and the fragments pool behind them.
    ///
    /// The window must be 4096-byte aligned in VideoCore's eyes, and hold [`Layout::LINUX_WINDOW`] bytes; with
    /// less room, but enough for the slots, no fragments are advertised. Nothing is sent.
    ///
    /// # Errors
    /// [`Misuse::WindowTooSmall`], [`Misuse::WindowUnaligned`].
    pub fn prepare(platform: P, window: W) -> Result<Self, Misuse> {
        Self::prepare_with(platform, window, Layout::new(Layout::LINUX_SLOTS)?)
    }

    /// As [`Self::prepare`], with another layout.
    ///
    /// # Errors
    /// [`Misuse::WindowTooSmall`], [`Misuse::WindowUnaligned`].
    pub fn prepare_with(platform: P, window: W, layout: Layout) -> Result<Self, Misuse> {
        prepare::check_window(&window, &layout)?;
        let shared = Shared { platform, window };
        prepare::lay_out(&shared, &layout);
        Ok(Self {
            shared,
            layout,
            tx: Transmitter::new(layout.slave.data),
            rx: Receiver::new(layout.master.data),
            services: Services::new(),
            unread: Vec::new(),
            sync: sync::SyncSlots::default(),
            bulks: bulk::Bulks::new(),
            pause: pause::Pause::default(),
            misbehaving: misbehaviour::Misbehaving::default(),
            connection: Connection::Prepared,
            peer_connected: false,
            version: None,
            session: 0,
            receiver_stalled: None,
            sequence: 0,
            counters: Counters::default(),
            last_stray: None,
        })
    }

    /// As if `slots` more had gone by in both directions before, all of them returned.
    #[cfg(test)]
    pub(crate) fn skip(&mut self, slots: u32) {
        self.tx.skip(slots);
        self.rx.skip(slots);
    }

    /// Where the firmware finds slot zero: the argument of VCHIQ_INIT.
    pub fn bus_address(&self) -> BusAddress {
        self.shared.window.bus_address()
    }

    /// The board, as given to [`Self::prepare`].
    pub fn platform(&self) -> &P {
        &self.shared.platform
    }

    /// The board, mutably. Doorbell stamps taken here are missing from messages.
    pub fn platform_mut(&mut self) -> &mut P {
        &mut self.shared.platform
    }

    /// The shared window, for reports and dumps.
    pub fn window(&self) -> &W {
        &self.shared.window
    }

    /// How the window is shared out.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A deadline `timeout` from now.
    pub fn deadline(&self, timeout: core::time::Duration) -> Deadline {
        Deadline::after(&self.shared.platform, timeout)
    }

    /// Where the connection is in its life.
    pub fn connection(&self) -> Connection {
        self.connection
    }

    /// The agreed protocol version, from the peer's CONNECT on.
    pub fn version(&self) -> Option<u16> {
        self.version
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The last message that was dropped because nobody was there for it.
    pub fn last_stray(&self) -> Option<Stray> {
        self.last_stray
    }

    /// True as soon as the peer has set its half of slot zero up. Until then nobody may be there at all.
    pub fn peer_is_initialised(&self) -> bool {
        self.shared.load(field::initialised(Side::Master)) == 1
    }

    /// Waits for the peer's half of slot zero, then exchanges CONNECT.
    ///
    /// After a timeout it may be called again: our CONNECT is sent once only.
    ///
    /// # Errors
    /// [`Step::PeerInitialise`] means that nobody took slot zero up, [`Step::Connect`] that the peer did but sent
    /// no CONNECT. [`Violation::SlotZero`] if the peer's half contradicts the layout, [`Violation::Version`] if it
    /// speaks another protocol. [`Misuse::AlreadyConnected`].
    pub fn connect(&mut self, deadline: Deadline) -> Result<(), Error> {
        match self.connection {
            Connection::Dead(violation) => return Err(violation.into()),
            Connection::Connected | Connection::Pausing | Connection::Paused => {
                return Err(Misuse::AlreadyConnected.into());
            }
            Connection::Prepared => {
                self.wait_for_peer(deadline)?;
                let id = MessageId::new(MessageType::Connect, Port::NONE, Port::NONE);
                self.shared.arm();
                self.queue(id, &[])?;
                self.connection = Connection::Connecting;
            }
            Connection::Connecting => {}
        }
        self.wait_until(deadline, Step::Connect, |link| Ok(link.peer_connected.then_some(())))?;
        if self.connection == Connection::Connecting {
            self.connection = Connection::Connected;
        }
        log_info!("vchiq: connected, version {=?}", self.version);
        Ok(())
    }

    fn wait_for_peer(&mut self, deadline: Deadline) -> Result<(), Error> {
        while !self.peer_is_initialised() {
            if deadline.has_passed(&self.shared.platform) {
                return Err(Error::Timeout { step: Step::PeerInitialise });
            }
            self.shared.wait_for_event(deadline);
        }
        self.shared.platform.read_barrier();
        prepare::check_peer(&self.shared, &self.layout)
            .and_then(|()| self.rx.learn_queue(&self.shared))
            .map_err(|violation| self.give_up(violation))
    }

    /// Reads the agreed version, at the peer's CONNECT.
    fn agree_on_version(&mut self) -> Result<(), Violation> {
        let found = self.shared.load(field::VERSIONS) as u16;
        if (VERSION_MIN..=VERSION).contains(&found) {
            self.version = Some(found);
            Ok(())
        } else {
            Err(Violation::Version { found })
        }
    }

    /// Takes returned slots back and reads what the peer has published; never waits.
    ///
    /// Gives the number of messages read. Every other call polls as well; a caller that only wants the link kept
    /// alive (OPENs answered, REMOTE_USE answered) calls this.
    ///
    /// # Errors
    /// A [`Violation`], then and ever after.
    pub fn poll(&mut self) -> Result<u32, Error> {
        if let Connection::Dead(violation) = self.connection {
            return Err(violation.into());
        }
        let events = self.shared.take_events();
        self.sync.note(events);
        match self.tx.reclaim(&self.shared) {
            Ok(slots) => self.counters.slots_reclaimed += u64::from(slots),
            Err(violation) => return Err(self.give_up(violation)),
        }
        self.send_deferred();
        let messages = self.read_messages().map_err(|violation| self.give_up(violation))?;
        let synchronous = self.read_sync().map_err(|violation| self.give_up(violation))?;
        Ok(messages + synchronous)
    }

    /// Polls until `ready` has a result, an error ends the wait, or the deadline passes.
    pub(crate) fn wait_until<T>(
        &mut self,
        deadline: Deadline,
        step: Step,
        mut ready: impl FnMut(&mut Self) -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        loop {
            self.poll()?;
            if let Some(result) = ready(self)? {
                return Ok(result);
            }
            if let Some(full @ Exhausted::ReceiveQueueFull { .. }) = self.receiver_stalled {
                // Only the caller can make room.
                return Err(full.into());
            }
            if deadline.has_passed(&self.shared.platform) {
                return Err(Error::Timeout { step });
            }
            self.shared.wait_for_event(deadline);
        }
    }

    /// Remembers the violation that ended the link.
    fn give_up(&mut self, violation: Violation) -> Error {
        log_error!("vchiq: link lost: {}", violation);
        self.connection = Connection::Dead(violation);
        violation.into()
    }
}
