//! Lending a buffer.

use vchiq_mbox::{Deadline, Exchange, Platform, Submitted, Vchiq, Window};
use zerocopy::IntoBytes;

use super::{Smem, is_timeout};
use crate::{
    error::{Error, Exhausted, Misuse},
    fmt::log_warn,
    ids::{Handle, KernelId, TransactionId},
    lend::Lend,
    record::{Outcome, Record, State},
    wire::{CacheType, Import, MessageType, RequestHeader},
};

/// A buffer whose IMPORT is under way.
#[must_use = "the buffer stays reserved until its import is awaited, freed and released"]
#[derive(PartialEq, Eq, Debug)]
pub struct Importing {
    kernel_id: KernelId,
    transaction: TransactionId,
    submitted: Submitted,
}

impl Importing {
    /// Number of the buffer.
    pub fn kernel_id(&self) -> KernelId {
        self.kernel_id
    }
    /// Number of the request.
    pub fn transaction(&self) -> TransactionId {
        self.transaction
    }
    /// When it was sent.
    pub fn submitted(&self) -> Submitted {
        self.submitted
    }
}

/// A buffer that firmware has a handle on. Reachable through [`Smem::buffer`] until it is freed.
#[must_use = "the buffer stays reserved until it is freed and released"]
#[derive(PartialEq, Eq, Debug)]
pub struct Imported {
    pub(super) kernel_id: KernelId,
    handle: Handle,
}

impl Imported {
    /// Number of the buffer.
    pub fn kernel_id(&self) -> KernelId {
        self.kernel_id
    }
    /// Firmware's handle.
    pub fn handle(&self) -> Handle {
        self.handle
    }
}

/// An import that failed.
#[derive(Debug)]
pub struct ImportFailure<B> {
    /// Why.
    pub error: Error,
    /// The buffer, if firmware has no claim on it; otherwise it stays reserved ([`Error::ImportTimedOut`]).
    pub buffer: Option<B>,
}

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Lends a buffer: sends IMPORT and waits for the handle.
    ///
    /// # Errors
    /// [`ImportFailure`]: the buffer comes back unless firmware may have taken it.
    pub fn import<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        buffer: B,
        deadline: Deadline,
    ) -> Result<Imported, ImportFailure<B>> {
        let importing = self.submit_import(link, buffer, deadline)?;
        self.await_import(link, importing, deadline)
    }

    /// Sends IMPORT; several may be under way.
    ///
    /// # Errors
    /// [`ImportFailure`], always with the buffer: nothing was sent.
    pub fn submit_import<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        buffer: B,
        deadline: Deadline,
    ) -> Result<Importing, ImportFailure<B>> {
        let begin = link.platform().now();
        match self.try_submit(link, &buffer, deadline) {
            Ok((kernel_id, transaction, submitted)) => {
                let submitted = Submitted { begin, ..submitted };
                let state = State::Importing { submitted };
                let record =
                    Record { kernel_id, transaction, buffer, abandoned: false, cleaned: false, state };
                // There is room: checked before anything was sent.
                if let Err(record) = self.records.push(record) {
                    core::mem::forget(record.buffer);
                }
                self.counters.imports += 1;
                Ok(Importing { kernel_id, transaction, submitted })
            }
            Err(error) => Err(ImportFailure { error, buffer: Some(buffer) }),
        }
    }

    fn try_submit<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        buffer: &B,
        deadline: Deadline,
    ) -> Result<(KernelId, TransactionId, Submitted), Error> {
        let (address, size) = (buffer.bus_address(), buffer.size());
        if size == 0 {
            return Err(Misuse::EmptyBuffer.into());
        }
        if !self.lendable.holds(address, size) {
            return Err(Misuse::NotLendable { address, size }.into());
        }
        if self.records.is_full() {
            return Err(Exhausted::TableFull { capacity: N }.into());
        }
        let kernel_id = self.kernel_ids.take().ok_or(Exhausted::KernelIds)?;
        let transaction = self.transactions.take();
        let message = Import {
            header: RequestHeader::new(MessageType::Import, transaction.number()),
            cache_type: (CacheType::NonCached as u32).into(),
            address: address.0.into(),
            size: size.into(),
            kernel_id: kernel_id.number().into(),
            allocator: self.allocator.into(),
            name: self.name,
        };
        let submitted = link.send(self.service, &[message.as_bytes()], deadline)?;
        Ok((kernel_id, transaction, submitted))
    }

    /// Waits for the reply to an IMPORT.
    ///
    /// # Errors
    /// [`ImportFailure`] with the buffer if firmware refused it. At the deadline the import is abandoned: the buffer
    /// stays reserved, a late reply is freed by the next call of any kind, and [`Smem::take_recovered`] has the
    /// buffer once RELEASED has come. Any other error leaves the import under way, as abandoned.
    pub fn await_import<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        importing: Importing,
        deadline: Deadline,
    ) -> Result<Imported, ImportFailure<B>> {
        let Importing { kernel_id, transaction, .. } = importing;
        let without_buffer = |error: Error| ImportFailure { error, buffer: None };
        loop {
            match self.record(kernel_id).map_err(|misuse| without_buffer(misuse.into()))?.state {
                State::Importing { .. } => {}
                State::Imported { handle, .. } => return Ok(Imported { kernel_id, handle }),
                State::Returned(Outcome::Refused) => {
                    let buffer = self.remove(kernel_id).map(|record| record.buffer);
                    return Err(ImportFailure {
                        error: Error::ImportRefused { kernel_id, transaction },
                        buffer,
                    });
                }
                State::Returned(_) | State::Freeing { .. } | State::Given { .. } => {
                    return Err(without_buffer(Error::AlreadyReleased { kernel_id }));
                }
            }
            if let Err(error) = self.receive(link, deadline) {
                self.abandon(kernel_id);
                let timed_out = Error::ImportTimedOut { kernel_id, transaction };
                return Err(without_buffer(if is_timeout(&error) { timed_out } else { error }));
            }
        }
    }

    fn abandon(&mut self, kernel_id: KernelId) {
        if let Ok(record) = self.record_mut(kernel_id) {
            record.abandoned = true;
            self.counters.abandoned += 1;
            log_warn!("smem: import of kernel id {} abandoned", kernel_id);
        }
    }

    /// The buffer behind a token, while firmware shares it.
    ///
    /// # Errors
    /// [`Misuse::UnknownToken`].
    pub fn buffer(&self, imported: &Imported) -> Result<&B, Misuse> {
        Ok(&self.record(imported.kernel_id)?.buffer)
    }

    /// The same, to write.
    ///
    /// # Errors
    /// [`Misuse::UnknownToken`].
    pub fn buffer_mut(&mut self, imported: &Imported) -> Result<&mut B, Misuse> {
        Ok(&mut self.record_mut(imported.kernel_id)?.buffer)
    }

    /// When IMPORT was sent and its reply decoded.
    ///
    /// # Errors
    /// [`Misuse::UnknownToken`]; also once RELEASED has come before FREE.
    pub fn import_exchange(&self, imported: &Imported) -> Result<Exchange, Misuse> {
        let kernel_id = imported.kernel_id;
        match self.record(kernel_id)?.state {
            State::Imported { exchange, .. } => Ok(exchange),
            _ => Err(Misuse::UnknownToken { kernel_id }),
        }
    }

    pub(super) fn remove(&mut self, kernel_id: KernelId) -> Option<Record<B>> {
        let index = self.index_of(kernel_id).ok()?;
        Some(self.records.swap_remove(index))
    }
}
