//! VideoCore's side, step by step as VCHIQ fact sheet 5 has it.

use std::sync::Arc;

use loom::sync::atomic::{Ordering, fence};

use crate::{
    Bell, Memory,
    offset::{
        ARMED, FIRED, INITIALISED, MASTER, RECYCLE, SLAVE, SLOT, SLOT_QUEUE, SLOT_QUEUE_RECYCLE, TRIGGER,
        TX_POS,
    },
};

/// The peer. It makes no mistakes.
pub struct Peer {
    memory: Arc<Memory>,
    own_bell: Arc<Bell>,
    arm_bell: Arc<Bell>,
    tx_pos: u32,
    /// Slots of the Arm's ever available to it; private, as only this side counts them up.
    returned: u32,
    /// Our first slot; the queue of a scenario holds the slots in order.
    first_slot: u32,
}

impl Peer {
    /// Takes slot zero over.
    pub fn new(memory: Arc<Memory>, own_bell: Arc<Bell>, arm_bell: Arc<Bell>) -> Self {
        Self { memory, own_bell, arm_bell, tx_pos: 0, returned: 0, first_slot: 2 }
    }

    /// Fills its half of slot zero in, for `slots` data slots a side.
    pub fn initialise(&mut self, slots: u32) {
        self.returned = slots;
        for entry in 0..slots {
            self.memory.store(MASTER + SLOT_QUEUE + 4 * entry as usize, self.first_slot + entry);
        }
        self.memory.store(MASTER + SLOT_QUEUE_RECYCLE, slots);
        self.memory.store(MASTER + INITIALISED, 1);
    }

    /// Puts one message of whole words at the end, and tells of it (5.2).
    pub fn send(&mut self, msgid: u32, size: u32, payload: &[u32]) {
        let slot = self.first_slot as usize + self.tx_pos as usize / SLOT;
        let at = slot * SLOT + self.tx_pos as usize % SLOT;
        for (index, word) in payload.iter().enumerate() {
            self.memory.store(at + 8 + 4 * index, *word);
        }
        self.memory.store(at, msgid);
        self.memory.store(at + 4, size);
        self.tx_pos += (size + 15) & !7;
        fence(Ordering::Release);
        self.memory.store(MASTER + TX_POS, self.tx_pos);
        self.signal(TRIGGER);
    }

    /// Sets or clears the claimed bit of a message of the Arm's (1.3).
    pub fn mark(&self, offset: usize, msgid: u32) {
        self.memory.store(offset, msgid);
    }

    /// Returns a slot of the Arm's (5.5).
    pub fn return_slot(&mut self, slot: u32) {
        self.memory.store(SLAVE + SLOT_QUEUE + 4 * (self.returned as usize % 64), slot);
        fence(Ordering::Release);
        self.returned += 1;
        self.memory.store(SLAVE + SLOT_QUEUE_RECYCLE, self.returned);
        self.signal(RECYCLE);
    }

    /// Tells the Arm of an event (5.3).
    pub fn signal(&self, event: usize) {
        fence(Ordering::Release);
        self.memory.store(SLAVE + event + FIRED, 1);
        fence(Ordering::SeqCst);
        if self.memory.load(SLAVE + event + ARMED) != 0 {
            self.arm_bell.ring();
        }
    }

    /// Sleeps until the Arm has told of an event (5.3).
    pub fn wait(&self, event: usize) {
        if self.memory.load(MASTER + event + FIRED) == 0 {
            self.memory.store(MASTER + event + ARMED, 1);
            fence(Ordering::SeqCst);
            if self.memory.load(MASTER + event + FIRED) == 0 {
                self.own_bell.wait();
            }
            self.memory.store(MASTER + event + ARMED, 0);
            fence(Ordering::Release);
        }
        self.memory.store(MASTER + event + FIRED, 0);
        fence(Ordering::SeqCst);
    }

    /// The Arm's transmit position; what lies before it may be read after this.
    pub fn arm_tx_pos(&self) -> u32 {
        let end = self.memory.load(SLAVE + TX_POS);
        fence(Ordering::Acquire);
        end
    }

    /// The peer's own slots ever available; the queue entries before it may be read after this.
    pub fn slots_available(&self) -> u32 {
        let count = self.memory.load(MASTER + SLOT_QUEUE_RECYCLE);
        fence(Ordering::Acquire);
        count
    }

    /// The word at a byte offset.
    pub fn word(&self, offset: usize) -> u32 {
        self.memory.load(offset)
    }
}
