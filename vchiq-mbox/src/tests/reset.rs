//! A VideoCore that has been reset: the next session in the same window.

use super::{golden::rows, *};
use crate::{
    bulk::BulkQueue,
    error::{Error, Misuse, Step, Violation},
    link::{Connection, Misbehaviour, Offer},
    testing::{Access, FakeBuffer, FakePeer, Memory, SharedSdram},
};

const DATA: u32 = 5;
const PAUSE: u32 = 10;

/// The firmware that has been started again, and does not know of the former one.
fn restart(link: &mut Link, board: &FakeBoard, behaviour: Behaviour) {
    *board.peer() = FakePeer::default();
    board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, behaviour));
    board.start_peer();
    link.connect(soon(link)).unwrap();
}

fn open(link: &mut Link) -> ServiceHandle {
    link.open(OpenRequest::new(ECHO, 3, 3), soon(link)).unwrap()
}

/// A session with slots gone round, messages unread and held, then lost.
fn used() -> (Link, FakeBoard, ServiceHandle, crate::HeldMessage) {
    let (mut link, board, service) = opened(Behaviour::Echo);
    for _ in 0..100 {
        link.send(service, &[&pattern(3000)], soon(&link)).unwrap();
        receive(&mut link, service);
    }
    for text in [b"held", b"left"] {
        board.peer().queue_data(*b"echo", text);
    }
    let held = link.receive(service, soon(&link)).unwrap().hold();
    link.poll().unwrap();
    (link, board, service, held)
}

#[test]
fn the_next_session_begins_with_nothing_of_the_former() {
    let (mut link, board, _, _held) = used();
    let _ = link.start_over();
    assert_eq!(
        (link.connection(), link.version(), link.peer_is_initialised()),
        (Connection::Prepared, None, false)
    );
    let mut expected = vec![0; 0x508];
    for (offset, bytes) in rows(include_str!("../../../tests/data/vchiq/slot_zero.hex")) {
        for (index, byte) in bytes.into_iter().enumerate() {
            expected[offset + index] = byte.unwrap();
        }
    }
    assert_eq!(board.memory().bytes(0, 0x508), expected, "slot zero");
    assert_eq!(board.memory().load(0x21000), 0, "our sync slot");
    let positions = link.positions();
    assert_eq!(
        (positions.tx_pos, positions.rx_pos, positions.recycle, positions.peer_recycle),
        (0, 0, 31, 31)
    );
    assert_eq!(
        (positions.slots_lent, positions.slots_held, positions.unread, positions.data_slots),
        (0, 0, 0, 0)
    );
}

#[test]
fn words_of_the_former_session_are_not_taken_for_an_answer() {
    let (mut link, board, service, _held) = used();
    *board.peer() = FakePeer::default();
    let _ = link.start_over();
    assert_eq!(link.poll(), Ok(0), "the former session's messages are still in the slots");
    assert_eq!(link.connect(soon(&link)), Err(Error::Timeout { step: Step::PeerInitialise }));
    assert_eq!(link.send(service, &[b"now"], soon(&link)), Err(Misuse::NotConnected.into()));
}

#[test]
fn our_half_is_not_initialised_while_it_is_laid_out_again() {
    let (mut link, board, ..) = used();
    board.start_trace();
    let _ = link.start_over();
    let stores: Vec<Access> =
        board.take_trace().into_iter().filter(|access| matches!(access, Access::Store(..))).collect();
    assert_eq!(stores.first(), Some(&Access::Store(0x194, 0)));
    assert_eq!(stores.last(), Some(&Access::Store(0x194, 1)));
}

#[test]
fn data_goes_both_ways_in_the_next_session() {
    let (mut link, board, _, _held) = used();
    for session in 0..3 {
        let _ = link.start_over();
        restart(&mut link, &board, Behaviour::Echo);
        let service = open(&mut link);
        for _ in 0..100 {
            link.send(service, &[&pattern(3000)], soon(&link)).unwrap();
            assert_eq!(receive(&mut link, service), pattern(3000), "session {session}");
        }
        assert_eq!(board.peer().claimed_when_returned, 0);
        assert_eq!(link.counters().received, link.counters().released);
    }
}

#[test]
fn handles_of_the_former_session_name_nothing() {
    let (mut link, board, former, _held) = used();
    let _ = link.start_over();
    restart(&mut link, &board, Behaviour::Echo);
    let stale = Misuse::StaleHandle { port: 0 };
    assert_eq!(link.send(former, &[b"now"], soon(&link)), Err(stale.into()));
    let service = open(&mut link);
    assert_eq!((service.port(), former.port()), (0, 0));
    assert_ne!(service, former);
    assert_eq!(link.send(former, &[b"now"], soon(&link)), Err(stale.into()));
    assert_eq!(link.close(former, soon(&link)), Err(stale.into()));
    assert_eq!(link.try_receive(former).err(), Some(stale.into()));
    assert!(link.is_open(service));
}

