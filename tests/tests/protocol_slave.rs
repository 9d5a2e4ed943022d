//! A slave written from `docs/protocol` alone talks to the real firmware, and both leave the bytes of the chapters'
//! examples behind.
//!
//! Needs the release that the chapters describe in `FIRMWARE_DIR`; passed over with a line that says so otherwise.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use tests::{
    examples::{Example, SHOWN_BY_FIRMWARE, examples},
    native::{NativeLendable, NativeWindow, vchiq_tree},
    slave::{Rig, Slave, VCHIQ_INIT, boot, boot_with, bytes_of, kind, lay_out, msgid, open, read},
};
use vchiq_mbox::platform::{Platform, Window};

/// The port of our client.
const OURS: u32 = 0;
const CONFIG: [u32; 10] = [4, 0, 100, 1, 1, 1, 0, 0, 0, 0];

/// The examples, and which of them have been compared.
struct Pages {
    examples: BTreeMap<String, Example>,
    compared: RefCell<Vec<String>>,
}

impl Pages {
    fn read() -> Self {
        Self { examples: examples(), compared: RefCell::default() }
    }

    fn example(&self, name: &str) -> &Example {
        self.compared.borrow_mut().push(name.to_owned());
        self.examples.get(name).unwrap_or_else(|| panic!("no block is called {name}"))
    }

    fn compare(&self, name: &str, window: &impl Window) {
        self.example(name).assert_matches(name, |offset, length| read(window, offset, length));
    }

    fn compare_payload(&self, name: &str, payload: &[u8]) {
        self.example(name).assert_is(name, payload);
    }

    /// Sends the example's payload as DATA, and compares the answer with another one.
    fn exchange<W: Window, P: Platform>(
        &self,
        slave: &mut Slave<'_, W, P>,
        remote: u32,
        request: &str,
        answer: &str,
    ) {
        let payload = self.example(request).payload();
        let found = slave.ask(OURS, remote, &payload);
        self.compare_payload(answer, &found);
    }
}

/// All tests of one kind in one, so that the names compared can be counted.
#[test]
fn a_slave_written_from_the_chapters_talks_to_the_firmware() {
    let pages = Pages::read();
    let Some(()) = starting_and_echo(&pages) else { return };
    padding(&pages);
    returning(&pages);
    shared_memory(&pages);
    commands(&pages);
    bulks(&pages);
    let mut compared = pages.compared.into_inner();
    compared.sort();
    compared.dedup();
    assert_eq!(compared, SHOWN_BY_FIRMWARE);
}

fn starting_and_echo(pages: &Pages) -> Option<()> {
    let mut board = boot("")?;
    {
        use harness::{Board, Parts};
        let Parts { slots, .. } = board.parts();
        lay_out(slots);
        pages.compare("slot-zero", slots);
        // Nothing else is there.
        let listed: usize = pages.example("slot-zero").rows.iter().map(|row| count(&row.bytes)).sum();
        let found = read(slots, 0, 0x508).into_iter().filter(|byte| *byte != 0).count();
        assert_eq!(found, listed, "bytes of slot zero that are not 0");
    }
    let Rig { mut slave, buffer, .. } = Rig::new(&mut board);
    pages.compare("init-reply", buffer);
    let request: Vec<u8> = pages.example("init-request").payload();
    assert_eq!(request[8..16], bytes_of(&[VCHIQ_INIT, 4]));
    assert_eq!(request[20..24], bytes_of(&[slave.window().bus_address().0]));

    slave.connect();
    assert_eq!(slave.next(Duration::from_millis(5)), None);
    pages.compare("connected", slave.window());
    pages.compare("events-idle", slave.window());

    let remote = slave.open(OURS, &open(b"echo", 3, 3));
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&CONFIG)), [0]);
    slave.close(OURS, remote);
    pages.compare("echo-session", slave.window());

    slave.send(msgid(kind::OPEN, 2, 0), &open(b"none", 3, 3));
    let refusal = slave.expect(kind::CLOSE);
    pages.compare_payload("open-refused", &bytes_of(&[refusal.msgid, 0]));
    Some(())
}

fn count(bytes: &[Option<u8>]) -> usize {
    bytes.iter().filter(|byte| byte.is_some_and(|byte| byte != 0)).count()
}

fn padding(pages: &Pages) {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    slave.connect();
    let remote = slave.open(OURS, &open(b"echo", 3, 3));
    let mut oneway = bytes_of(&[1]);
    oneway.resize(0xfd8 - 0x20 - 8, 0);
    slave.send(msgid(kind::DATA, OURS, remote), &oneway);
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&CONFIG)), [0]);
    // It still holds the request when it answers.
    slave.expect_silence();
    pages.compare("padding", slave.window());
}

fn returning(pages: &Pages) {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    slave.connect();
    let remote = slave.open(OURS, &open(b"echo", 3, 3));
    let mut echo = bytes_of(&[5]);
    echo.resize(4080, 0);
    // It does not fit behind CONNECT and OPENACK: slot 2 is padded, read to its end, and returned.
    assert_eq!(slave.ask(OURS, remote, &echo), echo);
    pages.compare("slot-returned", slave.window());
    // The whole queue, more than once.
    for _ in 0..200 {
        assert_eq!(slave.ask(OURS, remote, &echo), echo);
    }
}

