//! The board that the driver is given.

use std::sync::{Arc, Mutex};

use loom::sync::atomic::{Ordering, fence};
use vchiq_mbox::{BusAddress, Clock, Platform, Window};

use crate::{
    Bell, Memory,
    offset::{SLAVE, SLOT, TX_POS},
};

/// A mistake that a board or a driver could make. Each must be found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// None.
    None,
    /// `write_barrier` does nothing.
    NoWriteBarrier,
    /// `read_barrier` does nothing.
    NoReadBarrier,
    /// `full_barrier` does nothing.
    NoFullBarrier,
    /// tx_pos is stored before the message, as `vchiq_msg_queue_push` of Linux advances its index before it stores
    /// the pointer (users fact sheet 3).
    PublishFirst,
}

/// The Arm's view of memory and doorbells; clones share them.
#[derive(Clone)]
pub struct Board {
    memory: Arc<Memory>,
    own_bell: Arc<Bell>,
    peer_bell: Arc<Bell>,
    mistake: Mistake,
    /// Stores to slots that [`Mistake::PublishFirst`] keeps back.
    kept_back: Arc<Mutex<Vec<(usize, u32)>>>,
}

impl Board {
    /// A board that makes this mistake.
    pub fn new(memory: Arc<Memory>, own_bell: Arc<Bell>, peer_bell: Arc<Bell>, mistake: Mistake) -> Self {
        Self { memory, own_bell, peer_bell, mistake, kept_back: Arc::default() }
    }

    fn barrier(&self, missing: Mistake, ordering: Ordering) {
        if self.mistake != missing {
            fence(ordering);
        }
    }

    fn kept_back(&self) -> std::sync::MutexGuard<'_, Vec<(usize, u32)>> {
        self.kept_back.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Window for Board {
    fn len(&self) -> usize {
        self.memory.len()
    }

    fn bus_address(&self) -> BusAddress {
        BusAddress(0xc000_0000)
    }

    fn load(&self, offset: usize) -> u32 {
        self.memory.load(offset)
    }

    fn store(&self, offset: usize, value: u32) {
        if self.mistake == Mistake::PublishFirst && offset >= SLOT {
            self.kept_back().push((offset, value));
            return;
        }
        self.memory.store(offset, value);
        if offset == SLAVE + TX_POS {
            let late = std::mem::take(&mut *self.kept_back());
            for (offset, value) in late {
                self.memory.store(offset, value);
            }
        }
    }
}

/// Time stands still: no deadline ever passes, so that a lost doorbell is a deadlock and not a delay.
impl Clock for Board {
    fn ticks(&self) -> u64 {
        1
    }

    fn tick_rate(&self) -> u32 {
        1_000_000
    }

    fn cycles(&self) -> u64 {
        1
    }
}

impl Platform for Board {
    fn write_barrier(&self) {
        self.barrier(Mistake::NoWriteBarrier, Ordering::Release);
    }

    fn read_barrier(&self) {
        self.barrier(Mistake::NoReadBarrier, Ordering::Acquire);
    }

    fn full_barrier(&self) {
        self.barrier(Mistake::NoFullBarrier, Ordering::SeqCst);
    }

    fn ring_doorbell(&mut self) {
        self.peer_bell.ring();
    }

    fn wait_for_doorbell(&mut self, _: u64) {
        self.own_bell.wait();
    }

    fn take_doorbell_stamp(&mut self) -> Option<vchiq_mbox::platform::Moment> {
        None
    }
}
