//! A VideoCore written from the fact sheets alone: it follows the rules exactly, and breaks one on command.
//!
//! It stands in for the firmware and the VPU cores. Like them it sees doorbells and mailboxes through the VPU's
//! registers and shares the RAM; unlike them it takes times that are modelled (`pace`).
//!
//! ```text
//! VideoCore        wakes by doorbell and mailbox word, works tasks off in time order
//! ├─ property      property messages, VCHIQ_INIT among them
//! ├─ link          slots, positions, events
//! ├─ client        a service of the Arm's opened, REMOTE_USE and PAUSE from this side
//! ├─ connection    CONNECT, OPEN, CLOSE, PAUSE: what each message does
//! ├─ service       echo, fun2, SMEM, GCMD
//! ├─ bulk          transfers, paired; pagelists and fragments
//! ├─ heap          memory by handle
//! └─ fault         the catalogue of what can be broken
//! ```

mod agenda;
pub(crate) mod board;
mod bulk;
mod client;
mod connection;
mod facts;
pub mod fault;
mod heap;
mod link;
mod mischief;
mod pace;
mod pagelist;
mod property;
mod service;
mod slot_zero;
pub(crate) mod start;
mod stub;

pub use fault::{CATALOGUE, ExpectedOwner, ExpectedVerdict, Fault, Stage};

use std::collections::BTreeMap;

use agenda::{Agenda, Task};
use board::Board;
use bulk::Bulks;
use client::Client;
use facts::Facts;
use fault::Defect;
use heap::Heap;
use link::{Link, MessageId, Outgoing};
use mischief::Mischief;
use pace::{Pace, Work};
use service::{Rounds, SERVICES, Service, SharedMemory};
use slot_zero::Event;

/// Between two rings of a doorbell storm: 4 µs.
const STORM_PS: u64 = 4_000_000;
/// From a crash to the return: 5 ms.
const RETURN_PS: u64 = 5_000_000_000;
/// Until a full mailbox is looked at again: 1 µs.
const MAILBOX_RETRY_PS: u64 = 1_000_000;

/// VideoCore, played.
pub(crate) struct VideoCore {
    agenda: Agenda,
    pace: Pace,
    mischief: Mischief,
    facts: Facts,
    heap: Heap,
    link: Option<Link>,
    services: [Service; SERVICES.len()],
    shared_memory: SharedMemory,
    client: Client,
    /// By port: bulk transfers asked for and wanted.
    bulks: BTreeMap<u16, Bulks>,
    /// By port: what a test service still has to do.
    rounds: BTreeMap<u16, Rounds>,
    /// Nothing is done before this time: there is one VPU.
    busy_until: u64,
    awake: Awake,
    crashed: bool,
}

/// Handlers that have been woken and have not run yet.
#[derive(Default)]
struct Awake {
    messages: bool,
    slots: bool,
}

impl VideoCore {
    /// Powered, with memory behind `split`.
    fn new(fault: Option<Fault>, seed: u64, facts: Facts) -> Self {
        let (start, size) = (facts.arm_memory, facts.vc_memory);
        Self {
            agenda: Agenda::default(),
            pace: Pace::new(seed),
            mischief: Mischief::new(fault.map(|fault| fault.defect)),
            facts,
            heap: Heap::new(start, start.saturating_add(size)),
            link: None,
            services: SERVICES,
            shared_memory: SharedMemory::default(),
            client: Client::default(),
            bulks: BTreeMap::new(),
            rounds: BTreeMap::new(),
            busy_until: 0,
            awake: Awake::default(),
            crashed: false,
        }
    }

    /// Asks for interrupts.
    pub(crate) fn power_on(&mut self, board: &mut Board<'_>) {
        board.enable_mailbox_interrupt();
    }

