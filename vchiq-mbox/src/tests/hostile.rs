//! A peer that writes what it likes.

use proptest::prelude::*;

use super::*;
use crate::{
    error::{Error, Violation},
    link::Connection,
};

const MASTER_TX_POS: usize = 0x03c;
const MASTER_SLOT_QUEUE: usize = 0x068;
const SLAVE_RECYCLE_COUNT: usize = 0x1c0;
const SLAVE_SLOT_QUEUE: usize = 0x1dc;

/// The error of the next poll, which must also be the error of every later call.
fn violation(link: &mut Link) -> Violation {
    let Err(Error::Violation(violation)) = link.poll() else {
        panic!("no violation found");
    };
    assert_eq!(link.connection(), Connection::Dead(violation));
    assert_eq!(link.poll(), Err(violation.into()));
    assert_eq!(link.open(OpenRequest::new(ECHO, 3, 3), soon(link)), Err(violation.into()));
    violation
}

#[test]
fn wild_transmit_positions_end_the_link() {
    for found in [0x1c, 0x10, 31 * 4096 + 8, 0x8000_0000, u32::MAX - 7] {
        let (mut link, board, _) = opened(Behaviour::Sink);
        board.memory().store(MASTER_TX_POS, found);
        let expected = Violation::TransmitPosition { found, rx_pos: 0x18, limit: 31 * 4096 };
        assert_eq!(violation(&mut link), expected);
    }
}

#[test]
fn a_wild_slot_index_ends_the_link() {
    for found in [0, 1, 33, 64, 128, u32::MAX] {
        let (mut link, board, _) = opened(Behaviour::Sink);
        board.memory().store(MASTER_SLOT_QUEUE + 4, found);
        board.peer().stuck = true;
        let mut memory = board.memory();
        memory.store(0x2018, 0);
        memory.store(0x201c, 4096 - 0x18 - 8);
        memory.store(MASTER_TX_POS, 4096 + 8);
        drop(memory);
        assert_eq!(violation(&mut link), Violation::SlotIndex { entry: 1, found });
    }
}

#[test]
fn a_slot_still_in_our_hands_is_not_read_again() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue_data(*b"echo", &pattern(4088));
    let held = link.receive(service, soon(&link)).unwrap().hold();
    let mut memory = board.memory();
    memory.store(MASTER_SLOT_QUEUE + 8, u32::from(held.info().slot.number()));
    memory.store(MASTER_TX_POS, 2 * 4096 + 8);
    drop(memory);
    assert_eq!(violation(&mut link), Violation::SlotQueuedTwice { entry: 2, slot: held.info().slot });
    link.release(held);
}

#[test]
fn a_slot_named_twice_in_the_peers_queue_is_found_at_connect() {
    for (entry, twin) in [(1, 0), (2, 1), (30, 7), (8, 30)] {
        let (mut link, board) = prepared();
        board.start_peer();
        board.memory().store(MASTER_SLOT_QUEUE + 4 * entry, 2 + twin);
        let Err(Error::Violation(Violation::SlotQueuedTwice { entry: found, slot })) =
            link.connect(soon(&link))
        else {
            panic!("entry {entry} may name the slot of entry {twin}");
        };
        let (expected, twin) = (entry.max(twin as usize), twin as u8 + 2);
        assert_eq!((usize::from(found), slot.number()), (expected, twin));
    }
}

#[test]
fn a_peer_that_changes_its_queue_after_the_start_is_found_out() {
    // Slot 9 is the peer's and not in use: it comes later in the queue.
    let (mut link, board, _) = opened(Behaviour::Sink);
    board.memory().store(MASTER_SLOT_QUEUE + 4, 9);
    board.peer().queue_data(*b"echo", &pattern(4088));
    board.run_peer();
    let Violation::SlotQueueChanged { entry: 1, found: 9, expected } = violation(&mut link) else {
        panic!("not noticed")
    };
    assert_eq!(expected.number(), 3);
}

#[test]
fn an_entry_by_which_we_have_returned_a_slot_must_stay() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    // Slots 3 to 32 are filled; slot 2 comes back last, by entry 61, and is used again with entry 62.
    for _ in 0..30 {
        board.peer().queue_data(*b"echo", &pattern(4088));
        receive(&mut link, service);
    }
    assert_eq!(board.memory().load(MASTER_SLOT_QUEUE + 4 * 31), 2);
    board.memory().store(MASTER_SLOT_QUEUE + 4 * 31, 4);
    board.peer().queue_data(*b"echo", &pattern(4088));
    board.run_peer();
    let Violation::SlotQueueChanged { entry: 31, found: 4, expected } = violation(&mut link) else {
        panic!("not noticed")
    };
    assert_eq!(expected.number(), 2);
}