fn shared_memory(pages: &Pages) {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, mut property, buffer, .. } = Rig::new(&mut board);
    slave.connect();
    let remote = slave.open(OURS, &open(b"SMEM", 1, 0));
    pages.exchange(&mut slave, remote, "smem-client-version", "smem-version-ack");
    pages.exchange(&mut slave, remote, "smem-import", "smem-import-result");
    let lock = property.ask(slave.board(), 0x0003_000d, &[0xc000_0002], 1);
    pages.compare("lock-reply", buffer);
    assert_eq!(lock.map(|answer| answer.words), Some(vec![0xc408_2000]));
    assert_eq!(property.ask(slave.board(), 0x0003_000e, &[0xc000_0002], 1).map(|a| a.words), Some(vec![0]));
    pages.exchange(&mut slave, remote, "smem-free", "smem-released");
    pages.exchange(&mut slave, remote, "smem-alloc", "smem-alloc-result");
    pages.exchange(&mut slave, remote, "smem-lock", "smem-lock-result");
    pages.exchange(&mut slave, remote, "smem-unlock", "smem-unlock-result");
    let free = bytes_of(&[4, 7, 5, 0]);
    slave.send(msgid(kind::DATA, OURS, remote), &free);
    slave.expect_silence();
    slave.close(OURS, remote);
}

fn commands(pages: &Pages) {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, mut property, buffer, .. } = Rig::new(&mut board);
    let request = pages.example("gencmd-mailbox-request").payload();
    assert_eq!(request[..20], bytes_of(&[24 + 1024, 0, 0x0003_0080, 1024, 0]));
    let mut value = request[20..].to_vec();
    value.resize(1024, 0);
    let words: Vec<u32> =
        value.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
    property.ask(slave.board(), 0x0003_0080, &words, 256).expect("the tag is known");
    pages.compare("gencmd-mailbox-answer", buffer);

    slave.connect();
    let remote = slave.open(OURS, &open(b"GCMD", 1, 1));
    pages.exchange(&mut slave, remote, "gencmd-request", "gencmd-answer");
    pages.compare_payload("gencmd-unknown", &slave.ask(OURS, remote, b"fly\0"));
    slave.close(OURS, remote);
}

/// Where the pagelists and the fragments pool lie, from slot zero on.
const LISTS: [usize; 2] = [0x43000, 0x43100];
const POOL: usize = 0x41000;
/// Where the received block lies in the memory to lend.
const RECEIVED: usize = 0x4014;
const BLOCK: u32 = 100;

fn bulks(pages: &Pages) {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, lendable, .. } = Rig::new(&mut board);
    transfer(pages, &mut slave, lendable);
    pages.compare("bulk-session", slave.window());
    pages.compare("fragment-32", slave.window());
    let middle: Vec<u8> = (12..76).collect();
    assert_eq!(read(lendable, RECEIVED + 12, 64), middle, "whole lines of 32 bytes");

    let Some(mut board) = boot_with("", |firmware| firmware.card_with_device_tree(vchiq_tree(0x3c, 64)))
    else {
        return;
    };
    let Rig { mut slave, lendable, .. } = Rig::new(&mut board);
    transfer(pages, &mut slave, lendable);
    pages.compare("fragment-64", slave.window());
    assert_eq!(read(lendable, RECEIVED, 100), [0; 100], "no whole line of 64 bytes");
}

/// A block to the echo service and back.
fn transfer<P: Platform>(pages: &Pages, slave: &mut Slave<'_, NativeWindow, P>, lendable: &NativeLendable) {
    slave.connect();
    let remote = slave.open(OURS, &open(b"echo", 3, 3));
    let config = [4, BLOCK, 1, 0, 1, 1, 0, 0, 0, 0];
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&config)), [0]);

    for index in 0..BLOCK / 4 {
        let first = 4 * index as u8;
        let word = u32::from_le_bytes([first, first + 1, first + 2, first + 3]);
        lendable.store(4 * index as usize, word);
    }
    (0..0x400).for_each(|index| slave.window().store(POOL + 4 * index, u32::MAX));
    // The server answers CONFIG before it asks for its own half.
    slave.expect_silence();
    let requests = [("pagelist-transmit", kind::BULK_TX), ("pagelist-receive", kind::BULK_RX)];
    for ((name, kind), at) in requests.into_iter().zip(LISTS) {
        let list = pages.example(name).payload();
        for (index, word) in list.chunks_exact(4).enumerate() {
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            slave.window().store(at + 4 * index, word);
        }
        let address = slave.window().bus_address().0 + at as u32;
        slave.send(msgid(kind, OURS, remote), &bytes_of(&[address, BLOCK]));
    }
    assert_eq!(slave.expect(kind::BULK_TX_DONE).word(0), BLOCK);
    assert_eq!(slave.expect(kind::BULK_RX_DONE).word(0), BLOCK);
}
