//! The peer's slots: read in order, returned when every message in them has been released (VCHIQ fact sheet 5.5).

use heapless::Vec;

use super::{PeerIndex, PeerPosition, SlotIndex, SlotRange, shared::Shared, transmit::queue_number};
use crate::{
    error::Violation,
    platform::{Platform, Window},
    wire::{
        EventKind, MAX_PAYLOAD, MAX_SLOTS_PER_SIDE, MessageId, SLOT_QUEUE_LENGTH, SLOT_SIZE, Side, field,
        stride,
    },
};

const SLOT_MASK: u32 = SLOT_SIZE as u32 - 1;

/// A message whose header has been read once and checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming {
    pub(crate) id: MessageId,
    pub(crate) size: u16,
    pub(crate) slot: SlotIndex,
    pub(crate) offset: u16,
}

/// The receive side.
pub(crate) struct Receiver {
    slots: SlotRange,
    rx_pos: u32,
    /// Slots ever made available to the peer, modulo 2^32: our private copy of a word that only we count up.
    returned: u32,
    /// The peer's slot queue as it must be: what the peer filled in at the start, and the slots we have returned since.
    queue: [SlotIndex; SLOT_QUEUE_LENGTH],
    /// The entries that the peer filled in are known.
    queue_is_known: bool,
    /// Reasons to keep a slot: its unreleased messages, and one while the parser is in it.
    holds: [u16; MAX_SLOTS_PER_SIDE],
    /// The slot that `rx_pos` lies in; none at a slot boundary.
    current: Option<SlotIndex>,
    /// Slots that are ready to go back are kept in `held_back` ([`crate::link::Misbehaviour::HoldSlotsBack`]).
    holds_back: bool,
    held_back: Vec<SlotIndex, MAX_SLOTS_PER_SIDE>,
}

impl Receiver {
    pub(crate) fn new(slots: SlotRange) -> Self {
        Self {
            slots,
            rx_pos: 0,
            returned: slots.count(),
            queue: [slots.first(); SLOT_QUEUE_LENGTH],
            queue_is_known: false,
            holds: [0; MAX_SLOTS_PER_SIDE],
            current: None,
            holds_back: false,
            held_back: Vec::new(),
        }
    }

    /// As if `slots` more had gone by before, all of them returned.
    #[cfg(test)]
    pub(crate) fn skip(&mut self, slots: u32) {
        self.rx_pos = self.rx_pos.wrapping_add(slots.wrapping_mul(SLOT_SIZE as u32));
        self.returned = self.returned.wrapping_add(slots);
    }

    pub(crate) const fn rx_pos(&self) -> u32 {
        self.rx_pos
    }

    pub(crate) const fn returned(&self) -> u32 {
        self.returned
    }

    /// Slots of the peer's that we keep, the one being read included.
    pub(crate) fn held_slots(&self) -> u32 {
        self.holds.iter().filter(|holds| **holds != 0).count() as u32 + self.held_back()
    }

    /// Slots that are ready to go back, and are kept on purpose.
    pub(crate) fn held_back(&self) -> u32 {
        self.held_back.len() as u32
    }

    /// Whether to keep slots that are ready to go back.
    pub(crate) fn hold_back(&mut self, holds_back: bool) {
        self.holds_back = holds_back;
    }

    /// Returns the slots that were kept; gives their number.
    pub(crate) fn return_held_back<P: Platform, W: Window>(&mut self, shared: &mut Shared<P, W>) -> u32 {
        let slots = core::mem::take(&mut self.held_back);
        for slot in &slots {
            self.return_slot(shared, *slot);
        }
        slots.len() as u32
    }

    /// The end of what the peer has published, checked; its contents may be read after this.
    pub(crate) fn published_end<P: Platform, W: Window>(
        &self,
        shared: &Shared<P, W>,
    ) -> Result<u32, Violation> {
        let end = PeerPosition(shared.load(field::tx_pos(Side::Master)));
        let end = end.check(self.rx_pos, self.returned.wrapping_mul(SLOT_SIZE as u32))?;
        // Position before contents: pairs with the peer's barrier before it stores tx_pos.
        shared.platform.read_barrier();
        Ok(end)
    }

