//! The master's side of VCHIQ, as VCHIQ fact sheet 3 to 8 has it.

use std::collections::VecDeque;

use super::{
    Memory,
    bulk::{FakeBulks, SharedSdram},
};

// Byte offsets of VCHIQ fact sheet 2.2.
const MASTER: usize = 0x020;
const SLAVE: usize = 0x194;
const INITIALISED: usize = 0x00;
const SLOT_FIRST: usize = 0x04;
const SLOT_LAST: usize = 0x08;
const TRIGGER: usize = 0x10;
const TX_POS: usize = 0x1c;
const RECYCLE: usize = 0x20;
const SLOT_QUEUE_RECYCLE: usize = 0x2c;
const SLOT_SYNC: usize = 0x0c;
const SLOT_QUEUE: usize = 0x48;
const DEBUG: usize = 0x148;
const SYNC_TRIGGER: usize = 0x30;
const SYNC_RELEASE: usize = 0x3c;
const ARMED: usize = 0;
const FIRED: usize = 4;

const SLOT: u32 = 4096;
const CONNECT: u32 = 1;
const OPEN: u32 = 2;
const OPENACK: u32 = 3;
const CLOSE: u32 = 4;
const DATA: u32 = 5;
const BULK_RX: u32 = 6;
const BULK_TX: u32 = 7;
const BULK_RX_DONE: u32 = 8;
const PAUSE: u32 = 10;
const RESUME: u32 = 11;

fn msgid(kind: u32, source: u32, destination: u32) -> u32 {
    kind << 24 | source << 12 | destination
}

fn stride(size: u32) -> u32 {
    (size + 15) & !7
}

/// Answers a message with any number of messages.
type Script = Box<dyn FnMut(&[u8]) -> Vec<Vec<u8>>>;

/// What a service does with DATA.
pub enum Behaviour {
    /// Sends it back.
    Echo,
    /// Keeps quiet.
    Sink,
    /// Asks a function.
    Script(Script),
}

/// A service the peer offers.
pub struct FakeService {
    /// Its name.
    pub fourcc: u32,
    /// Its port.
    pub port: u32,
    /// Its version, and the oldest client it accepts.
    pub versions: (u16, u16),
    /// Port of the client, while open.
    pub client: Option<u32>,
    /// What it does with DATA.
    pub behaviour: Behaviour,
    /// Its messages go through the sync slots.
    pub synchronous: bool,
    /// Its bulk transfers.
    pub bulks: FakeBulks,
}

impl FakeService {
    /// Version 3 as the test services of the firmware.
    pub fn new(fourcc: [u8; 4], port: u32, behaviour: Behaviour) -> Self {
        Self {
            fourcc: u32::from_be_bytes(fourcc),
            port,
            versions: (3, 3),
            client: None,
            behaviour,
            synchronous: false,
            bulks: FakeBulks::default(),
        }
    }
}

/// A message as received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// First header word.
    pub msgid: u32,
    /// Payload.
    pub payload: Vec<u8>,
    /// Queue position of its header.
    pub position: u32,
}

/// VideoCore, as far as the slots tell.
#[derive(Default)]
pub struct FakePeer {
    started: bool,
    tx: u32,
    rx: u32,
    /// Slots ever available to it.
    available: u32,
    /// Slots ever returned to the other side, less those it began with.
    returned: u32,
    outgoing: VecDeque<(u32, Vec<u8>)>,
    /// Everything received, padding included.
    pub received: Vec<Record>,
    /// What it offers.
    pub services: Vec<FakeService>,
    /// Keep the other side's slots instead of returning them.
    pub holds_slots: bool,
    /// Slots kept so far, oldest first.
    pub held: Vec<u32>,
    /// Read and send nothing.
    pub stuck: bool,
    /// DATA headers found claimed in slots that came back: the other side forgot to clear the bit.
    pub claimed_when_returned: u32,
    /// Accept OPEN without answering.
    pub ignores_open: bool,
    /// Keep CLOSE unanswered.
    pub ignores_close: bool,
    /// Send nothing: the other side has paused, or this one has.
    pub paused: bool,
    /// Messages that wait for the sync slot.
    sync_outgoing: VecDeque<(u32, Vec<u8>)>,
    /// Messages received by the sync slot.
    pub sync_received: Vec<Record>,
    /// Leave the other side's sync slot full.
    pub ignores_sync: bool,
    /// Answer PAUSE.
    pub answers_pause: bool,
    pausing: bool,
    /// Where bulk memory is.
    pub sdram: Option<SharedSdram>,
    rang: bool,
}

