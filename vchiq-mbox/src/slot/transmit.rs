//! Our slots: filled in order, lent to the peer, taken back in any order (VCHIQ fact sheet 5.2 and 5.5).

use super::{PeerIndex, SlotIndex, SlotRange, shared::Shared};
use crate::{
    error::{Exhausted, Violation},
    platform::{Platform, Window},
    quota::Quotas,
    wire::{
        CLAIMED, EventKind, HEADER_SIZE, MAX_SLOTS_PER_SIDE, MessageId, MessageType, SLOT_QUEUE_LENGTH,
        SLOT_SIZE, Side, field, stride,
    },
};

const SLOT_MASK: u32 = SLOT_SIZE as u32 - 1;

/// Where a message has been put.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) slot: SlotIndex,
    pub(crate) offset: u16,
    /// True if the peer's doorbell was rung.
    pub(crate) rang: bool,
}

/// Places in a slot where a header can be.
const PLACES: usize = SLOT_SIZE / HEADER_SIZE;

/// Where in a slot the headers of its DATA are, a bit a place.
#[derive(Clone, Copy)]
struct DataPlaces([u64; PLACES / 64]);

impl DataPlaces {
    const NONE: Self = Self([0; PLACES / 64]);

    fn note(&mut self, offset: u32) {
        let place = offset as usize / HEADER_SIZE;
        self.0[place / 64 % (PLACES / 64)] |= 1 << (place % 64);
    }

    /// Byte offsets of the headers, from the slot's start on; none are left.
    fn drain(&mut self) -> impl Iterator<Item = usize> {
        let words = core::mem::replace(self, Self::NONE).0;
        words.into_iter().enumerate().flat_map(|(index, mut bits)| {
            core::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                Some((index * 64 + bit) * HEADER_SIZE)
            })
        })
    }
}

/// Where one of our slots is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    /// In the queue of slots to fill.
    Free,
    /// Being filled, or filled and not returned.
    Lent,
}

/// The transmit side. Its positions and its queue are private copies: the peer's words are only ever compared
/// with them.
pub(crate) struct Transmitter {
    slots: SlotRange,
    /// End of what has been written, padding included.
    tx_pos: u32,
    /// End of what has been published.
    published: u32,
    /// Slots ever made available to us, modulo 2^32.
    available: u32,
    /// Slots in the order of use, by queue number modulo its length.
    queue: [SlotIndex; SLOT_QUEUE_LENGTH],
    standing: [Standing; MAX_SLOTS_PER_SIDE],
    /// DATA of each slot that is with the peer.
    data: [DataPlaces; MAX_SLOTS_PER_SIDE],
    /// The slot that `tx_pos` lies in; none at a slot boundary.
    current: Option<SlotIndex>,
    /// Byte offset in the window of the last header but padding; 0 before the first.
    last_header: u32,
    pub(crate) quotas: Quotas,
    /// Ticks between publishing a message and storing it ([`crate::link::Misbehaviour::PublishFirst`]).
    publishes_first: Option<u32>,
}

impl Transmitter {
    pub(crate) fn new(slots: SlotRange) -> Self {
        let mut queue = [slots.first(); SLOT_QUEUE_LENGTH];
        for (entry, slot) in queue.iter_mut().zip(slots.iter()) {
            *entry = slot;
        }
        Self {
            slots,
            tx_pos: 0,
            published: 0,
            available: slots.count(),
            queue,
            standing: [Standing::Free; MAX_SLOTS_PER_SIDE],
            data: [DataPlaces::NONE; MAX_SLOTS_PER_SIDE],
            current: None,
            last_header: 0,
            quotas: Quotas::new(slots.count()),
            publishes_first: None,
        }
    }

    /// As if `slots` more had gone by before, all of them returned.
    #[cfg(test)]
    pub(crate) fn skip(&mut self, slots: u32) {
        self.tx_pos = self.tx_pos.wrapping_add(slots.wrapping_mul(SLOT_SIZE as u32));
        self.published = self.tx_pos;
        self.available = self.available.wrapping_add(slots);
    }

    pub(crate) const fn tx_pos(&self) -> u32 {
        self.tx_pos
    }

    pub(crate) const fn last_header(&self) -> u32 {
        self.last_header
    }

    pub(crate) const fn available(&self) -> u32 {
        self.available
    }

    /// Slots with the peer, the one being filled included.
    pub(crate) fn lent(&self) -> u32 {
        self.standing.iter().filter(|standing| **standing == Standing::Lent).count() as u32
    }

    /// Writes and publishes one message, or says what is used up. The payload must fit a slot.
    pub(crate) fn try_queue<P: Platform, W: Window>(
        &mut self,
        shared: &mut Shared<P, W>,
        id: MessageId,
        parts: &[&[u8]],
    ) -> Result<Placed, Exhausted> {
        let size = parts.iter().map(|part| part.len()).sum();
        let stride = stride(size) as u32;
        let is_data = id.kind() == Ok(MessageType::Data);
        if is_data {
            self.quotas.admit(id.source(), self.tx_pos, stride)?;
        }
        self.pad(shared, stride);
        let slot = match self.current {
            Some(slot) => slot,
            None => self.take_free_slot(shared)?,
        };
        let offset = self.tx_pos & SLOT_MASK;
        if let Some(gap_ticks) = self.publishes_first {
            self.publish_too_early(shared, self.tx_pos.wrapping_add(stride), gap_ticks);
        }
        shared.store_payload(slot, offset as usize, parts);
        shared.store_header(slot, offset as usize, id, size);
        self.last_header = slot.byte_offset() as u32 + offset;
        self.advance(stride);
        if is_data {
            let place = self.slots.place(slot);
            self.data[place].note(offset);
            self.quotas.charge(id.source(), place, self.tx_pos);
        }
        let rang = self.publish(shared);
        Ok(Placed { slot, offset: offset as u16, rang })
    }

