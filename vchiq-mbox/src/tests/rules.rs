//! What VCHIQ fact sheet 11 lists for a harness, where no other file has it: holds, stalls, wraps, races.

use proptest::prelude::*;

use super::*;
use crate::{
    HeldMessage,
    error::{Exhausted, Misuse},
};

const OPEN: u32 = 2;
const CLOSE: u32 = 4;
const DATA: u32 = 5;
/// One message a slot, with no room left.
const WHOLE_SLOT: usize = 4088;
const SLOTS: usize = 31;

/// A message that tells its number and fills a slot.
fn numbered(number: usize) -> Vec<u8> {
    let mut payload = pattern(WHOLE_SLOT);
    payload[..4].copy_from_slice(&(number as u32).to_le_bytes());
    payload
}

fn hold_next(link: &mut Link, service: ServiceHandle) -> HeldMessage {
    let deadline = soon(link);
    link.receive(service, deadline).unwrap().hold()
}

/// Holds up to 20 messages, a slot each, and lets go of them in the order that `choices` tell.
fn hold_and_release(choices: &[usize]) {
    let (mut link, board, service) = opened(Behaviour::Sink);
    let mut held: Vec<(usize, HeldMessage)> = Vec::new();
    let mut returned: Vec<u32> = Vec::new();
    for (number, choice) in choices.iter().enumerate() {
        board.peer().queue_data(*b"echo", &numbered(number));
        held.push((number, hold_next(&mut link, service)));
        if held.len() == 20 || choice % 3 == 0 {
            let (number, message) = held.swap_remove(choice % held.len());
            let mut copy = [0; 4096];
            assert_eq!(
                link.copy_held(&message, &mut copy).unwrap(),
                numbered(number),
                "untouched while held"
            );
            returned.push(message.info().slot.number().into());
            link.release(message);
        }
    }
    // Each slot stands in the peer's queue in the order of release; slot 2, which holds CONNECT, came first.
    let memory = board.memory();
    for (index, slot) in returned.iter().enumerate().rev().take(64) {
        assert_eq!(memory.load(0x068 + 4 * ((SLOTS + 1 + index) % 64)), *slot, "entry {index}");
    }
    drop(memory);
    for (_, message) in held {
        link.release(message);
    }
    board.run_peer();
    assert_eq!(link.positions().slots_held, 0, "the last message ended at a slot's end");
    assert_eq!(board.peer().claimed_when_returned, 0);
    assert_eq!(link.counters().received, link.counters().released);
}

#[test]
fn held_messages_are_released_newest_first_while_the_queue_goes_round_three_times() {
    hold_and_release(&(0..200).map(|number| usize::MAX - number * 7).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 24 }))]

    #[test]
    fn held_messages_are_released_in_any_order(
        choices in prop::collection::vec(any::<usize>(), if cfg!(miri) { 70..71 } else { 70..200 })
    ) {
        hold_and_release(&choices);
    }
}

/// Two services and a peer that keeps a message of each slot; our slots are all free but the one with CONNECT.
fn two_services() -> (Link, FakeBoard, [ServiceHandle; 2]) {
    let (mut link, board, first) = opened(Behaviour::Sink);
    board.peer().services.push(FakeService::new(*b"SMEM", 31, Behaviour::Sink));
    let second = link.open(OpenRequest::new(FourCc::new(*b"SMEM"), 3, 3), soon(&link)).unwrap();
    // To the end of the first slot, which goes back.
    let rest = 4096 - link.positions().tx_pos as usize % 4096 - 8;
    link.send(first, &[&pattern(rest)], soon(&link)).unwrap();
    board.run_peer();
    link.poll().unwrap();
    assert_eq!(link.positions().slots_lent, 0);
    board.peer().holds_slots = true;
    (link, board, [first, second])
}

fn give_oldest_back(board: &FakeBoard) {
    board.run_peer();
    let slot = board.peer().held.remove(0);
    board.peer().return_slot(&mut board.memory(), slot);
}

#[test]
fn a_service_stalls_at_15_slots_and_goes_on_at_the_first_that_comes_back() {
    let (mut link, board, [first, second]) = two_services();
    for _ in 0..15 {
        link.send(first, &[&pattern(WHOLE_SLOT)], soon(&link)).unwrap();
    }
    let stalled = Exhausted::SlotQuota { port: first.port(), in_use: 15 };
    assert_eq!(link.send(first, &[b"one more"], soon(&link)), Err(stalled.into()));
    // The other service and control messages are not concerned.
    link.send(second, &[b"data"], soon(&link)).unwrap();
    board.peer().services.push(FakeService::new(*b"thir", 32, Behaviour::Sink));
    let third = link.open(OpenRequest::new(FourCc::new(*b"thir"), 3, 3), soon(&link)).unwrap();
    link.close(third, soon(&link)).unwrap();
    assert_eq!(link.try_send(first, &[b"one more"]), Err(stalled.into()));
    give_oldest_back(&board);
    link.try_send(first, &[b"one more"]).unwrap();
}

