//! The worked examples of `docs/protocol` are what our drivers encode. Needs no firmware.
//!
//! What a session with the firmware shows is compared in `protocol_slave.rs`; here every block is either made by the
//! drivers or known to be shown there, so that no block goes unchecked.

use std::{cell::Cell, collections::BTreeSet};

use tests::examples::{SHOWN_BY_FIRMWARE, examples};
use vchiq_mbox::{
    Deadline, FourCc, Mailbox, Vchiq,
    platform::{BusAddress, Clock, MailboxRegisters, Moment, Platform, Window},
    property::VchiqInit,
    wire::{
        BulkPayload, MessageId, MessageType, OpenAckPayload, OpenPayload, PageList, PageListFormat,
        PageListKind, Port, Side, field, stride,
    },
};
use vcsm::wire::{
    Alloc, AllocResult, CacheType, ClientVersion, Import, ImportResult, LockResult, MessageType as SmemType,
    OnHandle, Released, RequestHeader, StatusResult, VcMemRequestReply, VersionAck, padded_name,
};
use zerocopy::IntoBytes;

/// Where the chapters have slot zero, and the property buffer.
const SLOT_ZERO: u32 = 0xc400_0000;
const PROPERTY: u32 = 0xc408_0000;
/// Slots, fragments, pagelists.
const WINDOW_BYTES: usize = 0x45000;
/// The chapters' ports: ours, and the firmware's `echo`.
const OURS: u16 = 0;
const ECHO: u16 = 74;

struct Ram {
    bus: u32,
    words: Vec<Cell<u32>>,
}

impl Ram {
    fn new(bus: u32, bytes: usize) -> Self {
        Self { bus, words: vec![Cell::new(0); bytes / 4] }
    }

    fn bytes(&self, offset: usize, length: usize) -> Vec<u8> {
        (offset..offset + length).map(|at| self.load(at & !3).to_le_bytes()[at & 3]).collect()
    }

    fn put(&self, at: usize, bytes: &[u8]) {
        for (index, chunk) in bytes.chunks(4).enumerate() {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.store(at + 4 * index, u32::from_le_bytes(word));
        }
    }

    /// A message; gives where the next one goes.
    fn message(&self, at: usize, id: MessageId, payload: &[u8]) -> usize {
        self.store(at, id.0);
        self.store(at + 4, payload.len() as u32);
        self.put(at + 8, payload);
        at + stride(payload.len())
    }
}

impl Window for Ram {
    fn len(&self) -> usize {
        4 * self.words.len()
    }
    fn bus_address(&self) -> BusAddress {
        BusAddress(self.bus)
    }
    fn load(&self, offset: usize) -> u32 {
        self.words[offset / 4].get()
    }
    fn store(&self, offset: usize, value: u32) {
        self.words[offset / 4].set(value);
    }
}

/// A board on which nobody answers.
#[derive(Default)]
struct Silence {
    ticks: Cell<u64>,
}

impl Clock for Silence {
    fn ticks(&self) -> u64 {
        self.ticks.set(self.ticks.get() + 1);
        self.ticks.get()
    }
    fn tick_rate(&self) -> u32 {
        1000
    }
    fn cycles(&self) -> u64 {
        0
    }
}

impl Platform for Silence {
    fn write_barrier(&self) {}
    fn read_barrier(&self) {}
    fn full_barrier(&self) {}
    fn ring_doorbell(&mut self) {}
    fn wait_for_doorbell(&mut self, _: u64) {}
    fn take_doorbell_stamp(&mut self) -> Option<Moment> {
        None
    }
}

impl MailboxRegisters for Silence {
    fn can_read(&self) -> bool {
        false
    }
    fn read(&mut self) -> u32 {
        0
    }
    fn can_write(&self) -> bool {
        true
    }
    fn write(&mut self, _: u32) {}
}

fn id(kind: MessageType, from: u16, to: u16) -> MessageId {
    let port = |number| Port::new(number).expect("a port");
    MessageId::new(kind, port(from), port(to))
}

/// What the drivers encode, and the names of the blocks that it has been compared with.
struct Encoded {
    examples: std::collections::BTreeMap<String, tests::examples::Example>,
    compared: BTreeSet<String>,
}

impl Encoded {
    fn window(&mut self, name: &str, ram: &Ram) {
        self.compared.insert(name.to_owned());
        let example = self.examples.get(name).unwrap_or_else(|| panic!("no block is called {name}"));
        example.assert_matches(name, |offset, length| ram.bytes(offset, length));
    }

    fn payload(&mut self, name: &str, payload: &[u8]) {
        self.compared.insert(name.to_owned());
        let example = self.examples.get(name).unwrap_or_else(|| panic!("no block is called {name}"));
        example.assert_is(name, payload);
    }
}

