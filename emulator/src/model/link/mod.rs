//! The VCHIQ master: slots, positions, events (VCHIQ fact sheet 5).

mod message;
mod receive;
mod transmit;

use std::collections::VecDeque;

pub(super) use message::{MessageId, kind};
pub(super) use receive::Received;
pub(super) use transmit::Outgoing;

use super::board::Board;
use super::fault::Defect;
use super::mischief::Mischief;
use super::pagelist::Pool;
use super::slot_zero::{Event, Half, SlotZero, Slots, field, header};
use receive::Receiver;
use transmit::Transmitter;

/// The master's end of a link.
pub(super) struct Link {
    pub(super) slot_zero: SlotZero,
    ours: Slots,
    theirs: Slots,
    tx: Transmitter,
    rx: Receiver,
    outbox: VecDeque<Outgoing>,
    /// Where the Arm wants the bytes beside whole cache lines.
    pub(super) pool: Pool,
    /// CONNECT has been received.
    pub(super) peer_connected: bool,
    /// The Arm has paused the link: nothing may be sent.
    pub(super) paused: bool,
}

impl Link {
    /// Takes slot zero up, or says why not.
    pub(super) fn take_up(board: &mut Board<'_>, base: u32, mischief: &mut Mischief) -> Result<Self, String> {
        let slot_zero = SlotZero { base };
        let (ours, theirs) = slot_zero.check(board)?;
        slot_zero.initialise(board, ours);
        spoil_slot_zero(board, slot_zero, theirs, mischief);
        let mut link = Self::new(slot_zero, ours, theirs, slot_zero.pool(board));
        link.wait(board);
        Ok(link)
    }

    fn new(slot_zero: SlotZero, ours: Slots, theirs: Slots, pool: Pool) -> Self {
        Self {
            slot_zero,
            ours,
            theirs,
            tx: Transmitter::new(ours),
            rx: Receiver::default(),
            outbox: VecDeque::new(),
            pool,
            peer_connected: false,
            paused: false,
        }
    }

    /// As after a crash: begins anew over the same slots, without a word to the Arm.
    pub(super) fn restart(&mut self, board: &mut Board<'_>) {
        *self = Self::new(self.slot_zero, self.ours, self.theirs, self.pool);
        self.slot_zero.initialise(board, self.ours);
        self.wait(board);
    }

    /// Goes to sleep until the Arm signals: messages, and slots. False for what it has signalled meanwhile.
    pub(super) fn wait(&mut self, board: &mut Board<'_>) -> (bool, bool) {
        let trigger = self.slot_zero.arm(board, Event::Trigger);
        let recycle = self.slot_zero.arm(board, Event::Recycle);
        (trigger, recycle)
    }

    /// Signals an event and rings if the Arm wants that.
    fn signal(&self, board: &mut Board<'_>, event: Event, mischief: &Mischief) {
        if self.slot_zero.signal(board, event) && !mischief.always(Defect::DoorbellLost) {
            board.ring_arm();
        }
    }
}

/// The faults that lie in slot zero itself.
fn spoil_slot_zero(board: &mut Board<'_>, slot_zero: SlotZero, theirs: Slots, mischief: &mut Mischief) {
    let base = slot_zero.base;
    if mischief.always(Defect::SlotZeroMagic) {
        board.store(base + header::MAGIC, 0x4948_4356);
    }
    if mischief.always(Defect::SlotZeroVersion) {
        board.store(base + header::VERSIONS, 0x0003_0002);
    }
    if mischief.always(Defect::SlotZeroSlotSize) {
        board.store(base + header::SLOT_SIZE, 8192);
    }
    if mischief.always(Defect::SlotZeroRange) {
        slot_zero.store(board, Half::Master, field::SLOT_LAST, theirs.last);
    }
    if mischief.always(Defect::SlotQueueOutside) {
        slot_zero.store(board, Half::Master, SlotZero::queue_entry(0), 0x8000_0007);
    }
    if mischief.always(Defect::SlotQueueTwice) {
        let first = slot_zero.load(board, Half::Master, SlotZero::queue_entry(0));
        slot_zero.store(board, Half::Master, SlotZero::queue_entry(1), first);
    }
    if mischief.always(Defect::SlotQueueForeign) {
        slot_zero.store(board, Half::Master, SlotZero::queue_entry(0), theirs.first);
    }
}
