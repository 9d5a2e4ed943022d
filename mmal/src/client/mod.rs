//! The client of the MMAL service.

mod buffer;
mod bulk;
mod component;
mod incoming;
mod port;
mod request;
mod returned;

use heapless::{Deque, Vec};
use vchiq_mbox::{
    Deadline, Exchange, MessageInfo, Platform, ServiceHandle, Vchiq, Window, link::OpenRequest,
};

pub use buffer::{Fill, InFlight, SubmitFailure};
pub use bulk::{BulkFailure, MemoryFailure};
pub use component::{Component, DestroyFailure, Destroyed};
pub use incoming::{Event, EventKind};
pub use port::{Drained, PortSetup, Stream};
pub use request::Version;
pub use returned::{Returned, WaitFailure};

use self::request::Request;
use crate::{
    error::Error,
    fmt::log_info,
    history::History,
    ids::{ComponentHandle, Contexts},
    payload::Payload,
    record::{Outstanding, Record},
    wire::{MAX_MESSAGE, MMAL, SERVICE_VERSION, SERVICE_VERSION_MIN},
};

/// Components of a client.
const MAX_COMPONENTS: usize = 8;
/// Requests without a reply; all but one have been given up.
const MAX_REQUESTS: usize = 8;
/// Events that nobody has taken.
const MAX_EVENTS: usize = 4;

/// What a client tells of itself, and where its numbers start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Version in OPEN.
    pub version: u16,
    /// Oldest server version accepted.
    pub version_min: u16,
    /// Process id that components are made for.
    pub pid: u32,
    /// Numbers used before. After a reopen pass [`Mmal::contexts_used`], so that none is used twice.
    pub contexts_used: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { version: SERVICE_VERSION, version_min: SERVICE_VERSION_MIN, pid: 1, contexts_used: 0 }
    }
}

/// Running counts of one client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counters {
    /// Requests sent.
    pub requests: u64,
    /// Those that were given up.
    pub abandoned: u64,
    /// Replies to requests that had been given up.
    pub late_replies: u64,
    /// Buffers given to the firmware.
    pub submitted: u64,
    /// Buffers given back by the firmware.
    pub returned: u64,
    /// Events received.
    pub events: u64,
    /// Events lost, because nobody took those before them.
    pub events_lost: u64,
    /// Messages against the protocol.
    pub violations: u64,
}

/// When a request was sent and its reply read, and where the reply lay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Answered {
    /// The moments.
    pub exchange: Exchange,
    /// The reply's place, and its order among all messages of the link.
    pub info: MessageInfo,
}

/// A message copied out of its slot.
struct Scratch {
    bytes: [u8; MAX_MESSAGE],
    size: usize,
}

/// The service, and up to `N` buffers that are out, or back and not taken.
///
/// It owns their payloads. Dropped while some are out, it forgets them: they are never reused.
pub struct Mmal<T: Payload, const N: usize> {
    service: ServiceHandle,
    pid: u32,
    contexts: Contexts,
    records: Vec<Record<T>, N>,
    components: Vec<ComponentHandle, MAX_COMPONENTS>,
    requests: Vec<Request, MAX_REQUESTS>,
    history: History,
    events: Deque<Event, MAX_EVENTS>,
    /// Components that nobody waits for any longer.
    unwanted: Vec<ComponentHandle, MAX_REQUESTS>,
    message: Scratch,
    last_answer: Option<Answered>,
    counters: Counters,
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Opens the service.
    ///
    /// # Errors
    /// [`Error::Absent`] if firmware refuses; [`Error::Link`] for the rest.
    pub fn open<P: Platform, W: Window>(
        link: &mut Vchiq<P, W>,
        options: &Options,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let request = OpenRequest::new(MMAL, options.version, options.version_min);
        let service = link.open(request, deadline).map_err(|error| match error {
            vchiq_mbox::Error::Refused { .. } => Error::Absent,
            other => Error::Link(other),
        })?;
        log_info!("mmal: open");
        Ok(Self {
            service,
            pid: options.pid,
            contexts: Contexts::new(options.contexts_used),
            records: Vec::new(),
            components: Vec::new(),
            requests: Vec::new(),
            history: History::new(),
            events: Deque::new(),
            unwanted: Vec::new(),
            message: Scratch { bytes: [0; MAX_MESSAGE], size: 0 },
            last_answer: None,
            counters: Counters::default(),
        })
    }

    /// The service on the link.
    pub fn service(&self) -> ServiceHandle {
        self.service
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Numbers used so far: [`Options::contexts_used`] of a later client in the same run.
    pub fn contexts_used(&self) -> u32 {
        self.contexts.used()
    }

    /// The reply to the last request that was answered.
    pub fn last_answer(&self) -> Option<Answered> {
        self.last_answer
    }

    /// The buffers that the firmware has.
    pub fn outstanding(&self) -> impl Iterator<Item = Outstanding> {
        self.records.iter().filter(|record| record.is_out()).map(Record::outstanding)
    }

    /// Closes the service. Buffers that are out stay reserved; the firmware destroys the components by itself.
    ///
    /// # Errors
    /// [`Error::Link`].
    pub fn close<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        Ok(link.close(self.service, deadline)?)
    }
}

impl<T: Payload, const N: usize> Drop for Mmal<T, N> {
    fn drop(&mut self) {
        while let Some(record) = self.records.pop() {
            if record.is_out() {
                core::mem::forget(record.payload);
            }
        }
    }
}

/// A wait on the link ended at its deadline.
fn is_timeout(error: &Error) -> bool {
    matches!(error, Error::Link(vchiq_mbox::Error::Timeout { .. }))
}
