//! Bulk transfers: whose memory it is, and every byte of it.

use std::{cell::RefCell, rc::Rc};

use proptest::prelude::*;

use super::*;
use crate::{
    bulk::{BulkQueue, BulkSetup, CacheLine, Finished, Moved},
    error::{Error, Exhausted, Misuse, Step, Violation},
    testing::{FakeBuffer, FakeCache, Memory, SharedSdram, golden},
    wire::PageListFormat,
};

type Queue = BulkQueue<FakeBuffer, 40>;

/// A link with an open service and memory for its bulks.
struct Bench {
    link: Link,
    board: FakeBoard,
    service: ServiceHandle,
    sdram: SharedSdram,
    cache: Rc<RefCell<FakeCache>>,
    queue: Queue,
}

const GUARD: i64 = 32;

impl Bench {
    fn new(line: CacheLine) -> Self {
        let board = FakeBoard::new(Layout::BULK_WINDOW);
        let mut link = Vchiq::prepare(board.clone(), board.clone()).unwrap();
        board.start_peer();
        link.connect(soon(&link)).unwrap();
        link.set_up_bulks(BulkSetup { line, ..BulkSetup::default() }).unwrap();
        let sdram: SharedSdram = Rc::new(RefCell::new(Memory::full_of_rubbish(0x2_0000)));
        board.peer().sdram = Some(sdram.clone());
        let mut service = FakeService::new(*b"echo", PEER_PORT, Behaviour::Sink);
        service.bulks.line = line.bytes();
        board.peer().services.push(service);
        let service = link.open(OpenRequest::new(ECHO, 3, 3), soon(&link)).unwrap();
        Self { link, board, service, sdram, cache: Rc::default(), queue: Queue::new() }
    }

    /// Memory on two pages that lie apart, full of `byte` and its guards of 0xfe.
    fn buffer(&self, offset: u16, size: u32, byte: impl Fn(usize) -> u8) -> FakeBuffer {
        let pages = vec![0x6000, 0x1000, 0x8000, 0x3000, 0x4000];
        let buffer = FakeBuffer { sdram: self.sdram.clone(), cache: self.cache.clone(), pages, offset, size };
        for at in -GUARD..i64::from(size) + GUARD {
            let inside = (0..i64::from(size)).contains(&at);
            buffer.store_byte(at, if inside { byte(at as usize) } else { 0xfe });
        }
        buffer
    }

    fn soon(&self) -> Deadline {
        soon(&self.link)
    }
}

fn guards_are_whole(buffer: &FakeBuffer) -> bool {
    let size = i64::from(buffer.size);
    (-GUARD..0).chain(size..size + GUARD).all(|at| buffer.load(at) == 0xfe)
}

#[test]
fn what_is_transmitted_arrives() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    bench.board.peer().service(*b"echo").bulks.takes.push_back(5000);
    let buffer = bench.buffer(100, 5000, |at| at as u8);
    let deadline = bench.soon();
    let sent = bench.queue.transmit(&mut bench.link, bench.service, buffer, deadline).unwrap();
    let Finished { memory, moved, .. } = bench.queue.wait(&mut bench.link, sent, deadline).unwrap();
    assert_eq!((moved, memory.size), (Moved::Bytes(5000), 5000));
    let wanted: Vec<u8> = (0..5000).map(|at| at as u8).collect();
    assert_eq!(bench.board.peer().service(*b"echo").bulks.got, [wanted]);
    assert!(bench.queue.is_empty());
}

#[test]
fn another_size_than_the_service_asks_for_is_aborted_and_the_memory_untouched() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    bench.board.peer().service(*b"echo").bulks.sends.push_back(vec![7; 1024]);
    bench.board.peer().service(*b"echo").bulks.sends.push_back(vec![7; 2048]);
    for wanted in [Moved::Aborted, Moved::Bytes(2048)] {
        let buffer = bench.buffer(0, 2048, |_| 0xaa);
        let deadline = bench.soon();
        let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
        let Finished { memory, moved, .. } = bench.queue.wait(&mut bench.link, asked, deadline).unwrap();
        assert_eq!(moved, wanted);
        let byte = if moved == Moved::Aborted { 0xaa } else { 7 };
        assert!(memory.bytes().iter().all(|found| *found == byte));
    }
}

