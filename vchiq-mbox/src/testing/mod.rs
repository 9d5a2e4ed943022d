//! An in-memory board and a peer that follows the rules of the master, for tests on the PC.
//!
//! Written from VCHIQ fact sheet 2 to 6 with that sheet's offsets, not with the types of this crate: a layout
//! mistake here would have to be made twice to stay unnoticed.

mod bulk;
mod golden;
mod mailbox;
mod memory;
mod peer;

use std::{
    cell::{Cell, RefCell, RefMut},
    rc::Rc,
};

pub use bulk::{FakeBuffer, FakeBulks, FakeCache, SDRAM_BASE, SharedSdram};
pub use golden::{golden, golden_bytes};
pub use mailbox::{FakeMailbox, MailboxBehaviour};
pub use memory::Memory;
pub use peer::{Behaviour, FakePeer, FakeService, Record};

use crate::platform::{BusAddress, Clock, Moment, Platform, Window};

/// Ticks and cycles a second.
const RATE: u32 = 1_000_000;

/// What the driver did to the shared memory, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Loaded the word at an offset.
    Load(usize),
    /// Stored a word at an offset.
    Store(usize, u32),
    /// [`Platform::write_barrier`].
    WriteBarrier,
    /// [`Platform::read_barrier`].
    ReadBarrier,
    /// [`Platform::full_barrier`].
    FullBarrier,
    /// [`Platform::ring_doorbell`].
    Ring,
}

struct Inner {
    memory: RefCell<Memory>,
    peer: RefCell<FakePeer>,
    bus: BusAddress,
    ticks: Cell<u64>,
    stamp: Cell<Option<Moment>>,
    rings: Cell<u32>,
    trace: RefCell<Option<Vec<Access>>>,
}

/// A board whose time passes only when it is looked at or waited for, and whose peer runs only then too.
#[derive(Clone)]
pub struct FakeBoard {
    inner: Rc<Inner>,
}

impl FakeBoard {
    /// A board with `bytes` of shared memory full of rubbish, and a peer that has not been started.
    pub fn new(bytes: usize) -> Self {
        Self {
            inner: Rc::new(Inner {
                memory: RefCell::new(Memory::full_of_rubbish(bytes)),
                peer: RefCell::new(FakePeer::default()),
                bus: BusAddress(0xc00e_f000),
                ticks: Cell::new(1),
                stamp: Cell::new(None),
                rings: Cell::new(0),
                trace: RefCell::new(None),
            }),
        }
    }

    /// What VCHIQ_INIT does: the peer takes slot zero over and sends its CONNECT.
    pub fn start_peer(&self) {
        self.inner.peer.borrow_mut().start(&mut self.inner.memory.borrow_mut());
    }

    /// The shared memory.
    pub fn memory(&self) -> RefMut<'_, Memory> {
        self.inner.memory.borrow_mut()
    }

    /// The peer.
    pub fn peer(&self) -> RefMut<'_, FakePeer> {
        self.inner.peer.borrow_mut()
    }

    /// Lets the peer do everything it can do now.
    pub fn run_peer(&self) {
        if self.inner.peer.borrow_mut().run(&mut self.inner.memory.borrow_mut()) {
            self.inner.stamp.set(Some(self.now()));
        }
    }

    /// Notes from now on what the driver does; the peer's own accesses are not noted.
    pub fn start_trace(&self) {
        *self.inner.trace.borrow_mut() = Some(Vec::new());
    }

    /// What the driver has done since [`Self::start_trace`].
    pub fn take_trace(&self) -> Vec<Access> {
        self.inner.trace.borrow_mut().take().unwrap_or_default()
    }

    fn note(&self, access: Access) {
        if let Some(trace) = &mut *self.inner.trace.borrow_mut() {
            trace.push(access);
        }
    }

    /// Times VideoCore's doorbell was rung.
    pub fn rings(&self) -> u32 {
        self.inner.rings.get()
    }
}

impl Window for FakeBoard {
    fn len(&self) -> usize {
        self.memory().len()
    }

    fn bus_address(&self) -> BusAddress {
        self.inner.bus
    }

    fn load(&self, offset: usize) -> u32 {
        self.note(Access::Load(offset));
        self.memory().load(offset)
    }

    fn store(&self, offset: usize, value: u32) {
        self.note(Access::Store(offset, value));
        self.memory().store(offset, value);
    }
}

impl Clock for FakeBoard {
    fn ticks(&self) -> u64 {
        self.inner.ticks.set(self.inner.ticks.get() + 1);
        self.inner.ticks.get()
    }

    fn tick_rate(&self) -> u32 {
        RATE
    }

    fn cycles(&self) -> u64 {
        self.inner.ticks.get()
    }
}

impl Platform for FakeBoard {
    fn write_barrier(&self) {
        self.note(Access::WriteBarrier);
    }

    fn read_barrier(&self) {
        self.note(Access::ReadBarrier);
    }

    fn full_barrier(&self) {
        self.note(Access::FullBarrier);
    }

    fn ring_doorbell(&mut self) {
        self.note(Access::Ring);
        self.inner.rings.set(self.inner.rings.get() + 1);
    }

    fn wait_for_doorbell(&mut self, deadline: u64) {
        self.inner.stamp.set(None);
        self.run_peer();
        if self.inner.stamp.get().is_none() {
            self.inner.ticks.set(self.inner.ticks.get().max(deadline));
        }
    }

    fn take_doorbell_stamp(&mut self) -> Option<Moment> {
        self.inner.stamp.take()
    }
}
