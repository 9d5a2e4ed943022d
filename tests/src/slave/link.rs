//! Slots, messages and signals (chapters 2 to 5 and 7).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use vchiq_mbox::{
    Deadline,
    platform::{Platform, Window},
};

use super::{kind, msgid};

const SLOT: u32 = 4096;
const SLOTS: u32 = 65;
/// Data slots: ours, and VideoCore's.
const OURS: std::ops::RangeInclusive<u32> = 34..=64;
const THEIRS: std::ops::RangeInclusive<u32> = 2..=32;
const DATA_SLOTS: u32 = 31;
const CLAIMED: u32 = 1 << 30;
/// After so many looks in vain there is no hurry: the test need not take longer than it must.
const PATIENCE: u32 = 1000;
const LATE_LOOKS_A_SECOND: u32 = 200_000;

/// Offsets of a half of slot zero.
mod half {
    pub(super) const VIDEOCORE: usize = 0x20;
    pub(super) const ARM: usize = 0x194;
    pub(super) const INITIALISED: usize = 0x00;
    pub(super) const TRIGGER: usize = 0x10;
    pub(super) const TX_POS: usize = 0x1c;
    pub(super) const RECYCLE: usize = 0x20;
    pub(super) const SLOT_QUEUE_RECYCLE: usize = 0x2c;
    pub(super) const SLOT_QUEUE: usize = 0x48;
    pub(super) const DIAGNOSTICS: usize = 0x148;
}

/// Lays slot zero out, with the fragments pool behind the slots.
pub fn lay_out(window: &impl Window) {
    for offset in (0..0x508).step_by(4) {
        window.store(offset, 0);
    }
    let pool = window.bus_address().0 + SLOTS * SLOT;
    for (index, word) in [0x5643_4849, 3 << 16 | 8, 1288, SLOT, 128, 64, pool, 64].into_iter().enumerate() {
        window.store(4 * index, word);
    }
    for (half, slots, sync) in [(half::VIDEOCORE, THEIRS, 1), (half::ARM, OURS, 33)] {
        for (offset, word) in [(4, *slots.start()), (8, *slots.end()), (12, sync)] {
            window.store(half + offset, word);
        }
    }
    for (entry, slot) in OURS.enumerate() {
        window.store(half::ARM + half::SLOT_QUEUE + 4 * entry, slot);
    }
    window.store(half::ARM + half::SLOT_QUEUE_RECYCLE, DATA_SLOTS);
    window.store(half::ARM + half::DIAGNOSTICS, 11);
    window.store(33 * SLOT as usize, 0);
    window.store(half::ARM + half::INITIALISED, 1);
}

/// A message. DATA keeps its slot until it is released.
#[must_use]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// As it was sent.
    pub msgid: u32,
    /// A copy.
    pub payload: Vec<u8>,
    slot: u32,
    offset: u32,
}

impl Received {
    /// Its type.
    pub const fn kind(&self) -> u32 {
        self.msgid >> 24
    }

    /// The sender's port.
    pub const fn port(&self) -> u32 {
        self.msgid >> 12 & 0xfff
    }

    /// A word of the payload.
    ///
    /// # Panics
    /// Past its end.
    pub fn word(&self, index: usize) -> u32 {
        let bytes = self.payload[4 * index..].first_chunk().expect("a word of the payload");
        u32::from_le_bytes(*bytes)
    }
}

/// The Arm's side of a link.
pub struct Slave<'a, W, P> {
    window: &'a W,
    board: &'a mut P,
    tx: u32,
    /// Slots ever available to us, and to VideoCore.
    available: u32,
    returned: u32,
    rx: u32,
    current: Option<u32>,
    /// By slot of VideoCore's: reasons to keep it.
    holds: BTreeMap<u32, u32>,
    inbox: VecDeque<Received>,
}

impl<'a, W: Window, P: Platform> Slave<'a, W, P> {
    /// On a slot zero that the firmware has accepted.
    ///
    /// # Panics
    /// If its half is not as it must be.
    pub fn new(window: &'a W, board: &'a mut P) -> Self {
        assert_eq!(window.load(half::VIDEOCORE + half::INITIALISED), 1, "VideoCore's half is initialised");
        assert_eq!(window.load(half::VIDEOCORE + half::SLOT_QUEUE_RECYCLE), DATA_SLOTS);
        let (holds, inbox) = (BTreeMap::new(), VecDeque::new());
        let (available, returned) = (DATA_SLOTS, DATA_SLOTS);
        Self { window, board, tx: 0, available, returned, rx: 0, current: None, holds, inbox }
    }

