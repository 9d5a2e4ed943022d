//! What each message from the peer does (VCHIQ fact sheet 6.3 and 8).

use super::{Connection, Direction, MAX_UNREAD, Vchiq, message::Unread};
use crate::{
    error::{Exhausted, Violation},
    fmt::{log_debug, log_warn},
    link::MessageInfo,
    platform::{Moment, Platform, Window},
    service::State,
    slot::{SlotIndex, receive::Incoming},
    wire::{CLAIMED, MessageId, MessageType, Port},
};

/// Running counts of one link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Counters {
    /// Messages sent, control messages included.
    pub sent: u64,
    /// DATA delivered to services.
    pub received: u64,
    /// Received messages whose slot has been let go of.
    pub released: u64,
    /// Slots of ours that came back.
    pub slots_reclaimed: u64,
    /// OPENs of the peer that were refused.
    pub opens_refused: u64,
    /// OPENs of the peer that were accepted.
    pub opens_accepted: u64,
    /// REMOTE_USE answered.
    pub uses_answered: u64,
    /// REMOTE_RELEASE received.
    pub uses_released: u64,
    /// PAUSE answered.
    pub pauses: u64,
    /// Bulk transfers ended by the peer, aborted ones included.
    pub bulks_ended: u64,
    /// Messages dropped because no service was there for them; see [`Vchiq::last_stray`].
    pub strays: u64,
}

/// A message that was dropped: for a port nobody has, from a port nobody talks to, or of an unknown type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stray {
    /// First header word.
    pub msgid: u32,
    /// Payload bytes.
    pub size: u16,
    /// Slot of the header.
    pub slot: SlotIndex,
    /// Byte offset of the header in the slot.
    pub offset: u16,
    /// First two words of the payload; bytes behind the message's end are 0.
    pub words: [u32; 2],
}

/// What becomes of the receive position after a message.
pub(super) enum Next {
    Advance,
    /// Not yet: the same message is read again by a later poll.
    Stop(Exhausted),
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Reads everything published; gives the number of messages.
    pub(super) fn read_messages(&mut self) -> Result<u32, Violation> {
        self.receiver_stalled = None;
        let end = self.rx.published_end(&self.shared)?;
        if end == self.rx.rx_pos() {
            return Ok(0);
        }
        let interrupt = self.shared.platform.take_doorbell_stamp();
        let mut messages = 0;
        while let Some(message) = self.rx.next(&self.shared, end)? {
            match self.dispatch(message, interrupt)? {
                Next::Advance => self.rx.advance(&mut self.shared, message),
                Next::Stop(reason) => {
                    self.receiver_stalled = Some(reason);
                    break;
                }
            }
            messages += 1;
        }
        Ok(messages)
    }

    fn dispatch(&mut self, message: Incoming, interrupt: Option<Moment>) -> Result<Next, Violation> {
        let Ok(kind) = message.id.kind() else {
            self.drop_stray(message);
            return Ok(Next::Advance);
        };
        if self.connection == Connection::Paused
            && !matches!(kind, MessageType::Resume | MessageType::Pause | MessageType::Padding)
        {
            let Incoming { id, slot, offset, .. } = message;
            return Err(Violation::TrafficWhilePaused { msgid: id.0, slot, offset });
        }
        Ok(match kind {
            MessageType::Padding => Next::Advance,
            MessageType::Connect => return self.on_connect(message),
            MessageType::Open => self.on_open(message),
            MessageType::OpenAck => {
                self.on_open_ack(message, false);
                Next::Advance
            }
            MessageType::Close => self.on_close(message),
            MessageType::Data => self.on_data(message, interrupt, false),
            MessageType::Pause => self.on_pause(),
            MessageType::Resume => self.on_resume(message),
            MessageType::RemoteUse => self.on_remote_use(),
            MessageType::RemoteRelease => self.on_remote_release(message),
            MessageType::BulkRxDone => return self.on_bulk_done(message, Direction::Receive, interrupt),
            MessageType::BulkTxDone => return self.on_bulk_done(message, Direction::Transmit, interrupt),
            // A master sends none of these.
            MessageType::BulkRx | MessageType::BulkTx | MessageType::RemoteUseActive => {
                self.drop_stray(message);
                Next::Advance
            }
        })
    }

    fn on_connect(&mut self, message: Incoming) -> Result<Next, Violation> {
        if self.peer_connected {
            return Err(Violation::ConnectTwice { slot: message.slot, offset: message.offset });
        }
        self.agree_on_version()?;
        self.peer_connected = true;
        Ok(Next::Advance)
    }

    pub(super) fn on_open_ack(&mut self, message: Incoming, sync: bool) {
        // A short payload is an acknowledgement all the same, without a version.
        let version = (message.size >= 2).then(|| {
            let mut bytes = [0; 2];
            self.shared.load_payload(message.slot, usize::from(message.offset), &mut bytes);
            u16::from_le_bytes(bytes)
        });
        let remote = message.id.source();
        match self.services.at_port(message.id.destination()) {
            Some((_, service)) if service.state == State::Opening => {
                service.state = State::Open { remote, sync };
                service.peer_version = version;
            }
            // The answer to an OPEN that was given up: the peer's CLOSE follows.
            Some((_, service)) if service.state == (State::CloseSent { remote: None }) => {
                service.state = State::CloseSent { remote: Some(remote) };
            }
            _ => self.drop_stray(message),
        }
    }

