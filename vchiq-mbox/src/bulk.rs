//! Bulk transfers: memory that VideoCore copies to or from by itself.
//!
//! Memory under way belongs to VideoCore: it is swallowed by [`BulkQueue::transmit`] and [`BulkQueue::receive`], and
//! given back by the peer's word that the transfer has ended, or after a reset of VideoCore; by nothing else. A queue
//! that is dropped forgets what is under way: memory is lost rather than used while VideoCore still writes to it.

use core::mem::ManuallyDrop;

use heapless::Vec;

pub use crate::link::{BulkSetup, CacheLine, Direction, Moved, VideoCoreReset};
use crate::{
    deadline::Deadline,
    error::{Error, Exhausted, Misuse, Step},
    link::{BulkId, Ended, Exchange, Vchiq},
    platform::{Platform, Window},
    service::ServiceHandle,
};

/// Memory that a bulk transfer moves, and the board's care for its caches.
///
/// Size, offset and pages stay what they are for as long as the value lives, wherever it is moved; the value is the
/// only way for this side to reach the memory.
pub trait BulkMemory {
    /// Bytes, at least 1.
    fn size(&self) -> u32;

    /// Where the first byte lies in the first page, 0 to 4095.
    fn offset(&self) -> u16;

    /// Physical address of a page, by its number from 0.
    fn page(&self, number: u32) -> u64;

    /// Writes every cache line back that the memory touches, so that VideoCore reads what this side stored.
    fn clean(&mut self);

    /// Drops the cache lines of the bytes `start..end`, so that this side loads what VideoCore stored. Both ends lie on
    /// lines; an empty range asks for nothing.
    fn invalidate(&mut self, start: u32, end: u32);

    /// Stores `bytes` from byte `at` on: what VideoCore could not put beside somebody else's bytes itself.
    fn store(&mut self, at: u32, bytes: &[u8]);
}

/// Names a transfer under way.
#[must_use = "the memory comes back only when the end of the transfer is taken"]
#[derive(Debug, PartialEq, Eq)]
pub struct InFlight {
    id: BulkId,
}

/// A transfer that was not asked for: nothing was sent, and the memory is the caller's still.
#[derive(Debug)]
pub struct NotSubmitted<M> {
    /// Why.
    pub error: Error,
    /// The memory.
    pub memory: M,
}

/// A wait that ended before the transfer did.
#[derive(Debug)]
pub struct NotEnded {
    /// Why.
    pub error: Error,
    /// The transfer, to be waited for again.
    pub in_flight: InFlight,
}

/// A transfer that has ended.
#[derive(Debug)]
pub struct Finished<M> {
    /// The memory, the caller's again.
    pub memory: M,
    /// What was moved.
    pub moved: Moved,
    /// Its moments.
    pub exchange: Exchange,
}

struct Entry<M> {
    id: BulkId,
    // Never dropped while VideoCore may use it.
    memory: ManuallyDrop<M>,
}

/// The memory of up to `N` transfers of one link.
pub struct BulkQueue<M, const N: usize> {
    entries: Vec<Entry<M>, N>,
}

impl<M: BulkMemory, const N: usize> Default for BulkQueue<M, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: BulkMemory, const N: usize> BulkQueue<M, N> {
    /// Without any memory.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Transfers whose end has not been taken.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if all memory is the caller's.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sends `memory` to the service. Waits until the deadline while four transfers that way are under way, or no slot
    /// is free.
    ///
    /// # Errors
    /// [`NotSubmitted`] with the memory.
    pub fn transmit<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        service: ServiceHandle,
        memory: M,
        deadline: Deadline,
    ) -> Result<InFlight, NotSubmitted<M>> {
        self.submit(link, service, Direction::Transmit, memory, deadline)
    }

    /// Fills `memory` with what the service sends; waits as [`Self::transmit`].
    ///
    /// # Errors
    /// [`NotSubmitted`] with the memory.
    pub fn receive<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        service: ServiceHandle,
        memory: M,
        deadline: Deadline,
    ) -> Result<InFlight, NotSubmitted<M>> {
        self.submit(link, service, Direction::Receive, memory, deadline)
    }

    fn submit<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        service: ServiceHandle,
        direction: Direction,
        mut memory: M,
        deadline: Deadline,
    ) -> Result<InFlight, NotSubmitted<M>> {
        if self.entries.is_full() {
            return Err(NotSubmitted { error: Exhausted::BulkTableFull.into(), memory });
        }
        match link.submit_bulk(service, direction, &mut memory, deadline) {
            Ok(id) => {
                // There is room.
                let _ = self.entries.push(Entry { id, memory: ManuallyDrop::new(memory) });
                Ok(InFlight { id })
            }
            Err(error) => Err(NotSubmitted { error, memory }),
        }
    }

    /// Waits for the end of a transfer.
    ///
    /// # Errors
    /// [`NotEnded`] with the transfer: [`Step::Bulk`] at the deadline, or what ends the wait. The memory stays
    /// VideoCore's.
    pub fn wait<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        in_flight: InFlight,
        deadline: Deadline,
    ) -> Result<Finished<M>, NotEnded> {
        let ended = link.wait_until(deadline, Step::Bulk, |link| self.take(link, in_flight.id));
        ended.map_err(|error| NotEnded { error, in_flight })
    }

    /// Takes the end of any transfer, the oldest first; never waits. For callers that have dropped their tokens, and
    /// for memory whose service has been closed.
    ///
    /// # Errors
    /// What [`Vchiq::poll`] gives.
    pub fn try_finish<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
    ) -> Result<Option<Finished<M>>, Error> {
        // A dead link still knows what had ended before.
        let polled = link.poll();
        for index in 0..self.entries.len() {
            if let Some(entry) = self.entries.get(index)
                && let Some(finished) = self.take(link, entry.id)?
            {
                return Ok(Some(finished));
            }
        }
        polled.map(|_| None)
    }

    fn take<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        id: BulkId,
    ) -> Result<Option<Finished<M>>, Error> {
        let missing = Misuse::NoSuchBulk { number: id.0 };
        let index = self.entries.iter().position(|entry| entry.id == id).ok_or(missing)?;
        let entry = self.entries.get_mut(index).ok_or(missing)?;
        let Some(Ended { moved, exchange, .. }) = link.ended_bulk(id, &mut *entry.memory)? else {
            return Ok(None);
        };
        let memory = ManuallyDrop::into_inner(self.entries.remove(index).memory);
        Ok(Some(Finished { memory, moved, exchange }))
    }

    /// The memory of all transfers, after a reset of VideoCore.
    pub fn after_reset(self, _reset: &VideoCoreReset) -> impl Iterator<Item = M> {
        self.entries.into_iter().map(|entry| ManuallyDrop::into_inner(entry.memory))
    }
}
