//! The real driver on loom's memory, against a peer that follows the rules.
#![cfg(loom)]

use std::ops::Range;

use loom::thread;
use loom_models::{
    Board, Mistake, Peer, Scenario, explore,
    offset::{MASTER, SLOT, SLOT_QUEUE, TRIGGER},
};

use vchiq_mbox::{ServiceHandle, Vchiq};

const PAYLOAD: u32 = 0x600d_f00d;
/// The bit of a header by which the receiver says that it still needs the message.
const CLAIMED: u32 = 1 << 30;

/// The header and one payload word at a place.
const fn message(at: usize) -> Range<usize> {
    at..at + 16
}

/// The driver sends; the peer looks once, whenever, and must see all of the message or nothing.
fn send(mistake: Mistake) {
    explore(None, move || {
        let scenario = Scenario::new(mistake, &[message(Scenario::OUR_NEXT)]);
        scenario.begin();
        let Scenario { mut link, service, peer, .. } = scenario;
        let peer = thread::spawn(move || {
            if peer.arm_tx_pos() != 32 {
                let words = [0, 4, 8].map(|word| peer.word(Scenario::OUR_NEXT + word));
                assert_eq!(words, [Scenario::DATA_TO_PEER, 4, PAYLOAD], "published before it was stored");
            }
        });
        link.try_send(service, &[&PAYLOAD.to_le_bytes()]).unwrap();
        peer.join().unwrap();
    });
}

#[test]
fn a_published_message_is_whole() {
    send(Mistake::None);
}

#[test]
#[should_panic(expected = "published before it was stored")]
fn a_driver_without_write_barriers_is_found_out() {
    send(Mistake::NoWriteBarrier);
}

/// Users fact sheet 3: first the index, then what it points to.
#[test]
#[should_panic(expected = "published before it was stored")]
fn a_driver_that_publishes_before_it_stores_is_found_out() {
    send(Mistake::PublishFirst);
}

/// The peer sends; the driver looks once, whenever, and must see all of the message or nothing.
fn receive(mistake: Mistake) {
    explore(None, move || {
        let scenario = Scenario::new(mistake, &[message(Scenario::PEER_NEXT)]);
        scenario.begin();
        let Scenario { mut link, service, mut peer, .. } = scenario;
        let peer = thread::spawn(move || peer.send(Scenario::DATA_TO_US, 4, &[PAYLOAD]));
        let early = payload_of_next(&mut link, service);
        peer.join().unwrap();
        let late = payload_of_next(&mut link, service);
        assert_eq!(early.or(late), Some(PAYLOAD), "read before it was there");
    });
}

fn payload_of_next(link: &mut Vchiq<Board, Board>, service: ServiceHandle) -> Option<u32> {
    let message = link.try_receive(service).expect("read before it was there")?;
    let mut bytes = [0; 4];
    message.copy_to(&mut bytes).expect("read before it was there");
    Some(u32::from_le_bytes(bytes))
}

#[test]
fn a_received_message_is_whole() {
    receive(Mistake::None);
}

#[test]
#[should_panic(expected = "read before it was there")]
fn a_driver_without_read_barriers_is_found_out() {
    receive(Mistake::NoReadBarrier);
}

/// The driver sleeps until the message is there: a doorbell lost is a deadlock.
#[test]
fn a_sleeping_driver_is_woken() {
    explore(Some(3), || {
        let scenario =
            Scenario::new(Mistake::None, &[message(Scenario::PEER_NEXT), message(Scenario::PEER_NEXT + 16)]);
        scenario.begin();
        let Scenario { mut link, service, mut peer, .. } = scenario;
        let peer = thread::spawn(move || {
            peer.send(Scenario::DATA_TO_US, 4, &[PAYLOAD]);
            peer.send(Scenario::DATA_TO_US, 4, &[PAYLOAD + 1]);
        });
        for expected in [PAYLOAD, PAYLOAD + 1] {
            let mut bytes = [0; 4];
            link.receive(service, Scenario::never()).unwrap().copy_to(&mut bytes).unwrap();
            assert_eq!(u32::from_le_bytes(bytes), expected);
        }
        peer.join().unwrap();
    });
}