    /// The next message before `end`, if there is one. Reading it again gives it again until [`Self::advance`].
    pub(crate) fn next<P: Platform, W: Window>(
        &mut self,
        shared: &Shared<P, W>,
        end: u32,
    ) -> Result<Option<Incoming>, Violation> {
        let unread = end.wrapping_sub(self.rx_pos);
        if unread == 0 {
            return Ok(None);
        }
        let slot = match self.current {
            Some(slot) => slot,
            None => self.enter_slot(shared)?,
        };
        let offset = (self.rx_pos & SLOT_MASK) as u16;
        let at = slot.byte_offset() + usize::from(offset);
        let (id, size) = (MessageId(shared.load(at)), shared.load(at + 4));
        let too_long = Violation::MessageSize { msgid: id.0, size, slot, offset };
        if size > MAX_PAYLOAD as u32 {
            return Err(too_long);
        }
        let stride = stride(size as usize);
        if usize::from(offset) + stride > SLOT_SIZE {
            return Err(too_long);
        }
        if stride as u32 > unread {
            return Err(Violation::BeyondPublished { msgid: id.0, size, slot, offset, tx_pos: end });
        }
        Ok(Some(Incoming { id, size: size as u16, slot, offset }))
    }

    /// Reads the queue as the peer has filled it in, once: every slot of its side, each one time.
    pub(crate) fn learn_queue<P: Platform, W: Window>(
        &mut self,
        shared: &Shared<P, W>,
    ) -> Result<(), Violation> {
        if self.queue_is_known {
            return Ok(());
        }
        let mut seen = [false; MAX_SLOTS_PER_SIDE];
        for (entry, place) in (0..self.slots.count()).zip(&mut self.queue) {
            let alleged = PeerIndex(shared.load(field::slot_queue(Side::Master, entry)));
            let slot = self.slots.check(alleged, entry)?;
            if core::mem::replace(&mut seen[self.slots.place(slot)], true) {
                return Err(Violation::SlotQueuedTwice { entry: queue_entry(entry), slot });
            }
            *place = slot;
        }
        self.queue_is_known = true;
        Ok(())
    }

    /// The slot that comes next in the queue. Since the start only we write there, so it is the one we expect, or the
    /// peer is not to be trusted with where its messages are.
    fn enter_slot<P: Platform, W: Window>(&mut self, shared: &Shared<P, W>) -> Result<SlotIndex, Violation> {
        self.learn_queue(shared)?;
        let number = queue_number(self.rx_pos);
        let entry = queue_entry(number);
        let found = shared.load(field::slot_queue(Side::Master, number));
        let slot = self.slots.check(PeerIndex(found), number)?;
        let expected = self.queue[usize::from(entry)];
        let holds = &mut self.holds[self.slots.place(slot)];
        if *holds != 0 {
            return Err(Violation::SlotQueuedTwice { entry, slot });
        }
        if slot != expected {
            return Err(Violation::SlotQueueChanged { entry, found, expected });
        }
        *holds = 1;
        self.current = Some(slot);
        Ok(slot)
    }

    /// Keeps the slot until the message is released.
    pub(crate) fn claim(&mut self, slot: SlotIndex) {
        // A slot holds at most 512 messages.
        self.holds[self.slots.place(slot)] += 1;
    }

    /// Goes on behind `message`.
    pub(crate) fn advance<P: Platform, W: Window>(&mut self, shared: &mut Shared<P, W>, message: Incoming) {
        self.rx_pos = self.rx_pos.wrapping_add(stride(usize::from(message.size)) as u32);
        if self.rx_pos & SLOT_MASK == 0 {
            self.current = None;
            self.release(shared, message.slot);
        }
    }

    /// Gives up one hold on a slot, and the slot itself with the last.
    pub(crate) fn release<P: Platform, W: Window>(&mut self, shared: &mut Shared<P, W>, slot: SlotIndex) {
        let holds = &mut self.holds[self.slots.place(slot)];
        debug_assert!(*holds != 0, "slot {slot:?} released once too often");
        *holds = holds.saturating_sub(1);
        if *holds == 0 {
            // There is room: a slot is in the list once.
            if self.holds_back && self.held_back.push(slot).is_ok() {
                return;
            }
            self.return_slot(shared, slot);
        }
    }

    fn return_slot<P: Platform, W: Window>(&mut self, shared: &mut Shared<P, W>, slot: SlotIndex) {
        // Every load from the slot before its return: a store barrier alone would let a load of the payload
        // be satisfied after the peer has seen the slot come back and has written into it.
        shared.platform.read_barrier();
        self.queue[usize::from(queue_entry(self.returned))] = slot;
        shared.store(field::slot_queue(Side::Master, self.returned), u32::from(slot.number()));
        // Entry before count: pairs with the peer's read barrier after it loads the count.
        shared.platform.write_barrier();
        self.returned = self.returned.wrapping_add(1);
        shared.store(field::slot_queue_recycle(Side::Master), self.returned);
        shared.signal(EventKind::Recycle);
    }
}

/// Entry of a slot queue that a queue number stands for.
const fn queue_entry(number: u32) -> u8 {
    (number % SLOT_QUEUE_LENGTH as u32) as u8
}
