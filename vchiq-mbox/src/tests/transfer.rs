//! DATA both ways: integrity, slots, order.

use super::*;
use crate::error::{Error, Exhausted, Misuse};

/// Payload sizes that meet every stride class and both ends.
const SIZES: [usize; 12] = [0, 1, 3, 4, 7, 8, 9, 24, 25, 1000, 4080, 4088];

#[test]
fn payloads_of_any_size_come_back_as_sent() {
    let (mut link, _, service) = opened(Behaviour::Echo);
    for size in SIZES {
        link.send(service, &[&pattern(size)], soon(&link)).unwrap();
        assert_eq!(receive(&mut link, service), pattern(size), "{size} bytes");
    }
}

#[test]
fn parts_are_joined_wherever_they_are_cut() {
    let (mut link, _, service) = opened(Behaviour::Echo);
    let whole = pattern(26);
    for first in 0..10 {
        for second in first..20 {
            let parts = [&whole[..first], &whole[first..second], &whole[second..]];
            link.send(service, &parts, soon(&link)).unwrap();
            assert_eq!(receive(&mut link, service), whole, "cut at {first} and {second}");
        }
    }
}

#[test]
fn a_message_longer_than_a_slot_is_refused() {
    let (mut link, _, service) = opened(Behaviour::Echo);
    let error = link.send(service, &[&pattern(4089)], soon(&link)).unwrap_err();
    assert_eq!(error, Misuse::MessageTooLong { size: 4089 }.into());
}

#[test]
fn every_possible_room_is_padded_right_in_both_directions() {
    let (mut link, _, service) = opened(Behaviour::Echo);
    for room in (8..4088).step_by(8) {
        // Fill up to `room` bytes before a slot's end; then a message that does not fit, so padding it is.
        let used = link.positions().tx_pos as usize % 4096;
        let target = 4096 - room;
        let fills = if target >= used { [target - used, 0] } else { [4096 - used, target] };
        for fill in fills.into_iter().filter(|fill| *fill != 0) {
            link.send(service, &[&pattern(fill - 8)], soon(&link)).unwrap();
            assert_eq!(receive(&mut link, service), pattern(fill - 8));
        }
        assert_eq!(4096 - link.positions().tx_pos as usize % 4096, room);
        let message = pattern(room);
        link.send(service, &[&message], soon(&link)).unwrap();
        assert_eq!(receive(&mut link, service), message);
    }
    assert_eq!(link.counters().received, link.counters().released);
}

#[test]
fn an_exact_fit_needs_no_padding() {
    let (mut link, board, service) = opened(Behaviour::Echo);
    link.send(service, &[&pattern(4096 - 0x20 - 8)], soon(&link)).unwrap();
    link.send(service, &[b"next"], soon(&link)).unwrap();
    board.run_peer();
    assert!(board.peer().received.iter().all(|record| record.msgid != 0), "no padding");
    assert_eq!(link.positions().tx_pos, 4096 + 16);
}

#[test]
fn slots_go_round_many_times() {
    let (mut link, board, service) = opened(Behaviour::Echo);
    for round in 0..1000 {
        let message = pattern(2000 + round);
        link.send(service, &[&message], soon(&link)).unwrap();
        assert_eq!(receive(&mut link, service), message);
    }
    let positions = link.positions();
    assert!(positions.recycle > 300 && positions.peer_recycle > 300);
    assert_eq!(positions.slots_held, 1, "only the slot being read");
    assert_eq!(board.peer().claimed_when_returned, 0);
}

#[test]
fn our_slots_may_come_back_in_any_order() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().holds_slots = true;
    for round in 0..40 {
        for _ in 0..8 {
            link.send(service, &[&pattern(4088)], soon(&link)).unwrap();
        }
        board.run_peer();
        let mut held = std::mem::take(&mut board.peer().held);
        held.rotate_left(round % 3);
        held.reverse();
        for slot in held {
            board.peer().return_slot(&mut board.memory(), slot);
        }
    }
    link.poll().unwrap();
    assert_eq!(link.quota_in_use(service), Ok((0, 0)));
    assert_eq!(board.peer().received_of(5).len(), 320);
}

#[test]
fn a_held_message_pins_its_slot_and_only_its_slot() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue_data(*b"echo", &pattern(4000));
    let held = link.receive(service, soon(&link)).unwrap().hold();
    for _ in 0..100 {
        board.peer().queue_data(*b"echo", &pattern(4000));
        receive(&mut link, service);
    }
    assert_eq!(link.positions().slots_held, 2);
    let mut copy = [0; 4096];
    assert_eq!(link.copy_held(&held, &mut copy).unwrap(), pattern(4000));
    link.release(held);
    assert_eq!(link.positions().slots_held, 1);
    board.run_peer();
    assert_eq!(board.peer().claimed_when_returned, 0);
}

