//! Undoing an import whose reply nobody waits for any longer, and the end of a link.

use vchiq_mbox::{Deadline, Platform, Vchiq, Window, link::VideoCoreReset};
use zerocopy::IntoBytes;

use super::Smem;
use crate::{
    error::{Error, Misuse},
    ids::KernelId,
    lend::Lend,
    record::State,
    wire::{ActionClean, MessageType},
};

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Asks firmware to undo an import that was abandoned without a reply (ACTION_CLEAN). There is no answer; the
    /// buffer comes back through [`Smem::take_recovered`] if RELEASED does. A late reply is followed by FREE as always.
    ///
    /// # Errors
    /// [`Misuse::NothingToUndo`], [`Error::Link`].
    pub fn undo_import<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        kernel_id: KernelId,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let record = self.record(kernel_id)?;
        if !record.abandoned || record.cleaned || !matches!(record.state, State::Importing { .. }) {
            return Err(Misuse::NothingToUndo { kernel_id }.into());
        }
        let action_transaction = record.transaction.number().into();
        let message = ActionClean {
            header: self.header(MessageType::ActionClean),
            action: (MessageType::Import as u32).into(),
            action_transaction,
        };
        link.send(self.service, &[message.as_bytes()], deadline)?;
        self.record_mut(kernel_id)?.cleaned = true;
        Ok(())
    }

    /// The buffers that were out when VideoCore was reset, one a call. The service is gone, and this client with it:
    /// the next session needs another, which begins with [`Smem::next_kernel_id`].
    ///
    /// A second client, a second link or a closed service are no reset: the firmware goes on using what it has.
    pub fn take_after_reset(&mut self, _reset: &VideoCoreReset) -> Option<B> {
        self.records.pop().map(|record| record.buffer)
    }
}
