//! Services of ours that the peer opens.

use super::*;
use crate::{
    error::{Error, Misuse, Step},
    link::{Client, Offer},
    wire::Port,
};

const OPEN: u32 = 2;
const OPENACK: u32 = 3;
const CLOSE: u32 = 4;
const DATA: u32 = 5;
const KEEP: FourCc = FourCc::new(*b"KEEP");
const CLIENT: u32 = 0x123;

fn open_payload(version: u16, version_min: u16) -> Vec<u8> {
    let mut payload = Vec::from(KEEP.0.to_le_bytes());
    payload.extend(77u32.to_le_bytes());
    payload.extend(version.to_le_bytes());
    payload.extend(version_min.to_le_bytes());
    payload
}

/// Connected, with a service of ours in version 3 that accepts 2 and later.
fn offering() -> (Link, FakeBoard, ServiceHandle) {
    let (mut link, board) = connected();
    let service = link.offer(Offer::new(KEEP, 3, 2)).unwrap();
    (link, board, service)
}

fn deliver(link: &mut Link, board: &FakeBoard) {
    board.run_peer();
    link.poll().unwrap();
    board.run_peer();
}

fn accepted() -> (Link, FakeBoard, ServiceHandle) {
    let (mut link, board, service) = offering();
    board.peer().queue(OPEN, CLIENT, 0, &open_payload(4, 1));
    let client = link.accept(service, soon(&link)).unwrap();
    assert_eq!(client, Client { port: Port::new(0x123).unwrap(), version: 4, client_id: 77 });
    board.run_peer();
    (link, board, service)
}

#[test]
fn an_open_is_acknowledged_with_our_version() {
    let (_, board, _) = accepted();
    let acknowledgements = board.peer().received_of(OPENACK);
    assert_eq!((acknowledgements[0].msgid, &*acknowledgements[0].payload), (0x0300_0123, &[3, 0][..]));
}

#[test]
fn data_goes_both_ways_with_a_client_of_the_peers() {
    let (mut link, board, service) = accepted();
    board.peer().queue(DATA, CLIENT, 0, b"to us");
    assert_eq!(receive(&mut link, service), b"to us");
    link.send(service, &[b"to it"], soon(&link)).unwrap();
    board.run_peer();
    let sent = &board.peer().received_of(DATA)[0];
    assert_eq!((sent.msgid, &*sent.payload), (0x0500_0123, &b"to it"[..]));
}

#[test]
fn versions_are_negotiated_from_both_ends() {
    // Ours is 3, and accepts 2 and later.
    for (version, version_min, good) in
        [(3, 3, true), (2, 0, true), (9, 3, true), (1, 1, false), (1, 0, false), (4, 4, false)]
    {
        let (mut link, board, service) = offering();
        board.peer().queue(OPEN, CLIENT, 0, &open_payload(version, version_min));
        deliver(&mut link, &board);
        assert_eq!(link.is_open(service), good, "client {version}, at least {version_min}");
        let refusals: Vec<u32> = board.peer().received_of(CLOSE).iter().map(|close| close.msgid).collect();
        assert_eq!(refusals, if good { vec![] } else { vec![0x0400_0123] });
    }
}

#[test]
fn a_short_open_is_refused() {
    let (mut link, board, service) = offering();
    board.peer().queue(OPEN, CLIENT, 0, &open_payload(3, 3)[..11]);
    deliver(&mut link, &board);
    assert_eq!((link.is_open(service), link.counters().opens_refused), (false, 1));
}

#[test]
fn a_second_client_is_refused_until_the_first_has_gone_and_we_have_closed() {
    let (mut link, board, service) = accepted();
    board.peer().queue(OPEN, 0x99, 0, &open_payload(3, 3));
    board.peer().queue(CLOSE, CLIENT, 0, &[]);
    board.peer().queue(OPEN, 0x98, 0, &open_payload(3, 3));
    deliver(&mut link, &board);
    assert_eq!(link.counters().opens_refused, 2);
    assert_eq!(link.accept(service, soon(&link)), Err(Error::ClosedByPeer { port: Port::from(0) }));
    link.close(service, soon(&link)).unwrap();
    board.peer().queue(OPEN, 0x97, 0, &open_payload(3, 3));
    assert_eq!(link.accept(service, soon(&link)).unwrap().port, Port::new(0x97).unwrap());
}

#[test]
fn our_close_lets_the_next_client_in_and_another_withdraws_the_service() {
    let (mut link, board, service) = accepted();
    board.peer().queue(CLOSE, CLIENT, 0, &[]);
    link.close(service, soon(&link)).unwrap();
    assert_eq!(link.accept(service, soon(&link)), Err(Error::Timeout { step: Step::Accept }));
    link.close(service, soon(&link)).unwrap();
    assert_eq!(link.accept(service, soon(&link)), Err(Misuse::StaleHandle { port: 0 }.into()));
    board.peer().queue(OPEN, CLIENT, 0, &open_payload(3, 3));
    deliver(&mut link, &board);
    assert_eq!(link.counters().opens_refused, 1);
}

#[test]
fn a_service_is_offered_once_and_hidden_before_connect() {
    let (mut link, board) = prepared();
    link.offer(Offer::new(KEEP, 1, 1)).unwrap();
    assert_eq!(link.offer(Offer::new(KEEP, 1, 1)), Err(Misuse::OfferedTwice { fourcc: KEEP }.into()));
    board.start_peer();
    // Before the peer's CONNECT, against its own rules.
    board.peer().stuck = true;
    let mut memory = board.memory();
    for (at, word) in
        [(0x2000, 0x0212_3000), (0x2004, 12), (0x2008, KEEP.0), (0x200c, 0), (0x2010, 0x0001_0001)]
    {
        memory.store(at, word);
    }
    memory.store(0x03c, 24);
    drop(memory);
    link.poll().unwrap();
    assert_eq!((link.counters().opens_refused, link.counters().opens_accepted), (1, 0));
}

#[test]
fn a_client_that_gave_up_before_our_answer_is_found_by_its_port() {
    // Port 0 is taken by a service of the peer's, ours has port 1.
    let (mut link, board, echo) = opened(Behaviour::Sink);
    let service = link.offer(Offer::new(KEEP, 3, 3)).unwrap();
    board.peer().queue(OPEN, CLIENT, 0, &open_payload(3, 3));
    board.peer().queue(CLOSE, CLIENT, 0, &[]);
    deliver(&mut link, &board);
    assert!(link.is_open(echo), "port 0 is somebody else's");
    assert!(!link.is_open(service));
    assert_eq!(board.peer().received_of(CLOSE)[0].msgid, 0x0400_1123);
    assert_eq!(link.counters().strays, 0);
}

#[test]
fn a_close_from_nobody_to_port_0_changes_nothing() {
    let (mut link, board, echo) = opened(Behaviour::Sink);
    board.peer().queue(CLOSE, 0x321, 0, &[]);
    deliver(&mut link, &board);
    assert!(link.is_open(echo));
    assert_eq!(link.counters().strays, 1);
}