#[test]
fn a_message_of_the_former_session_can_neither_be_read_nor_give_a_slot_back() {
    let (mut link, board, _, held) = used();
    let (slot, offset) = (held.info().slot, held.info().offset);
    let _ = link.start_over();
    restart(&mut link, &board, Behaviour::Sink);
    open(&mut link);
    assert_eq!(link.copy_held(&held, &mut [0; 64]), Err(Misuse::FormerSession));
    let before = (link.positions(), link.counters());
    let at = slot.byte_offset() + usize::from(offset);
    board.memory().store(at, 0x1234_5678);
    link.release(held);
    assert_eq!(board.memory().load(at), 0x1234_5678, "the slot is the new firmware's");
    assert_eq!((link.positions(), link.counters()), before);
}

#[test]
fn a_dead_or_paused_link_can_start_over() {
    let (mut link, board, _, _held) = used();
    board.memory().store(0x03c, 0x1234_5678);
    assert!(matches!(link.poll(), Err(Error::Violation(Violation::TransmitPosition { .. }))));
    let _ = link.start_over();
    restart(&mut link, &board, Behaviour::Echo);
    board.peer().queue(PAUSE, 0, 0, &[]);
    board.run_peer();
    link.poll().unwrap();
    assert_eq!(link.connection(), Connection::Paused);
    let _ = link.start_over();
    restart(&mut link, &board, Behaviour::Echo);
    let service = open(&mut link);
    link.send(service, &[b"again"], soon(&link)).unwrap();
    assert_eq!(receive(&mut link, service), b"again");
}

#[test]
fn a_service_of_ours_is_offered_again_in_the_next_session() {
    let (mut link, board) = connected();
    let former = link.offer(Offer::new(FourCc::new(*b"KEEP"), 1, 1)).unwrap();
    let _ = link.start_over();
    restart(&mut link, &board, Behaviour::Sink);
    assert_eq!(link.accept(former, soon(&link)), Err(Misuse::StaleHandle { port: 0 }.into()));
    assert!(link.offer(Offer::new(FourCc::new(*b"KEEP"), 1, 1)).is_ok());
}

#[test]
fn a_sync_message_of_the_former_session_does_not_block_the_slot() {
    let (mut link, board) = connected();
    let synchronous = |board: &FakeBoard| {
        let mut service = FakeService::new(*b"echo", PEER_PORT, Behaviour::Echo);
        service.synchronous = true;
        board.peer().services.push(service);
    };
    synchronous(&board);
    let service = open(&mut link);
    board.peer().queue_sync(DATA, PEER_PORT, 0, b"one");
    let held = link.receive(service, soon(&link)).unwrap().hold();
    board.peer().ignores_sync = true;
    link.send(service, &[b"never taken"], soon(&link)).unwrap();

    let _ = link.start_over();
    *board.peer() = FakePeer::default();
    synchronous(&board);
    board.start_peer();
    link.connect(soon(&link)).unwrap();
    let service = open(&mut link);
    link.send(service, &[b"two"], soon(&link)).unwrap();
    link.release(held);
    assert_eq!(receive(&mut link, service), b"two");
}

#[test]
fn bulk_memory_comes_back_and_its_old_tokens_name_nothing() {
    let board = FakeBoard::new(Layout::BULK_WINDOW);
    let mut link = Vchiq::prepare(board.clone(), board.clone()).unwrap();
    let sdram = SharedSdram::new(Memory::full_of_rubbish(1 << 20).into());
    let buffer = || FakeBuffer {
        sdram: sdram.clone(),
        cache: Default::default(),
        pages: vec![0x8000, 0x1000, 0x2000, 0x3000],
        offset: 0,
        size: 4096,
    };
    restart(&mut link, &board, Behaviour::Sink);
    board.peer().sdram = Some(sdram.clone());
    let service = open(&mut link);
    let mut queue: BulkQueue<FakeBuffer, 4> = BulkQueue::new();
    let deadline = soon(&link);
    let former = queue.transmit(&mut link, service, buffer(), deadline).unwrap();

    let reset = link.start_over();
    assert_eq!((link.bulks_in_flight(), queue.after_reset(&reset).count()), (0, 1));
    restart(&mut link, &board, Behaviour::Sink);
    board.peer().sdram = Some(sdram.clone());
    let service = open(&mut link);
    assert_eq!(service.port(), 0, "the port is free although no DONE came");
    let mut queue: BulkQueue<FakeBuffer, 4> = BulkQueue::new();
    let deadline = soon(&link);
    let current = queue.transmit(&mut link, service, buffer(), deadline).unwrap();
    assert_ne!(former, current);
    let failure = queue.wait(&mut link, former, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Misuse(Misuse::NoSuchBulk { number: 0 })));
}

#[test]
fn rules_that_were_broken_on_purpose_are_followed_again() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    link.misbehave(Misbehaviour::KeepMessages { one_in: 1 });
    board.peer().queue_data(*b"echo", b"kept");
    receive(&mut link, service);
    assert_eq!(link.kept(), 1);
    let _ = link.start_over();
    assert_eq!(link.kept(), 0);
    restart(&mut link, &board, Behaviour::Sink);
    let service = open(&mut link);
    board.peer().queue_data(*b"echo", b"let go");
    receive(&mut link, service);
    assert_eq!((link.kept(), link.behave()), (0, 0));
}
