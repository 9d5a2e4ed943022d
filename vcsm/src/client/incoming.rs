//! What each message from firmware does.

use vchiq_mbox::{Deadline, Exchange, MessageInfo, Platform, Vchiq, Window};
use zerocopy::IntoBytes;

use super::Smem;
use crate::{
    error::{Error, Place, Violation},
    fmt::log_warn,
    lend::Lend,
    record::{Outcome, State},
    wire::{
        FromFirmware, ImportResult, MAX_MESSAGE, MessageType, Released, RequestHeader, Undecodable,
        VcMemRequest, VcMemRequestReply, VersionAck,
    },
};

/// A message copied out of its slot.
struct Received {
    info: MessageInfo,
    decoded: Result<FromFirmware, Undecodable>,
}

impl<B: Lend, const N: usize> Smem<B, N> {
    /// Reads what firmware has sent and sends what it is owed; never waits. Gives the number of messages read.
    ///
    /// # Errors
    /// [`Error::Link`]; the first [`Violation`] met, after which the rest is left for the next call.
    pub fn poll<P: Platform, W: Window>(&mut self, link: &mut Vchiq<P, W>) -> Result<u32, Error> {
        let mut messages = 0;
        loop {
            self.send_what_is_owed(link)?;
            let Some(message) = link.try_receive(self.service)? else {
                return Ok(messages);
            };
            let held = message.hold();
            let received = decode(link, held);
            self.handle(received)?;
            messages += 1;
        }
    }

    /// Waits for one message and handles it.
    pub(super) fn receive<P: Platform, W: Window>(
        &mut self,
        link: &mut Vchiq<P, W>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        self.send_what_is_owed(link)?;
        let held = link.receive(self.service, deadline)?.hold();
        let received = decode(link, held);
        self.handle(received)
    }

    /// FREEs of abandoned imports whose reply came late, and refusals of memory requests. What finds no slot now is
    /// sent by a later call.
    fn send_what_is_owed<P: Platform, W: Window>(&mut self, link: &mut Vchiq<P, W>) -> Result<(), Error> {
        let late = |record: &&crate::record::Record<B>| {
            record.abandoned && matches!(record.state, State::Imported { .. })
        };
        while let Some(kernel_id) = self.records.iter().find(late).map(|record| record.kernel_id) {
            let sent =
                self.try_free(link, kernel_id, |link, service, message| link.try_send(service, &[message]));
            match sent {
                Ok(_) => {}
                Err(Error::Link(error)) if error.is_retryable() => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        while let Some(request) = self.refusals.front().copied() {
            let header =
                RequestHeader::new(MessageType::VcMemRequestReply, self.transactions.take().number());
            let message =
                VcMemRequestReply { header, request: request.into(), address: 0.into(), kernel_id: 0.into() };
            match link.try_send(self.service, &[message.as_bytes()]) {
                Ok(_) => {
                    self.refusals.pop_front();
                }
                // With the list full, nothing more may be read: the next message might be another request.
                Err(error) if error.is_retryable() && !self.refusals.is_full() => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn handle(&mut self, received: Received) -> Result<(), Error> {
        let Received { info, decoded } = received;
        let place = Place::from(info);
        let handled = match decoded {
            Ok(FromFirmware::Reply(reply)) => self.on_reply(reply, info, place),
            Ok(FromFirmware::Released(released)) => self.on_released(released, info, place),
            Ok(FromFirmware::VersionAck(ack)) => self.on_version_ack(ack, place),
            Ok(FromFirmware::MemoryRequest(request)) => {
                self.on_memory_request(request);
                Ok(())
            }
            Err(reason) => Err(Violation::undecodable(reason, place)),
        };
        handled.map_err(|violation| {
            self.counters.violations += 1;
            log_warn!("smem: {}", violation);
            violation.into()
        })
    }

    fn on_reply(&mut self, reply: ImportResult, info: MessageInfo, place: Place) -> Result<(), Violation> {
        let (transaction, handle) = (reply.transaction.get(), reply.handle.get());
        let words = [transaction, handle];
        let awaited = |state: &State| matches!(state, State::Importing);
        let waiting = self
            .records
            .iter()
            .position(|record| awaited(&record.state) && record.transaction.number() == transaction);
        let Some(index) = waiting else {
            return Err(match self.history.find(transaction) {
                Some(first) => Violation::DuplicateReply { words, first, again: place },
                None => Violation::ReplyToNobody { words, place },
            });
        };
        let holder =
            self.records.iter().find(|record| record.handle() == Some(handle)).map(|record| record.kernel_id);
        let record = &mut self.records[index];
        self.history.note(record.transaction, place);
        if handle == 0 {
            record.state = State::Returned(Outcome::Refused);
            self.counters.refused += 1;
            return Ok(());
        }
        record.state = State::Imported { handle, exchange: Exchange::between(&record.submitted, &info) };
        self.counters.imported += 1;
        match holder {
            Some(holder) => Err(Violation::HandleInUse { handle, holder, place }),
            None => Ok(()),
        }
    }

    fn on_released(&mut self, released: Released, info: MessageInfo, place: Place) -> Result<(), Violation> {
        let (words, number) = (released.words(), released.kernel_id.get());
        let found = self.records.iter_mut().find(|record| record.kernel_id.number() == number);
        let Some(record) = found else {
            return Err(if self.kernel_ids.has_issued(number) {
                Violation::ReleasedTwice { words, place }
            } else {
                Violation::ReleasedUnknown { words, place }
            });
        };
        if !record.is_out() {
            return Err(Violation::ReleasedTwice { words, place });
        }
        if !record.is_released_by(&released) {
            return Err(Violation::ReleasedMismatch { words, expected: record.expected_release(), place });
        }
        match record.state {
            State::Freeing { submitted, .. } => {
                let exchange = Exchange::between(&submitted, &info);
                record.state = State::Returned(Outcome::Released { exchange, info });
                self.counters.released += 1;
                Ok(())
            }
            _ => {
                // Firmware says it is done, so the memory is ours; but nobody asked it to be.
                record.state = State::Returned(Outcome::ReleasedEarly);
                Err(Violation::ReleasedBeforeFree { words, place })
            }
        }
    }

    fn on_version_ack(&mut self, ack: VersionAck, place: Place) -> Result<(), Violation> {
        if self.version.is_some() {
            let words = [ack.command, ack.transaction, ack.version].map(|word| word.get());
            return Err(Violation::UnexpectedVersionAck { words, place });
        }
        self.version = Some(ack.version.get());
        Ok(())
    }

    /// This side has no memory to give: the request is refused, as silence would block a firmware thread.
    fn on_memory_request(&mut self, request: VcMemRequest) {
        // There is room: nothing is read while the list is full.
        if self.refusals.push_back(request.transaction.get()).is_ok() {
            self.counters.memory_requests += 1;
        }
    }
}

/// Copies a message out, decodes the copy, and lets the slot go. The stamp is taken once it is decoded.
fn decode<P: Platform, W: Window>(link: &mut Vchiq<P, W>, message: vchiq_mbox::HeldMessage) -> Received {
    let mut bytes = [0; MAX_MESSAGE];
    let mut info = message.info();
    let decoded = match link.copy_held(&message, &mut bytes) {
        Ok(payload) => FromFirmware::decode(payload),
        Err(_) => Err(Undecodable::Empty { size: usize::from(info.size) }),
    };
    info.parsed = link.platform().now();
    link.release(message);
    Received { info, decoded }
}
