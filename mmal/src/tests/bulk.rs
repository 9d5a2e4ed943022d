//! Bytes that travel in messages, or in bulk beside them.

use std::cell::RefCell;

use vchiq_mbox::{
    bulk::{BulkQueue, Moved},
    testing::{FakeBuffer, FakeCache, Memory as Sdram},
};

use super::*;
use crate::{Data, Flags, Misuse};

const PLAIN: PortSetup<'_> = PortSetup { zero_copy: false, ..ZERO_COPY };

/// Bulk memory of a board, page by page.
struct Pages {
    sdram: Rc<RefCell<Sdram>>,
    cache: Rc<RefCell<FakeCache>>,
}

impl Pages {
    fn new(board: &FakeBoard) -> Self {
        let sdram = Rc::new(RefCell::new(Sdram::full_of_rubbish(16 * 4096)));
        board.peer().sdram = Some(Rc::clone(&sdram));
        Self { sdram, cache: Rc::default() }
    }

    fn buffer(&self, page: usize, size: u32) -> FakeBuffer {
        let pages = (0..4).map(|more| (page + more) * 4096).collect();
        FakeBuffer { sdram: Rc::clone(&self.sdram), cache: Rc::clone(&self.cache), pages, offset: 0, size }
    }
}

/// A copy whose ports are not zero copy.
fn plain_copy(link: &mut Link, client: &mut Client) -> (Port, Port) {
    let component = create(link, client, "copy");
    let deadline = soon(link);
    let input = client.open_port(link, &component, PortType::Input, 0, &PLAIN, deadline).unwrap();
    let output = client.open_port(link, &component, PortType::Output, 0, &PLAIN, deadline).unwrap();
    (input, output)
}

#[test]
fn bytes_travel_in_a_message() {
    let (mut link, board, server, mut client) = opened();
    let (input, _) = plain_copy(&mut link, &mut client);
    let deadline = soon(&link);
    let sent = client.submit_short(&mut link, &input, Memory::new(1), b"hello", Fill::EMPTY, deadline);
    let in_flight = sent.map_err(|failure| failure.error).unwrap();
    board.run_peer();
    let message = server.requests_of(11).remove(0);
    assert_eq!((message[19], message[38], message[40]), (5, 0, 5));
    assert_eq!(message[41..43], [u32::from_le_bytes(*b"hell"), u32::from(b'o')]);
    client.flush_port(&mut link, &input, deadline).unwrap();
    let returned = client.try_take(&in_flight).unwrap().unwrap();
    assert_eq!((returned.data, returned.filled.length), (Data::None, 5), "an input brings nothing back");
}

#[test]
fn bytes_come_back_in_a_message() {
    let (mut link, board, _, mut client) = opened();
    let (_, output) = plain_copy(&mut link, &mut client);
    let room = submit(&mut link, &mut client, &output, 1, Fill::EMPTY);
    let mut words = vec![0; 73];
    words[..2].copy_from_slice(&[server::MAGIC, 12]);
    words[6..10].copy_from_slice(&[server::MAGIC, 0x40, 2, room.context().number()]);
    // The firmware's own handle, which nobody has to know.
    words[17..20].copy_from_slice(&[0x99, 6144, 5]);
    words[40] = 5;
    words[41] = u32::from_le_bytes(*b"hell");
    words[42] = u32::from(b'o');
    inject(&board, &words);
    client.poll(&mut link).unwrap();
    let returned = client.try_take(&room).unwrap().unwrap();
    let Data::Short { bytes, length } = returned.data else { panic!("{:?}", returned.data) };
    assert_eq!(bytes[..usize::from(length)], *b"hello");
}