    /// Exchanges CONNECT.
    pub fn connect(&mut self) {
        self.send(msgid(kind::CONNECT, 0, 0), &[]);
        let connect = self.expect(kind::CONNECT);
        assert!(connect.payload.is_empty());
        let version = self.window.load(4) & 0xffff;
        assert!((3..=8).contains(&version), "version {version}");
    }

    /// Opens a service from one of our ports; gives the firmware's.
    pub fn open(&mut self, port: u32, payload: &[u8]) -> u32 {
        self.send(msgid(kind::OPEN, port, 0), payload);
        let answer = self.expect(kind::OPENACK);
        assert_eq!(answer.msgid & 0xfff, port);
        answer.port()
    }

    /// Closes a service.
    pub fn close(&mut self, port: u32, remote: u32) {
        self.send(msgid(kind::CLOSE, port, remote), &[]);
        let answer = self.expect(kind::CLOSE);
        assert_eq!((answer.port(), answer.msgid & 0xfff), (remote, port));
    }

    /// Sends DATA, waits for the answer, and releases it.
    pub fn ask(&mut self, port: u32, remote: u32, payload: &[u8]) -> Vec<u8> {
        self.send(msgid(kind::DATA, port, remote), payload);
        let answer = self.expect(kind::DATA);
        self.release(&answer);
        answer.payload
    }

    /// Sends a message, receiving all the while it has to wait for a slot.
    pub fn send(&mut self, msgid: u32, payload: &[u8]) {
        self.send_claiming(msgid, payload, payload.len() as u32);
    }

    /// The same with any size in the header; `payload` is what is there.
    ///
    /// # Panics
    /// If no slot comes back for a second.
    pub fn send_claiming(&mut self, msgid: u32, payload: &[u8], size: u32) {
        let deadline = Deadline::after(self.board, Duration::from_secs(1));
        while !self.try_send(msgid, payload, size) {
            assert!(!deadline.has_passed(self.board), "no free slot at {:#x}", self.tx);
            self.poll();
        }
    }

