//! Getting a buffer back.

use vchiq_mbox::{Deadline, Exchange, MessageInfo, Platform, Submitted, Vchiq, Window};
use zerocopy::IntoBytes;

use super::{Imported, ProtocolVersion, Smem, is_timeout};
use crate::{
    error::{Error, Misuse},
    ids::KernelId,
    lend::Lend,
    record::{Outcome, State},
    wire::{MessageType, OnHandle, RequestHeader},
};

/// A buffer that has been freed: neither readable nor reusable until RELEASED.
#[must_use = "the buffer stays reserved until RELEASED has been awaited"]
#[derive(PartialEq, Eq, Debug)]
pub struct Freed {
    kernel_id: KernelId,
    submitted: Submitted,
}

impl Freed {
    /// Number of the buffer.
    pub fn kernel_id(&self) -> KernelId {
        self.kernel_id
    }
    /// When FREE was sent.
    pub fn submitted(&self) -> Submitted {
        self.submitted
    }
}

/// A buffer that is ours again.
#[derive(Debug)]
pub struct Returned<B> {
    /// The buffer.
    pub buffer: B,
    /// Its number.
    pub kernel_id: KernelId,
    /// When FREE was sent and RELEASED decoded.
    pub exchange: Exchange,
    /// Where RELEASED lay, and its order among all messages.
    pub info: MessageInfo,
}

/// A buffer that came back without a token: its import had been abandoned, or it was released before it was freed.
#[derive(Debug)]
pub struct Recovered<B> {
    /// The buffer.
    pub buffer: B,
    /// Its number.
    pub kernel_id: KernelId,
}

/// FREE was not sent; the import stands.
#[derive(Debug)]
pub struct FreeFailure {
    /// Why.
    pub error: Error,
    /// The token, to try again.
    pub imported: Imported,
}

/// RELEASED has not come.
#[derive(Debug)]
pub struct ReleaseFailure {
    /// Why.
    pub error: Error,
    /// The token, to wait again.
    pub freed: Freed,
}

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Tells firmware to let go. From here on the buffer cannot be reached.
    ///
    /// What has come is read before FREE is sent: a RELEASED that nobody asked for would pass for the answer afterwards.
    ///
    /// # Errors
    /// [`FreeFailure`] with the token; nothing was sent.
    pub fn free<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        imported: Imported,
        deadline: Deadline,
    ) -> Result<Freed, FreeFailure> {
        if let Err(error) = self.poll(link) {
            return Err(FreeFailure { error, imported });
        }
        match self.try_free(link, imported.kernel_id, |link, service, message| {
            link.send(service, &[message], deadline)
        }) {
            Ok(submitted) => Ok(Freed { kernel_id: imported.kernel_id, submitted }),
            Err(error) => Err(FreeFailure { error, imported }),
        }
    }

    /// Sends FREE by `send` and notes it.
    pub(super) fn try_free<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        kernel_id: KernelId,
        send: impl FnOnce(
            &mut Vchiq<P, W>,
            vchiq_mbox::ServiceHandle,
            &[u8],
        ) -> Result<Submitted, vchiq_mbox::Error>,
    ) -> Result<Submitted, Error> {
        let begin = link.platform().now();
        let handle = match self.record(kernel_id)?.state {
            State::Imported { handle, .. } => handle,
            State::Returned(_) => return Err(Error::AlreadyReleased { kernel_id }),
            State::Importing { .. } | State::Freeing { .. } | State::Given { .. } => {
                return Err(Misuse::UnknownToken { kernel_id }.into());
            }
        };
        let header = RequestHeader::new(MessageType::Free, self.transactions.take().number());
        let message = OnHandle { header, handle: handle.number().into(), memory: 0.into() };
        let submitted = Submitted { begin, ..send(link, self.service, message.as_bytes())? };
        self.record_mut(kernel_id)?.state = State::Freeing { handle, submitted };
        self.counters.frees += 1;
        Ok(submitted)
    }

    /// Waits for RELEASED, and gives the buffer back.
    ///
    /// # Errors
    /// [`ReleaseFailure`] with the token: [`Error::ReleaseTimedOut`] at the deadline, [`Error::NoReleaseNotice`] at
    /// once with version 1 firmware.
    pub fn await_released<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        freed: Freed,
        deadline: Deadline,
    ) -> Result<Returned<B>, ReleaseFailure> {
        let kernel_id = freed.kernel_id;
        loop {
            match self.try_take_released(&freed) {
                Ok(Some(returned)) => return Ok(returned),
                Ok(None) => {}
                Err(misuse) => return Err(ReleaseFailure { error: misuse.into(), freed }),
            }
            if self.version() == ProtocolVersion::One {
                return Err(ReleaseFailure { error: Error::NoReleaseNotice, freed });
            }
            if let Err(error) = self.receive(link, deadline) {
                let timed_out = Error::ReleaseTimedOut { kernel_id };
                return Err(ReleaseFailure {
                    error: if is_timeout(&error) { timed_out } else { error },
                    freed,
                });
            }
        }
    }

    /// The buffer, if its RELEASED has been read; reads nothing itself ([`Smem::poll`]). The token is of no use
    /// afterwards.
    ///
    /// # Errors
    /// [`Misuse::UnknownToken`].
    pub fn try_take_released(&mut self, freed: &Freed) -> Result<Option<Returned<B>>, Misuse> {
        let kernel_id = freed.kernel_id;
        let State::Returned(Outcome::Released { exchange, info }) = self.record(kernel_id)?.state else {
            return Ok(None);
        };
        let record = self.remove(kernel_id).ok_or(Misuse::UnknownToken { kernel_id })?;
        Ok(Some(Returned { buffer: record.buffer, kernel_id, exchange, info }))
    }

    /// A buffer that came back and that no token waits for.
    pub fn take_recovered(&mut self) -> Option<Recovered<B>> {
        let index = self.records.iter().position(|record| match record.state {
            State::Returned(Outcome::ReleasedEarly | Outcome::Undone) => true,
            State::Returned(_) => record.abandoned,
            _ => false,
        })?;
        let record = self.records.swap_remove(index);
        Some(Recovered { buffer: record.buffer, kernel_id: record.kernel_id })
    }
}
