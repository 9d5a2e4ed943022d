//! Buffers whose bytes travel in bulk, beside their messages (MMAL fact sheet 5).
//!
//! Their memory is lent to the link, not to the port: [`BulkQueue`] has it while VideoCore moves the bytes. The payload
//! of such a buffer is no more than a number and a size.

use vchiq_mbox::{
    Deadline, Platform, Vchiq, Window,
    bulk::{self, BulkMemory, BulkQueue},
};

use super::{Fill, InFlight, Mmal, Returned, buffer::Way};
use crate::{
    error::{Error, Misuse},
    payload::Payload,
    port::Port,
    record::Data,
    wire::DUMMY_BULK,
};

/// A buffer that was not given, or given without its bytes.
#[derive(Debug)]
pub struct BulkFailure<T, M> {
    /// Why.
    pub error: Error,
    /// What it carries, if nothing was sent.
    pub payload: Option<T>,
    /// The buffer, if its message was sent: the firmware waits for the bytes, which
    /// [`BulkQueue::transmit`] can still bring.
    pub in_flight: Option<InFlight>,
    /// The memory.
    pub memory: M,
}

/// A transfer that did not go as asked.
#[derive(Debug)]
pub struct MemoryFailure<M> {
    /// Why.
    pub error: Error,
    /// The memory, unless it is under way.
    pub memory: Option<M>,
}

/// Bytes that are moved for so many: whole words.
const fn moved(length: u32) -> u32 {
    length.div_ceil(4).saturating_mul(4)
}

/// The same to the firmware, which takes some for none.
const fn sent(length: u32) -> u32 {
    if length == 0 { DUMMY_BULK } else { moved(length) }
}

impl<T: Payload, const N: usize> Mmal<T, N> {
    /// Gives an input a buffer of `fill.length` bytes, and moves them by a bulk transfer of `memory`, whose size is that
    /// length rounded up to words. A buffer without bytes takes eight of no meaning, to stay in line behind the others.
    ///
    /// # Errors
    /// [`BulkFailure`].
    #[expect(clippy::too_many_arguments, reason = "a buffer and a bulk transfer")]
    pub fn submit_bulk<M: BulkMemory, const K: usize, P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        port: &Port,
        payload: T,
        fill: Fill,
        bulks: &mut BulkQueue<M, K>,
        memory: M,
        deadline: Deadline,
    ) -> Result<(InFlight, bulk::InFlight), BulkFailure<T, M>> {
        let (size, expected) = (memory.size(), sent(fill.length));
        if size != expected {
            let error = Misuse::BulkSize { size, expected }.into();
            return Err(BulkFailure { error, payload: Some(payload), in_flight: None, memory });
        }
        let in_flight = match self.give(link, port, payload, fill, Way::Bulk, deadline) {
            Ok(in_flight) => in_flight,
            Err(failure) => {
                let (error, payload) = (failure.error, Some(failure.payload));
                return Err(BulkFailure { error, payload, in_flight: None, memory });
            }
        };
        match bulks.transmit(link, self.service, memory, deadline) {
            Ok(transfer) => Ok((in_flight, transfer)),
            Err(failure) => Err(BulkFailure {
                error: failure.error.into(),
                payload: None,
                in_flight: Some(in_flight),
                memory: failure.memory,
            }),
        }
    }

    /// Fetches the bytes of an output's buffer that has come back with [`Data::Bulk`], into memory of that length rounded
    /// up to words. The firmware waits for it: buffers are fetched in the order in which they came back.
    ///
    /// # Errors
    /// [`MemoryFailure`] with the memory.
    pub fn receive_bulk<M: BulkMemory, const K: usize, P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        returned: &Returned<T>,
        bulks: &mut BulkQueue<M, K>,
        memory: M,
        deadline: Deadline,
    ) -> Result<bulk::InFlight, MemoryFailure<M>> {
        let Data::Bulk { length } = returned.data else {
            return Err(MemoryFailure { error: Misuse::NoBulk.into(), memory: Some(memory) });
        };
        let (size, expected) = (memory.size(), moved(length));
        if size != expected {
            let error = Misuse::BulkSize { size, expected }.into();
            return Err(MemoryFailure { error, memory: Some(memory) });
        }
        bulks
            .receive(link, self.service, memory, deadline)
            .map_err(|failure| MemoryFailure { error: failure.error.into(), memory: Some(failure.memory) })
    }
}
