//! The client against a scripted MMAL service.

mod bulk;
mod golden;
mod hostile;
mod lifecycle;
mod requests;
mod sequences;

mod server;

use std::{cell::Cell, rc::Rc, time::Duration};

use vchiq_mbox::{
    Deadline, Vchiq,
    slot::Layout,
    testing::{FakeBoard, FakeService},
};

use self::server::{Server, bytes_of};
use crate::{
    Component, Error, Fill, InFlight, Mmal, Options, Payload, Port, PortSetup, PortType, Stream, Violation,
    wire::Encoding,
};

type Link = Vchiq<FakeBoard, FakeBoard>;
type Client = Mmal<Memory, 4>;

/// A payload that tells when it is dropped, that is, when its memory could be reused.
#[derive(Debug)]
struct Memory {
    handle: u32,
    size: u32,
    dropped: Rc<Cell<bool>>,
}

impl Memory {
    fn new(handle: u32) -> Self {
        Self { handle, size: 6144, dropped: Rc::default() }
    }
}

impl Payload for Memory {
    fn handle(&self) -> u32 {
        self.handle
    }

    fn size(&self) -> u32 {
        self.size
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.dropped.set(true);
    }
}

/// What a port of these tests is set to.
const ZERO_COPY: PortSetup<'_> = PortSetup {
    zero_copy: true,
    stream: Stream::Video { encoding: Encoding::I420, width: 64, height: 64 },
    buffers: 2,
    buffer_size: 6144,
};

/// A connected link with the service offered, and the strings of that service.
fn connected() -> (Link, FakeBoard, Server) {
    let board = FakeBoard::new(Layout::BULK_WINDOW);
    let mut link = Vchiq::prepare(board.clone(), board.clone()).unwrap();
    board.start_peer();
    link.connect(soon(&link)).unwrap();
    let server = Server::default();
    let mut service = FakeService::new(*b"mmal", 85, server.behaviour());
    service.versions = (16, 10);
    board.peer().services.push(service);
    (link, board, server)
}

fn opened() -> (Link, FakeBoard, Server, Client) {
    let (mut link, board, server) = connected();
    let deadline = soon(&link);
    let client = Mmal::open(&mut link, &Options::default(), deadline).unwrap();
    (link, board, server, client)
}

fn soon(link: &Link) -> Deadline {
    link.deadline(Duration::from_millis(50))
}

fn create(link: &mut Link, client: &mut Client, name: &str) -> Component {
    let deadline = soon(link);
    client.create(link, name, deadline).unwrap()
}

fn open_port(link: &mut Link, client: &mut Client, component: &Component, kind: PortType) -> Port {
    let deadline = soon(link);
    client.open_port(link, component, kind, 0, &ZERO_COPY, deadline).unwrap()
}

fn submit(link: &mut Link, client: &mut Client, port: &Port, handle: u32, fill: Fill) -> InFlight {
    let deadline = soon(link);
    client.submit(link, port, Memory::new(handle), fill, deadline).map_err(|failure| failure.error).unwrap()
}

/// A null_sink that holds what it gets, and its input.
fn paused_sink(link: &mut Link, client: &mut Client) -> (Component, Port) {
    let component = create(link, client, "null_sink");
    let port = open_port(link, client, &component, PortType::Input);
    let deadline = soon(link);
    client.enable(link, &component, deadline).unwrap();
    client.disable(link, &component, deadline).unwrap();
    (component, port)
}

/// Lets the peer send these words on the service.
fn inject(board: &FakeBoard, words: &[u32]) {
    board.peer().queue_data(*b"mmal", &bytes_of(words));
    board.run_peer();
}

/// The violation that a poll meets.
fn violation(link: &mut Link, client: &mut Client) -> Violation {
    match client.poll(link) {
        Err(Error::Violation(violation)) => violation,
        other => panic!("no violation: {other:?}"),
    }
}