impl FakePeer {
    /// Takes slot zero over, and queues CONNECT.
    ///
    /// # Panics
    /// If slot zero is not as the master accepts it.
    pub fn start(&mut self, memory: &mut Memory) {
        assert_eq!(memory.load(0x000), 0x5643_4849, "magic");
        assert_eq!(memory.load(0x004) & 0xffff, 8, "version");
        assert_eq!(memory.load(0x008), 1288, "slot zero size");
        assert_eq!((memory.load(0x00c), memory.load(0x010), memory.load(0x014)), (4096, 128, 64));
        assert_eq!(memory.load(SLAVE + INITIALISED), 1, "slave initialised");
        let (first, last) = (memory.load(MASTER + SLOT_FIRST), memory.load(MASTER + SLOT_LAST));
        for (entry, slot) in (first..=last).enumerate() {
            memory.store(MASTER + SLOT_QUEUE + 4 * entry, slot);
        }
        self.available = last - first + 1;
        self.returned = 0;
        memory.store(MASTER + SLOT_QUEUE_RECYCLE, self.available);
        memory.store(MASTER + TX_POS, 0);
        memory.store(MASTER + DEBUG, 11);
        memory.store(memory.load(MASTER + SLOT_SYNC) as usize * SLOT as usize, 0);
        memory.store(MASTER + INITIALISED, 1);
        self.arm(memory);
        self.started = true;
        self.outgoing.push_back((msgid(CONNECT, 0, 0), Vec::new()));
    }

    /// As if `slots` more had gone by in both directions before, all of them returned. `slots` must be a multiple
    /// of 64, so that the queues stay where they are.
    pub fn skip(&mut self, memory: &mut Memory, slots: u32) {
        let bytes = slots.wrapping_mul(SLOT);
        self.tx = self.tx.wrapping_add(bytes);
        self.rx = self.rx.wrapping_add(bytes);
        self.available = self.available.wrapping_add(slots);
        for side in [MASTER, SLAVE] {
            memory.store(side + TX_POS, memory.load(side + TX_POS).wrapping_add(bytes));
            memory
                .store(side + SLOT_QUEUE_RECYCLE, memory.load(side + SLOT_QUEUE_RECYCLE).wrapping_add(slots));
        }
    }

    fn arm(&self, memory: &mut Memory) {
        memory.store(MASTER + TRIGGER + ARMED, 1);
        memory.store(MASTER + RECYCLE + ARMED, 1);
        memory.store(MASTER + SYNC_TRIGGER + ARMED, 1);
        memory.store(MASTER + SYNC_RELEASE + ARMED, 1);
    }

    /// Queues a message of any kind.
    pub fn queue(&mut self, kind: u32, source: u32, destination: u32, payload: &[u8]) {
        self.outgoing.push_back((msgid(kind, source, destination), payload.to_vec()));
    }

    /// Queues DATA from a service to its client.
    ///
    /// # Panics
    /// If the service is not open.
    pub fn queue_data(&mut self, fourcc: [u8; 4], payload: &[u8]) {
        let fourcc = u32::from_be_bytes(fourcc);
        let service = self.services.iter().find(|service| service.fourcc == fourcc).expect("service exists");
        let client = service.client.expect("service is open");
        let id = msgid(DATA, service.port, client);
        self.outgoing.push_back((id, payload.to_vec()));
    }

    /// Closes a service from the peer's side.
    ///
    /// # Panics
    /// If the service is not open.
    pub fn close_service(&mut self, fourcc: [u8; 4]) {
        let fourcc = u32::from_be_bytes(fourcc);
        let service =
            self.services.iter_mut().find(|service| service.fourcc == fourcc).expect("service exists");
        let client = service.client.take().expect("service is open");
        for (kind, actual) in service.bulks.abort() {
            self.outgoing.push_back((msgid(kind, service.port, client), actual.to_le_bytes().to_vec()));
        }
        let id = msgid(CLOSE, service.port, client);
        self.outgoing.push_back((id, Vec::new()));
    }