#[test]
fn data_stalls_at_30_slots_control_messages_pass_in_the_31st_and_the_first_slot_back_lets_data_go_on() {
    let (mut link, board, [first, second]) = two_services();
    for service in [first, second] {
        for _ in 0..15 {
            link.send(service, &[&pattern(WHOLE_SLOT)], soon(&link)).unwrap();
        }
    }
    assert_eq!(link.positions().data_slots, 30);
    board.peer().services.push(FakeService::new(*b"thir", 32, Behaviour::Sink));
    for round in 0..3 {
        let third = link.open(OpenRequest::new(FourCc::new(*b"thir"), 3, 3), soon(&link)).unwrap();
        let stalled = Exhausted::DataQuota { in_use: 30 };
        assert_eq!(link.try_send(third, &[b"data"]), Err(stalled.into()), "round {round}");
        link.close(third, soon(&link)).unwrap();
    }
    assert_eq!(link.positions().slots_lent, 31, "control messages are in the last one");
    give_oldest_back(&board);
    link.try_send(first, &[b"data"]).unwrap();
    assert_eq!(link.positions().data_slots, 30);
}

#[test]
fn padding_fills_exactly_the_room_that_is_left() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    let rooms = if cfg!(miri) { vec![8, 2048, 4088] } else { (8..=4088).step_by(8).collect() };
    for room in rooms {
        let used = link.positions().tx_pos as usize % 4096;
        let target = 4096 - room;
        let fills = if target >= used { [target - used, 0] } else { [4096 - used, target] };
        for fill in fills.into_iter().filter(|fill| *fill != 0) {
            link.send(service, &[&pattern(fill - 8)], soon(&link)).unwrap();
        }
        board.run_peer();
        board.peer().received.clear();
        // One byte more than fits; with a room of 4088 the message needs the whole next slot.
        let message = pattern(room - 7);
        link.send(service, &[&message], soon(&link)).unwrap();
        board.run_peer();
        let got: Vec<(u32, usize)> =
            board.peer().received.iter().map(|record| (record.msgid, record.payload.len())).collect();
        assert_eq!(got, [(0, room - 8), (0x0500_004b, room - 7)], "room {room}");
        assert_eq!(board.peer().received[1].payload, message);
    }
}

#[test]
fn the_peers_padding_is_skipped_whatever_its_size_and_contents() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    // The peer stands at 0x18 in its first slot; what was in the padding before is nobody's message.
    for used in [0x18, 8, 16, 2048, 4080, 4088] {
        let at = board.memory().load(0x03c) as usize % 4096;
        if at < used {
            board.peer().queue_data(*b"echo", &pattern(used - at - 8));
            receive(&mut link, service);
        }
        let message = pattern(WHOLE_SLOT - 8);
        board.peer().queue_data(*b"echo", &message);
        assert_eq!(receive(&mut link, service), message, "padding of {}", 4096 - used);
        let rest = 4096 - board.memory().load(0x03c) as usize % 4096;
        board.peer().queue_data(*b"echo", &pattern(rest - 8));
        receive(&mut link, service);
    }
    assert_eq!(link.counters().strays, 0);
}

#[test]
fn a_message_of_no_bytes_is_a_header_alone_in_both_directions() {
    let (mut link, board, service) = opened(Behaviour::Echo);
    let before = link.positions();
    link.send(service, &[], soon(&link)).unwrap();
    assert_eq!(receive(&mut link, service), b"");
    let after = link.positions();
    assert_eq!((after.tx_pos - before.tx_pos, after.rx_pos - before.rx_pos), (8, 8));
    let memory = board.memory();
    assert_eq!((memory.load(0x22020), memory.load(0x22024)), (0x0500_004b, 0));
    assert_eq!((memory.load(0x02018), memory.load(0x0201c)), (0x0504_b000, 0));
}

#[test]
fn a_message_to_a_port_that_nobody_has_is_skipped_by_its_size_and_not_answered() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    for port in [1, 15, 16, 0xfff] {
        board.peer().queue(DATA, PEER_PORT, port, &pattern(100));
        board.peer().queue_data(*b"echo", b"behind it");
        assert_eq!(receive(&mut link, service), b"behind it");
        assert_eq!(link.last_stray().unwrap().msgid, DATA << 24 | PEER_PORT << 12 | port);
    }
    board.run_peer();
    assert_eq!((link.counters().strays, board.peer().received_of(DATA).len()), (4, 0));
}

#[test]
fn connect_is_exchanged_once() {
    let (mut link, board) = connected();
    assert_eq!(link.connect(soon(&link)), Err(Misuse::AlreadyConnected.into()));
    board.run_peer();
    assert_eq!(board.peer().received_of(1).len(), 1);
}

#[test]
fn an_open_that_is_given_up_and_acknowledged_at_the_same_time_ends_closed_on_both_sides() {
    // CLOSE to port 0, as the peer's port is not known, crosses OPENACK.
    let (mut link, board) = connected();
    board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, Behaviour::Sink));
    board.peer().stuck = true;
    let request = OpenRequest::new(ECHO, 3, 3);
    assert!(link.open(request, soon(&link)).is_err());
    assert_eq!(board.peer().received_of(OPEN).len(), 0);
    board.peer().stuck = false;
    board.run_peer();
    board.peer().queue(DATA, PEER_PORT, 0, b"for a service that is gone");
    board.run_peer();
    link.poll().unwrap();
    assert_eq!(board.peer().received_of(CLOSE)[0].msgid, 0x0400_0000);
    assert_eq!(link.positions().unread, 0);
    assert_eq!(link.open(request, soon(&link)).unwrap().port(), 0);
}
