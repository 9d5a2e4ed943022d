//! Bulk transfers (chapter 6).

use tests::{
    native::vchiq_tree,
    slave::{Rig, boot, boot_with, bytes_of, kind, msgid, open, read},
};
use vchiq_mbox::platform::Window;

use super::{ABORTED, Link, OURS, echo};

/// A pagelist of one page, and the message that asks for it.
fn ask_for_bulk(slave: &mut Link<'_>, remote: u32, kind: u32, memory: u32, bytes: u32) {
    let receives = u32::from(kind == kind::BULK_RX);
    let at = 0x43000 + 0x100 * receives;
    for (index, word) in [bytes, receives, memory].into_iter().enumerate() {
        slave.window().store(at as usize + 4 * index, word);
    }
    let address = slave.window().bus_address().0 + at;
    slave.send(msgid(kind, OURS, remote), &bytes_of(&[address, bytes]));
}

/// Asks the echo service for one block of so many bytes and back.
fn configure(slave: &mut Link<'_>, remote: u32, bytes: u32) {
    let config = [4, bytes, 1, 0, 1, 1, 0, 0, 0, 0];
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&config)), [0]);
}

#[test]
fn bulks_of_different_sizes_are_aborted() {
    for (offered, wanted) in [(256, 128), (128, 256)] {
        let Some(mut board) = boot("") else { return };
        let Rig { mut slave, lendable, .. } = Rig::new(&mut board);
        let remote = echo(&mut slave);
        configure(&mut slave, remote, offered);
        slave.expect_silence();
        let memory = lendable.bus_address().0;
        ask_for_bulk(&mut slave, remote, kind::BULK_TX, memory, offered);
        ask_for_bulk(&mut slave, remote, kind::BULK_RX, memory + 0x1000, wanted);
        assert_eq!(slave.expect(kind::BULK_TX_DONE).word(0), offered);
        assert_eq!(slave.expect(kind::BULK_RX_DONE).word(0), ABORTED);
    }
}

#[test]
fn fun2_sends_a_block_back() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, lendable, .. } = Rig::new(&mut board);
    slave.connect();
    let remote = slave.open(OURS, &open(b"fun2", 3, 3));
    let bytes: Vec<u8> = (0..64).map(|at| if at == 32 { 1 } else { at % 63 }).collect();
    for (at, word) in bytes.chunks_exact(4).enumerate() {
        lendable.store(4 * at, u32::from_le_bytes(word.try_into().expect("four bytes")));
    }
    slave.send(msgid(kind::DATA, OURS, remote), &bytes_of(&[64, 0, 0, 1]));
    let memory = lendable.bus_address().0;
    ask_for_bulk(&mut slave, remote, kind::BULK_RX, memory + 0x1000, 64);
    ask_for_bulk(&mut slave, remote, kind::BULK_TX, memory, 64);
    assert_eq!(slave.expect(kind::BULK_TX_DONE).word(0), 64);
    assert_eq!(slave.expect(kind::BULK_RX_DONE).word(0), 64);
    assert_eq!(read(lendable, 0x1000, 64), bytes);
}

#[test]
fn a_service_ends_its_bulks_before_it_closes() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, lendable, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    let memory = lendable.bus_address().0;
    for kind in [[kind::BULK_RX; 7].as_slice(), &[kind::BULK_TX]].concat() {
        ask_for_bulk(&mut slave, remote, kind, memory, 256);
    }
    slave.expect_silence();
    slave.send(msgid(kind::CLOSE, OURS, remote), &[]);
    for kind in [[kind::BULK_RX_DONE; 7].as_slice(), &[kind::BULK_TX_DONE]].concat() {
        assert_eq!(slave.expect(kind).word(0), ABORTED);
    }
    assert_eq!(slave.expect(kind::CLOSE).port(), remote);
}

#[test]
fn the_cache_line_follows_the_device_tree() {
    const WARNING: &str = "vchiq: Incorrect cache_line_size value - may cause data corruption";
    let trees = [(None, 32), (Some((0x3c, 64)), 64), (Some((0x3c, 32)), 64), (Some((0xf, 64)), 32)];
    for (tree, line) in trees {
        let Some(mut board) = boot_with("", |firmware| match tree {
            None => firmware.card(""),
            Some((registers, told)) => firmware.card_with_device_tree(vchiq_tree(registers, told)),
        }) else {
            return;
        };
        let Rig { mut slave, lendable, host, .. } = Rig::new(&mut board);
        let remote = echo(&mut slave);
        configure(&mut slave, remote, 100);
        slave.expect_silence();
        let memory = lendable.bus_address().0;
        (0..25).for_each(|index| lendable.store(4 * index, 0x0101_0101 * (index as u32 + 1)));
        ask_for_bulk(&mut slave, remote, kind::BULK_TX, memory, 100);
        // Kind 2 + 1, from 0x14 on.
        let list = bytes_of(&[100, 0x0014_0003, memory + 0x1000]);
        for (index, word) in list.chunks_exact(4).enumerate() {
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            slave.window().store(0x43100 + 4 * index, word);
        }
        let address = slave.window().bus_address().0 + 0x43100;
        slave.send(msgid(kind::BULK_RX, OURS, remote), &bytes_of(&[address, 100]));
        assert_eq!(slave.expect(kind::BULK_TX_DONE).word(0), 100);
        assert_eq!(slave.expect(kind::BULK_RX_DONE).word(0), 100);
        // Entry 1 is behind one of two lines.
        assert_eq!(slave.window().load(0x41000 + 2 * line), 0x0101_0101, "{tree:?}");
        let warned = host.firmware_log().iter().any(|text| text == WARNING);
        assert_eq!(warned, tree.is_some_and(|(registers, _)| registers == 0xf), "{tree:?}");
    }
}
