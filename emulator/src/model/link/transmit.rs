//! Sending: our slots, filled in order (VCHIQ fact sheet 5.2 and 5.4).

use std::collections::BTreeMap;

use super::message::{HEADER, MessageId, kind, stride};
use super::{Board, Defect, Event, Half, Link, Mischief, SlotZero, Slots, field};
use crate::model::slot_zero::SLOT_SIZE;

/// Something to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::model) struct Outgoing {
    pub(in crate::model) id: MessageId,
    pub(in crate::model) payload: Vec<u8>,
}

/// Why a message has to wait.
struct NoRoom;

/// What a port has under way.
#[derive(Clone, Copy, Default)]
struct Use {
    messages: u32,
    slots: u32,
    last_slot: Option<u32>,
}

/// The transmit side.
pub(super) struct Transmitter {
    slots: u32,
    position: u32,
    current: Option<u32>,
    /// Slots ever made available to us, as far as we have taken note.
    available: u32,
    data_slots: u32,
    last_data_slot: Option<u32>,
    ports: BTreeMap<u16, Use>,
}

impl Transmitter {
    pub(super) fn new(slots: Slots) -> Self {
        Self {
            slots: slots.count(),
            position: 0,
            current: None,
            available: slots.count(),
            data_slots: 0,
            last_data_slot: None,
            ports: BTreeMap::new(),
        }
    }

    /// The quotas: half the slots a service, 256 messages for each of those; one slot kept for control messages.
    fn admits(&self, port: u16, stride: u32) -> bool {
        let end = self.position.wrapping_add(stride - 1) / SLOT_SIZE;
        let used = self.ports.get(&port).copied().unwrap_or_default();
        let slot_quota = self.slots / 2;
        let message_quota = (slot_quota * 256).min(0xffff);
        let state_stalls = Some(end) != self.last_data_slot && self.data_slots >= self.slots - 1;
        let port_stalls = Some(end) != used.last_slot && used.slots >= slot_quota;
        !state_stalls && !port_stalls && used.messages < message_quota
    }

    fn charge(&mut self, port: u16) {
        let end = self.position.wrapping_sub(1) / SLOT_SIZE;
        let used = self.ports.entry(port).or_default();
        used.messages += 1;
        if used.last_slot != Some(end) {
            used.last_slot = Some(end);
            used.slots += 1;
        }
        if self.last_data_slot != Some(end) {
            self.last_data_slot = Some(end);
            self.data_slots += 1;
        }
    }

    /// A slot came back: what was in it is no longer under way.
    fn discharge(&mut self, messages: &BTreeMap<u16, u32>) {
        for (port, count) in messages {
            let used = self.ports.entry(*port).or_default();
            used.messages = used.messages.saturating_sub(*count);
            used.slots = used.slots.saturating_sub(1);
        }
        if !messages.is_empty() {
            self.data_slots = self.data_slots.saturating_sub(1);
        }
    }
}

impl Link {
    /// Sends when there is room; messages leave in the order they are given.
    pub(in crate::model) fn send(
        &mut self,
        board: &mut Board<'_>,
        message: Outgoing,
        mischief: &mut Mischief,
    ) {
        self.outbox.push_back(message);
        self.flush(board, mischief);
    }

    /// Sends what has been waiting for room.
    pub(in crate::model) fn flush(&mut self, board: &mut Board<'_>, mischief: &mut Mischief) {
        while !self.paused
            && let Some(message) = self.outbox.pop_front()
        {
            if self.transmit(board, &message, mischief).is_err() {
                self.outbox.push_front(message);
                return;
            }
        }
    }

    fn transmit(
        &mut self,
        board: &mut Board<'_>,
        message: &Outgoing,
        mischief: &mut Mischief,
    ) -> Result<(), NoRoom> {
        let size = message.payload.len() as u32;
        // A service never makes a message that is longer than a slot.
        let stride = stride(size).filter(|stride| *stride <= SLOT_SIZE).ok_or(NoRoom)?;
        let is_data = message.id.kind() == kind::DATA;
        if is_data && !self.tx.admits(message.id.source(), stride) {
            return Err(NoRoom);
        }
        self.pad(board, stride, mischief);
        let slot = match self.tx.current {
            Some(slot) => slot,
            None => self.next_slot(board, mischief)?,
        };
        let offset = self.tx.position % SLOT_SIZE;
        let (id, size) = spoil_header(message.id, size, SLOT_SIZE - offset, mischief);
        let at = self.slot_zero.slot_address(slot, offset);
        board.store_bytes(at + HEADER, &message.payload);
        board.store(at, id.0);
        board.store(at + 4, size);
        self.advance(stride);
        if is_data {
            self.tx.charge(message.id.source());
        }
        self.publish(board, is_data, mischief);
        if is_data && mischief.on(3, Defect::SlotQueueChanged) {
            let next = SlotZero::queue_entry(self.tx.position / SLOT_SIZE + 1);
            self.slot_zero.store(board, Half::Master, next, slot);
        }
        Ok(())
    }

