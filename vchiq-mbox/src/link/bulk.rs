//! Bulk transfers on the wire: who has which memory, and when it comes back (VCHIQ fact sheet 7).
//!
//! The peer ends transfers of a service and a direction in the order in which they were asked for; nothing else in
//! its message tells which one it means. [`crate::bulk`] keeps the memory itself.

use heapless::Vec;
use zerocopy::IntoBytes;

use super::{Vchiq, dispatch::Next};
use crate::{
    bulk::BulkMemory,
    deadline::Deadline,
    error::{Error, Exhausted, Misuse, Violation},
    link::Exchange,
    platform::{Moment, Platform, Window},
    service::{ServiceHandle, State},
    slot::{Layout, PAGELIST_COUNT, receive::Incoming},
    wire::{
        BulkPayload, MessageId, MessageType, PageList, PageListError, PageListFormat, PageListKind, Port,
    },
};

/// Transfers of one service and direction that may be under way.
const PER_DIRECTION: usize = 4;
/// The peer's word for "aborted" instead of a number of bytes.
const ABORTED: u32 = u32::MAX;

/// Which way a transfer goes, as this side has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Direction {
    /// To VideoCore: BULK_TX.
    Transmit,
    /// From VideoCore: BULK_RX.
    Receive,
}

/// What a transfer came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Moved {
    /// So many bytes; fewer than asked for, or none, is for the services to agree upon.
    Bytes(u32),
    /// The peer aborted it: it asked for another size, or closed.
    Aborted,
}

/// The length of the cache lines that VideoCore reckons with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CacheLine {
    /// BCM2835; and every firmware that is not told better.
    Bytes32,
    /// BCM2836 and later, if the firmware knows it.
    #[default]
    Bytes64,
}

impl CacheLine {
    /// In bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Bytes32 => 32,
            Self::Bytes64 => 64,
        }
    }
}

/// How bulk memory is described to VideoCore; both sides must have it the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BulkSetup {
    /// Entries of pagelists.
    pub format: PageListFormat,
    /// Bytes before the first and behind the last whole line of received memory go through fragments.
    pub line: CacheLine,
}

/// Names a transfer; never used twice in the life of a link, up to 2^32 transfers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BulkId(pub(crate) u32);

/// A transfer that the peer has ended.
#[derive(Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) moved: Moved,
    pub(crate) exchange: Exchange,
    place: u8,
    line: u32,
}

/// A transfer asked for, and perhaps ended.
struct Bulk {
    id: BulkId,
    port: Port,
    remote: Port,
    direction: Direction,
    size: u32,
    /// Its pagelist and its entry of the fragments pool.
    place: u8,
    begin: Moment,
    rung: Moment,
    ended: Option<Ended>,
}

/// Every transfer that the peer has not ended, or whose end the caller has not taken, oldest first.
pub(super) struct Bulks {
    list: Vec<Bulk, PAGELIST_COUNT>,
    next_id: u32,
    setup: BulkSetup,
}

impl Bulks {
    pub(super) const fn new() -> Self {
        Self {
            list: Vec::new(),
            next_id: 0,
            setup: BulkSetup { format: PageListFormat::Classic, line: CacheLine::Bytes64 },
        }
    }

    /// The peer has memory of this local port's.
    pub(super) fn has_pending(&self, port: u8) -> bool {
        self.list.iter().any(|bulk| bulk.ended.is_none() && bulk.port == Port::from(port))
    }

    /// VideoCore has been reset: it has no memory any more. Numbers go on, so that no token names another transfer.
    pub(super) fn forget_all(&mut self) {
        self.list.clear();
    }

    fn pending(&self, port: Port, direction: Direction) -> usize {
        let counts = |bulk: &&Bulk| bulk.ended.is_none() && bulk.port == port && bulk.direction == direction;
        self.list.iter().filter(counts).count()
    }

    fn free_place(&self) -> Option<u8> {
        (0..PAGELIST_COUNT as u8).find(|place| self.list.iter().all(|bulk| bulk.place != *place))
    }
}

impl<P: Platform, W: Window> Vchiq<P, W> {
    /// Chooses how bulk memory is described; at first classic pagelists and lines of 64 bytes.
    ///
    /// # Errors
    /// [`Misuse::BulksUnderWay`].
    pub fn set_up_bulks(&mut self, setup: BulkSetup) -> Result<(), Misuse> {
        if !self.bulks.list.is_empty() {
            return Err(Misuse::BulksUnderWay);
        }
        self.bulks.setup = setup;
        Ok(())
    }

    /// Transfers that the peer has not ended.
    pub fn bulks_in_flight(&self) -> usize {
        self.bulks.list.iter().filter(|bulk| bulk.ended.is_none()).count()
    }