    /// Fills the rest of the current slot if `stride` does not fit in it.
    fn pad<P: Platform, W: Window>(&mut self, shared: &Shared<P, W>, stride: u32) {
        let room = SLOT_SIZE as u32 - (self.tx_pos & SLOT_MASK);
        if let Some(slot) = self.current
            && stride > room
        {
            // Room is a multiple of 8 and at least 8, because every stride is.
            let id = MessageId::new(MessageType::Padding, Default::default(), Default::default());
            shared.store_header(slot, (self.tx_pos & SLOT_MASK) as usize, id, room as usize - HEADER_SIZE);
            self.advance(room);
        }
    }

    fn advance(&mut self, bytes: u32) {
        self.tx_pos = self.tx_pos.wrapping_add(bytes);
        if self.tx_pos & SLOT_MASK == 0 {
            self.current = None;
        }
    }

    fn take_free_slot<P: Platform, W: Window>(
        &mut self,
        shared: &mut Shared<P, W>,
    ) -> Result<SlotIndex, Exhausted> {
        if self.tx_pos == self.available.wrapping_mul(SLOT_SIZE as u32) {
            if self.published != self.tx_pos {
                // The peer must see the padding, or it can never finish the slot and return it.
                self.publish(shared);
            }
            return Err(Exhausted::NoFreeSlot { tx_pos: self.tx_pos });
        }
        let slot = self.queue[queue_number(self.tx_pos) as usize % SLOT_QUEUE_LENGTH];
        self.standing[self.slots.place(slot)] = Standing::Lent;
        self.current = Some(slot);
        Ok(slot)
    }

    /// Stores the position behind a message that is not there yet, and lets the peer look at it.
    fn publish_too_early<P: Platform, W: Window>(
        &self,
        shared: &mut Shared<P, W>,
        tx_pos: u32,
        gap_ticks: u32,
    ) {
        shared.store(field::tx_pos(Side::Slave), tx_pos);
        shared.signal(EventKind::Trigger);
        let begin = shared.platform.ticks();
        while shared.platform.ticks().wrapping_sub(begin) < u64::from(gap_ticks) {
            core::hint::spin_loop();
        }
    }

    pub(crate) fn publish_first(&mut self, gap_ticks: Option<u32>) {
        self.publishes_first = gap_ticks;
    }

    /// Makes everything written so far the peer's.
    fn publish<P: Platform, W: Window>(&mut self, shared: &mut Shared<P, W>) -> bool {
        // Contents before position: pairs with the peer's read barrier after it loads tx_pos.
        shared.platform.write_barrier();
        shared.store(field::tx_pos(Side::Slave), self.tx_pos);
        self.published = self.tx_pos;
        shared.signal(EventKind::Trigger)
    }

    /// Takes back the slots that the peer has returned; gives their number.
    ///
    /// The published cores find out by walking a returned slot's headers which quotas to credit. The peer can
    /// write there, so our books are private ([`Quotas`]): of the headers only the claimed bit is looked at, where we
    /// know that DATA is. The peer clears it before it returns the slot; with such a bit left, the published cores
    /// would never credit the message again.
    pub(crate) fn reclaim<P: Platform, W: Window>(
        &mut self,
        shared: &Shared<P, W>,
    ) -> Result<u32, Violation> {
        let found = shared.load(field::slot_queue_recycle(Side::Slave));
        let returned = found.wrapping_sub(self.available);
        if returned == 0 {
            return Ok(0);
        }
        // Only slots that lie completely behind the published position can have been returned.
        let limit = queue_number(self.published).wrapping_add(self.slots.count());
        if returned > self.slots.count() || !self.may_have_been_returned(found) {
            return Err(Violation::RecycleCount { found, limit });
        }
        shared.platform.read_barrier();
        for _ in 0..returned {
            let entry = self.available;
            let alleged = PeerIndex(shared.load(field::slot_queue(Side::Slave, entry)));
            let slot = self.slots.check(alleged, entry)?;
            let place = self.slots.place(slot);
            if self.standing[place] != Standing::Lent || self.current == Some(slot) {
                return Err(Violation::SlotNotLent { slot });
            }
            for offset in self.data[place].drain() {
                let msgid = shared.load(slot.byte_offset() + offset);
                if msgid & CLAIMED != 0 {
                    return Err(Violation::ClaimedInReturnedSlot { msgid, slot, offset: offset as u16 });
                }
            }
            self.standing[place] = Standing::Free;
            self.quotas.settle(place);
            self.queue[entry as usize % SLOT_QUEUE_LENGTH] = slot;
            self.available = self.available.wrapping_add(1);
        }
        Ok(returned)
    }

    /// Compares a recycle count with the slots finished so far, modulo the range of queue numbers.
    fn may_have_been_returned(&self, count: u32) -> bool {
        let finished = queue_number(self.published);
        let returned_ever = count.wrapping_sub(self.slots.count());
        // At most 64 slots are outstanding, so the difference is small or the count is wild.
        let outstanding = finished.wrapping_sub(returned_ever) & QUEUE_NUMBER_MASK;
        outstanding <= self.slots.count()
    }
}

/// Queue numbers are positions divided by the slot size, so they wrap at 2^20.
const QUEUE_NUMBER_MASK: u32 = u32::MAX / SLOT_SIZE as u32;

/// Number of the queue entry that a position lies in.
pub(crate) const fn queue_number(position: u32) -> u32 {
    position / SLOT_SIZE as u32
}
