//! The master's side of VCHIQ (VCHIQ fact sheet 2, 4, 5 and 6).

use std::collections::VecDeque;

use super::{
    behaviour::Behaviour,
    memory::Memory,
    services::{self, ECHO_PORT, SMEM_PORT, Smem, port_of, word},
};

/// Words of slot zero, by byte offset.
mod slot_zero {
    pub(super) const MASTER_INITIALISED: u32 = 0x20;
    pub(super) const MASTER_FIRST: u32 = 0x24;
    pub(super) const MASTER_LAST: u32 = 0x28;
    pub(super) const MASTER_TRIGGER_ARMED: u32 = 0x30;
    pub(super) const MASTER_TRIGGER_FIRED: u32 = 0x34;
    pub(super) const MASTER_TX_POS: u32 = 0x3c;
    pub(super) const MASTER_RECYCLE_ARMED: u32 = 0x40;
    pub(super) const MASTER_RECYCLE_FIRED: u32 = 0x44;
    pub(super) const MASTER_RECYCLE: u32 = 0x4c;
    pub(super) const MASTER_QUEUE: u32 = 0x68;
    pub(super) const MASTER_DEBUG: u32 = 0x168;
    pub(super) const SLAVE_TRIGGER_ARMED: u32 = 0x1a4;
    pub(super) const SLAVE_TRIGGER_FIRED: u32 = 0x1a8;
    pub(super) const SLAVE_TX_POS: u32 = 0x1b0;
    pub(super) const SLAVE_RECYCLE_ARMED: u32 = 0x1b4;
    pub(super) const SLAVE_RECYCLE_FIRED: u32 = 0x1b8;
    pub(super) const SLAVE_RECYCLE: u32 = 0x1c0;
    pub(super) const SLAVE_QUEUE: u32 = 0x1dc;
}
use slot_zero as at;

const SLOT: u32 = 4096;
const CONNECT: u32 = 1;
const OPEN: u32 = 2;
const OPENACK: u32 = 3;
const CLOSE: u32 = 4;
const DATA: u32 = 5;

/// A message not sent yet.
struct Outgoing {
    id: u32,
    payload: Vec<u8>,
    /// The size in the header, if it is to be a lie.
    size: Option<u32>,
}

/// VideoCore, once VCHIQ_INIT has told it where slot zero is.
pub(super) struct VideoCore {
    /// Bus address of slot zero.
    base: u32,
    tx: u32,
    rx: u32,
    outgoing: VecDeque<Outgoing>,
    /// Port of our client by port of ours.
    client: [Option<u32>; 128],
    broke_protocol: bool,
    /// OPENs received.
    opens: u32,
}

impl VideoCore {
    /// Takes slot zero up and sends CONNECT. `None` if the script says that nobody does.
    pub(super) fn start(base: u32, memory: &Memory, behaviour: &Behaviour) -> Option<Self> {
        if !behaviour.vchiq {
            return None;
        }
        assert_eq!(memory.load(base), 0x5643_4849, "magic of slot zero");
        let mut this = Self {
            base,
            tx: 0,
            rx: 0,
            outgoing: VecDeque::new(),
            client: [None; 128],
            broke_protocol: false,
            opens: 0,
        };
        let (first, last) = (this.load(memory, at::MASTER_FIRST), this.load(memory, at::MASTER_LAST));
        for (entry, slot) in (first..=last).enumerate() {
            this.store(memory, at::MASTER_QUEUE + 4 * entry as u32, slot);
        }
        this.store(memory, at::MASTER_RECYCLE, last - first + 1);
        this.store(memory, at::MASTER_DEBUG, 11);
        this.store(memory, at::MASTER_INITIALISED, 1);
        this.store(memory, at::MASTER_TRIGGER_ARMED, 1);
        this.store(memory, at::MASTER_RECYCLE_ARMED, 1);
        if behaviour.connect {
            this.queue(CONNECT << 24, Vec::new());
        }
        Some(this)
    }

    fn load(&self, memory: &Memory, offset: u32) -> u32 {
        memory.load(self.base + offset)
    }

    fn store(&self, memory: &Memory, offset: u32, value: u32) {
        memory.store(self.base + offset, value);
    }

    fn queue(&mut self, id: u32, payload: Vec<u8>) {
        self.outgoing.push_back(Outgoing { id, payload, size: None });
    }

    /// Reads what the Arm has published, answers it. True if BELL0 is to ring.
    pub(super) fn work(&mut self, memory: &Memory, behaviour: &Behaviour, smem: &mut Smem) -> bool {
        self.store(memory, at::MASTER_TRIGGER_FIRED, 0);
        self.store(memory, at::MASTER_RECYCLE_FIRED, 0);
        let mut ring = false;
        let end = self.load(memory, at::SLAVE_TX_POS);
        while self.rx != end {
            ring |= self.read_one(memory, behaviour, smem);
        }
        ring |= self.send_queued(memory);
        ring
    }

