//! What firmware is owed: sent as soon as there is a slot, before anything more is read.

use vchiq_mbox::{MessageInfo, Platform, Vchiq, Window};
use zerocopy::IntoBytes;

use super::{
    Smem,
    heap::{BlockRecord, on_handle},
};
use crate::{
    error::{Error, Place, Violation},
    fmt::log_warn,
    ids::{Handle, KernelId, TransactionId},
    lend::Lend,
    record::{Record, State},
    request::{Answer, Asked},
    wire::{MessageType, Reply, RequestHeader, VcMemRequestReply},
};

/// A message that has to be sent and that nobody waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owed {
    /// The answer to a request for memory; without a kernel id it is a refusal.
    Memory { transaction: TransactionId, request: u32, given: Option<(u32, KernelId)> },
    /// FREE of a block whose ALLOC had been abandoned.
    Free(Handle),
    /// UNLOCK_NOANS of a lock that had been abandoned.
    Unlock(Handle),
}

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Sends FREEs of abandoned imports whose reply came late, and everything else that is owed. What finds no slot
    /// now is sent by a later call.
    pub(super) fn send_what_is_owed<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
    ) -> Result<(), Error> {
        let late = |record: &&Record<B>| record.abandoned && matches!(record.state, State::Imported { .. });
        while let Some(kernel_id) = self.records.iter().find(late).map(|record| record.kernel_id) {
            let sent =
                self.try_free(link, kernel_id, |link, service, message| link.try_send(service, &[message]));
            match sent {
                Ok(_) => {}
                Err(Error::Link(error)) if error.is_retryable() => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        while let Some(owed) = self.owed.front().copied() {
            match self.send_owed(link, owed) {
                Ok(()) => {
                    self.owed.pop_front();
                }
                // With the list full, nothing more may be read: the next message might ask for another.
                Err(error) if error.is_retryable() && !self.owed.is_full() => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn send_owed<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        owed: Owed,
    ) -> Result<(), vchiq_mbox::Error> {
        let sent = match owed {
            Owed::Memory { transaction, request, given } => {
                let header = RequestHeader::new(MessageType::VcMemRequestReply, transaction.number());
                let (address, kernel_id) = given.map_or((0, 0), |(address, id)| (address, id.number()));
                let message = VcMemRequestReply {
                    header,
                    request: request.into(),
                    address: address.into(),
                    kernel_id: kernel_id.into(),
                };
                link.try_send(self.service, &[message.as_bytes()])
            }
            Owed::Free(handle) => {
                let message = on_handle(self.header(MessageType::Free), handle);
                link.try_send(self.service, &[message.as_bytes()])
            }
            Owed::Unlock(handle) => {
                let message = on_handle(self.header(MessageType::UnlockNoAnswer), handle);
                link.try_send(self.service, &[message.as_bytes()])
            }
        };
        sent.map(|_| ())
    }

    /// The answer to a request for a heap block. A late one is undone.
    pub(super) fn on_answer(
        &mut self,
        index: usize,
        reply: Reply,
        info: MessageInfo,
        place: Place,
    ) -> Result<(), Violation> {
        let request = self.requests[index];
        let (answer, exchange) = request.read(&reply, &info, place)?;
        self.history.note(request.transaction, place);
        if request.abandoned {
            self.requests.swap_remove(index);
            self.counters.late_replies += 1;
            self.undo(request.asked, answer);
            return Ok(());
        }
        self.requests[index].answer = Some((answer, exchange));
        match (request.asked, answer) {
            (Asked::Alloc { size }, Answer::Allocated { handle, .. }) => {
                let in_use = self.blocks.iter().any(|block| block.handle == handle);
                // There is room: checked before ALLOC was sent.
                let _ = self.blocks.push(BlockRecord { handle, size, locks: 0 });
                if in_use {
                    return Err(Violation::BlockHandleInUse { handle, place });
                }
            }
            (Asked::Lock { handle }, Answer::Locked { .. }) => {
                self.change_block(handle, |block| block.locks += 1);
            }
            (asked, answer) => self.apply(asked, answer),
        }
        Ok(())
    }

    /// UNLOCK and RESIZE hold whether somebody waits for their answer or not.
    fn apply(&mut self, asked: Asked, answer: Answer) {
        match (asked, answer) {
            (Asked::Unlock { handle }, Answer::Done) => {
                self.change_block(handle, |block| block.locks = block.locks.saturating_sub(1));
            }
            (Asked::Resize { handle, size }, Answer::Done) => {
                self.change_block(handle, |block| block.size = size);
            }
            _ => {}
        }
    }

    /// There is room for what is owed: nothing is read while the list is full.
    fn undo(&mut self, asked: Asked, answer: Answer) {
        let owed = match (asked, answer) {
            (Asked::Alloc { .. }, Answer::Allocated { handle, .. }) => Owed::Free(handle),
            (Asked::Lock { handle }, Answer::Locked { .. }) => Owed::Unlock(handle),
            (asked, answer) => return self.apply(asked, answer),
        };
        let _ = self.owed.push_back(owed);
    }

    pub(super) fn abandon_request(&mut self, transaction: TransactionId) {
        let found = self.requests.iter().position(|request| request.transaction == transaction);
        let Some(place) = found else { return };
        self.counters.abandoned += 1;
        log_warn!("smem: request {} abandoned", transaction);
        // One that was answered against the protocol is over.
        if self.requests[place].answer.is_some() {
            self.requests.swap_remove(place);
        } else {
            self.requests[place].abandoned = true;
        }
    }
}