#[test]
fn ends_come_to_the_oldest_of_their_direction() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    let deadline = bench.soon();
    let mut asked = Vec::new();
    for size in [64, 128, 192] {
        let buffer = bench.buffer(0, size, |_| 0);
        asked.push(bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap());
    }
    let buffer = bench.buffer(0, 32, |_| 0);
    let sent = bench.queue.transmit(&mut bench.link, bench.service, buffer, deadline).unwrap();
    for size in [64, 128, 192] {
        bench.board.peer().service(*b"echo").bulks.sends.push_back(vec![1; size]);
    }
    bench.board.peer().service(*b"echo").bulks.takes.push_back(32);
    // Waited for in another order than they end in.
    let sizes = asked.into_iter().rev().map(|token| {
        let Finished { memory, moved, .. } = bench.queue.wait(&mut bench.link, token, deadline).unwrap();
        assert_eq!(moved, Moved::Bytes(memory.size));
        memory.size
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [192, 128, 64]);
    assert_eq!(bench.queue.wait(&mut bench.link, sent, deadline).unwrap().moved, Moved::Bytes(32));
}

#[test]
fn four_transfers_a_direction_are_under_way_at_most() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    let deadline = bench.soon();
    for _ in 0..4 {
        for receive in [false, true] {
            let buffer = bench.buffer(0, 64, |_| 0);
            let asked = match receive {
                true => bench.queue.receive(&mut bench.link, bench.service, buffer, deadline),
                false => bench.queue.transmit(&mut bench.link, bench.service, buffer, deadline),
            };
            let _in_flight = asked.unwrap();
        }
    }
    let buffer = bench.buffer(0, 64, |_| 0x11);
    let refused = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap_err();
    assert_eq!(refused.error, Exhausted::BulksInFlight { port: 0, in_flight: 4 }.into());
    assert_eq!(refused.memory.bytes(), [0x11; 64], "the memory is ours still");
    // One end makes room for one more.
    bench.board.peer().service(*b"echo").bulks.sends.push_back(vec![1; 64]);
    let deadline = bench.soon();
    let again = bench.queue.receive(&mut bench.link, bench.service, refused.memory, deadline);
    assert!(again.is_ok());
    assert_eq!(bench.link.bulks_in_flight(), 8);
}

#[test]
fn a_wait_that_times_out_leaves_the_memory_with_the_peer() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    let deadline = bench.soon();
    let buffer = bench.buffer(0, 64, |_| 0);
    let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
    let late = bench.queue.wait(&mut bench.link, asked, deadline).unwrap_err();
    assert_eq!(late.error, Error::Timeout { step: Step::Bulk });
    assert_eq!((bench.queue.len(), bench.link.bulks_in_flight()), (1, 1));
    bench.board.peer().service(*b"echo").bulks.sends.push_back(vec![9; 64]);
    let deadline = bench.soon();
    let finished = bench.queue.wait(&mut bench.link, late.in_flight, deadline);
    assert_eq!(finished.unwrap().memory.bytes(), [9; 64]);
}

#[test]
fn closing_aborts_what_is_under_way_on_either_side() {
    for by_peer in [false, true] {
        let mut bench = Bench::new(CacheLine::Bytes64);
        let deadline = bench.soon();
        let buffer = bench.buffer(0, 64, |_| 0);
        let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
        bench.board.run_peer();
        if by_peer {
            bench.board.peer().close_service(*b"echo");
        }
        bench.link.close(bench.service, deadline).unwrap();
        assert_eq!(bench.queue.wait(&mut bench.link, asked, deadline).unwrap().moved, Moved::Aborted);
        let handle =
            bench.link.open(OpenRequest::new(ECHO, 3, 3), bench.link.deadline(Duration::from_millis(50)));
        assert_eq!(handle.unwrap().port(), 0);
    }
}