#[test]
fn a_slot_that_comes_back_with_a_claimed_message_ends_the_link() {
    // The first slot holds CONNECT, OPEN, two messages and padding; the second one message.
    for (slot, offset) in [(34, 0x20), (34, 0x38), (35, 0)] {
        let (mut link, board, service) = opened(Behaviour::Sink);
        board.peer().holds_slots = true;
        for size in [10, 20, 4088] {
            link.send(service, &[&pattern(size)], soon(&link)).unwrap();
        }
        board.run_peer();
        let at = slot * 4096 + offset;
        let header = board.memory().load(at);
        assert_eq!(header, 0x0500_004b);
        board.memory().store(at, header | 0x4000_0000);
        link.poll().expect("claimed while it is with the peer");
        for slot in [34, 35] {
            board.peer().return_slot(&mut board.memory(), slot);
        }
        let Violation::ClaimedInReturnedSlot { msgid: 0x4500_004b, slot: found, offset: place } =
            violation(&mut link)
        else {
            panic!("not noticed at {at:#x}")
        };
        assert_eq!((usize::from(found.number()), usize::from(place)), (slot, offset));
    }
}

#[test]
fn a_claimed_header_of_a_message_of_long_ago_is_nothing_to_us() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    for size in [4000, 4088] {
        link.send(service, &[&pattern(size)], soon(&link)).unwrap();
    }
    board.run_peer();
    link.poll().unwrap();
    // What is left of a message in a slot that has come back, and the header of a control message.
    board.memory().store(0x2_2020, 0x4500_004b);
    board.memory().store(0x2_2000, 0x4100_0000);
    for _ in 0..31 {
        link.send(service, &[&pattern(4088)], soon(&link)).unwrap();
        board.run_peer();
    }
    link.poll().unwrap();
}

#[test]
fn sizes_beyond_the_slot_end_the_link() {
    for size in [u32::MAX, 0xffff_fff1, 0x8000_0000, 4089, 4088, 4088 - 0x18 + 1] {
        let (mut link, board, _) = opened(Behaviour::Sink);
        let mut memory = board.memory();
        memory.store(0x2018, 0x0504_b000);
        memory.store(0x201c, size);
        memory.store(MASTER_TX_POS, 4096);
        drop(memory);
        let Violation::MessageSize { msgid, size: found, offset, .. } = violation(&mut link) else {
            panic!("size {size:#x} accepted");
        };
        assert_eq!((msgid, found, offset), (0x0504_b000, size, 0x18));
    }
}

#[test]
fn a_message_beyond_the_published_position_ends_the_link() {
    let (mut link, board, _) = opened(Behaviour::Sink);
    let mut memory = board.memory();
    memory.store(0x2018, 0x0504_b000);
    memory.store(0x201c, 9);
    memory.store(MASTER_TX_POS, 0x28);
    drop(memory);
    assert!(matches!(violation(&mut link), Violation::BeyondPublished { size: 9, tx_pos: 0x28, .. }));
}

#[test]
fn more_slots_than_we_gave_cannot_come_back() {
    for found in [0x20, 0x1e, 0, u32::MAX] {
        let (mut link, board, _) = opened(Behaviour::Sink);
        board.memory().store(SLAVE_RECYCLE_COUNT, found);
        assert_eq!(violation(&mut link), Violation::RecycleCount { found, limit: 31 });
    }
}

#[test]
fn slots_that_are_not_with_the_peer_cannot_come_back() {
    let lent = |link: &mut Link, service| {
        link.send(service, &[&pattern(4088)], soon(link)).unwrap();
        link.send(service, &[b"in the third slot"], soon(link)).unwrap();
    };
    for (alleged, free) in [(40, true), (36, false)] {
        let (mut link, board, service) = opened(Behaviour::Sink);
        lent(&mut link, service);
        board.memory().store(SLAVE_SLOT_QUEUE + 4 * 31, alleged);
        board.memory().store(SLAVE_RECYCLE_COUNT, 0x20);
        let Violation::SlotNotLent { slot } = violation(&mut link) else {
            panic!("slot {alleged} taken back, free: {free}");
        };
        assert_eq!(u32::from(slot.number()), alleged);
    }
    let (mut link, board, service) = opened(Behaviour::Sink);
    lent(&mut link, service);
    board.memory().store(SLAVE_SLOT_QUEUE + 4 * 31, 2);
    board.memory().store(SLAVE_RECYCLE_COUNT, 0x20);
    assert_eq!(violation(&mut link), Violation::SlotIndex { entry: 31, found: 2 });
}

#[test]
fn a_second_connect_ends_the_link() {
    let (mut link, board) = connected();
    board.peer().queue(1, 0, 0, &[]);
    board.run_peer();
    assert!(matches!(violation(&mut link), Violation::ConnectTwice { offset: 8, .. }));
}

#[test]
fn traffic_while_paused_ends_the_link() {
    let (mut link, board, _) = opened(Behaviour::Sink);
    board.peer().queue(10, 0, 0, &[]);
    board.peer().queue_data(*b"echo", b"data");
    board.run_peer();
    assert!(matches!(violation(&mut link), Violation::TrafficWhilePaused { msgid: 0x0504_b000, .. }));
}

#[test]
fn another_protocol_version_ends_the_link() {
    for version in [2, 9, 0xffff] {
        let (mut link, board) = prepared();
        board.start_peer();
        board.memory().store(0x004, 0x0003_0000 | version);
        let error = link.connect(soon(&link)).unwrap_err();
        assert_eq!(error, Violation::Version { found: version as u16 }.into());
    }
}

