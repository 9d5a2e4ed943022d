//! Opening and closing, from both sides.

use super::*;
use crate::{
    error::{Error, Misuse},
    link::Connection,
    wire::Port,
};

const OPEN: u32 = 2;
const CLOSE: u32 = 4;
const DATA: u32 = 5;
const PAUSE: u32 = 10;
const RESUME: u32 = 11;
const REMOTE_USE: u32 = 12;
const REMOTE_USE_ACTIVE: u32 = 14;

#[test]
fn an_open_service_knows_the_servers_version() {
    let (link, _, service) = opened(Behaviour::Sink);
    assert_eq!(link.peer_version(service), Ok(Some(3)));
    assert!(link.is_open(service));
}

#[test]
fn an_unknown_service_or_version_is_refused_and_its_port_free_again() {
    let (mut link, board) = connected();
    let nobody = OpenRequest::new(FourCc::new(*b"none"), 3, 3);
    assert_eq!(link.open(nobody, soon(&link)), Err(Error::Refused { fourcc: nobody.fourcc }));
    board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, Behaviour::Sink));
    assert_eq!(link.open(OpenRequest::new(ECHO, 1, 1), soon(&link)), Err(Error::Refused { fourcc: ECHO }));
    assert_eq!(link.open(OpenRequest::new(ECHO, 4, 4), soon(&link)), Err(Error::Refused { fourcc: ECHO }));
    assert_eq!(link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap().port(), 0);
}

#[test]
fn ports_run_out_with_an_error() {
    let (mut link, board) = connected();
    for port in 0..=crate::MAX_SERVICES as u32 {
        board.peer().services.push(FakeService::new(*b"echo", 80 + port, Behaviour::Sink));
    }
    let request = OpenRequest::new(ECHO, 3, 3);
    for port in 0..crate::MAX_SERVICES {
        assert_eq!(link.open(request, soon(&link)).unwrap().port(), port as u8);
    }
    assert!(link.open(request, soon(&link)).unwrap_err().is_retryable());
}

#[test]
fn our_close_is_sent_once_and_waits_for_the_answer() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    link.close(service, soon(&link)).unwrap();
    let closes = board.peer().received_of(CLOSE);
    assert_eq!(closes.iter().map(|close| close.msgid).collect::<Vec<_>>(), [0x0400_004b]);
    assert_eq!(link.close(service, soon(&link)), Err(Misuse::StaleHandle { port: 0 }.into()));
    assert_eq!(link.send(service, &[], soon(&link)), Err(Misuse::StaleHandle { port: 0 }.into()));
}

#[test]
fn the_peers_close_is_answered_once() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().close_service(*b"echo");
    board.run_peer();
    link.poll().unwrap();
    board.run_peer();
    assert_eq!(board.peer().received_of(CLOSE).len(), 1);
    assert_eq!(link.send(service, &[], soon(&link)), Err(Error::ClosedByPeer { port: Port::from(0) }));
    link.close(service, soon(&link)).unwrap();
    board.run_peer();
    assert_eq!(board.peer().received_of(CLOSE).len(), 1, "the caller's close sends nothing more");
}

#[test]
fn closes_that_cross_answer_each_other() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    // The peer's CLOSE is published but not yet read when ours is sent.
    board.peer().close_service(*b"echo");
    board.run_peer();
    link.close(service, soon(&link)).unwrap();
    board.run_peer();
    assert_eq!(board.peer().received_of(CLOSE).len(), 1);
    assert!(link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).is_ok());
}

#[test]
fn messages_sent_before_the_peers_close_are_still_received() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue_data(*b"echo", b"last words");
    board.peer().close_service(*b"echo");
    assert_eq!(receive(&mut link, service), b"last words");
    assert_eq!(link.try_receive(service).err(), Some(Error::ClosedByPeer { port: Port::from(0) }));
}

#[test]
fn data_that_crosses_our_close_is_dropped() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue_data(*b"echo", b"too late");
    link.close(service, soon(&link)).unwrap();
    assert_eq!(link.counters().received, link.counters().released);
    assert_eq!(link.positions().unread, 0);
}

#[test]
fn an_open_that_timed_out_is_withdrawn_and_its_port_kept_until_the_peer_agrees() {
    let (mut link, board) = connected();
    board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, Behaviour::Sink));
    board.peer().stuck = true;
    let request = OpenRequest::new(ECHO, 3, 3);
    assert!(matches!(link.open(request, soon(&link)), Err(Error::Timeout { .. })));
    // The peer wakes up, acknowledges the OPEN, then sees our CLOSE.
    board.peer().stuck = false;
    board.run_peer();
    assert_eq!(board.peer().received_of(CLOSE)[0].msgid, 0x0400_0000);
    link.poll().unwrap();
    assert_eq!(link.open(request, soon(&link)).unwrap().port(), 0);
    assert_eq!(link.counters().strays, 0);
}