    /// Queues DATA from the service of that number to its client, if it has one.
    pub fn queue_from(&mut self, which: usize, payload: &[u8]) {
        if let Some(service) = self.services.get(which)
            && let Some(client) = service.client
        {
            let port = service.port;
            self.queue(DATA, port, client, payload);
        }
    }

    /// Closes the service of that number from the peer's side, if it is open.
    pub fn close_at(&mut self, which: usize) {
        if let Some(service) = self.services.get_mut(which)
            && let Some(client) = service.client.take()
        {
            let port = service.port;
            self.queue(CLOSE, port, client, &[]);
        }
    }

    /// Messages of one type, as received.
    pub fn received_of(&self, kind: u32) -> Vec<Record> {
        self.received.iter().filter(|record| record.msgid >> 24 == kind).cloned().collect()
    }

    /// Messages that wait for a free slot.
    pub fn unsent(&self) -> usize {
        self.outgoing.len()
    }

    /// Does everything that can be done; true if it rang the other side's doorbell.
    pub fn run(&mut self, memory: &mut Memory) -> bool {
        self.rang = false;
        if self.started && !self.stuck {
            memory.store(MASTER + TRIGGER + FIRED, 0);
            memory.store(MASTER + RECYCLE + FIRED, 0);
            self.take_slots_back(memory);
            self.read(memory);
            self.read_sync(memory);
            self.resolve_bulks(memory);
            if !self.paused {
                self.send(memory);
                self.send_sync(memory);
            }
        }
        self.rang
    }

    fn signal(&mut self, memory: &mut Memory, event: usize) {
        memory.store(SLAVE + event + FIRED, 1);
        self.rang |= memory.load(SLAVE + event + ARMED) != 0;
    }

    /// Walks the headers of each slot that came back, as the master does to credit its quotas.
    fn take_slots_back(&mut self, memory: &Memory) {
        let count = memory.load(MASTER + SLOT_QUEUE_RECYCLE);
        let range = memory.load(MASTER + SLOT_FIRST)..=memory.load(MASTER + SLOT_LAST);
        while self.available != count {
            let slot = memory.load(MASTER + SLOT_QUEUE + 4 * (self.available as usize % 64));
            assert!(range.contains(&slot), "slot {slot} returned to a side that has {range:?}");
            let mut offset = 0;
            while offset < SLOT {
                let at = (slot * SLOT + offset) as usize;
                self.claimed_when_returned += u32::from(memory.load(at) >> 24 == 0x45);
                offset += stride(memory.load(at + 4));
            }
            assert_eq!(offset, SLOT, "headers of slot {slot} end elsewhere");
            self.available = self.available.wrapping_add(1);
        }
    }

    fn read(&mut self, memory: &mut Memory) {
        let end = memory.load(SLAVE + TX_POS);
        while self.rx != end {
            let slot = memory.load(SLAVE + SLOT_QUEUE + 4 * ((self.rx / SLOT) as usize % 64));
            let range = memory.load(SLAVE + SLOT_FIRST)..=memory.load(SLAVE + SLOT_LAST);
            assert!(range.contains(&slot), "message in slot {slot}, slave has {range:?}");
            let at = (slot * SLOT + self.rx % SLOT) as usize;
            let (id, size) = (memory.load(at), memory.load(at + 4));
            assert!(self.rx % SLOT + stride(size) <= SLOT, "message passes its slot's end");
            let payload = memory.bytes(at + 8, size as usize);
            self.received.push(Record { msgid: id, payload: payload.clone(), position: self.rx });
            self.handle(id, &payload);
            self.rx = self.rx.wrapping_add(stride(size));
            if self.rx.is_multiple_of(SLOT) {
                if self.holds_slots {
                    self.held.push(slot);
                } else {
                    self.return_slot(memory, slot);
                }
            }
        }
    }