/// The peer sleeps until the driver's message is there.
fn wake_peer(mistake: Mistake) {
    explore(Some(3), move || {
        let scenario = Scenario::new(mistake, &[message(Scenario::OUR_NEXT)]);
        // What was sent while setting up has fired; it is taken here.
        scenario.peer.wait(TRIGGER);
        scenario.begin();
        let Scenario { mut link, service, peer, .. } = scenario;
        let peer = thread::spawn(move || {
            while peer.arm_tx_pos() == 32 {
                peer.wait(TRIGGER);
            }
        });
        link.try_send(service, &[&PAYLOAD.to_le_bytes()]).unwrap();
        peer.join().unwrap();
    });
}

#[test]
fn a_sleeping_peer_is_woken() {
    wake_peer(Mistake::None);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_driver_that_looks_at_armed_too_early_is_found_out() {
    wake_peer(Mistake::NoFullBarrier);
}

/// The peer lets go of a message and returns its slot; the driver takes the slot back, whenever it looks, with the
/// entry that belongs to it and the message unclaimed.
fn reclaim(mistake: Mistake) {
    explore(None, move || {
        let mut scenario = Scenario::new(mistake, &[message(Scenario::OUR_NEXT)]);
        fill_slot(&mut scenario);
        scenario.peer.mark(Scenario::OUR_NEXT, Scenario::DATA_TO_PEER | CLAIMED);
        scenario.begin();
        let Scenario { mut link, mut peer, .. } = scenario;
        let peer = thread::spawn(move || {
            peer.mark(Scenario::OUR_NEXT, Scenario::DATA_TO_PEER);
            peer.return_slot(5);
        });
        link.poll().expect("taken back before it was returned");
        peer.join().unwrap();
        link.poll().expect("taken back before it was returned");
        assert_eq!(link.counters().slots_reclaimed, 1, "returned once");
    });
}

#[test]
fn a_returned_slot_is_taken_back_with_its_own_entry_and_its_messages_unclaimed() {
    reclaim(Mistake::None);
}

#[test]
#[should_panic(expected = "taken back before it was returned")]
fn a_slot_taken_back_without_read_barrier_is_found_out() {
    reclaim(Mistake::NoReadBarrier);
}

/// Sends DATA to the end of our first slot.
fn fill_slot(scenario: &mut Scenario) {
    let rest = SLOT - Scenario::OUR_NEXT % SLOT - 8;
    scenario.link.try_send(scenario.service, &[&vec![0; rest]]).unwrap();
}

/// The driver lets go of the last message in a slot; the peer sees the slot come back with the message unclaimed.
fn release(mistake: Mistake) {
    explore(None, move || {
        let last = 3 * SLOT - 16;
        let mut scenario = Scenario::new(mistake, &[message(last)]);
        let held = fill_peer_slot(&mut scenario);
        scenario.begin();
        let Scenario { mut link, peer, .. } = scenario;
        let peer = thread::spawn(move || check_returned(&peer, last));
        link.release(held);
        peer.join().unwrap();
    });
}

fn check_returned(peer: &Peer, last: usize) {
    if peer.slots_available() == 3 {
        assert_eq!(peer.word(MASTER + SLOT_QUEUE + 8), 2, "returned before it was let go");
        assert_eq!(peer.word(last), Scenario::DATA_TO_US, "returned before it was let go");
    }
}

/// The peer sends a long message and one of 8 bytes to the end of its first slot; the second is held.
fn fill_peer_slot(scenario: &mut Scenario) -> vchiq_mbox::HeldMessage {
    let rest = SLOT - Scenario::PEER_NEXT % SLOT - 8 - 16;
    scenario.peer.send(Scenario::DATA_TO_US, rest as u32, &[]);
    scenario.peer.send(Scenario::DATA_TO_US, 8, &[PAYLOAD]);
    let link = &mut scenario.link;
    link.try_receive(scenario.service).unwrap().unwrap().release();
    link.try_receive(scenario.service).unwrap().unwrap().hold()
}

#[test]
fn a_returned_slot_is_let_go() {
    release(Mistake::None);
}

#[test]
#[should_panic(expected = "returned before it was let go")]
fn a_slot_returned_without_write_barrier_is_found_out() {
    release(Mistake::NoWriteBarrier);
}