#[test]
fn memory_the_peer_forgets_at_close_stays_out_and_keeps_its_port() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    bench.board.peer().service(*b"echo").bulks.forgets = true;
    let deadline = bench.soon();
    let buffer = bench.buffer(0, 64, |_| 0);
    let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
    bench.link.close(bench.service, deadline).unwrap();
    let late = bench.queue.wait(&mut bench.link, asked, deadline).unwrap_err();
    let request = OpenRequest::new(ECHO, 3, 3);
    assert_eq!(bench.link.open(request, soon(&bench.link)).unwrap().port(), 1, "port 0 is not used again");
    // Its end, after the close: now the memory and the port come back.
    bench.board.peer().queue_bulk_done(true, PEER_PORT, 0, u32::MAX);
    let deadline = soon(&bench.link);
    assert_eq!(bench.queue.wait(&mut bench.link, late.in_flight, deadline).unwrap().moved, Moved::Aborted);
    bench.board.peer().services.push(FakeService::new(*b"next", 80, Behaviour::Sink));
    let next = OpenRequest::new(FourCc::new(*b"next"), 3, 3);
    assert_eq!(bench.link.open(next, soon(&bench.link)).unwrap().port(), 0);
}

#[test]
fn memory_comes_back_after_a_reset_of_videocore() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    let deadline = bench.soon();
    let buffer = bench.buffer(0, 64, |_| 3);
    let _in_flight = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
    let (_, _, reset) = bench.link.after_reset();
    let back: Vec<FakeBuffer> = bench.queue.after_reset(&reset).collect();
    assert_eq!(back.len(), 1);
}

#[test]
fn an_end_that_nothing_waits_for_is_dropped_and_counted() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    bench.board.peer().queue_bulk_done(false, PEER_PORT, 0, 64);
    bench.board.run_peer();
    bench.link.poll().unwrap();
    assert_eq!(bench.link.last_stray().unwrap().msgid, 0x0904_b000);
}

#[test]
fn an_end_that_comes_after_the_abort_is_dropped_and_the_memory_comes_back_once() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    let deadline = bench.soon();
    let buffer = bench.buffer(0, 64, |_| 0);
    let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
    bench.board.run_peer();
    bench.board.peer().close_service(*b"echo");
    assert_eq!(bench.queue.wait(&mut bench.link, asked, deadline).unwrap().moved, Moved::Aborted);
    bench.board.peer().queue_bulk_done(true, PEER_PORT, 0, 64);
    bench.board.run_peer();
    assert!(bench.queue.try_finish(&mut bench.link).unwrap().is_none());
    let stray = bench.link.last_stray().unwrap();
    assert_eq!((stray.msgid, stray.words[0], bench.queue.len()), (0x0804_b000, 64, 0));
    // Nor does it end a transfer of the port's next service.
    bench.link.close(bench.service, soon(&bench.link)).unwrap();
    let service = bench.link.open(OpenRequest::new(ECHO, 3, 3), soon(&bench.link)).unwrap();
    let deadline = bench.soon();
    let buffer = bench.buffer(0, 64, |_| 0);
    let asked = bench.queue.receive(&mut bench.link, service, buffer, deadline).unwrap();
    let late = bench.queue.wait(&mut bench.link, asked, deadline).unwrap_err();
    assert_eq!(late.error, Error::Timeout { step: Step::Bulk });
}