#[test]
fn a_message_does_not_fit_a_smaller_buffer() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue_data(*b"echo", &pattern(10));
    let message = link.receive(service, soon(&link)).unwrap();
    assert_eq!(message.copy_to(&mut [0; 9]), Err(Misuse::BufferTooSmall { size: 10, room: 9 }));
}

#[test]
fn messages_of_several_services_keep_their_order() {
    let (mut link, board) = connected();
    for (name, port) in [(*b"echo", 75), (*b"SMEM", 31)] {
        board.peer().services.push(FakeService::new(name, port, Behaviour::Sink));
    }
    let first = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap();
    let second = link.open(OpenRequest::new(FourCc::new(*b"SMEM"), 3, 3), soon(&link)).unwrap();
    for name in [*b"SMEM", *b"echo", *b"SMEM"] {
        board.peer().queue_data(name, &name);
    }
    board.run_peer();
    let mut order = Vec::new();
    for service in [first, second, second] {
        let message = link.receive(service, soon(&link)).unwrap();
        order.push(message.info().sequence);
    }
    assert_eq!(order, [1, 0, 2]);
}

#[test]
fn unread_messages_stop_the_receiver_and_taking_one_lets_it_go_on() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    for _ in 0..crate::link::MAX_UNREAD + 1 {
        board.peer().queue_data(*b"echo", b"unread");
    }
    board.run_peer();
    link.poll().unwrap();
    let queued = crate::link::MAX_UNREAD;
    assert_eq!(link.positions().unread, queued as u32);
    // Waiting for anything else cannot succeed until the caller takes a message.
    let error = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap_err();
    assert_eq!(error, Error::from(Exhausted::ReceiveQueueFull { queued }));
    for _ in 0..=queued {
        receive(&mut link, service);
    }
    assert_eq!(link.counters().received, queued as u64 + 1);
}

#[test]
fn stamps_are_in_order() {
    let (mut link, _, service) = opened(Behaviour::Echo);
    let submitted = link.send(service, &[b"ping"], soon(&link)).unwrap();
    let answer = link.receive(service, soon(&link)).unwrap().info();
    let exchange = crate::Exchange::between(&submitted, &answer);
    let interrupt = exchange.interrupt.expect("the peer rang");
    assert!(exchange.begin.cycles < exchange.rung.cycles);
    assert!(exchange.rung.cycles < interrupt.cycles && interrupt.cycles < exchange.parsed.cycles);
    assert!(submitted.rang);
}

#[test]
fn positions_wrap_at_two_to_the_31_and_32() {
    for position in [0x8000_0000_u32, 0] {
        let (mut link, board) = connected();
        board.run_peer();
        link.poll().unwrap();
        // Both sides stand 128 slots before the wrap.
        let slots = position.wrapping_sub(128 * 4096) / 4096;
        board.peer().skip(&mut board.memory(), slots);
        link.skip(slots);

        board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, Behaviour::Echo));
        let service = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap();
        for round in 0..300 {
            let message = pattern(3000 + round);
            link.send(service, &[&message], soon(&link)).unwrap();
            assert_eq!(receive(&mut link, service), message, "round {round}");
        }
        let behind = link.positions().tx_pos.wrapping_sub(position);
        assert!((4096..1 << 20).contains(&behind), "at {behind:#x} behind the wrap");
        link.close(service, soon(&link)).unwrap();
    }
}

#[test]
fn slots_stay_with_a_silent_peer_across_the_wrap() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.run_peer();
    link.poll().unwrap();
    let slots = 0u32.wrapping_sub(4 * 4096) / 4096 / 64 * 64;
    board.peer().skip(&mut board.memory(), slots);
    link.skip(slots);
    board.peer().holds_slots = true;
    for _ in 0..5 {
        for _ in 0..15 {
            link.send(service, &[&pattern(4088)], soon(&link)).unwrap();
        }
        let full = link.send(service, &[&pattern(4088)], soon(&link)).unwrap_err();
        assert_eq!(full, Exhausted::SlotQuota { port: 0, in_use: 15 }.into());
        board.run_peer();
        let held = std::mem::take(&mut board.peer().held);
        for slot in held {
            board.peer().return_slot(&mut board.memory(), slot);
        }
    }
}
