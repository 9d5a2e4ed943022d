//! Memory for firmware that asks for some (VC_MEM_REQUEST): spare buffers, given and taken back.
//!
//! A request is always answered, as silence would block a firmware thread; with no spare buffer that fits, by a
//! refusal. A buffer that was given is VideoCore's until RELEASED, and spare again from then on.

use super::{Smem, owed::Owed};
use crate::{
    error::{Error, Exhausted, Misuse},
    ids::KernelId,
    lend::Lend,
    record::{Record, State},
    wire::VcMemRequest,
};

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Lets firmware have this buffer when it asks for memory.
    ///
    /// # Errors
    /// The buffer, with [`Exhausted::SparesFull`] or [`Misuse::NotLendable`].
    pub fn offer(&mut self, buffer: B) -> Result<(), (Error, B)> {
        let (address, size) = (buffer.bus_address(), buffer.size());
        if !self.lendable.holds(address, size) {
            return Err((Misuse::NotLendable { address, size }.into(), buffer));
        }
        self.spares.push(buffer).map_err(|buffer| (Exhausted::SparesFull { capacity: N }.into(), buffer))
    }

    /// Takes a spare buffer back, if there is one; those that firmware has are not spare.
    pub fn withdraw(&mut self) -> Option<B> {
        self.spares.pop()
    }

    /// Gives the smallest spare buffer that fits, or refuses.
    pub(super) fn on_memory_request(&mut self, request: &VcMemRequest) {
        self.counters.memory_requests += 1;
        let transaction = self.transactions.take();
        let given = self.give(request, transaction);
        self.counters.memory_given += u64::from(given.is_some());
        // There is room: nothing is read while the list is full.
        let _ = self.owed.push_back(Owed::Memory { transaction, request: request.transaction.get(), given });
    }

    fn give(
        &mut self,
        request: &VcMemRequest,
        transaction: crate::ids::TransactionId,
    ) -> Option<(u32, KernelId)> {
        let (size, align) = (request.size.get(), request.align.get().max(1));
        let fits =
            |buffer: &B| size != 0 && buffer.size() >= size && buffer.bus_address().0.is_multiple_of(align);
        let fitting = self.spares.iter().enumerate().filter(|(_, buffer)| fits(buffer));
        let (place, _) = fitting.min_by_key(|(_, buffer)| buffer.size())?;
        if self.records.is_full() {
            return None;
        }
        let kernel_id = self.kernel_ids.take()?;
        let buffer = self.spares.swap_remove(place);
        let address = buffer.bus_address().0;
        let state = State::Given { handle: request.handle.get(), size };
        let record = Record { kernel_id, transaction, buffer, abandoned: false, cleaned: false, state };
        // There is room: checked above.
        if let Err(record) = self.records.push(record) {
            self.spares.push(record.buffer).ok();
            return None;
        }
        Some((address, kernel_id))
    }

    /// A given buffer is spare again.
    pub(super) fn take_back(&mut self, kernel_id: u32) {
        let found = self.records.iter().position(|record| record.kernel_id.number() == kernel_id);
        let Some(place) = found else { return };
        let record = self.records.swap_remove(place);
        if let Err(buffer) = self.spares.push(record.buffer) {
            // Others were offered meanwhile: reserved rather than lost, until the caller takes it.
            let state = State::Returned(crate::record::Outcome::Undone);
            let record = Record { buffer, state, ..record };
            self.records.push(record).ok();
        }
    }
}