    /// When the model acts next by itself.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.agenda.next_due()
    }

    /// Looks at doorbells and mailbox, and does what is due.
    pub(crate) fn run(&mut self, board: &mut Board<'_>) {
        self.listen(board);
        while let Some(task) = self.agenda.take_due(board.now_ps) {
            self.work(board, task);
        }
    }

    /// The interrupt handler: a bell has no payload, so every event is looked at.
    fn listen(&mut self, board: &mut Board<'_>) {
        if !board.is_called() {
            return;
        }
        while let Some(word) = board.take_mail() {
            self.plan(board, Work::Property, Task::Mail(word));
        }
        if board.take_bell() && !self.crashed {
            self.wake(board);
        }
    }

    fn wake(&mut self, board: &mut Board<'_>) {
        let Some(link) = &self.link else { return };
        let slot_zero = link.slot_zero;
        if slot_zero.wake(board, Event::Trigger) {
            self.plan_messages(board);
        }
        if slot_zero.wake(board, Event::Recycle) {
            self.plan_slots(board);
        }
    }

    fn plan_messages(&mut self, board: &Board<'_>) {
        if !std::mem::replace(&mut self.awake.messages, true) {
            self.plan(board, Work::Wake, Task::ReadSlots);
        }
    }

    fn plan_slots(&mut self, board: &Board<'_>) {
        if !std::mem::replace(&mut self.awake.slots, true) {
            self.plan(board, Work::Wake, Task::TakeBackSlots);
        }
    }

    /// Adds a task for when the VPU has done everything before it and this.
    fn plan(&mut self, board: &Board<'_>, work: Work, task: Task) {
        let begin = self.busy_until.max(board.now_ps);
        self.busy_until = begin + self.pace.time(work);
        self.agenda.add(self.busy_until, task);
    }

    fn work(&mut self, board: &mut Board<'_>, task: Task) {
        match task {
            Task::Mail(_) if self.crashed => {}
            Task::Mail(word) => {
                if let Some(reply) = self.answer_mail(board, word) {
                    self.agenda.add(board.now_ps, Task::Reply(reply));
                }
            }
            Task::Reply(word) => {
                if !board.send_mail(word) {
                    self.agenda.add(board.now_ps + MAILBOX_RETRY_PS, Task::Reply(word));
                }
            }
            Task::Connect => self.connect(board),
            Task::ReadSlots => self.read_slots(board),
            Task::TakeBackSlots => self.take_back_slots(board),
            Task::Serve(message) => {
                self.serve(board, &message);
                if let Some(link) = &mut self.link {
                    link.release(board, message.slot, message.offset, &mut self.mischief);
                }
            }
            Task::Send { port, payload } => self.send_data(board, port, payload),
            Task::Close(port) => self.close(board, port),
            Task::Move { port, direction } => self.move_bulk(board, port, direction),
            Task::Fill { list, bytes } => list.write(board, &bytes, None),
            Task::Storm => {
                board.ring_arm();
                self.agenda.add(board.now_ps + STORM_PS, Task::Storm);
            }
            Task::Scribble { address } => {
                let word = board.load(address);
                board.store(address, word ^ 0x0100_0000);
            }
            Task::Resume => self.resume_link(board),
            Task::ComeBack => self.come_back(board),
        }
    }

    /// VCHIQ_INIT: 0 if slot zero is taken up. It can be done once in a power cycle.
    fn take_up_link(&mut self, board: &mut Board<'_>, base: u32) -> u32 {
        if self.mischief.always(Defect::InitIgnored) {
            return 0;
        }
        if self.link.is_some() || self.mischief.always(Defect::InitRefused) {
            return 1;
        }
        match Link::take_up(board, base, &mut self.mischief) {
            Ok(link) => {
                self.link = Some(link);
                self.plan(board, Work::Connect, Task::Connect);
                0
            }
            Err(reason) => {
                board.note(format!("VCHIQ_INIT refused: {reason}"));
                1
            }
        }
    }

    fn crash(&mut self, board: &Board<'_>, returns: bool) {
        self.crashed = true;
        self.agenda.clear();
        if returns {
            self.agenda.add(board.now_ps + RETURN_PS, Task::ComeBack);
        }
    }

    fn come_back(&mut self, board: &mut Board<'_>) {
        self.crashed = false;
        self.awake = Awake::default();
        self.services = SERVICES;
        self.shared_memory = SharedMemory::default();
        self.client = Client::default();
        self.bulks.clear();
        self.rounds.clear();
        if let Some(link) = &mut self.link {
            link.restart(board);
            self.plan(board, Work::Connect, Task::Connect);
        }
    }
}