#[test]
fn every_example_is_what_the_drivers_encode_or_the_firmware_shows() {
    let mut encoded = Encoded { examples: examples(), compared: BTreeSet::new() };
    properties(&mut encoded);
    slots(&mut encoded);
    services(&mut encoded);
    bulks(&mut encoded);
    shared_memory(&mut encoded);
    heap_blocks(&mut encoded);
    commands(&mut encoded);
    for name in encoded.examples.keys() {
        let checked = encoded.compared.contains(name) || SHOWN_BY_FIRMWARE.contains(&name.as_str());
        assert!(checked, "nothing checks the block {name}");
    }
    for name in SHOWN_BY_FIRMWARE {
        assert!(encoded.examples.contains_key(*name), "no block is called {name}");
    }
}

fn properties(encoded: &mut Encoded) {
    let (buffer, board) = (Ram::new(PROPERTY, 4096), Silence::default());
    let deadline = Deadline::at(10);
    let mut mailbox = Mailbox::new(Silence::default(), &buffer).expect("a buffer");
    mailbox.call::<VchiqInit>(&board, BusAddress(SLOT_ZERO), deadline).expect_err("nobody answers");
    encoded.window("init-request", &buffer);

    let (buffer, board) = (Ram::new(PROPERTY, 4096), Silence::default());
    let mut mailbox = Mailbox::new(Silence::default(), &buffer).expect("a buffer");
    let mut text = [0; 1024];
    mailbox.gencmd(&board, "measure_clock arm", &mut text, deadline).expect_err("nobody answers");
    encoded.window("gencmd-mailbox-request", &buffer);
}

fn slots(encoded: &mut Encoded) {
    let ram = Ram::new(SLOT_ZERO, WINDOW_BYTES);
    // Rubbish is overwritten.
    (0..0x508).step_by(4).for_each(|offset| ram.store(offset, u32::MAX));
    Vchiq::prepare(Silence::default(), &ram).expect("a window");
    encoded.window("slot-zero", &ram);

    let ram = Ram::new(SLOT_ZERO, WINDOW_BYTES);
    let (at, config) = (0x22fd8, [0; 40]);
    let room = 0x23000 - at;
    assert!(stride(config.len()) > room, "it does not fit");
    ram.store(at, id(MessageType::Padding, 0, 0).0);
    ram.store(at + 4, room as u32 - 8);
    let end = ram.message(0x23000, id(MessageType::Data, OURS, ECHO), &config);
    ram.store(field::tx_pos(Side::Slave), (end - 0x22000) as u32);
    encoded.window("padding", &ram);

    let ram = Ram::new(SLOT_ZERO, WINDOW_BYTES);
    ram.store(field::slot_queue(Side::Master, 31), 2);
    ram.store(field::slot_queue_recycle(Side::Master), 32);
    encoded.window("slot-returned", &ram);
}

fn services(encoded: &mut Encoded) {
    use MessageType::{Close, Connect, Data, Open, OpenAck, Pause, Resume};
    let ram = Ram::new(SLOT_ZERO, WINDOW_BYTES);
    let config: [u32; 10] = [4, 0, 100, 1, 1, 1, 0, 0, 0, 0];
    let open = OpenPayload::new(FourCc::new(*b"echo"), 0, 3, 3);
    let at = ram.message(0x22000, id(Connect, 0, 0), &[]);
    let at = ram.message(at, id(Open, OURS, 0), open.as_bytes());
    let at = ram.message(at, id(Data, OURS, ECHO), config.as_bytes());
    let end = ram.message(at, id(Close, OURS, ECHO), &[]);
    ram.store(field::tx_pos(Side::Slave), end as u32 - 0x22000);
    let ack = OpenAckPayload { version: 3.into() };
    let at = ram.message(0x2000, id(Connect, 0, 0), &[]);
    let at = ram.message(at, id(OpenAck, ECHO, OURS), ack.as_bytes());
    let at = ram.message(at, id(Data, ECHO, OURS), &[0]);
    let end = ram.message(at, id(Close, ECHO, OURS), &[]);
    ram.store(field::tx_pos(Side::Master), end as u32 - 0x2000);
    ram.store(field::slot_queue_recycle(Side::Slave), 31);
    ram.store(field::slot_queue_recycle(Side::Master), 31);
    encoded.window("echo-session", &ram);

    let ram = Ram::new(SLOT_ZERO, WINDOW_BYTES);
    ram.message(0, id(Close, 0, 2), &[]);
    encoded.window("open-refused", &ram);
    let at = ram.message(0, id(Pause, 0, 0), &[]);
    ram.message(at, id(Resume, 0, 0), &[]);
    encoded.window("pause", &ram);
    ram.message(0x1000, id(Data, ECHO, OURS), b"one");
    encoded.window("sync-message", &ram);
    ram.store(0x1000, 0);
    encoded.window("sync-released", &ram);
}

