//! The client against a scripted SMEM service.

mod faults;
mod firmware;
mod handshake;
mod heap;
mod hostile;
mod memory;
mod reset;
mod wire;

use std::{cell::Cell, rc::Rc, time::Duration};

use vchiq_mbox::{
    BusAddress, Deadline, Vchiq,
    slot::Layout,
    testing::{FakeBoard, FakeService},
};

use self::firmware::Firmware;
use crate::{Error, Imported, Lend, Options, Smem};

type Link = Vchiq<FakeBoard, FakeBoard>;
type Client = Smem<Buffer, 4>;

/// A lendable buffer that tells when it is dropped, that is, when its memory could be reused.
#[derive(Debug)]
struct Buffer {
    address: u32,
    size: u32,
    dropped: Rc<Cell<bool>>,
}

impl Buffer {
    fn new(address: u32) -> Self {
        Self { address, size: 0x1000, dropped: Rc::default() }
    }
}

impl Lend for Buffer {
    fn bus_address(&self) -> BusAddress {
        BusAddress(self.address)
    }

    fn size(&self) -> u32 {
        self.size
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.dropped.set(true);
    }
}

/// A connected link with the service offered, and the strings of that service.
fn connected() -> (Link, FakeBoard, Firmware) {
    let board = FakeBoard::new(Layout::LINUX_WINDOW);
    let mut link = Vchiq::prepare(board.clone(), board.clone()).unwrap();
    board.start_peer();
    link.connect(soon(&link)).unwrap();
    let firmware = Firmware::default();
    let mut service = FakeService::new(*b"SMEM", 31, firmware.behaviour());
    service.versions = (1, 0);
    board.peer().services.push(service);
    (link, board, firmware)
}

fn opened() -> (Link, FakeBoard, Firmware, Client) {
    let (mut link, board, firmware) = connected();
    let deadline = soon(&link);
    let client = Smem::open(&mut link, &Options::default(), deadline).unwrap();
    (link, board, firmware, client)
}

fn soon(link: &Link) -> Deadline {
    link.deadline(Duration::from_millis(50))
}

/// Imports a buffer at an address.
fn import(link: &mut Link, client: &mut Client, address: u32) -> Imported {
    let deadline = soon(link);
    client.import(link, Buffer::new(address), deadline).map_err(|failure| failure.error).unwrap()
}

/// Lets the peer send these words on the service.
fn inject(board: &FakeBoard, words: &[u32]) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    board.peer().queue_data(*b"SMEM", &bytes);
    board.run_peer();
}

/// The violation that a poll meets.
fn violation(link: &mut Link, client: &mut Client) -> crate::Violation {
    match client.poll(link) {
        Err(Error::Violation(violation)) => violation,
        other => panic!("no violation: {other:?}"),
    }
}