#[test]
fn a_port_is_not_reused_while_its_open_is_undecided() {
    let (mut link, board) = connected();
    board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, Behaviour::Sink));
    board.peer().ignores_open = true;
    board.peer().ignores_close = true;
    let request = OpenRequest::new(ECHO, 3, 3);
    assert!(link.open(request, soon(&link)).is_err());
    board.peer().ignores_open = false;
    assert_eq!(link.open(request, soon(&link)).unwrap().port(), 1);
}

#[test]
fn an_open_of_the_peers_is_refused() {
    let (mut link, board) = connected();
    let mut payload = Vec::from(0x4b45_4550_u32.to_le_bytes());
    payload.extend([0, 0, 0, 0, 1, 0, 1, 0]);
    board.peer().queue(OPEN, 0x123, 0, &payload);
    board.run_peer();
    link.poll().unwrap();
    board.run_peer();
    assert_eq!(board.peer().received_of(CLOSE)[0].msgid, 0x0400_0123);
    assert_eq!(link.counters().opens_refused, 1);
}

#[test]
fn remote_use_is_answered_once_each() {
    let (mut link, board) = connected();
    board.peer().queue(REMOTE_USE, 0, 0, &[]);
    board.peer().queue(REMOTE_USE, 0, 0, &[]);
    board.run_peer();
    link.poll().unwrap();
    board.run_peer();
    assert_eq!(board.peer().received_of(REMOTE_USE_ACTIVE).len(), 2);
}

#[test]
fn nothing_is_sent_between_pause_and_resume() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().queue(PAUSE, 0, 0, &[]);
    board.run_peer();
    link.poll().unwrap();
    assert_eq!(link.connection(), Connection::Paused);
    let error = link.send(service, &[b"now"], soon(&link)).unwrap_err();
    assert_eq!(error, crate::error::Exhausted::Paused.into());
    board.run_peer();
    assert_eq!(board.peer().received_of(PAUSE).len(), 1);
    assert_eq!(board.peer().received_of(DATA).len(), 0);

    board.peer().queue(RESUME, 0, 0, &[]);
    link.send(service, &[b"later"], soon(&link)).unwrap();
    board.run_peer();
    assert_eq!(board.peer().received_of(DATA)[0].payload, b"later");
}

#[test]
fn messages_for_nobody_are_counted_and_dropped() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    for (kind, source, destination) in
        [(DATA, PEER_PORT, 9), (DATA, 99, 0), (CLOSE, 99, 0), (CLOSE, 99, 9), (3, 1, 0)]
    {
        board.peer().queue(kind, source, destination, b"????");
    }
    board.peer().queue(0x7f, 1, 0, &[]);
    board.run_peer();
    link.poll().unwrap();
    assert_eq!(link.counters().strays, 6);
    assert_eq!(link.last_stray().unwrap().msgid, 0x7f00_1000);
    assert!(link.is_open(service));
}

#[test]
fn what_was_opened_and_not_closed_can_be_found() {
    let (mut link, board, first) = opened(Behaviour::Echo);
    board.peer().services.push(FakeService::new(*b"SMEM", 31, Behaviour::Sink));
    let second = link.open(OpenRequest::new(FourCc::new(*b"SMEM"), 3, 3), soon(&link)).unwrap();
    assert!(link.opened().eq([(first, ECHO), (second, FourCc::new(*b"SMEM"))]));
    link.close(first, soon(&link)).unwrap();
    assert!(link.opened().eq([(second, FourCc::new(*b"SMEM"))]));
}

#[test]
fn a_message_for_nobody_can_be_shown() {
    let (mut link, board, _) = opened(Behaviour::Sink);
    for (payload, words) in [
        (&[][..], [0, 0]),
        (&[1, 2, 3, 4, 5][..], [0x0403_0201, 5]),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9][..], [0x0403_0201, 0x0807_0605]),
    ] {
        let offset = board.memory().load(0x03c) as u16;
        board.peer().queue(DATA, PEER_PORT, 9, payload);
        board.run_peer();
        link.poll().unwrap();
        let stray = link.last_stray().unwrap();
        assert_eq!((stray.msgid, usize::from(stray.size), stray.words), (0x0504_b009, payload.len(), words));
        assert_eq!((stray.slot.number(), stray.offset), (2, offset));
    }
}