fn list(kind: PageListKind, format: PageListFormat, address: u32, length: u32) -> Vec<u8> {
    let page = |number: u32| u64::from((address & !0xfff) + 4096 * number);
    let list = PageList::new(kind, format, (address & 0xfff) as u16, length, page).expect("a list");
    list.words().iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn bulks(encoded: &mut Encoded) {
    use PageListFormat::{Classic, Wide};
    use PageListKind::{ReadWithFragment, Write};
    encoded.payload("pagelist-transmit", &list(Write, Classic, 0x0408_1000, 100));
    encoded.payload("pagelist-receive", &list(ReadWithFragment(1), Classic, 0x0408_5014, 100));
    encoded.payload("pagelist-classic", &list(Write, Classic, 0x0408_1000, 8232));
    encoded.payload("pagelist-wide", &list(Write, Wide, 0x0408_1000, 8232));

    let ram = Ram::new(SLOT_ZERO, WINDOW_BYTES);
    let bulk = |pagelist: u32| BulkPayload { pagelist: pagelist.into(), size: 100.into() };
    let at = ram.message(0x22050, id(MessageType::BulkTx, OURS, ECHO), bulk(0xc404_3000).as_bytes());
    ram.message(at, id(MessageType::BulkRx, OURS, ECHO), bulk(0xc404_3100).as_bytes());
    let at = ram.message(0x2028, id(MessageType::BulkTxDone, ECHO, OURS), 100_u32.as_bytes());
    ram.message(at, id(MessageType::BulkRxDone, ECHO, OURS), 100_u32.as_bytes());
    encoded.window("bulk-session", &ram);
}

const HANDLE: u32 = 0xc000_0002;

fn shared_memory(encoded: &mut Encoded) {
    let header = RequestHeader::new;
    let version = ClientVersion { header: header(SmemType::ClientVersion, 1), version: 2.into() };
    encoded.payload("smem-client-version", version.as_bytes());
    let ack = VersionAck {
        command: SmemType::ClientVersion.unsolicited().into(),
        transaction: 1.into(),
        version: 2.into(),
    };
    encoded.payload("smem-version-ack", ack.as_bytes());
    let import = Import {
        header: header(SmemType::Import, 2),
        cache_type: (CacheType::NonCached as u32).into(),
        address: 0xc408_2000.into(),
        size: 65536.into(),
        kernel_id: 1.into(),
        allocator: 1.into(),
        name: padded_name("example"),
    };
    encoded.payload("smem-import", import.as_bytes());
    let result = ImportResult { transaction: 2.into(), handle: HANDLE.into() };
    encoded.payload("smem-import-result", result.as_bytes());
    let free = OnHandle { header: header(SmemType::Free, 3), handle: HANDLE.into(), memory: 0.into() };
    encoded.payload("smem-free", free.as_bytes());
    let released = Released {
        command: SmemType::Released.unsolicited().into(),
        address: 0xc408_2000.into(),
        size: 65536.into(),
        kernel_id: 1.into(),
        handle: HANDLE.into(),
    };
    encoded.payload("smem-released", released.as_bytes());
    let refusal = VcMemRequestReply {
        header: header(SmemType::VcMemRequestReply, 7),
        request: 0x77.into(),
        address: 0.into(),
        kernel_id: 0.into(),
    };
    encoded.payload("smem-no-memory", refusal.as_bytes());
}

fn heap_blocks(encoded: &mut Encoded) {
    const BLOCK: u32 = 5;
    let header = RequestHeader::new;
    let alloc = Alloc {
        header: header(SmemType::Alloc, 4),
        cache_type: (CacheType::NonCached as u32).into(),
        unit: 4096.into(),
        count: 2.into(),
        alignment: 4096.into(),
        allocator: 1.into(),
        name: padded_name("example"),
    };
    encoded.payload("smem-alloc", alloc.as_bytes());
    let result = AllocResult {
        transaction: 4.into(),
        handle: BLOCK.into(),
        memory: 0.into(),
        unit: 4096.into(),
        count: 2.into(),
    };
    encoded.payload("smem-alloc-result", result.as_bytes());
    let on_block = |kind, transaction| OnHandle {
        header: header(kind, transaction),
        handle: BLOCK.into(),
        memory: 0.into(),
    };
    encoded.payload("smem-lock", on_block(SmemType::Lock, 5).as_bytes());
    let locked =
        LockResult { transaction: 5.into(), handle: BLOCK.into(), memory: 0.into(), old_memory: 0.into() };
    encoded.payload("smem-lock-result", locked.as_bytes());
    encoded.payload("smem-unlock", on_block(SmemType::Unlock, 6).as_bytes());
    let unlocked = StatusResult { transaction: 6.into(), status: 0.into() };
    encoded.payload("smem-unlock-result", unlocked.as_bytes());
}

fn commands(encoded: &mut Encoded) {
    encoded.payload("gencmd-request", b"measure_clock arm\0");
    encoded.payload("gencmd-answer", b"\0\0\0\0frequency(48)=1200000000\0");
    encoded.payload("gencmd-unknown", b"\xff\xff\xff\xfferror=1 error_msg=\"Command not registered\"\0");
}
