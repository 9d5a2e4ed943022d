//! Receiving: the Arm's slots, read in order and returned when nothing in them is held (VCHIQ fact sheet 5.5).

use std::collections::BTreeMap;

use super::message::{CLAIMED, HEADER, MessageId, kind, stride};
use super::{Board, Defect, Event, Half, Link, Mischief, SlotZero, field};
use crate::model::slot_zero::SLOT_SIZE;

/// A message of the Arm's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::model) struct Received {
    pub(in crate::model) id: MessageId,
    pub(in crate::model) payload: Vec<u8>,
    /// Where its header lies.
    pub(in crate::model) slot: u32,
    pub(in crate::model) offset: u32,
}

/// The receive side.
#[derive(Default)]
pub(super) struct Receiver {
    position: u32,
    current: Option<u32>,
    /// By slot: unreleased messages, and one while the parser is in it.
    holds: BTreeMap<u32, u32>,
    /// The Arm broke the protocol: nothing more is read.
    broken: bool,
}

impl Link {
    /// Takes note of the Arm's signal.
    pub(in crate::model) fn acknowledge_messages(&self, board: &mut Board<'_>) {
        self.slot_zero.acknowledge(board, Event::Trigger);
    }

    /// The next message that the Arm has published. DATA is held until `release`.
    pub(in crate::model) fn receive(
        &mut self,
        board: &mut Board<'_>,
        mischief: &mut Mischief,
    ) -> Option<Received> {
        let end = self.slot_zero.load(board, Half::Slave, field::TX_POS);
        if self.rx.broken || self.rx.position == end {
            return None;
        }
        let slot = match self.rx.current {
            Some(slot) => slot,
            None => {
                let entry = SlotZero::queue_entry(self.rx.position / SLOT_SIZE);
                let slot = self.slot_zero.load(board, Half::Slave, entry);
                if slot < self.theirs.first || slot > self.theirs.last {
                    board.note(format!("the Arm sends in slot {slot:#x}, which is not one of its own"));
                    self.rx.broken = true;
                    return None;
                }
                self.rx.current = Some(slot);
                *self.rx.holds.entry(slot).or_default() += 1;
                slot
            }
        };
        let offset = self.rx.position % SLOT_SIZE;
        let at = self.slot_zero.slot_address(slot, offset);
        let (id, size) = (MessageId(board.load(at)), board.load(at + 4));
        let Some(stride) = stride(size).filter(|stride| offset + stride <= SLOT_SIZE) else {
            board.note(format!("message {:#010x} of {size:#x} bytes passes the end of slot {slot}", id.0));
            self.rx.broken = true;
            return None;
        };
        self.slot_zero.store(board, Half::Master, field::DEBUG_HEADER, at);
        self.slot_zero.store(board, Half::Master, field::DEBUG_MESSAGE, id.0);
        let payload = board.load_bytes(at + HEADER, size as usize);
        if id.kind() == kind::DATA {
            board.store(at, id.0 | CLAIMED);
            *self.rx.holds.entry(slot).or_default() += 1;
        }
        self.rx.position = self.rx.position.wrapping_add(stride);
        if self.rx.position.is_multiple_of(SLOT_SIZE) {
            self.rx.current = None;
            self.let_go(board, slot, mischief);
        }
        Some(Received { id, payload, slot, offset })
    }

    /// Lets go of a DATA message.
    pub(in crate::model) fn release(
        &mut self,
        board: &mut Board<'_>,
        slot: u32,
        offset: u32,
        mischief: &mut Mischief,
    ) {
        let at = self.slot_zero.slot_address(slot, offset);
        let id = board.load(at);
        if !mischief.on(3, Defect::ClaimedLeft) {
            board.store(at, id & !CLAIMED);
        }
        self.let_go(board, slot, mischief);
    }

    fn let_go(&mut self, board: &mut Board<'_>, slot: u32, mischief: &mut Mischief) {
        let Some(holds) = self.rx.holds.get_mut(&slot) else { return };
        *holds -= 1;
        if *holds == 0 {
            self.rx.holds.remove(&slot);
            self.return_slot(board, slot, mischief);
        }
    }

    fn return_slot(&mut self, board: &mut Board<'_>, slot: u32, mischief: &mut Mischief) {
        if mischief.always(Defect::SlotsKept) {
            return;
        }
        let slot = if mischief.on(2, Defect::SlotReturnedForeign) { 0xc8 } else { slot };
        self.append_returned(board, slot);
        if mischief.on(2, Defect::SlotReturnedTwice) {
            self.append_returned(board, slot);
        }
        if mischief.on(2, Defect::RecycleJumps) {
            let count = self.slot_zero.load(board, Half::Slave, field::SLOT_QUEUE_RECYCLE);
            self.slot_zero.store(board, Half::Slave, field::SLOT_QUEUE_RECYCLE, count.wrapping_add(70));
        }
        self.signal(board, Event::Recycle, mischief);
    }

    fn append_returned(&self, board: &mut Board<'_>, slot: u32) {
        let count = self.slot_zero.load(board, Half::Slave, field::SLOT_QUEUE_RECYCLE);
        self.slot_zero.store(board, Half::Slave, SlotZero::queue_entry(count), slot);
        self.slot_zero.store(board, Half::Slave, field::SLOT_QUEUE_RECYCLE, count.wrapping_add(1));
    }
}