    fn on_close(&mut self, message: Incoming) -> Next {
        let source = message.id.source();
        let Some(handle) = self.closing(message.id) else {
            self.drop_stray(message);
            return Next::Advance;
        };
        let Ok(service) = self.services.get_mut(handle) else {
            self.drop_stray(message);
            return Next::Advance;
        };
        match service.state {
            State::Opening => service.state = State::Refused,
            State::CloseSent { .. } => {
                log_debug!("vchiq: {} closed", service.fourcc);
                self.settle(handle);
            }
            State::Open { remote, .. } if remote == source => {
                let answer = self.answer(MessageType::Close, Port::from(handle.port()), remote);
                // Without room for the answer the message is read again later.
                if matches!(answer, Next::Advance)
                    && let Ok(service) = self.services.get_mut(handle)
                {
                    service.state = State::ClosedByPeer;
                }
                return answer;
            }
            _ => self.drop_stray(message),
        }
        Next::Advance
    }

    /// The service that a CLOSE means.
    ///
    /// Destination 0 is our port 0, or nobody's: a client that gives up before OPENACK does not know our port, so the
    /// service of ours that it has opened is found by its port. A refusal comes from port 0.
    fn closing(&mut self, id: MessageId) -> Option<crate::ServiceHandle> {
        let (source, destination) = (id.source(), id.destination());
        let named = self.services.at_port(destination).map(|(handle, service)| (handle, service.state));
        if destination != Port::NONE {
            return named.map(|(handle, _)| handle);
        }
        let ours = match named {
            Some((_, State::Open { remote, .. } | State::CloseSent { remote: Some(remote) })) => {
                remote == source
            }
            Some((_, State::Opening | State::CloseSent { remote: None })) => source == Port::NONE,
            _ => false,
        };
        if ours {
            return named.map(|(handle, _)| handle);
        }
        let opened_by_source = self.services.find(|service| {
            service.offered.is_some()
                && matches!(service.state, State::Open { remote, .. } if remote == source)
        });
        opened_by_source.or(named.map(|(handle, _)| handle))
    }

    /// Takes DATA for an open service; `sync` tells the way it came.
    pub(super) fn on_data(&mut self, message: Incoming, interrupt: Option<Moment>, sync: bool) -> Next {
        let receiver = self.services.at_port(message.id.destination());
        let Some((handle, service)) = receiver else {
            self.drop_stray(message);
            return Next::Advance;
        };
        match service.state {
            State::Open { remote, sync: expected } if remote == message.id.source() && sync == expected => {}
            // Under way while we closed: dropped, as the protocol has it.
            State::CloseSent { .. } => return Next::Advance,
            _ => {
                self.drop_stray(message);
                return Next::Advance;
            }
        }
        if self.unread.is_full() {
            return Next::Stop(Exhausted::ReceiveQueueFull { queued: MAX_UNREAD });
        }
        let info = MessageInfo {
            service: handle,
            size: message.size,
            slot: message.slot,
            offset: message.offset,
            sequence: self.sequence,
            interrupt,
            parsed: self.shared.platform.now(),
        };
        // Cannot fail: there is room.
        if self.unread.push(Unread { id: message.id, info }).is_ok() {
            if sync {
                self.claim_sync(message.id);
            } else {
                self.rx.claim(message.slot);
                let claimed = MessageId(message.id.0 | CLAIMED);
                self.shared.store(message.slot.byte_offset() + usize::from(message.offset), claimed.0);
            }
            self.sequence += 1;
            self.counters.received += 1;
        }
        Next::Advance
    }

    fn on_pause(&mut self) -> Next {
        match self.connection {
            Connection::Paused => return Next::Advance,
            // The answer to ours, or a pause of its own that crossed ours: the same message.
            Connection::Pausing => {
                self.connection = Connection::Paused;
                return Next::Advance;
            }
            _ => {}
        }
        let next = self.answer(MessageType::Pause, Port::NONE, Port::NONE);
        if matches!(next, Next::Advance) {
            self.counters.pauses += 1;
            self.connection = Connection::Paused;
        }
        next
    }

    fn on_resume(&mut self, message: Incoming) -> Next {
        if self.connection == Connection::Paused {
            self.resumed();
        } else {
            self.drop_stray(message);
        }
        Next::Advance
    }

    fn on_remote_use(&mut self) -> Next {
        let next = self.answer(MessageType::RemoteUseActive, Port::NONE, Port::NONE);
        if matches!(next, Next::Advance) {
            self.counters.uses_answered += 1;
        }
        next
    }

    /// The peer needs us a time less than it said.
    fn on_remote_release(&mut self, message: Incoming) -> Next {
        if self.counters.uses_released < self.counters.uses_answered {
            self.counters.uses_released += 1;
        } else {
            self.drop_stray(message);
        }
        Next::Advance
    }

    /// Sends a control message without payload, or asks for the message to be read again when a slot is free.
    pub(super) fn answer(&mut self, kind: MessageType, source: Port, destination: Port) -> Next {
        let id = MessageId::new(kind, source, destination);
        if self.connection == Connection::Pausing {
            return match self.defer(id) {
                Ok(()) => Next::Advance,
                Err(reason) => Next::Stop(reason),
            };
        }
        match self.tx.try_queue(&mut self.shared, id, &[]) {
            Ok(_) => {
                self.counters.sent += 1;
                Next::Advance
            }
            Err(reason) => Next::Stop(reason),
        }
    }

    pub(super) fn drop_stray(&mut self, message: Incoming) {
        let Incoming { id, size, slot, offset } = message;
        self.counters.strays += 1;
        let mut bytes = [0; 8];
        let seen = bytes.len().min(usize::from(size));
        self.shared.load_payload(slot, usize::from(offset), &mut bytes[..seen]);
        let (words, _) = bytes.as_chunks::<4>();
        let words = [words[0], words[1]].map(u32::from_le_bytes);
        self.last_stray = Some(Stray { msgid: id.0, size, slot, offset, words });
        log_warn!("vchiq: dropped message {=u32:#x} at slot {} offset {=u16:#x}", id.0, slot, offset);
    }
}
