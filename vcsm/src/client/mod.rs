//! The client of the SMEM service.

mod clean;
mod heap;
mod import;
mod incoming;
mod owed;
mod release;
mod spare;

use core::time::Duration;

use heapless::{Deque, Vec};
use vchiq_mbox::{Deadline, Platform, ServiceHandle, Vchiq, Window, link::OpenRequest};
use zerocopy::IntoBytes;

pub use heap::{Block, BlockFailure, BlockSize, Locked};
pub use import::{ImportFailure, Imported, Importing};
pub use release::{FreeFailure, Freed, Recovered, ReleaseFailure, Returned};

use self::{heap::BlockRecord, owed::Owed};
use crate::{
    error::{Error, Misuse},
    fmt::log_info,
    history::History,
    ids::{KernelId, KernelIds, Transactions},
    lend::{Lend, Lendable},
    record::{Outstanding, Record},
    request::Request,
    wire::{
        ClientVersion, MessageType, NAME_SIZE, PROTOCOL_VERSION, RequestHeader, SERVICE_VERSION,
        SERVICE_VERSION_MIN, SMEM, padded_name,
    },
};

/// Messages that may wait for a slot.
const MAX_OWED: usize = 8;
/// Heap blocks of a client, and requests for them that may be under way.
const MAX_BLOCKS: usize = 8;

/// What a client tells of itself, and where its ids start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Name of the resources in firmware's lists, up to 31 bytes.
    pub name: &'static str,
    /// Process id in the same lists.
    pub allocator: u32,
    /// First transaction id, 1 to 0x7fff_ffff.
    pub first_transaction: u32,
    /// First kernel id. After a reopen pass [`Smem::next_kernel_id`], so that none is used twice.
    pub first_kernel_id: u32,
    /// Tell firmware the protocol version. A client that does not is one of version 1, which gets no RELEASED.
    pub tells_version: bool,
    /// How long to wait for the acknowledgement of CLIENT_VERSION; none means version 1 firmware.
    pub version_timeout: Duration,
    /// Memory that may be lent.
    pub lendable: Lendable,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: "vcsm-harness",
            allocator: 1,
            first_transaction: 1,
            first_kernel_id: 1,
            tells_version: true,
            version_timeout: Duration::from_millis(100),
            lendable: Lendable::ALL,
        }
    }
}

/// The version of the messages that firmware speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ProtocolVersion {
    /// CLIENT_VERSION was not sent, or not acknowledged, or by a version below 2: there is no RELEASED.
    One,
    /// RELEASED comes; the version firmware named.
    Notifying(u32),
}

/// Running counts of one client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counters {
    /// IMPORTs sent.
    pub imports: u64,
    /// IMPORTs answered by a handle.
    pub imported: u64,
    /// IMPORTs refused.
    pub refused: u64,
    /// Requests given up.
    pub abandoned: u64,
    /// FREEs sent.
    pub frees: u64,
    /// RELEASED that gave a buffer back.
    pub released: u64,
    /// Late replies to requests for heap blocks.
    pub late_replies: u64,
    /// Requests of firmware for memory.
    pub memory_requests: u64,
    /// Those that got a spare buffer; the others are refused.
    pub memory_given: u64,
    /// Messages against the protocol.
    pub violations: u64,
}