#[test]
fn a_peer_that_moves_its_slots_is_found_out() {
    let (mut link, board) = prepared();
    board.start_peer();
    board.memory().store(0x028, 64);
    let error = link.connect(soon(&link)).unwrap_err();
    assert_eq!(error, Violation::SlotZero { offset: 0x028, expected: 32, found: 64 }.into());
}

#[test]
fn a_peer_that_rewrites_the_header_is_found_out() {
    for (offset, expected) in [(0x000, 0x5643_4849), (0x008, 1288), (0x00c, 4096), (0x010, 128), (0x014, 64)]
    {
        let (mut link, board) = prepared();
        board.start_peer();
        board.memory().store(usize::from(offset), 8192);
        let error = link.connect(soon(&link)).unwrap_err();
        assert_eq!(error, Violation::SlotZero { offset, expected, found: 8192 }.into());
    }
}

/// What a peer gone mad does between our calls.
#[derive(Clone, Debug)]
enum Scribble {
    /// Any word of slot zero.
    SlotZero {
        word: usize,
        value: u32,
    },
    /// Any header-sized place in its slots or ours.
    Slot {
        slot: usize,
        place: usize,
        value: u32,
    },
    /// A plausible position.
    Publish {
        bytes: u32,
    },
    /// A well-formed message.
    Message {
        kind: u32,
        source: u32,
        destination: u32,
        size: usize,
    },
    Run,
}

fn value() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), 0u32..130, any::<u32>(), Just(0x0504_b000), Just(0x0504_b001)]
}

fn scribble() -> impl Strategy<Value = Scribble> {
    prop_oneof![
        (0usize..0x142, value()).prop_map(|(word, value)| Scribble::SlotZero { word, value }),
        (0usize..65, 0usize..16, value()).prop_map(|(slot, place, value)| Scribble::Slot {
            slot,
            place,
            value
        }),
        (0u32..64).prop_map(|eighths| Scribble::Publish { bytes: eighths * 8 }),
        (0u32..16, 0u32..80, 0u32..20, 0usize..64).prop_map(|(kind, source, destination, size)| {
            Scribble::Message { kind, source, destination, size }
        }),
        Just(Scribble::Run),
    ]
}

/// What the caller does meanwhile.
#[derive(Clone, Debug)]
enum Call {
    Poll,
    Send(usize),
    Receive,
    Hold,
    Release,
    Open,
    Close,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        Just(Call::Poll),
        (0usize..4088).prop_map(Call::Send),
        Just(Call::Receive),
        Just(Call::Hold),
        Just(Call::Release),
        Just(Call::Open),
        Just(Call::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Nothing the peer writes panics, and every call ends.
    #[test]
    fn scribbling_ends_in_errors_at_worst(
        steps in prop::collection::vec((prop::option::of(scribble()), call()), 1..60)
    ) {
        let (mut link, board, service) = opened(Behaviour::Sink);
        let mut service = service;
        let mut held = Vec::new();
        // The model peer asserts the rules that we follow; once it scribbles it only writes.
        for (scribble, call) in steps {
            match scribble {
                Some(Scribble::SlotZero { word, value }) => board.memory().store(word * 4, value),
                Some(Scribble::Slot { slot, place, value }) => board.memory().store(slot * 4096 + place * 8, value),
                Some(Scribble::Publish { bytes }) => {
                    let tx_pos = board.memory().load(MASTER_TX_POS);
                    board.memory().store(MASTER_TX_POS, tx_pos.wrapping_add(bytes));
                }
                Some(Scribble::Message { kind, source, destination, size }) => {
                    let tx_pos = board.memory().load(MASTER_TX_POS) as usize;
                    let at = 0x2000 + tx_pos % 4096;
                    if at + 8 + size <= 0x3000 && at.is_multiple_of(4) {
                        let mut memory = board.memory();
                        memory.store(at, kind << 24 | source << 12 | destination);
                        memory.store(at + 4, size as u32);
                        memory.store(MASTER_TX_POS, (tx_pos + ((size + 15) & !7)) as u32);
                    }
                }
                Some(Scribble::Run) | None => board.peer().stuck = true,
            }
            board.peer().stuck = true;
            match call {
                Call::Poll => drop(link.poll()),
                Call::Send(size) => drop(link.send(service, &[&pattern(size)], soon(&link))),
                Call::Receive => drop(link.try_receive(service).map(|_| ())),
                Call::Hold => {
                    if let Ok(Some(message)) = link.try_receive(service) {
                        held.push(message.hold());
                    }
                }
                Call::Release => {
                    if let Some(message) = held.pop() {
                        link.release(message);
                    }
                }
                Call::Open => {
                    if let Ok(handle) = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)) {
                        service = handle;
                    }
                }
                Call::Close => drop(link.close(service, soon(&link))),
            }
            let _ = link.positions();
        }
        for message in held {
            link.release(message);
        }
    }
}
