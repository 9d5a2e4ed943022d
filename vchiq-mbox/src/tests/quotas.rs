//! What a peer that keeps our slots can stop, and what it cannot.

use proptest::prelude::*;

use super::*;
use crate::{
    error::{Exhausted, Misuse},
    quota::Quotas,
    wire::{Port, stride},
};

/// One message a slot, with no room left.
const WHOLE_SLOT: usize = 4088;

#[test]
fn one_service_stalls_at_half_the_slots() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().holds_slots = true;
    for _ in 0..15 {
        link.send(service, &[&pattern(WHOLE_SLOT)], soon(&link)).unwrap();
    }
    let error = link.send(service, &[&pattern(WHOLE_SLOT)], soon(&link)).unwrap_err();
    assert_eq!(error, Exhausted::SlotQuota { port: 0, in_use: 15 }.into());
}

#[test]
fn two_services_stall_at_the_state_quota_and_control_messages_still_pass() {
    let (mut link, board, first) = opened(Behaviour::Sink);
    board.peer().services.push(FakeService::new(*b"SMEM", 31, Behaviour::Sink));
    let second = link.open(OpenRequest::new(FourCc::new(*b"SMEM"), 3, 3), soon(&link)).unwrap();
    board.peer().holds_slots = true;
    // CONNECT and the OPENs occupy the first slot, which holds no DATA; 30 others may.
    for service in [first, second] {
        for _ in 0..15 {
            link.send(service, &[&pattern(WHOLE_SLOT)], soon(&link)).unwrap();
        }
    }
    board.peer().services.push(FakeService::new(*b"thir", 32, Behaviour::Sink));
    let third = link.open(OpenRequest::new(FourCc::new(*b"thir"), 3, 3), soon(&link));
    // All 31 slots are full: even control messages must wait now.
    assert_eq!(third.unwrap_err(), Exhausted::NoFreeSlot { tx_pos: 31 * 4096 }.into());

    // One slot back lets the stalled side go on.
    let slot = board.peer().held.remove(0);
    board.peer().return_slot(&mut board.memory(), slot);
    let third = link.open(OpenRequest::new(FourCc::new(*b"thir"), 3, 3), soon(&link)).unwrap();
    let error = link.send(third, &[b"data"], soon(&link)).unwrap_err();
    assert_eq!(error, Exhausted::DataQuota { in_use: 30 }.into());
    link.close(third, soon(&link)).unwrap();
}

#[test]
fn a_stalled_sender_goes_on_when_a_slot_comes_back() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().holds_slots = true;
    for _ in 0..15 {
        link.send(service, &[&pattern(WHOLE_SLOT)], soon(&link)).unwrap();
    }
    board.run_peer();
    let slot = board.peer().held.pop().unwrap();
    board.peer().return_slot(&mut board.memory(), slot);
    let submitted = link.send(service, &[&pattern(WHOLE_SLOT)], soon(&link)).unwrap();
    assert!(submitted.stalls > 0);
}

#[test]
fn small_messages_meet_the_message_quota() {
    let mut quotas = Quotas::new(31);
    let port = Port::from(0);
    let mut tx_pos = 0;
    for _ in 0..3840 {
        quotas.admit(port, tx_pos, 8).unwrap();
        let place = tx_pos as usize / 4096;
        tx_pos += 8;
        quotas.charge(port, place, tx_pos);
    }
    assert_eq!(quotas.admit(port, tx_pos, 8), Err(Exhausted::MessageQuota { port: 0, in_use: 3840 }));
}

/// Steps of a sender whose peer returns slots in some order.
#[derive(Clone, Debug)]
enum Step {
    Send { port: u8, payload: usize },
    Return { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0u8..4, 0usize..=4088).prop_map(|(port, payload)| Step::Send { port, payload }),
        1 => (0usize..31).prop_map(|which| Step::Return { which }),
    ]
}

proptest! {
    #[test]
    fn books_balance_when_every_slot_has_come_back(steps in prop::collection::vec(step(), 1..400)) {
        let mut quotas = Quotas::new(31);
        let mut tx_pos = 0u32;
        // Slots as (place, finished); the place of a queue number is its free place.
        let mut free: Vec<usize> = (0..31).collect();
        let mut lent: Vec<usize> = Vec::new();
        let mut current: Option<usize> = None;
        for step in steps {
            match step {
                Step::Send { port, payload } => {
                    let stride = stride(payload) as u32;
                    if quotas.admit(Port::from(port), tx_pos, stride).is_err() {
                        continue;
                    }
                    if 4096 - tx_pos % 4096 < stride {
                        tx_pos = tx_pos.next_multiple_of(4096);
                        lent.extend(current.take());
                    }
                    if current.is_none() {
                        if free.is_empty() {
                            continue;
                        }
                        current = Some(free.remove(0));
                    }
                    let place = current.unwrap();
                    tx_pos += stride;
                    quotas.charge(Port::from(port), place, tx_pos);
                    if tx_pos.is_multiple_of(4096) {
                        lent.extend(current.take());
                    }
                    prop_assert!(quotas.data_slots() <= 30);
                    prop_assert!(quotas.in_use(Port::from(port)).0 <= 15);
                }
                Step::Return { which } => {
                    if !lent.is_empty() {
                        let place = lent.remove(which % lent.len());
                        quotas.settle(place);
                        free.push(place);
                    }
                }
            }
        }
        for place in lent.into_iter().chain(current) {
            quotas.settle(place);
        }
        prop_assert_eq!(quotas.data_slots(), 0);
        for port in 0..4 {
            prop_assert_eq!(quotas.in_use(Port::from(port)), (0, 0));
        }
    }
}

#[test]
fn quotas_can_be_set_but_not_below_what_is_in_use() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().holds_slots = true;
    link.set_quotas(service, Some(2), Some(2)).unwrap();
    for _ in 0..2 {
        link.send(service, &[b"small"], soon(&link)).unwrap();
    }
    let error = link.send(service, &[b"small"], soon(&link)).unwrap_err();
    assert_eq!(error, Exhausted::MessageQuota { port: 0, in_use: 2 }.into());
    let below = Misuse::Quota { asked: 1, in_use: 2 };
    assert_eq!(link.set_quotas(service, None, Some(1)), Err(below));
    let most = Misuse::Quota { asked: u16::MAX, in_use: 2 };
    assert_eq!(link.set_quotas(service, None, Some(u16::MAX)), Err(most));
    link.set_quotas(service, None, None).unwrap();
    link.send(service, &[b"small"], soon(&link)).unwrap();
}

#[test]
fn the_next_service_at_a_port_has_the_default_quotas() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    link.set_quotas(service, Some(1), Some(1)).unwrap();
    link.close(service, soon(&link)).unwrap();
    let service = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap();
    board.peer().holds_slots = true;
    for _ in 0..3 {
        link.send(service, &[b"small"], soon(&link)).unwrap();
    }
    assert_eq!(link.quota_in_use(service), Ok((1, 3)));
}