/// Every place in a line where received memory may begin, and ends in the same, the next and a later line.
#[test]
fn edges_beside_whole_lines_survive_at_every_offset() {
    for line in [CacheLine::Bytes32, CacheLine::Bytes64] {
        let offsets = if cfg!(miri) { 31..33 } else { 0..64 };
        for offset in offsets {
            let mut bench = Bench::new(line);
            for size in [1, 31, 63, 64, 65, 130] {
                bench.board.peer().service(*b"echo").bulks.sends.push_back((0..size as u8).collect());
                let deadline = bench.soon();
                let buffer = bench.buffer(4096 - 64 + offset, size, |_| 0x55);
                let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
                let back = bench.queue.wait(&mut bench.link, asked, deadline).unwrap();
                bench.cache.borrow_mut().evict_all(&mut bench.sdram.borrow_mut());
                let wanted: Vec<u8> = (0..size as u8).collect();
                assert_eq!(back.memory.bytes(), wanted, "{size} bytes at {offset}, {line:?}");
                assert!(guards_are_whole(&back.memory), "{size} bytes at {offset}, {line:?}");
            }
        }
    }
}

#[test]
fn a_fragment_of_golden_bytes_is_copied_to_where_it_belongs() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    bench.board.peer().service(*b"echo").bulks.forgets = true;
    let deadline = bench.soon();
    let buffer = bench.buffer(0x14, 100, |_| 0xee);
    let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
    bench.board.run_peer();
    let list = [0, 4].map(|word| bench.board.memory().load(0x4_3000 + word));
    assert_eq!(list, [100, 0x14 << 16 | 2], "edges through fragment 0");
    let entry = golden(include_str!("../../../tests/data/vchiq/fragment.hex"));
    let entry: Vec<u8> = entry.into_iter().map(|byte| byte.unwrap_or(0xdd)).collect();
    bench.board.memory().store_bytes(0x4_1000, &entry);
    bench.board.peer().queue_bulk_done(true, PEER_PORT, 0, 100);
    let back = bench.queue.wait(&mut bench.link, asked, deadline).unwrap();
    assert_eq!(back.memory.bytes(), (0..100).collect::<Vec<u8>>());
    assert!(guards_are_whole(&back.memory));
}

#[test]
fn more_bytes_than_asked_for_end_the_link_and_the_memory_stays_out() {
    for actual in [65, 0x8000_0000, 0xffff_fffe] {
        let mut bench = Bench::new(CacheLine::Bytes64);
        let deadline = bench.soon();
        let buffer = bench.buffer(0, 64, |_| 0);
        let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
        bench.board.peer().queue_bulk_done(true, PEER_PORT, 0, actual);
        let late = bench.queue.wait(&mut bench.link, asked, deadline).unwrap_err();
        let Error::Violation(Violation::BulkActual { actual: found, size: 64, .. }) = late.error else {
            panic!("{actual:#x} accepted: {}", late.error);
        };
        assert_eq!((found, bench.queue.len()), (actual, 1));
    }
}

#[test]
fn fewer_bytes_or_none_are_reported_and_the_memory_comes_back() {
    for actual in [0, 1, 63] {
        let mut bench = Bench::new(CacheLine::Bytes64);
        let deadline = bench.soon();
        let buffer = bench.buffer(20, 64, |_| 0x77);
        let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
        bench.board.peer().queue_bulk_done(true, PEER_PORT, 0, actual);
        let finished = bench.queue.wait(&mut bench.link, asked, deadline).unwrap();
        assert_eq!(finished.moved, Moved::Bytes(actual));
        assert!(guards_are_whole(&finished.memory));
        let rest = &finished.memory.bytes()[actual as usize..];
        assert!(rest.iter().all(|byte| *byte == 0x77), "bytes beyond the end are untouched");
    }
}

#[test]
fn an_end_without_a_size_ends_the_link() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    let deadline = bench.soon();
    let buffer = bench.buffer(0, 64, |_| 0);
    let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
    bench.board.peer().queue(8, PEER_PORT, 0, &[1, 2]);
    let late = bench.queue.wait(&mut bench.link, asked, deadline).unwrap_err();
    assert!(matches!(late.error, Error::Violation(Violation::ShortBulkDone { size: 2, .. })));
}

