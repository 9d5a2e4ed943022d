//! The sync slots, both ways.

use super::*;
use crate::{
    error::{Exhausted, Violation},
    link::Offer,
};

const OPEN: u32 = 2;
const OPENACK: u32 = 3;
const DATA: u32 = 5;
/// Our sync slot and the peer's.
const OURS: usize = 0x2_1000;
const PEERS: usize = 0x1000;

/// An open service whose messages go through the sync slots.
fn opened_sync(behaviour: Behaviour) -> (Link, FakeBoard, ServiceHandle) {
    let (mut link, board) = connected();
    let mut service = FakeService::new(*b"echo", PEER_PORT, behaviour);
    service.synchronous = true;
    board.peer().services.push(service);
    let service = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap();
    (link, board, service)
}

#[test]
fn an_openack_in_the_sync_slot_opens_a_synchronous_service() {
    let (mut link, board, service) = opened_sync(Behaviour::Echo);
    assert_eq!(link.peer_version(service), Ok(Some(3)));
    assert_eq!(link.is_synchronous(service), Ok(true));
    for size in [0, 1, 100, 4088] {
        link.send(service, &[&pattern(size)], soon(&link)).unwrap();
        assert_eq!(receive(&mut link, service), pattern(size));
    }
    assert_eq!(board.peer().sync_received.len(), 4);
    assert!(board.peer().received_of(DATA).is_empty(), "nothing went the other way");
    let ours = board.memory().load(OURS);
    let peers = board.memory().load(PEERS);
    assert_eq!((ours, peers), (0, 0));
    link.close(service, soon(&link)).unwrap();
}

#[test]
fn a_held_sync_message_keeps_the_slot_full_until_released() {
    let (mut link, board, service) = opened_sync(Behaviour::Sink);
    board.peer().queue_sync(DATA, PEER_PORT, 0, b"one");
    board.peer().queue_sync(DATA, PEER_PORT, 0, b"two");
    let held = link.receive(service, soon(&link)).unwrap().hold();
    assert!(link.try_receive(service).unwrap().is_none());
    let mut copy = [0; 8];
    assert_eq!(link.copy_held(&held, &mut copy).unwrap(), b"one");
    link.release(held);
    assert_eq!(receive(&mut link, service), b"two");
}

#[test]
fn a_sync_slot_that_is_not_emptied_stops_the_sender_at_its_deadline() {
    let (mut link, board, service) = opened_sync(Behaviour::Sink);
    board.peer().ignores_sync = true;
    link.send(service, &[b"one"], soon(&link)).unwrap();
    let error = link.send(service, &[b"two"], soon(&link)).unwrap_err();
    assert_eq!(error, Exhausted::SyncSlotInUse.into());
    board.peer().ignores_sync = false;
    link.send(service, &[b"two"], soon(&link)).unwrap();
    board.run_peer();
    assert_eq!(board.peer().sync_received.len(), 2);
}

#[test]
fn a_synchronous_service_of_ours_acknowledges_in_the_sync_slot() {
    let (mut link, board) = connected();
    let name = FourCc::new(*b"sync");
    let service = link.offer(Offer { synchronous: true, ..Offer::new(name, 5, 5) }).unwrap();
    let mut payload = Vec::from(name.0.to_le_bytes());
    payload.extend([0, 0, 0, 0, 5, 0, 5, 0]);
    board.peer().queue(OPEN, 0x45, 0, &payload);
    link.accept(service, soon(&link)).unwrap();
    board.run_peer();
    let got = board.peer().sync_received.remove(0);
    assert_eq!((got.msgid, &*got.payload), (OPENACK << 24 | 0x45, &[5, 0][..]));
    assert!(board.peer().received_of(OPENACK).is_empty());
    board.peer().queue_sync(DATA, 0x45, 0, b"in the sync slot");
    assert_eq!(receive(&mut link, service), b"in the sync slot");
}

#[test]
fn data_by_the_wrong_way_is_dropped() {
    let (mut link, board, service) = opened_sync(Behaviour::Sink);
    board.peer().queue(DATA, PEER_PORT, 0, b"by the queue");
    board.run_peer();
    assert!(link.try_receive(service).unwrap().is_none());
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue_sync(DATA, PEER_PORT, 0, b"by the sync slot");
    // No other type belongs into the sync slot; both are let go of.
    board.peer().queue_sync(OPEN, 1, 0, b"");
    for _ in 0..2 {
        board.run_peer();
        assert!(link.try_receive(service).unwrap().is_none());
    }
    assert_eq!((link.counters().strays, board.memory().load(PEERS)), (2, 0));
}

#[test]
fn a_sync_message_on_top_of_another_ends_the_link() {
    let (mut link, board, service) = opened_sync(Behaviour::Sink);
    board.peer().queue_sync(DATA, PEER_PORT, 0, b"one");
    let held = link.receive(service, soon(&link)).unwrap().hold();
    board.memory().store(PEERS, 0x0504_c000);
    board.memory().store(0x1c8, 1);
    let expected = Violation::SyncOverwritten { held: 0x0504_b000, found: 0x0504_c000 };
    assert_eq!(link.poll(), Err(expected.into()));
    link.release(held);
}

#[test]
fn a_sync_slot_signalled_empty_must_be_empty() {
    let (mut link, board, service) = opened_sync(Behaviour::Sink);
    board.peer().ignores_sync = true;
    link.send(service, &[b"one"], soon(&link)).unwrap();
    board.memory().store(0x1d4, 1);
    let error = link.send(service, &[b"two"], soon(&link)).unwrap_err();
    assert_eq!(error, Violation::SyncNotEmpty { found: 0x0500_004b }.into());
}

#[test]
fn a_sync_message_longer_than_its_slot_ends_the_link() {
    let (mut link, board, _) = opened_sync(Behaviour::Sink);
    board.memory().store(PEERS, 0x0504_b000);
    board.memory().store(PEERS + 4, 4089);
    board.memory().store(0x1c8, 1);
    assert!(matches!(link.poll(), Err(crate::Error::Violation(Violation::MessageSize { size: 4089, .. }))));
}
