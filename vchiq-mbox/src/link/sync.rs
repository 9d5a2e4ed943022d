//! The sync slots: one message at a time, past the queue (VCHIQ fact sheet 5.6).
//!
//! The sender fills its own sync slot and fires `sync_trigger`; the receiver empties it by clearing the header, and
//! fires `sync_release`. Only OPENACK and DATA go this way.

use super::{Vchiq, dispatch::Next};
use crate::{
    error::{Error, Exhausted, Violation},
    platform::{Platform, Window},
    slot::{receive::Incoming, shared::SyncEvents, transmit::Placed},
    wire::{EventKind, HEADER_SIZE, MAX_PAYLOAD, MessageId, MessageType, SLOT_SIZE},
};

/// The first version with sync slots.
const SYNC_VERSION: u16 = 8;

/// The state of both sync slots.
#[derive(Default)]
pub(super) struct SyncSlots {
    /// The peer has fired `sync_trigger`, and its slot has not been looked at since.
    pending: bool,
    /// Header of the peer's message that has not been released.
    held: Option<MessageId>,
    /// Our slot has a message that the peer has not taken.
    sent: bool,
    /// The peer has fired `sync_release`.
    released: bool,
}

impl SyncSlots {
    pub(super) fn note(&mut self, events: SyncEvents) {
        self.pending |= events.trigger;
        self.released |= events.release;
    }
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// The agreed version has sync slots.
    pub(super) fn has_sync_slots(&self) -> bool {
        self.version.is_some_and(|version| version >= SYNC_VERSION)
    }

    /// Reads the peer's sync slot, if it says that there is something in it; gives the number of messages.
    pub(super) fn read_sync(&mut self) -> Result<u32, Violation> {
        if !self.sync.pending || !self.has_sync_slots() {
            return Ok(0);
        }
        self.sync.pending = false;
        self.shared.platform.read_barrier();
        let slot = self.layout.master.sync_slot();
        let at = slot.byte_offset();
        let id = MessageId(self.shared.load(at));
        if let Some(held) = self.sync.held {
            // A signal that comes twice is harmless, a message on top of another is not.
            let overwritten = Violation::SyncOverwritten { held: held.0, found: id.0 };
            return if id == held { Ok(0) } else { Err(overwritten) };
        }
        let size = self.shared.load(at + 4);
        if size > MAX_PAYLOAD as u32 {
            return Err(Violation::MessageSize { msgid: id.0, size, slot, offset: 0 });
        }
        let message = Incoming { id, size: size as u16, slot, offset: 0 };
        match id.kind() {
            Ok(MessageType::Padding) => return Ok(0),
            Ok(MessageType::OpenAck) => self.on_open_ack(message, true),
            Ok(MessageType::Data) => {
                let interrupt = self.shared.platform.take_doorbell_stamp();
                match self.on_data(message, interrupt, true) {
                    Next::Advance => {}
                    Next::Stop(reason) => {
                        self.sync.pending = true;
                        self.receiver_stalled = Some(reason);
                        return Ok(0);
                    }
                }
            }
            _ => self.drop_stray(message),
        }
        if self.sync.held.is_none() {
            self.release_sync();
        }
        Ok(1)
    }

    /// Remembers that the peer's sync message is with the caller.
    pub(super) fn claim_sync(&mut self, message: MessageId) {
        self.sync.held = Some(message);
    }

    /// Empties the peer's sync slot.
    pub(super) fn release_sync(&mut self) {
        self.sync.held = None;
        self.shared.store(self.layout.master.sync_slot().byte_offset(), 0);
        self.shared.signal(EventKind::SyncRelease);
    }

    /// Puts a message into our sync slot, if the peer has emptied it.
    pub(super) fn queue_sync(&mut self, id: MessageId, parts: &[&[u8]]) -> Result<Placed, Error> {
        self.check_not_paused()?;
        let slot = self.layout.slave.sync_slot();
        if self.sync.sent {
            if !self.sync.released {
                return Err(Exhausted::SyncSlotInUse.into());
            }
            let found = self.shared.load(slot.byte_offset());
            if found != 0 {
                return Err(self.give_up(Violation::SyncNotEmpty { found }));
            }
        }
        let size: usize = parts.iter().map(|part| part.len()).sum();
        debug_assert!(size + HEADER_SIZE <= SLOT_SIZE, "message of {size} bytes in the sync slot");
        self.sync.released = false;
        self.sync.sent = true;
        self.shared.store_payload(slot, 0, parts);
        self.shared.store_header(slot, 0, id, size);
        let rang = self.shared.signal(EventKind::SyncTrigger);
        self.counters.sent += 1;
        Ok(Placed { slot, offset: 0, rang })
    }
}