    /// Fills the rest of a slot that the message does not fit into.
    fn pad(&mut self, board: &mut Board<'_>, stride: u32, mischief: &Mischief) {
        let room = SLOT_SIZE - self.tx.position % SLOT_SIZE;
        let Some(slot) = self.tx.current.filter(|_| stride > room) else { return };
        let excess = if mischief.always(Defect::PaddingTooLong) { 64 } else { 0 };
        let at = self.slot_zero.slot_address(slot, SLOT_SIZE - room);
        board.store(at, u32::from(kind::PADDING) << 24);
        board.store(at + 4, room - HEADER + excess);
        self.advance(room);
    }

    fn next_slot(&mut self, board: &mut Board<'_>, mischief: &Mischief) -> Result<u32, NoRoom> {
        let number = self.tx.position / SLOT_SIZE;
        if number == self.tx.available {
            // The padding before the boundary lets the Arm finish the last slot.
            self.slot_zero.store(board, Half::Master, field::TX_POS, self.tx.position);
            self.signal(board, Event::Trigger, mischief);
            return Err(NoRoom);
        }
        let slot = self.slot_zero.load(board, Half::Master, SlotZero::queue_entry(number));
        // Whatever the queue says, we write to our own slots only.
        let slot = slot.clamp(self.ours.first, self.ours.last);
        self.tx.current = Some(slot);
        Ok(slot)
    }

    fn advance(&mut self, bytes: u32) {
        self.tx.position = self.tx.position.wrapping_add(bytes);
        if self.tx.position.is_multiple_of(SLOT_SIZE) {
            self.tx.current = None;
        }
    }

    fn publish(&mut self, board: &mut Board<'_>, is_data: bool, mischief: &mut Mischief) {
        let position = self.tx.position;
        let told = if !is_data {
            position
        } else if mischief.from(5, Defect::TxPosStale) {
            self.slot_zero.load(board, Half::Master, field::TX_POS)
        } else if mischief.on(5, Defect::TxPosBackward) {
            position.wrapping_sub(64)
        } else if mischief.on(5, Defect::TxPosWild) {
            0x7fff_fff8
        } else if mischief.on(5, Defect::TxPosUnaligned) {
            position.wrapping_sub(4)
        } else {
            position
        };
        self.slot_zero.store(board, Half::Master, field::TX_POS, told);
        self.signal(board, Event::Trigger, mischief);
    }

    /// Takes note of slots that the Arm has returned, and sends what waited for them.
    pub(in crate::model) fn take_back_slots(&mut self, board: &mut Board<'_>, mischief: &mut Mischief) {
        self.slot_zero.acknowledge(board, Event::Recycle);
        let returned = self.slot_zero.load(board, Half::Master, field::SLOT_QUEUE_RECYCLE);
        while self.tx.available != returned {
            let entry = SlotZero::queue_entry(self.tx.available);
            let slot = self.slot_zero.load(board, Half::Master, entry);
            if slot < self.ours.first || slot > self.ours.last {
                board.note(format!("the Arm returned slot {slot:#x}, which is not one of ours"));
            } else {
                let messages = self.data_in(board, slot);
                self.tx.discharge(&messages);
            }
            self.tx.available = self.tx.available.wrapping_add(1);
        }
        self.flush(board, mischief);
    }

    /// DATA messages in a returned slot, by port.
    fn data_in(&self, board: &Board<'_>, slot: u32) -> BTreeMap<u16, u32> {
        let mut messages = BTreeMap::new();
        let mut offset = 0;
        while offset < SLOT_SIZE {
            let at = self.slot_zero.slot_address(slot, offset);
            let id = MessageId(board.load(at));
            if id.kind() == kind::DATA {
                *messages.entry(id.source()).or_default() += 1;
            }
            match stride(board.load(at + 4)) {
                Some(stride) => offset += stride,
                None => break,
            }
        }
        messages
    }
}

/// The faults that lie in a header.
fn spoil_header(id: MessageId, size: u32, room: u32, mischief: &mut Mischief) -> (MessageId, u32) {
    if id.kind() != kind::DATA {
        return (id, size);
    }
    if mischief.on(5, Defect::SizeAllOnes) {
        (id, u32::MAX)
    } else if mischief.on(5, Defect::SizePastSlot) {
        (id, room)
    } else if mischief.on(5, Defect::SizePastPublished) {
        (id, size + 16)
    } else if mischief.on(5, Defect::UnknownType) {
        (MessageId::new(kind::UNKNOWN, id.source(), id.destination()), size)
    } else if mischief.on(5, Defect::WrongDestination) {
        (MessageId::new(kind::DATA, id.source(), 0xabc), size)
    } else if mischief.on(5, Defect::WrongSource) {
        (MessageId::new(kind::DATA, 0xabc, id.destination()), size)
    } else {
        (id, size)
    }
}
