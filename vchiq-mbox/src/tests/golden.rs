//! Memory byte for byte, as in VCHIQ fact sheet 12.

use super::*;
use crate::testing::Memory;

/// Offset and byte; `None` where the sender does not write.
pub(super) fn rows(text: &str) -> Vec<(usize, Vec<Option<u8>>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (offset, bytes) = line.split_once(':').unwrap();
            let bytes = bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).ok());
            (usize::from_str_radix(offset, 16).unwrap(), bytes.collect())
        })
        .collect()
}

fn assert_rows(memory: &Memory, text: &str) {
    for (offset, expected) in rows(text) {
        let found = memory.bytes(offset, expected.len());
        let compared: Vec<_> = expected.iter().zip(found).map(|(byte, found)| byte.map(|_| found)).collect();
        assert_eq!(compared, expected, "at {offset:#x}");
    }
}

#[test]
fn slot_zero_is_laid_out_as_linux_does() {
    let (_link, board) = prepared();
    let mut expected = vec![0; 0x508];
    for (offset, bytes) in rows(include_str!("../../../tests/data/vchiq/slot_zero.hex")) {
        for (index, byte) in bytes.into_iter().enumerate() {
            expected[offset + index] = byte.unwrap();
        }
    }
    let found = board.memory().bytes(0, 0x508);
    for (offset, (found, expected)) in found.chunks(16).zip(expected.chunks(16)).enumerate() {
        assert_eq!(found, expected, "row {:#05x}", offset * 16);
    }
    assert_eq!(board.memory().load(0x21000), 0, "our sync slot is empty");
}

#[test]
fn slot_zero_after_both_connects_is_that_of_the_worked_example() {
    let (_link, board) = connected();
    board.run_peer();
    assert_rows(&board.memory(), include_str!("../../../tests/data/vchiq/slot_zero_connected.hex"));
}

#[test]
fn an_echo_session_leaves_the_bytes_of_the_worked_example() {
    let (mut link, board, service) = opened(Behaviour::Script(Box::new(|_| vec![vec![0]])));
    let words: [u32; 10] = [4, 0, 100, 1, 1, 1, 0, 0, 0, 0];
    let config: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    link.send(service, &[&config], soon(&link)).unwrap();
    let held = link.receive(service, soon(&link)).unwrap().hold();
    assert_eq!(board.memory().load(0x2018), 0x4504_b000, "claimed while held");
    link.release(held);
    link.close(service, soon(&link)).unwrap();

    assert_rows(&board.memory(), include_str!("../../../tests/data/vchiq/echo_session.hex"));
    let positions = link.positions();
    assert_eq!((positions.tx_pos, positions.rx_pos, positions.peer_tx_pos), (0x58, 0x30, 0x30));
    assert_eq!(link.version(), Some(8));
}

#[test]
fn a_message_that_does_not_fit_is_preceded_by_padding() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    let fill = 0xfd8 - 0x20 - 8;
    link.send(service, &[&pattern(fill)], soon(&link)).unwrap();
    assert_eq!(link.positions().tx_pos, 0xfd8);
    link.send(service, &[&pattern(40)], soon(&link)).unwrap();
    let memory = board.memory();
    assert_eq!((memory.load(0x22fd8), memory.load(0x22fdc)), (0, 0x20));
    assert_eq!((memory.load(0x23000), memory.load(0x23004)), (0x0500_004b, 40));
    drop(memory);
    assert_eq!(link.positions().tx_pos, 0x1030);
}

#[test]
fn the_first_slot_we_return_is_noted_where_the_protocol_says() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue_data(*b"echo", &pattern(4088));
    // CONNECT and OPENACK lie in slot 2; the message fills slot 3, after padding. Slot 2 goes back when it ends.
    let size = receive(&mut link, service).len();
    assert_eq!(size, 4088);
    let memory = board.memory();
    assert_eq!((memory.load(0x0e4), memory.load(0x0e8)), (2, 3));
    assert_eq!((memory.load(0x04c), memory.load(0x044)), (0x21, 1));
}

#[test]
fn the_peer_returns_slots_where_we_look_for_them() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    link.send(service, &[&pattern(4088)], soon(&link)).unwrap();
    board.run_peer();
    let words = [0x258, 0x25c, 0x1c0].map(|offset| board.memory().load(offset));
    assert_eq!(words, [34, 35, 0x21]);
    link.poll().unwrap();
    assert_eq!(link.positions().recycle, 0x21);
}