    /// Returns a slot of the other side's, whichever.
    pub fn return_slot(&mut self, memory: &mut Memory, slot: u32) {
        let count = memory.load(SLAVE + SLOT_QUEUE_RECYCLE);
        memory.store(SLAVE + SLOT_QUEUE + 4 * (count as usize % 64), slot);
        memory.store(SLAVE + SLOT_QUEUE_RECYCLE, count.wrapping_add(1));
        self.returned += 1;
        self.signal(memory, RECYCLE);
    }

    fn handle(&mut self, id: u32, payload: &[u8]) {
        let (kind, source, destination) = (id >> 24, id >> 12 & 0xfff, id & 0xfff);
        match kind {
            OPEN if self.ignores_open => {}
            OPEN => self.on_open(source, payload),
            CLOSE => self.on_close(source, destination),
            BULK_RX | BULK_TX => self.on_bulk(kind, source, destination, payload),
            // The answer to a pause of ours would be queued by the test itself.
            PAUSE if self.answers_pause => {
                self.queue(PAUSE, 0, 0, &[]);
                self.pausing = true;
            }
            RESUME => self.paused = false,
            DATA => self.on_data(source, destination, payload),
            _ => {}
        }
    }

    fn on_open(&mut self, client: u32, payload: &[u8]) {
        let word = |at: usize| u32::from_le_bytes(payload[at..at + 4].try_into().expect("four bytes"));
        let (fourcc, versions) = (word(0), word(8));
        let (version, version_min) = (versions as u16, (versions >> 16) as u16);
        let service =
            self.services.iter_mut().find(|service| service.fourcc == fourcc && service.client.is_none());
        let accepted = service
            .filter(|service| service.versions.0 >= version_min && version >= service.versions.1)
            .map(|service| {
                service.client = Some(client);
                (service.port, service.versions.0, service.synchronous)
            });
        match accepted {
            Some((port, version, true)) => {
                let id = msgid(OPENACK, port, client);
                self.sync_outgoing.push_back((id, version.to_le_bytes().to_vec()));
            }
            Some((port, version, false)) => self.queue(OPENACK, port, client, &version.to_le_bytes()),
            None => self.queue(CLOSE, 0, client, &[]),
        }
    }

    fn on_close(&mut self, source: u32, destination: u32) {
        if self.ignores_close {
            return;
        }
        let named = |service: &&mut FakeService| {
            service.client == Some(source) && (destination == 0 || service.port == destination)
        };
        if let Some(service) = self.services.iter_mut().find(named) {
            service.client = None;
            let port = service.port;
            for (kind, actual) in service.bulks.abort() {
                self.outgoing.push_back((msgid(kind, port, source), actual.to_le_bytes().to_vec()));
            }
            self.queue(CLOSE, port, source, &[]);
        }
    }

    fn on_data(&mut self, source: u32, destination: u32, payload: &[u8]) {
        let open = |service: &&mut FakeService| service.port == destination && service.client == Some(source);
        let Some(service) = self.services.iter_mut().find(open) else {
            return;
        };
        let answers = match &mut service.behaviour {
            Behaviour::Echo => vec![payload.to_vec()],
            Behaviour::Sink => Vec::new(),
            Behaviour::Script(script) => script(payload),
        };
        let synchronous = service.synchronous;
        for answer in answers {
            let id = msgid(DATA, destination, source);
            let queue = if synchronous { &mut self.sync_outgoing } else { &mut self.outgoing };
            queue.push_back((id, answer));
        }
    }

    fn on_bulk(&mut self, kind: u32, source: u32, destination: u32, payload: &[u8]) {
        let word = |at: usize| u32::from_le_bytes(payload[at..at + 4].try_into().expect("four bytes"));
        let open = |service: &&mut FakeService| service.port == destination && service.client == Some(source);
        let service = self.services.iter_mut().find(open).expect("bulk for an open service");
        service.bulks.ask(kind == BULK_RX, word(0), word(4));
    }

    /// Moves what both sides have asked for, and tells the other side.
    fn resolve_bulks(&mut self, memory: &mut Memory) {
        let Some(sdram) = self.sdram.clone() else { return };
        if self.paused {
            return;
        }
        for service in &mut self.services {
            let Some(client) = service.client else { continue };
            for (kind, actual) in service.bulks.resolve(memory, &mut sdram.borrow_mut()) {
                let id = msgid(kind, service.port, client);
                self.outgoing.push_back((id, actual.to_le_bytes().to_vec()));
            }
        }
    }