/// The service, and up to `N` buffers that are out.
///
/// It owns the buffers. Dropped while some are out, it forgets them: their memory is never reused.
pub struct Smem<B: Lend, const N: usize> {
    service: ServiceHandle,
    name: [u8; NAME_SIZE],
    allocator: u32,
    lendable: Lendable,
    version: Option<u32>,
    transactions: Transactions,
    kernel_ids: KernelIds,
    records: Vec<Record<B>, N>,
    history: History,
    /// Buffers for firmware that asks for memory.
    spares: Vec<B, N>,
    blocks: Vec<BlockRecord, MAX_BLOCKS>,
    /// Requests for heap blocks that have not been answered, or whose answer has not been taken.
    requests: Vec<Request, MAX_BLOCKS>,
    owed: Deque<Owed, MAX_OWED>,
    counters: Counters,
}

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Opens the service and tells it the protocol version.
    ///
    /// # Errors
    /// [`Error::Absent`] if firmware refuses; [`Error::Link`] for the rest. Firmware that does not acknowledge the
    /// version is no error: [`Self::version`].
    pub fn open<P: Platform, W: Window>(
        link: &mut Vchiq<P, W>,
        options: &Options,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let request = OpenRequest::new(SMEM, SERVICE_VERSION, SERVICE_VERSION_MIN);
        let service = link.open(request, deadline).map_err(|error| match error {
            vchiq_mbox::Error::Refused { .. } => Error::Absent,
            other => Error::Link(other),
        })?;
        let mut client = Self {
            service,
            name: padded_name(options.name),
            allocator: options.allocator,
            lendable: options.lendable,
            version: None,
            transactions: Transactions::new(options.first_transaction),
            kernel_ids: KernelIds::new(options.first_kernel_id),
            records: Vec::new(),
            history: History::new(),
            spares: Vec::new(),
            blocks: Vec::new(),
            requests: Vec::new(),
            owed: Deque::new(),
            counters: Counters::default(),
        };
        if options.tells_version {
            client.negotiate(link, deadline, options.version_timeout)?;
        }
        log_info!("smem: open, protocol version {}", client.version);
        Ok(client)
    }

    fn negotiate<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
        timeout: Duration,
    ) -> Result<(), Error> {
        let header = RequestHeader::new(MessageType::ClientVersion, self.transactions.take().number());
        let message = ClientVersion { header, version: PROTOCOL_VERSION.into() };
        link.send(self.service, &[message.as_bytes()], deadline)?;
        let acknowledged = link.deadline(timeout);
        while self.version.is_none() {
            match self.receive(link, acknowledged) {
                Ok(()) => {}
                Err(error) if is_timeout(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The version of the messages that firmware speaks.
    pub fn version(&self) -> ProtocolVersion {
        match self.version {
            Some(version) if version >= PROTOCOL_VERSION => ProtocolVersion::Notifying(version),
            _ => ProtocolVersion::One,
        }
    }

    /// The service on the link.
    pub fn service(&self) -> ServiceHandle {
        self.service
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The number the next buffer gets: first kernel id of a later client in the same run.
    pub fn next_kernel_id(&self) -> u32 {
        self.kernel_ids.next()
    }

    /// The number the next request gets, 1 to 0x7fff_ffff: first transaction id of a client that goes on counting.
    pub fn next_transaction(&self) -> u32 {
        self.transactions.next()
    }

    /// The buffers firmware may still use.
    pub fn outstanding(&self) -> impl Iterator<Item = Outstanding> {
        self.records.iter().filter(|record| record.is_out()).map(|record| Outstanding {
            kernel_id: record.kernel_id,
            transaction: record.transaction,
            handle: record.handle(),
            freed: matches!(record.state, crate::record::State::Freeing { .. }),
            abandoned: record.abandoned,
            given: matches!(record.state, crate::record::State::Given { .. }),
        })
    }

    /// Closes the service, once firmware is done with every buffer. With version 1 firmware, which never says so, a
    /// buffer that has been freed counts as done with; it stays reserved.
    ///
    /// # Errors
    /// [`Misuse::BuffersOut`]: nothing was sent. [`Error::Link`].
    pub fn close<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        match self.buffers_that_forbid_close() {
            0 => self.close_with_buffers_out(link, deadline),
            count => Err(Misuse::BuffersOut { count }.into()),
        }
    }

    /// Closes the service whatever firmware has: for tests of what firmware does then. It may halt, and answer
    /// nothing any more. Buffers that are out stay reserved.
    ///
    /// # Errors
    /// [`Error::Link`].
    pub fn close_with_buffers_out<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        Ok(link.close(self.service, deadline)?)
    }

    fn buffers_that_forbid_close(&self) -> usize {
        let gives_notice = self.version() != ProtocolVersion::One;
        let forbids = |buffer: &Outstanding| gives_notice || !buffer.freed;
        self.outstanding().filter(forbids).count()
    }

    fn index_of(&self, kernel_id: KernelId) -> Result<usize, Misuse> {
        let found = self.records.iter().position(|record| record.kernel_id == kernel_id);
        found.ok_or(Misuse::UnknownToken { kernel_id })
    }

    fn record(&self, kernel_id: KernelId) -> Result<&Record<B>, Misuse> {
        let found = self.records.iter().find(|record| record.kernel_id == kernel_id);
        found.ok_or(Misuse::UnknownToken { kernel_id })
    }

    fn record_mut(&mut self, kernel_id: KernelId) -> Result<&mut Record<B>, Misuse> {
        let found = self.records.iter_mut().find(|record| record.kernel_id == kernel_id);
        found.ok_or(Misuse::UnknownToken { kernel_id })
    }
}

impl<B: Lend, const N: usize> Drop for Smem<B, N> {
    fn drop(&mut self) {
        while let Some(record) = self.records.pop() {
            if record.is_out() {
                core::mem::forget(record.buffer);
            }
        }
    }
}

/// A wait on the link ended at its deadline.
fn is_timeout(error: &Error) -> bool {
    matches!(error, Error::Link(vchiq_mbox::Error::Timeout { .. }))
}
