//! Rules of ours that are broken on purpose.

use super::*;
use crate::{
    error::Error,
    link::Misbehaviour,
    platform::Window,
    testing::Access,
    wire::{CLAIMED, Side, field},
};

/// One message a slot, with no room left.
const WHOLE_SLOT: usize = 4088;

fn ping(link: &mut Link, service: ServiceHandle, size: usize) -> Result<(), Error> {
    link.send(service, &[&pattern(size)], soon(link))?;
    link.receive(service, soon(link)).map(|message| assert_eq!(message.size(), size))
}

#[test]
fn slots_held_back_stop_the_peer_until_they_are_returned() {
    let (mut link, _board, service) = opened(Behaviour::Echo);
    link.misbehave(Misbehaviour::HoldSlotsBack);
    let answered = (0..40).take_while(|_| ping(&mut link, service, WHOLE_SLOT).is_ok()).count();
    assert!((10..=31).contains(&answered), "{answered} pings answered");
    assert_eq!(link.kept(), link.positions().slots_held, "the peer has none left");

    assert_ne!(link.behave(), 0);
    assert_eq!(link.kept(), 0);
    link.receive(service, soon(&link)).expect("the answer that had to wait");
    for _ in 0..100 {
        ping(&mut link, service, WHOLE_SLOT).expect("the link works as before");
    }
}

#[test]
fn messages_kept_pin_their_slots_until_they_are_let_go_of() {
    let (mut link, _board, service) = opened(Behaviour::Echo);
    link.misbehave(Misbehaviour::KeepMessages { one_in: 2 });
    for _ in 0..20 {
        ping(&mut link, service, WHOLE_SLOT).expect("the others come back");
    }
    assert_eq!(link.kept(), 10);
    assert!(link.positions().slots_held >= 10);
    assert_eq!(link.behave(), 10);
    assert!(link.positions().slots_held <= 1);
}

#[test]
fn a_claimed_bit_stays_only_where_it_was_asked_for() {
    let (mut link, board, service) = opened(Behaviour::Echo);
    let mut headers = Vec::new();
    link.misbehave(Misbehaviour::LeaveClaimed { one_in: 2 });
    for _ in 0..4 {
        link.send(service, &[b"12345678"], soon(&link)).expect("room");
        let info = link.receive(service, soon(&link)).expect("an answer").info();
        headers.push(board.load(info.slot.byte_offset() + usize::from(info.offset)));
    }
    let claimed: Vec<bool> = headers.iter().map(|header| header & CLAIMED != 0).collect();
    assert_eq!(claimed, [false, true, false, true]);
}

#[test]
fn a_message_is_published_before_it_is_stored_only_when_asked_for() {
    let (mut link, board, service) = opened(Behaviour::Echo);
    let mut published_first = |how: Option<Misbehaviour>| {
        match how {
            Some(how) => link.misbehave(how),
            None => {
                link.behave();
            }
        }
        board.start_trace();
        link.send(service, &[b"12345678"], soon(&link)).expect("room");
        let trace = board.take_trace();
        let at = |wanted: &dyn Fn(usize) -> bool| {
            let is_wanted = |access: &Access| matches!(access, Access::Store(offset, _) if wanted(*offset));
            trace.iter().position(is_wanted).expect("a store")
        };
        let published = at(&|offset| offset == field::tx_pos(Side::Slave));
        published < at(&|offset| offset > field::slot_queue(Side::Slave, 63))
    };
    assert!(!published_first(None));
    assert!(published_first(Some(Misbehaviour::PublishFirst { gap_ticks: 100 })));
    assert!(!published_first(None));
}
