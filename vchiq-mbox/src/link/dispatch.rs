//! What each message from the peer does (VCHIQ fact sheet 6.3 and 8).

use super::{Connection, MAX_UNREAD, Vchiq, message::Unread};
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
    /// REMOTE_USE answered.
    pub uses_answered: u64,
    /// PAUSE answered.
    pub pauses: u64,
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
}

/// What becomes of the receive position after a message.
enum Next {
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
            MessageType::Padding | MessageType::RemoteRelease => Next::Advance,
            MessageType::Connect => return self.on_connect(message),
            MessageType::Open => self.on_open(message),
            MessageType::OpenAck => self.on_open_ack(message),
            MessageType::Close => self.on_close(message),
            MessageType::Data => self.on_data(message, interrupt),
            MessageType::Pause => self.on_pause(),
            MessageType::Resume => self.on_resume(message),
            MessageType::RemoteUse => self.on_remote_use(),
            MessageType::BulkRx
            | MessageType::BulkTx
            | MessageType::BulkRxDone
            | MessageType::BulkTxDone
            | MessageType::RemoteUseActive => {
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

    /// This side serves nothing: every OPEN is refused.
    fn on_open(&mut self, message: Incoming) -> Next {
        let next = self.answer(MessageType::Close, Port::NONE, message.id.source());
        if matches!(next, Next::Advance) {
            self.counters.opens_refused += 1;
            log_debug!("vchiq: refused OPEN from port {}", message.id.source());
        }
        next
    }

    fn on_open_ack(&mut self, message: Incoming) -> Next {
        // A short payload is an acknowledgement all the same, without a version.
        let version = (message.size >= 2).then(|| {
            let mut bytes = [0; 2];
            self.shared.load_payload(message.slot, usize::from(message.offset), &mut bytes);
            u16::from_le_bytes(bytes)
        });
        match self.services.at_port(message.id.destination()) {
            Some((_, service)) if service.state == State::Opening => {
                service.state = State::Open { remote: message.id.source() };
                service.peer_version = version;
            }
            // The answer to an OPEN that was given up: the peer's CLOSE follows.
            Some((_, service)) if service.state == State::CloseSent => {}
            _ => self.drop_stray(message),
        }
        Next::Advance
    }

    fn on_close(&mut self, message: Incoming) -> Next {
        let source = message.id.source();
        let Some((handle, service)) = self.services.at_port(message.id.destination()) else {
            self.drop_stray(message);
            return Next::Advance;
        };
        match service.state {
            State::Opening => service.state = State::Refused,
            State::CloseSent => {
                service.state = State::Free;
                log_debug!("vchiq: {} closed", service.fourcc);
            }
            State::Open { remote } if remote == source => {
                service.state = State::ClosedByPeer;
                let answer = self.answer(MessageType::Close, Port::from(handle.port()), remote);
                if let Next::Stop(_) = answer {
                    // Read again once there is room for the answer.
                    self.restore_open(handle, remote);
                }
                return answer;
            }
            State::Open { .. } | State::Refused | State::ClosedByPeer | State::Free => {
                self.drop_stray(message)
            }
        }
        Next::Advance
    }

    fn restore_open(&mut self, handle: crate::ServiceHandle, remote: Port) {
        if let Ok(service) = self.services.get_mut(handle) {
            service.state = State::Open { remote };
        }
    }

    fn on_data(&mut self, message: Incoming, interrupt: Option<Moment>) -> Next {
        let receiver = self.services.at_port(message.id.destination());
        let Some((handle, service)) = receiver else {
            self.drop_stray(message);
            return Next::Advance;
        };
        match service.state {
            State::Open { remote } if remote == message.id.source() => {}
            // Under way while we closed: dropped, as the protocol has it.
            State::CloseSent => return Next::Advance,
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
            self.rx.claim(message.slot);
            let claimed = MessageId(message.id.0 | CLAIMED);
            self.shared.store(message.slot.byte_offset() + usize::from(message.offset), claimed.0);
            self.sequence += 1;
            self.counters.received += 1;
        }
        Next::Advance
    }

    fn on_pause(&mut self) -> Next {
        if self.connection == Connection::Paused {
            return Next::Advance;
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
            self.connection = Connection::Connected;
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

    /// Sends a control message without payload, or asks for the message to be read again when a slot is free.
    fn answer(&mut self, kind: MessageType, source: Port, destination: Port) -> Next {
        match self.tx.try_queue(&mut self.shared, MessageId::new(kind, source, destination), &[]) {
            Ok(_) => {
                self.counters.sent += 1;
                Next::Advance
            }
            Err(reason) => Next::Stop(reason),
        }
    }

    fn drop_stray(&mut self, message: Incoming) {
        let Incoming { id, size, slot, offset } = message;
        self.counters.strays += 1;
        self.last_stray = Some(Stray { msgid: id.0, size, slot, offset });
        log_warn!("vchiq: dropped message {=u32:#x} at slot {} offset {=u16:#x}", id.0, slot, offset);
    }
}
