//! Any sequence of calls against an honest peer leaves the books balanced.

use proptest::prelude::*;

use super::*;

/// Services that the peer offers, so many of them at a time can be open.
const SERVICES: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Open,
    Close(usize),
    Send {
        which: usize,
        payload: usize,
    },
    Receive(usize),
    Hold(usize),
    Release(usize),
    /// The peer sends a message of its own.
    PeerSends {
        which: usize,
        payload: usize,
    },
    PeerCloses(usize),
    PeerRuns,
    /// From here on the peer keeps our slots, or returns them at once.
    PeerKeepsSlots(bool),
    /// The peer returns one of the slots it has kept.
    PeerReturns(usize),
    PeerIsStuck(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Open),
        1 => (0..SERVICES).prop_map(Step::Close),
        6 => (0..SERVICES, 0usize..=4088).prop_map(|(which, payload)| Step::Send { which, payload }),
        3 => (0..SERVICES).prop_map(Step::Receive),
        2 => (0..SERVICES).prop_map(Step::Hold),
        2 => (0usize..16).prop_map(Step::Release),
        2 => (0..SERVICES, 0usize..=4088).prop_map(|(which, payload)| Step::PeerSends { which, payload }),
        1 => (0..SERVICES).prop_map(Step::PeerCloses),
        2 => Just(Step::PeerRuns),
        1 => any::<bool>().prop_map(Step::PeerKeepsSlots),
        2 => (0usize..31).prop_map(Step::PeerReturns),
        1 => any::<bool>().prop_map(Step::PeerIsStuck),
    ]
}

/// The peer lets go of everything and reads on until nothing moves.
fn settle(link: &mut Link, board: &FakeBoard) {
    board.peer().stuck = false;
    board.peer().holds_slots = false;
    let kept = std::mem::take(&mut board.peer().held);
    for slot in kept {
        board.peer().return_slot(&mut board.memory(), slot);
    }
    for _ in 0..200 {
        board.run_peer();
        link.poll().unwrap();
    }
}

/// What holds between any two calls: no message, slot or quota is lost or counted twice.
fn check_books(link: &Link, open: &[ServiceHandle], held: usize) {
    const SLOTS: u32 = 31;
    let (counters, positions) = (link.counters(), link.positions());
    let with_us = u64::from(positions.unread) + held as u64;
    assert_eq!(counters.received, counters.released + with_us, "messages");

    let entered = |position: u32| position.div_ceil(4096);
    let free = positions.recycle - entered(positions.tx_pos);
    assert_eq!(positions.slots_lent + free, SLOTS, "our slots");
    let returned = positions.peer_recycle - SLOTS;
    assert_eq!(positions.slots_held + returned, entered(positions.rx_pos), "the peer's slots");

    assert!(u32::from(positions.data_slots) <= positions.slots_lent, "slots with DATA");
    for service in open {
        let (slots, messages) = link.quota_in_use(*service).unwrap();
        assert!(slots <= positions.data_slots, "slots of one service");
        assert_eq!(slots == 0, messages == 0, "messages without a slot, or a slot without messages");
    }
}

proptest! {
    #[test]
    fn books_balance_after_any_sequence(steps in prop::collection::vec(step(), 1..120)) {
        let (mut link, board) = connected();
        for index in 0..SERVICES as u32 {
            let behaviour = if index == 0 { Behaviour::Echo } else { Behaviour::Sink };
            board.peer().services.push(FakeService::new(*b"echo", PEER_PORT + index, behaviour));
        }
        let mut open: Vec<ServiceHandle> = Vec::new();
        let mut held = Vec::new();
        let at = |open: &Vec<ServiceHandle>, which: usize| open.get(which).copied();

        for step in steps {
            let brief = link.deadline(Duration::from_millis(2));
            match step {
                Step::Open => {
                    if let Ok(service) = link.open(OpenRequest::new(ECHO, 3, 3), brief) {
                        open.push(service);
                    }
                }
                Step::Close(which) if which < open.len() => {
                    let _ = link.close(open.remove(which), brief);
                }
                Step::Send { which, payload } => {
                    if let Some(service) = at(&open, which) {
                        let _ = link.send(service, &[&pattern(payload)], brief);
                    }
                }
                Step::Receive(which) => {
                    if let Some(service) = at(&open, which) {
                        let _ = link.try_receive(service).map(|message| message.map(|message| message.release()));
                    }
                }
                Step::Hold(which) => {
                    if let Some(service) = at(&open, which)
                        && let Ok(Some(message)) = link.try_receive(service)
                    {
                        held.push(message.hold());
                    }
                }
                Step::Release(which) if which < held.len() => link.release(held.remove(which)),
                Step::PeerSends { which, payload } => board.peer().queue_from(which, &pattern(payload)),
                Step::PeerCloses(which) => board.peer().close_at(which),
                Step::PeerRuns => board.run_peer(),
                Step::PeerKeepsSlots(keeps) => board.peer().holds_slots = keeps,
                Step::PeerReturns(which) => {
                    let mut peer = board.peer();
                    if which < peer.held.len() {
                        let slot = peer.held.remove(which);
                        peer.return_slot(&mut board.memory(), slot);
                    }
                }
                Step::PeerIsStuck(stuck) => board.peer().stuck = stuck,
                Step::Close(_) | Step::Release(_) => {}
            }
            check_books(&link, &open, held.len());
        }

        for message in held {
            link.release(message);
        }
        settle(&mut link, &board);
        for service in open {
            let in_time = soon(&link);
            prop_assert!(link.close(service, in_time).is_ok());
        }
        settle(&mut link, &board);

        let (counters, positions) = (link.counters(), link.positions());
        prop_assert_eq!(counters.received, counters.released);
        prop_assert_eq!(positions.unread, 0);
        prop_assert!(positions.slots_held <= 1 && positions.slots_lent <= 1);
        prop_assert!(positions.data_slots <= 1);
        prop_assert_eq!(positions.rx_pos, positions.peer_tx_pos);
        prop_assert_eq!(board.peer().claimed_when_returned, 0);
        // Every port is free again.
        for port in 0..SERVICES as u8 {
            let in_time = soon(&link);
            prop_assert_eq!(link.open(OpenRequest::new(ECHO, 3, 3), in_time).map(|service| service.port()), Ok(port));
        }
    }
}