    /// Asks for a transfer. From success on the memory is the peer's until [`Self::ended_bulk`] gives its end.
    pub(crate) fn submit_bulk<M: BulkMemory>(
        &mut self,
        service: ServiceHandle,
        direction: Direction,
        memory: &mut M,
        deadline: Deadline,
    ) -> Result<BulkId, Error> {
        let begin = self.shared.platform.now();
        let (have, need) = (self.shared.window.len(), self.bulk_window());
        if have < need {
            return Err(Misuse::NoBulkRoom { have, need }.into());
        }
        let port = Port::from(service.port());
        let remote = loop {
            let remote = self.remote_of(service)?;
            let in_flight = self.bulks.pending(port, direction);
            if in_flight < PER_DIRECTION {
                break remote;
            }
            let in_flight = in_flight as u8;
            self.wait_for_end(deadline, Exhausted::BulksInFlight { port: service.port(), in_flight })?;
        };
        let place = self.bulks.free_place().ok_or(Exhausted::BulkTableFull)?;
        let size = memory.size();
        self.describe(place, direction, memory).map_err(Misuse::PageList)?;
        let id = BulkId(self.bulks.next_id);
        let kind = match direction {
            Direction::Transmit => MessageType::BulkTx,
            Direction::Receive => MessageType::BulkRx,
        };
        let at = self.layout.pagelist(usize::from(place)) as u32;
        let pagelist = self.shared.window.bus_address().0.wrapping_add(at);
        let payload = BulkPayload { pagelist: pagelist.into(), size: size.into() };
        self.queue_bulk(service, MessageId::new(kind, port, remote), payload.as_bytes(), deadline)?;
        let rung = self.shared.platform.now();
        self.bulks.next_id = self.bulks.next_id.wrapping_add(1);
        let bulk = Bulk { id, port, remote, direction, size, place, begin, rung, ended: None };
        // There is room: a place was free.
        let _ = self.bulks.list.push(bulk);
        Ok(id)
    }

    /// Queues the message as long as the service is open.
    fn queue_bulk(
        &mut self,
        service: ServiceHandle,
        id: MessageId,
        payload: &[u8],
        deadline: Deadline,
    ) -> Result<(), Error> {
        loop {
            match self.queue(id, &[payload]) {
                Ok(_) => return Ok(()),
                Err(Error::Exhausted(reason)) => self.wait_for_room(deadline, reason)?,
                Err(error) => return Err(error),
            }
            self.remote_of(service)?;
        }
    }

    /// Writes the pagelist, and cleans the memory.
    fn describe<M: BulkMemory>(
        &mut self,
        place: u8,
        direction: Direction,
        memory: &mut M,
    ) -> Result<(), PageListError> {
        let BulkSetup { format, line } = self.bulks.setup;
        let (offset, size) = (memory.offset(), memory.size());
        let kind = match direction {
            Direction::Transmit => PageListKind::Write,
            Direction::Receive if Edges::new(offset, size, line.bytes()).are_whole() => PageListKind::Read,
            Direction::Receive => PageListKind::ReadWithFragment(place),
        };
        let list = PageList::new(kind, format, offset, size, |number| memory.page(number))?;
        // Also before receiving: no dirty line may be written back over what VideoCore stores.
        memory.clean();
        let start = self.layout.pagelist(usize::from(place));
        for (index, word) in list.words().iter().enumerate() {
            self.shared.store(start + 4 * index, *word);
        }
        Ok(())
    }

    /// The end of a transfer, once. What VideoCore put into fragments is copied to where it belongs.
    pub(crate) fn ended_bulk<M: BulkMemory>(
        &mut self,
        id: BulkId,
        memory: &mut M,
    ) -> Result<Option<Ended>, Misuse> {
        let index = self.bulks.list.iter().position(|bulk| bulk.id == id);
        let index = index.ok_or(Misuse::NoSuchBulk { number: id.0 })?;
        let Some(ended) = self.bulks.list.get(index).and_then(|bulk| bulk.ended) else { return Ok(None) };
        let Bulk { direction, size, .. } = self.bulks.list.remove(index);
        if direction == Direction::Receive {
            let asked = Edges::new(memory.offset(), size, ended.line);
            memory.invalidate(asked.head, size - asked.tail);
            if let Moved::Bytes(actual) = ended.moved
                && !asked.are_whole()
            {
                self.copy_fragments(ended, actual, memory);
            }
        }
        Ok(Some(ended))
    }