#[test]
fn bytes_travel_in_bulk_both_ways() {
    let (mut link, board, server, mut client) = opened();
    let pages = Pages::new(&board);
    let (input, output) = plain_copy(&mut link, &mut client);
    let mut bulks: BulkQueue<FakeBuffer, 4> = BulkQueue::new();
    let deadline = soon(&link);
    let memory = pages.buffer(1, 1004);
    (0..1004).for_each(|at| memory.store_byte(at, at as u8));
    let expected = memory.bytes();
    board.peer().service(*b"mmal").bulks.takes.push_back(1004);
    let room = submit(&mut link, &mut client, &output, 2, Fill::EMPTY);
    let (full, transfer) = client
        .submit_bulk(&mut link, &input, Memory::new(1), Fill::frame(1001), &mut bulks, memory, deadline)
        .map_err(|failure| failure.error)
        .unwrap();
    let finished = bulks.wait(&mut link, transfer, deadline).map_err(|failure| failure.error).unwrap();
    assert_eq!(finished.moved, Moved::Bytes(1004), "whole words");
    assert_eq!(board.peer().service(*b"mmal").bulks.got, std::slice::from_ref(&expected));
    assert_eq!(server.requests_of(11)[1][19], 1001);

    let filled = client.await_returned(&mut link, room, deadline).unwrap();
    assert_eq!(filled.data, Data::Bulk { length: 1001 });
    board.peer().service(*b"mmal").bulks.sends.push_back(expected.clone());
    let transfer = client
        .receive_bulk(&mut link, &filled, &mut bulks, pages.buffer(6, 1004), deadline)
        .map_err(|failure| failure.error)
        .unwrap();
    let finished = bulks.wait(&mut link, transfer, deadline).map_err(|failure| failure.error).unwrap();
    assert_eq!(finished.memory.bytes(), expected);
    let emptied = client.await_returned(&mut link, full, deadline).unwrap();
    assert_eq!(emptied.data, Data::None);
}

#[test]
fn a_buffer_without_bytes_stays_in_line_by_a_transfer_of_eight() {
    let (mut link, board, server, mut client) = opened();
    let pages = Pages::new(&board);
    let (input, _) = plain_copy(&mut link, &mut client);
    let mut bulks: BulkQueue<FakeBuffer, 4> = BulkQueue::new();
    let deadline = soon(&link);
    let last = Fill { flags: Flags::END_OF_STREAM, ..Fill::EMPTY };
    let memory = pages.buffer(1, 8);
    let given = client.submit_bulk(&mut link, &input, Memory::new(1), last, &mut bulks, memory, deadline);
    assert!(given.is_ok());
    board.run_peer();
    assert_eq!(server.requests_of(24)[0][19], 0);
    assert_eq!(link.bulks_in_flight(), 1);
}

#[test]
fn a_flush_behind_the_data_brings_everything_back() {
    let (mut link, board, server, mut client) = opened();
    let pages = Pages::new(&board);
    let (input, _) = plain_copy(&mut link, &mut client);
    let mut bulks: BulkQueue<FakeBuffer, 4> = BulkQueue::new();
    let deadline = soon(&link);
    let _ = submit(&mut link, &mut client, &input, 1, Fill::EMPTY);
    board.peer().service(*b"mmal").bulks.takes.push_back(8);
    let (drained, transfer) = client
        .flush_port_with_bulk(&mut link, &input, &mut bulks, pages.buffer(1, 8), deadline)
        .map_err(|failure| failure.error)
        .unwrap();
    assert_eq!((drained.came_back, drained.still_out), (1, 0));
    assert!(bulks.wait(&mut link, transfer, deadline).is_ok());
    assert_eq!(server.requests_of(25)[0][6..9], [server::MAGIC, 0x40, 1]);
    server.state.borrow_mut().mute = true;
    let failure = client
        .flush_port_with_bulk(&mut link, &input, &mut bulks, pages.buffer(1, 8), deadline)
        .map(|(drained, _)| drained)
        .unwrap_err();
    assert!(matches!(failure.error, Error::RequestTimedOut { .. }));
    assert!(failure.memory.is_none() && bulks.len() == 1, "the link has the memory");
}

#[test]
fn memory_of_another_size_than_the_data_is_handed_back() {
    let (mut link, board, server, mut client) = opened();
    let pages = Pages::new(&board);
    let (input, output) = plain_copy(&mut link, &mut client);
    let mut bulks: BulkQueue<FakeBuffer, 4> = BulkQueue::new();
    let deadline = soon(&link);
    let sent = server.state.borrow().requests.len();
    let wrong = Misuse::BulkSize { size: 1001, expected: 1004 };
    let memory = pages.buffer(1, 1001);
    let failure = client
        .submit_bulk(&mut link, &input, Memory::new(1), Fill::frame(1001), &mut bulks, memory, deadline)
        .map(drop)
        .unwrap_err();
    assert_eq!((failure.error, failure.memory.size), (wrong.into(), 1001));
    assert!(failure.payload.is_some() && failure.in_flight.is_none());
    // An output takes nothing in bulk.
    let memory = pages.buffer(1, 1004);
    let failure = client
        .submit_bulk(&mut link, &output, Memory::new(1), Fill::frame(1001), &mut bulks, memory, deadline)
        .map(drop)
        .unwrap_err();
    assert_eq!(failure.error, Misuse::WrongWay { zero_copy: false }.into());
    let failure = client
        .flush_port_with_bulk(&mut link, &input, &mut bulks, pages.buffer(1, 4), deadline)
        .map(|(drained, _)| drained)
        .unwrap_err();
    assert_eq!(failure.error, Misuse::BulkSize { size: 4, expected: 8 }.into());
    assert!(failure.memory.is_some());
    assert_eq!(server.state.borrow().requests.len(), sent);
}