    /// Ends a bulk transfer as no master would: without one, or with a wrong size.
    pub fn queue_bulk_done(&mut self, receive: bool, source: u32, destination: u32, actual: u32) {
        let kind = if receive { BULK_RX_DONE } else { BULK_RX_DONE + 1 };
        self.queue(kind, source, destination, &actual.to_le_bytes());
    }

    /// The service of a name.
    ///
    /// # Panics
    /// If there is none.
    pub fn service(&mut self, fourcc: [u8; 4]) -> &mut FakeService {
        let fourcc = u32::from_be_bytes(fourcc);
        self.services.iter_mut().find(|service| service.fourcc == fourcc).expect("service exists")
    }

    /// Queues a message for the sync slot.
    pub fn queue_sync(&mut self, kind: u32, source: u32, destination: u32, payload: &[u8]) {
        self.sync_outgoing.push_back((msgid(kind, source, destination), payload.to_vec()));
    }

    fn read_sync(&mut self, memory: &mut Memory) {
        if memory.load(MASTER + SYNC_TRIGGER + FIRED) == 0 || self.ignores_sync {
            return;
        }
        memory.store(MASTER + SYNC_TRIGGER + FIRED, 0);
        let at = memory.load(SLAVE + SLOT_SYNC) as usize * SLOT as usize;
        let (id, size) = (memory.load(at), memory.load(at + 4));
        assert!(matches!(id >> 24, OPENACK | DATA), "message {id:#x} in the sync slot");
        let payload = memory.bytes(at + 8, size as usize);
        self.sync_received.push(Record { msgid: id, payload: payload.clone(), position: 0 });
        if id >> 24 == DATA {
            self.on_data(id >> 12 & 0xfff, id & 0xfff, &payload);
        }
        memory.store(at, 0);
        self.signal(memory, SYNC_RELEASE);
    }

    fn send_sync(&mut self, memory: &mut Memory) {
        let at = memory.load(MASTER + SLOT_SYNC) as usize * SLOT as usize;
        if memory.load(at) != 0 {
            return;
        }
        if let Some((id, payload)) = self.sync_outgoing.pop_front() {
            memory.store_bytes(at + 8, &payload);
            memory.store(at + 4, payload.len() as u32);
            memory.store(at, id);
            self.signal(memory, SYNC_TRIGGER);
        }
    }

    fn send(&mut self, memory: &mut Memory) {
        while let Some((id, payload)) = self.outgoing.front().cloned() {
            if !self.place(memory, id, &payload) {
                return;
            }
            self.outgoing.pop_front();
            if id == msgid(PAUSE, 0, 0) && self.pausing {
                self.pausing = false;
                self.paused = true;
                return;
            }
        }
    }

    /// False if no slot is free.
    fn place(&mut self, memory: &mut Memory, id: u32, payload: &[u8]) -> bool {
        let stride = stride(payload.len() as u32);
        let room = SLOT - self.tx % SLOT;
        if stride > room {
            self.store_header(memory, 0, room - 8);
            self.publish(memory, room);
        }
        if self.tx == self.available.wrapping_mul(SLOT) {
            return false;
        }
        let at = self.store_header(memory, id, payload.len() as u32);
        memory.store_bytes(at + 8, payload);
        self.publish(memory, stride);
        true
    }

    fn store_header(&self, memory: &mut Memory, id: u32, size: u32) -> usize {
        let slot = memory.load(MASTER + SLOT_QUEUE + 4 * ((self.tx / SLOT) as usize % 64));
        let at = (slot * SLOT + self.tx % SLOT) as usize;
        memory.store(at, id);
        memory.store(at + 4, size);
        at
    }

    fn publish(&mut self, memory: &mut Memory, bytes: u32) {
        self.tx = self.tx.wrapping_add(bytes);
        memory.store(MASTER + TX_POS, self.tx);
        self.signal(memory, TRIGGER);
    }
}