    /// Reads one message. True if a slot was returned to somebody who waits for it.
    fn read_one(&mut self, memory: &Memory, behaviour: &Behaviour, smem: &mut Smem) -> bool {
        let slot = self.load(memory, at::SLAVE_QUEUE + 4 * ((self.rx / SLOT) & 63));
        let header = self.base + slot * SLOT + self.rx % SLOT;
        let (id, size) = (memory.load(header), memory.load(header + 4));
        let payload = memory.read_bytes(header + 8, size as usize);
        self.rx = self.rx.wrapping_add((size + 15) & !7);
        self.dispatch(id, &payload, memory, behaviour, smem);
        if !self.rx.is_multiple_of(SLOT) {
            return false;
        }
        let returned = self.load(memory, at::SLAVE_RECYCLE);
        self.store(memory, at::SLAVE_QUEUE + 4 * (returned & 63), slot);
        self.store(memory, at::SLAVE_RECYCLE, returned + 1);
        self.store(memory, at::SLAVE_RECYCLE_FIRED, 1);
        self.load(memory, at::SLAVE_RECYCLE_ARMED) != 0
    }

    fn dispatch(&mut self, id: u32, payload: &[u8], memory: &Memory, behaviour: &Behaviour, smem: &mut Smem) {
        let (kind, source, port) = (id >> 24, (id >> 12) & 0xfff, id & 0xfff);
        match kind {
            OPEN => self.open(source, payload, behaviour),
            CLOSE => {
                self.client[port as usize & 127] = None;
                self.queue(CLOSE << 24 | port << 12 | source, Vec::new());
            }
            DATA if self.client[port as usize & 127] == Some(source) => {
                let answers = match port {
                    ECHO_PORT => Vec::from_iter(services::echo(payload, behaviour)),
                    SMEM_PORT => smem.answer(payload, behaviour, memory),
                    _ => Vec::new(),
                };
                for answer in answers {
                    self.queue(DATA << 24 | port << 12 | source, answer);
                }
                if behaviour.breaks_protocol
                    && let Some(last) = self.outgoing.back_mut()
                    && !self.broke_protocol
                {
                    last.size = Some(8000);
                    self.broke_protocol = true;
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, client: u32, payload: &[u8], behaviour: &Behaviour) {
        self.opens += 1;
        let taken = port_of(word(payload, 0), behaviour).filter(|_| self.opens > behaviour.early_refusals);
        let Some((port, version)) = taken else {
            self.queue(CLOSE << 24 | client, Vec::new());
            return;
        };
        self.client[port as usize] = Some(client);
        self.queue(OPENACK << 24 | port << 12 | client, version.to_le_bytes().to_vec());
    }

    /// Sends what is queued as far as slots allow. True if BELL0 is to ring.
    fn send_queued(&mut self, memory: &Memory) -> bool {
        let before = self.tx;
        while let Some(message) = self.outgoing.front() {
            let stride = (message.payload.len() as u32 + 15) & !7;
            if !self.make_room(memory, stride) {
                break;
            }
            let Some(message) = self.outgoing.pop_front() else { break };
            let header = self.header(memory);
            memory.write_bytes(header + 8, &message.payload);
            memory.store(header + 4, message.size.unwrap_or(message.payload.len() as u32));
            memory.store(header, message.id);
            self.tx = self.tx.wrapping_add(stride);
        }
        if self.tx == before {
            return false;
        }
        self.store(memory, at::MASTER_TX_POS, self.tx);
        self.store(memory, at::SLAVE_TRIGGER_FIRED, 1);
        self.load(memory, at::SLAVE_TRIGGER_ARMED) != 0
    }

    /// Address of the header at our transmit position.
    fn header(&self, memory: &Memory) -> u32 {
        let slot = self.load(memory, at::MASTER_QUEUE + 4 * ((self.tx / SLOT) & 63));
        self.base + slot * SLOT + self.tx % SLOT
    }

    /// Pads to the next slot if the message does not fit, and makes sure that there is one.
    fn make_room(&mut self, memory: &Memory, stride: u32) -> bool {
        let used = self.tx % SLOT;
        if used != 0 && stride > SLOT - used {
            let header = self.header(memory);
            memory.store(header + 4, SLOT - used - 8);
            memory.store(header, 0);
            self.tx = self.tx.wrapping_add(SLOT - used);
        }
        !self.tx.is_multiple_of(SLOT) || self.tx / SLOT != self.load(memory, at::MASTER_RECYCLE)
    }
}