    fn try_send(&mut self, msgid: u32, payload: &[u8], size: u32) -> bool {
        let stride = (payload.len() as u32 + 15) & !7;
        let room = SLOT - self.tx % SLOT;
        if !self.tx.is_multiple_of(SLOT) && stride > room {
            let at = self.our_address();
            self.window.store(at + 4, room - 8);
            self.window.store(at, 0);
            self.tx = self.tx.wrapping_add(room);
        }
        if self.tx.is_multiple_of(SLOT) && self.tx / SLOT == self.available & 0xf_ffff {
            self.publish();
            return false;
        }
        let at = self.our_address();
        for (index, chunk) in payload.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.window.store(at + 8 + 4 * index, u32::from_le_bytes(word));
        }
        self.window.store(at + 4, size);
        self.window.store(at, msgid);
        self.tx = self.tx.wrapping_add(stride);
        self.publish();
        true
    }

    /// Where our position lies.
    fn our_address(&self) -> usize {
        let entry = 4 * (self.tx / SLOT % 64) as usize;
        let slot = self.window.load(half::ARM + half::SLOT_QUEUE + entry);
        assert!(OURS.contains(&slot), "our slot queue names slot {slot}");
        (slot * SLOT + self.tx % SLOT) as usize
    }

    fn publish(&mut self) {
        self.board.write_barrier();
        self.window.store(half::ARM + half::TX_POS, self.tx);
        self.signal(half::TRIGGER);
    }

    fn signal(&mut self, event: usize) {
        self.board.write_barrier();
        self.window.store(half::VIDEOCORE + event + 4, 1);
        self.board.full_barrier();
        if self.window.load(half::VIDEOCORE + event) != 0 {
            self.board.ring_doorbell();
        }
    }

    /// Takes slots back and reads everything that is there.
    pub fn poll(&mut self) {
        let count = self.window.load(half::ARM + half::SLOT_QUEUE_RECYCLE);
        let filled = self.tx / SLOT;
        assert!(count.wrapping_sub(self.available) <= DATA_SLOTS, "{count} slots available to us");
        assert!(count - DATA_SLOTS <= filled, "slots came back that were not filled");
        self.board.read_barrier();
        self.available = count;

        let end = self.window.load(half::VIDEOCORE + half::TX_POS);
        let limit = self.returned.wrapping_mul(SLOT);
        assert!(end.is_multiple_of(8), "tx_pos {end:#x}");
        assert!(end.wrapping_sub(self.rx) <= limit.wrapping_sub(self.rx), "tx_pos {end:#x}");
        self.board.read_barrier();
        while self.rx != end {
            self.read_one(end);
        }
    }

    fn read_one(&mut self, end: u32) {
        let slot = match self.current {
            Some(slot) => slot,
            None => {
                let entry = 4 * (self.rx / SLOT % 64) as usize;
                let slot = self.window.load(half::VIDEOCORE + half::SLOT_QUEUE + entry);
                assert!(THEIRS.contains(&slot), "VideoCore's slot queue names slot {slot}");
                assert_eq!(self.holds.insert(slot, 1), None, "slot {slot} is still held");
                self.current = Some(slot);
                slot
            }
        };
        let offset = self.rx % SLOT;
        let at = (slot * SLOT + offset) as usize;
        let (msgid, size) = (self.window.load(at), self.window.load(at + 4));
        let stride = (size.min(SLOT) + 15) & !7;
        assert!(offset + stride <= SLOT, "{size:#x} bytes at {at:#x}");
        assert!(stride <= end.wrapping_sub(self.rx), "{size:#x} bytes at {at:#x} are not published");
        let words = (0..size.div_ceil(4) as usize).map(|index| self.window.load(at + 8 + 4 * index));
        let payload = words.flat_map(u32::to_le_bytes).take(size as usize).collect();
        let message = Received { msgid, payload, slot, offset };
        match message.kind() {
            kind::PADDING => {}
            kind::DATA => {
                self.window.store(at, msgid | CLAIMED);
                self.hold(slot);
                self.inbox.push_back(message);
            }
            kind::REMOTE_USE => {
                assert!(self.try_send(super::msgid(kind::REMOTE_USE_ACTIVE, 0, 0), &[], 0), "no free slot");
            }
            kind::OPEN => {
                let refusal = super::msgid(kind::CLOSE, 0, message.port());
                assert!(self.try_send(refusal, &[], 0), "no free slot");
            }
            _ => self.inbox.push_back(message),
        }
        self.rx = self.rx.wrapping_add(stride);
        if self.rx.is_multiple_of(SLOT) {
            self.current = None;
            self.let_go(slot);
        }
    }

    fn hold(&mut self, slot: u32) {
        *self.holds.entry(slot).or_default() += 1;
    }

    fn let_go(&mut self, slot: u32) {
        let holds = self.holds.get_mut(&slot).expect("a slot that is held");
        *holds -= 1;
        if *holds != 0 {
            return;
        }
        self.holds.remove(&slot);
        self.board.read_barrier();
        let entry = 4 * (self.returned % 64) as usize;
        self.window.store(half::VIDEOCORE + half::SLOT_QUEUE + entry, slot);
        self.board.write_barrier();
        self.returned = self.returned.wrapping_add(1);
        self.window.store(half::VIDEOCORE + half::SLOT_QUEUE_RECYCLE, self.returned);
        self.signal(half::RECYCLE);
    }

    /// Lets go of a DATA message.
    pub fn release(&mut self, message: &Received) {
        self.window.store((message.slot * SLOT + message.offset) as usize, message.msgid);
        self.let_go(message.slot);
    }

    /// The next message, if one comes in time.
    pub fn next(&mut self, wait: Duration) -> Option<Received> {
        let deadline = Deadline::after(self.board, wait);
        let mut looks = 0;
        loop {
            self.poll();
            if let Some(message) = self.inbox.pop_front() {
                return Some(message);
            }
            if deadline.has_passed(self.board) {
                return None;
            }
            looks += 1;
            if looks > PATIENCE {
                let step = self.board.ticks() + u64::from(self.board.tick_rate() / LATE_LOOKS_A_SECOND);
                self.board.wait_for_doorbell(step);
            }
        }
    }

    /// The next message, which is of this type.
    ///
    /// # Panics
    /// If none comes for half a second, or another.
    pub fn expect(&mut self, kind: u32) -> Received {
        let message = self.next(Duration::from_millis(500));
        let message = message.unwrap_or_else(|| panic!("no message of type {kind}"));
        assert_eq!(message.kind(), kind, "{message:x?}");
        message
    }

    /// Nothing comes for 20 ms.
    ///
    /// # Panics
    /// If something does.
    pub fn expect_silence(&mut self) {
        let message = self.next(Duration::from_millis(20));
        assert_eq!(message, None);
    }

    /// The board, to let time pass or to ask a property.
    pub fn board(&self) -> &P {
        self.board
    }

    /// The shared memory.
    pub fn window(&self) -> &W {
        self.window
    }
}
