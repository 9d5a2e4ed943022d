//! The link against an in-memory peer.

mod bulk;
mod deadlines;
mod gencmd;
mod golden;
mod hostile;
mod mailbox;
mod messages;
mod misbehaviour;
mod offers;
mod ordering;
mod pagelists;
mod pause;
mod platform;
mod quotas;
mod reset;
mod rules;
mod sequences;
mod services;
mod sync;
mod transfer;

use std::time::Duration;

use crate::{
    Deadline, FourCc, ServiceHandle, Vchiq,
    link::OpenRequest,
    slot::Layout,
    testing::{Behaviour, FakeBoard, FakeService},
};

type Link = Vchiq<FakeBoard, FakeBoard>;

const ECHO: FourCc = FourCc::new(*b"echo");
const PEER_PORT: u32 = 75;

fn prepared() -> (Link, FakeBoard) {
    let board = FakeBoard::new(Layout::LINUX_WINDOW);
    let link = Vchiq::prepare(board.clone(), board.clone()).unwrap();
    (link, board)
}

fn soon(link: &Link) -> Deadline {
    link.deadline(Duration::from_millis(50))
}

fn connected() -> (Link, FakeBoard) {
    let (mut link, board) = prepared();
    board.start_peer();
    link.connect(soon(&link)).unwrap();
    (link, board)
}

/// Connected, with one service that behaves so.
fn opened(behaviour: Behaviour) -> (Link, FakeBoard, ServiceHandle) {
    let (mut link, board) = connected();
    board.peer().services.push(FakeService::new(*b"echo", PEER_PORT, behaviour));
    let service = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap();
    (link, board, service)
}

/// A payload whose bytes tell their place.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index as u8).wrapping_mul(31) ^ (index >> 8) as u8).collect()
}

/// Receives one message and gives its payload.
fn receive(link: &mut Link, service: ServiceHandle) -> Vec<u8> {
    let deadline = soon(link);
    let mut buffer = [0; 4096];
    let message = link.receive(service, deadline).unwrap();
    message.copy_to(&mut buffer).unwrap().to_vec()
}