#[test]
fn bytes_only_travel_the_way_that_the_port_has() {
    let (mut link, _, _, mut client) = opened();
    let (input, _) = plain_copy(&mut link, &mut client);
    let component = create(&mut link, &mut client, "copy");
    let by_handle = open_port(&mut link, &mut client, &component, PortType::Input);
    let deadline = soon(&link);
    let failure = client.submit(&mut link, &input, Memory::new(1), Fill::frame(5), deadline).unwrap_err();
    assert_eq!(failure.error, Misuse::WrongWay { zero_copy: false }.into());
    let failure = client
        .submit_short(&mut link, &by_handle, Memory::new(1), b"hello", Fill::EMPTY, deadline)
        .unwrap_err();
    assert_eq!(failure.error, Misuse::WrongWay { zero_copy: true }.into());
    let failure =
        client.submit_short(&mut link, &input, Memory::new(1), &[0; 129], Fill::EMPTY, deadline).unwrap_err();
    assert_eq!(failure.error, Misuse::TooLong { size: 129, room: 128 }.into());
}

#[test]
fn a_message_whose_bulk_finds_no_room_can_be_completed() {
    let (mut link, board, _, mut client) = opened();
    let pages = Pages::new(&board);
    let (input, _) = plain_copy(&mut link, &mut client);
    let mut bulks: BulkQueue<FakeBuffer, 1> = BulkQueue::new();
    let deadline = soon(&link);
    let first = pages.buffer(1, 8);
    let given =
        client.submit_bulk(&mut link, &input, Memory::new(1), Fill::frame(8), &mut bulks, first, deadline);
    let (_, transfer) = given.map_err(|failure| failure.error).unwrap();
    let second = pages.buffer(2, 8);
    let failure = client
        .submit_bulk(&mut link, &input, Memory::new(2), Fill::frame(8), &mut bulks, second, deadline)
        .map(drop)
        .unwrap_err();
    assert!(failure.payload.is_none() && failure.in_flight.is_some(), "the message was sent");
    board.peer().service(*b"mmal").bulks.takes.extend([8, 8]);
    assert!(bulks.wait(&mut link, transfer, deadline).is_ok());
    let transfer = bulks.transmit(&mut link, client.service(), failure.memory, deadline).unwrap();
    assert!(bulks.wait(&mut link, transfer, deadline).is_ok());
}

#[test]
fn only_what_waits_in_bulk_is_fetched() {
    let (mut link, board, _, mut client) = opened();
    let pages = Pages::new(&board);
    let (input, _) = plain_copy(&mut link, &mut client);
    let mut bulks: BulkQueue<FakeBuffer, 4> = BulkQueue::new();
    let in_flight = submit(&mut link, &mut client, &input, 1, Fill::EMPTY);
    let deadline = soon(&link);
    client.flush_port(&mut link, &input, deadline).unwrap();
    let returned = client.try_take(&in_flight).unwrap().unwrap();
    let memory = pages.buffer(1, 8);
    let failure = client.receive_bulk(&mut link, &returned, &mut bulks, memory, deadline).unwrap_err();
    assert_eq!(failure.error, Misuse::NoBulk.into());
    assert!(failure.memory.is_some());
    let waiting = crate::Returned { data: Data::Bulk { length: 9 }, ..returned };
    let memory = pages.buffer(1, 8);
    let failure = client.receive_bulk(&mut link, &waiting, &mut bulks, memory, deadline).unwrap_err();
    assert_eq!(failure.error, Misuse::BulkSize { size: 8, expected: 12 }.into());
}
