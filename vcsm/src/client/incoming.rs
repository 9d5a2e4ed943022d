//! What each message from firmware does.

use vchiq_mbox::{Deadline, Exchange, MessageInfo, Platform, Vchiq, Window};

use super::Smem;
use crate::{
    error::{Error, Place, Violation},
    fmt::log_warn,
    ids::Handle,
    lend::Lend,
    record::{Outcome, State},
    wire::{FromFirmware, ImportResult, MAX_MESSAGE, Released, Reply, Undecodable, VersionAck},
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

    fn handle(&mut self, received: Received) -> Result<(), Error> {
        let Received { info, decoded } = received;
        let place = Place::from(info);
        let handled = match decoded {
            Ok(FromFirmware::Reply(reply)) => self.on_reply(reply, info, place),
            Ok(FromFirmware::Released(released)) => self.on_released(released, info, place),
            Ok(FromFirmware::VersionAck(ack)) => self.on_version_ack(ack, place),
            Ok(FromFirmware::MemoryRequest(request)) => {
                self.on_memory_request(&request);
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

    /// A reply says by its number alone what it answers.
    fn on_reply(&mut self, reply: Reply, info: MessageInfo, place: Place) -> Result<(), Violation> {
        let transaction = reply.transaction();
        let importing = |state: &State| matches!(state, State::Importing { .. });
        let import = self
            .records
            .iter()
            .position(|record| importing(&record.state) && record.transaction.number() == transaction);
        if let Some(index) = import {
            return self.on_import_result(index, reply, info, place);
        }
        let request = self
            .requests
            .iter()
            .position(|request| request.answer.is_none() && request.transaction.number() == transaction);
        if let Some(index) = request {
            return self.on_answer(index, reply, info, place);
        }
        let words = [transaction, reply.word(1)];
        Err(match self.history.find(transaction) {
            Some(first) => Violation::DuplicateReply { words, first, again: place },
            None => Violation::ReplyToNobody { words, place },
        })
    }

    fn on_import_result(
        &mut self,
        index: usize,
        reply: Reply,
        info: MessageInfo,
        place: Place,
    ) -> Result<(), Violation> {
        let result: ImportResult = reply.read().map_err(|reason| Violation::undecodable(reason, place))?;
        let record = &mut self.records[index];
        self.history.note(record.transaction, place);
        let Some(handle) = Handle::told(result.handle.get()) else {
            record.state = State::Returned(Outcome::Refused);
            self.counters.refused += 1;
            return Ok(());
        };
        let State::Importing { submitted } = record.state else { return Ok(()) };
        let state = State::Imported { handle, exchange: Exchange::between(&submitted, &info) };
        let holder = self.records.iter().find(|record| record.handle() == Some(handle));
        if let Some(holder) = holder.map(|record| record.kernel_id) {
            // The import stays undecided: a FREE of that handle would take it from the one that has it.
            return Err(Violation::HandleInUse { handle, holder, place });
        }
        self.records[index].state = state;
        self.counters.imported += 1;
        Ok(())
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
            State::Given { .. } => {
                self.counters.released += 1;
                self.take_back(number);
                Ok(())
            }
            // Undone, as asked.
            _ if record.cleaned => {
                record.state = State::Returned(Outcome::Undone);
                self.counters.released += 1;
                Ok(())
            }
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