#[test]
fn what_cannot_be_asked_for_is_refused_with_the_memory() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    let deadline = bench.soon();
    let empty = FakeBuffer { size: 0, ..bench.buffer(0, 64, |_| 0) };
    let refused = bench.queue.transmit(&mut bench.link, bench.service, empty, deadline).unwrap_err();
    assert!(matches!(refused.error, Error::Misuse(Misuse::PageList(_))));
    bench.link.close(bench.service, deadline).unwrap();
    let buffer = bench.buffer(0, 64, |_| 0);
    let refused = bench.queue.transmit(&mut bench.link, bench.service, buffer, deadline).unwrap_err();
    assert_eq!(refused.error, Misuse::StaleHandle { port: 0 }.into());

    let (mut link, _, service) = opened(Behaviour::Sink);
    let buffer = bench.buffer(0, 64, |_| 0);
    let deadline = soon(&link);
    let refused = bench.queue.transmit(&mut link, service, buffer, deadline).unwrap_err();
    let (have, need) = (Layout::LINUX_WINDOW, Layout::BULK_WINDOW);
    assert_eq!(refused.error, Misuse::NoBulkRoom { have, need }.into());
}

#[test]
fn pages_beyond_a_gigabyte_travel_in_wide_pagelists() {
    let mut bench = Bench::new(CacheLine::Bytes64);
    bench.link.set_up_bulks(BulkSetup { format: PageListFormat::Wide, line: CacheLine::Bytes64 }).unwrap();
    let bulks = |bench: &mut Bench, takes| {
        let mut peer = bench.board.peer();
        let bulks = &mut peer.service(*b"echo").bulks;
        bulks.wide = true;
        bulks.takes.push_back(takes);
    };
    bulks(&mut bench, 8192);
    let buffer = bench.buffer(0x20, 8192, |at| (at / 7) as u8);
    let deadline = bench.soon();
    let sent = bench.queue.transmit(&mut bench.link, bench.service, buffer, deadline).unwrap();
    assert_eq!(bench.link.set_up_bulks(BulkSetup::default()), Err(Misuse::BulksUnderWay));
    assert_eq!(bench.queue.wait(&mut bench.link, sent, deadline).unwrap().moved, Moved::Bytes(8192));
    let wanted: Vec<u8> = (0..8192).map(|at| (at / 7) as u8).collect();
    assert_eq!(bench.board.peer().service(*b"echo").bulks.got, [wanted]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any size at any alignment comes back whole through a cache that may write back and drop lines at any time, and
    /// nothing beside it changes.
    #[test]
    fn any_memory_comes_back_whole(
        turns in prop::collection::vec((32u16..4096, 1u32..6000), 1..6),
        short_lines in any::<bool>(),
    ) {
        // The Arm's lines are 64 bytes, so a peer that reckons with 32 may share a line with its neighbours.
        let line = if short_lines { CacheLine::Bytes32 } else { CacheLine::Bytes64 };
        let mut bench = Bench::new(line);
        bench.board.peer().service(*b"echo").bulks.echoes = true;
        for (offset, size) in turns {
            let offset = if short_lines { offset & !63 } else { offset };
            let size = if short_lines { size.next_multiple_of(64) } else { size };
            bench.board.peer().service(*b"echo").bulks.takes.push_back(size);
            let deadline = soon(&bench.link);
            let sent = bench.buffer(offset, size, |at| (at * 3 / 2) as u8);
            let sent = bench.queue.transmit(&mut bench.link, bench.service, sent, deadline).unwrap();
            prop_assert_eq!(bench.queue.wait(&mut bench.link, sent, deadline).unwrap().moved, Moved::Bytes(size));
            let buffer = bench.buffer(offset, size, |_| 0);
            let asked = bench.queue.receive(&mut bench.link, bench.service, buffer, deadline).unwrap();
            let back = bench.queue.wait(&mut bench.link, asked, deadline).unwrap();
            prop_assert_eq!(back.moved, Moved::Bytes(size));
            bench.cache.borrow_mut().evict_all(&mut bench.sdram.borrow_mut());
            let wanted: Vec<u8> = (0..size as usize).map(|at| (at * 3 / 2) as u8).collect();
            prop_assert_eq!(back.memory.bytes(), wanted);
            prop_assert!(guards_are_whole(&back.memory));
        }
    }
}