    /// Copies the bytes of the outer lines, which VideoCore has left in the fragments pool.
    fn copy_fragments<M: BulkMemory>(&self, ended: Ended, actual: u32, memory: &mut M) {
        let Edges { head, tail } = Edges::new(memory.offset(), actual, ended.line);
        let entry = self.layout.slots_size() + usize::from(ended.place) * 2 * ended.line as usize;
        for (length, from, to) in [(head, entry, 0), (tail, entry + ended.line as usize, actual - tail)] {
            let mut bytes = [0; 64];
            let bytes = &mut bytes[..(length as usize).min(64)];
            for (index, word) in bytes.chunks_mut(4).enumerate() {
                let loaded = self.shared.load(from + 4 * index).to_le_bytes();
                word.copy_from_slice(&loaded[..word.len()]);
            }
            memory.store(to, bytes);
        }
    }

    /// The peer ends the oldest transfer of a service and a direction.
    pub(super) fn on_bulk_done(
        &mut self,
        message: Incoming,
        direction: Direction,
        interrupt: Option<Moment>,
    ) -> Result<Next, Violation> {
        let Incoming { id, size: length, slot, offset } = message;
        let line = self.bulks.setup.line.bytes();
        let parsed = self.shared.platform.now();
        let Some(bulk) = self.bulks.list.iter_mut().find(|bulk| {
            bulk.ended.is_none()
                && bulk.direction == direction
                && bulk.port == id.destination()
                && bulk.remote == id.source()
        }) else {
            self.drop_stray(message);
            return Ok(Next::Advance);
        };
        if length < 4 {
            return Err(Violation::ShortBulkDone { msgid: id.0, size: length, slot, offset });
        }
        let mut bytes = [0; 4];
        self.shared.load_payload(slot, usize::from(offset), &mut bytes);
        let moved = match u32::from_le_bytes(bytes) {
            ABORTED => Moved::Aborted,
            actual if actual <= bulk.size => Moved::Bytes(actual),
            actual => return Err(Violation::BulkActual { actual, size: bulk.size, slot, offset }),
        };
        let Bulk { begin, rung, place, .. } = *bulk;
        let interrupt = interrupt.filter(|stamp| stamp.cycles >= begin.cycles);
        bulk.ended =
            Some(Ended { moved, exchange: Exchange { begin, rung, interrupt, parsed }, place, line });
        self.counters.bulks_ended += 1;
        self.let_go_of_port(id.destination());
        Ok(Next::Advance)
    }

    /// A port that only waited for its bulk memory can be used again.
    fn let_go_of_port(&mut self, port: Port) {
        let waiting = self.bulks.has_pending(port.number() as u8);
        if let Some((_, service)) = self.services.at_port(port)
            && service.state == State::Lingering
            && !waiting
        {
            service.state = if service.offered.is_some() { State::Listening } else { State::Free };
        }
    }

    fn remote_of(&self, service: ServiceHandle) -> Result<Port, Error> {
        self.check_connected()?;
        match self.services.get(service)?.state {
            State::Open { remote, .. } => Ok(remote),
            State::ClosedByPeer => Err(Error::ClosedByPeer { port: Port::from(service.port()) }),
            _ => Err(Misuse::NotOpen { port: service.port() }.into()),
        }
    }

    /// One step of waiting for a transfer to end.
    fn wait_for_end(&mut self, deadline: Deadline, reason: Exhausted) -> Result<(), Error> {
        let before = self.bulks_in_flight();
        self.poll()?;
        if self.bulks_in_flight() < before {
            return Ok(());
        }
        if deadline.has_passed(&self.shared.platform) {
            return Err(reason.into());
        }
        self.shared.wait_for_event(deadline);
        Ok(())
    }

    fn bulk_window(&self) -> usize {
        self.layout.slots_size()
            + (Layout::BULK_WINDOW - Layout::LINUX_SLOTS as usize * crate::wire::SLOT_SIZE)
    }
}

/// The bytes of a stretch of memory that lie beside its whole cache lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Edges {
    /// Before the first whole line; all of them if there is no line's end within.
    head: u32,
    /// Behind the last whole line.
    tail: u32,
}

impl Edges {
    /// `line` is a power of two.
    const fn new(offset: u16, size: u32, line: u32) -> Self {
        let to_line = (line - offset as u32 % line) % line;
        let head = if to_line < size { to_line } else { size };
        let tail = if head < size { (offset as u32 + size) % line } else { 0 };
        Self { head, tail }
    }

    const fn are_whole(self) -> bool {
        self.head == 0 && self.tail == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_of_the_worked_example() {
        assert_eq!(Edges::new(0x14, 100, 32), Edges { head: 12, tail: 24 });
        assert_eq!(Edges::new(0x14, 100, 64), Edges { head: 44, tail: 56 });
        assert_eq!(Edges::new(0x14, 5, 64), Edges { head: 5, tail: 0 });
        assert_eq!(Edges::new(0x40, 5, 64), Edges { head: 0, tail: 5 });
        assert!(Edges::new(0x40, 128, 64).are_whole());
    }
}
