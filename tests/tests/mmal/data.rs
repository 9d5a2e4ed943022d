//! What is in a buffer, and how it travels.

use mmal::{Data, Drained, Fill, Flags, HandleNumber, PortSetup, PortType};
use tests::native::Piece;
use vchiq_mbox::bulk::{BulkQueue, BulkSetup, CacheLine, Moved};

use super::support::{
    PLAIN, SIZE, ZERO_COPY, assert_logged, back, create, enable, on_both, open, pair, pattern, released,
    sink, submit,
};

#[test]
fn a_picture_goes_through_imported_memory_byte_for_byte() {
    on_both(|bench| {
        for name in ["copy", "ril.video_splitter", "ril.image_fx", "video_convert"] {
            let (component, input, output) = pair(bench, name, &ZERO_COPY);
            let (source, target) = (bench.import(1, SIZE as usize), bench.import(10, SIZE as usize));
            bench.piece(&source).fill(pattern);
            bench.piece(&target).fill(|_| 0);
            let (full, room) = (bench.payload(&source), bench.payload(&target));
            let room = submit(bench, &output, room, Fill::EMPTY);
            let full = submit(bench, &input, full, Fill { pts: 1234, ..Fill::frame(SIZE) });
            let filled = back(bench, room);
            let emptied = back(bench, full);
            assert_eq!((filled.filled.length, filled.filled.pts, filled.data), (SIZE, 1234, Data::InMemory));
            assert_eq!(emptied.filled.length, 0);
            assert_eq!(bench.piece(&target).words(), bench.piece(&source).words(), "{name}");
            let deadline = bench.soon();
            assert!(bench.mmal.destroy(&mut bench.link, component, deadline).is_ok(), "{name}");
            for imported in [source, target] {
                let deadline = bench.soon();
                let freed = bench.smem.free(&mut bench.link, imported, deadline).expect("FREE sent");
                released(bench, freed);
            }
        }
        let deadline = bench.soon();
        let counts = bench.mmal.statistics(&mut bench.link, false, deadline).expect("counts").buffers;
        assert_eq!((counts.rx_zero_copy.get(), counts.rx_empty.get()), (4, 4), "outputs count as empty");
        assert_eq!((counts.tx_zero_copy.get(), counts.tx_empty.get()), (4, 4));
        assert_eq!(bench.mmal.counters().violations + bench.smem.counters().violations, 0);
    });
}

#[test]
fn a_source_writes_into_imported_memory() {
    on_both(|bench| {
        let component = create(bench, "ril.source");
        let output = open(bench, &component, PortType::Output, &ZERO_COPY);
        let target = bench.import(1, SIZE as usize);
        bench.piece(&target).fill(|_| 0);
        enable(bench, &component);
        let room = bench.payload(&target);
        let room = submit(bench, &output, room, Fill::EMPTY);
        let filled = back(bench, room);
        assert_eq!((filled.filled.length, filled.data), (SIZE, Data::InMemory));
        assert!(bench.piece(&target).words().iter().any(|word| *word != 0));
    });
}

#[test]
fn bytes_travel_in_messages_and_in_bulk() {
    on_both(|bench| {
        let setup = BulkSetup { line: CacheLine::Bytes32, ..BulkSetup::default() };
        bench.link.set_up_bulks(setup).expect("no transfers yet");
        let (_component, input, output) = pair(bench, "copy", &PLAIN);
        let (here, there) = (HandleNumber { handle: 1, size: SIZE }, HandleNumber { handle: 2, size: SIZE });
        let mut bulks: BulkQueue<Piece<'_>, 4> = BulkQueue::new();
        for length in [1, 16, 130, 1001, SIZE] {
            let bytes = length.next_multiple_of(4) as usize;
            let (source, target) =
                (Piece::new(bench.lendable, 20, bytes), Piece::new(bench.lendable, 30, bytes));
            source.fill(pattern);
            let expected = source.words();
            let room = submit(bench, &output, there, Fill::EMPTY);
            let deadline = bench.soon();
            let fill = Fill::frame(length);
            let given =
                bench.mmal.submit_bulk(&mut bench.link, &input, here, fill, &mut bulks, source, deadline);
            let (full, transfer) = given.unwrap_or_else(|failure| panic!("{}", failure.error));
            let sent = bulks.wait(&mut bench.link, transfer, deadline);
            assert!(matches!(sent, Ok(sent) if sent.moved == Moved::Bytes(bytes as u32)));
            let filled = back(bench, room);
            assert_eq!(filled.data, Data::Bulk { length });
            let fetched = bench.mmal.receive_bulk(&mut bench.link, &filled, &mut bulks, target, deadline);
            let transfer = fetched.unwrap_or_else(|failure| panic!("{}", failure.error));
            let fetched = bulks.wait(&mut bench.link, transfer, deadline);
            let fetched = fetched.unwrap_or_else(|failure| panic!("{}", failure.error)).memory.words();
            let whole = length as usize / 4;
            assert_eq!(fetched[..whole], expected[..whole], "{length} bytes");
            assert_eq!(back(bench, full).data, Data::None);
        }
        let deadline = bench.soon();
        let room = submit(bench, &output, there, Fill::EMPTY);
        let text = b"in the message";
        let full = bench.mmal.submit_short(&mut bench.link, &input, here, text, Fill::EMPTY, deadline);
        back(bench, full.expect("given"));
        assert_eq!(back(bench, room).data, Data::Bulk { length: 14 }, "short data comes back in bulk");
        let counts = bench.mmal.statistics(&mut bench.link, false, deadline).expect("counts").buffers;
        assert_eq!((counts.rx.get(), counts.rx_short.get(), counts.tx_short.get()), (5, 1, 0));
    });
}

#[test]
fn empty_buffers_and_a_flush_go_behind_bytes_in_bulk() {
    on_both(|bench| {
        let (component, input) = sink(bench, &PLAIN);
        let payload = HandleNumber { handle: 1, size: SIZE };
        let mut bulks: BulkQueue<Piece<'_>, 4> = BulkQueue::new();
        let alone = submit(bench, &input, payload, Fill::EMPTY);
        assert_eq!(back(bench, alone).filled.length, 0);
        let deadline = bench.soon();
        let eight = Piece::new(bench.lendable, 20, 8);
        let fill = Fill::EMPTY;
        let given =
            bench.mmal.submit_bulk(&mut bench.link, &input, payload, fill, &mut bulks, eight, deadline);
        let (in_line, transfer) = given.unwrap_or_else(|failure| panic!("{}", failure.error));
        assert!(bulks.wait(&mut bench.link, transfer, deadline).is_ok());
        assert_eq!(back(bench, in_line).filled.length, 0);

        bench.mmal.disable(&mut bench.link, &component, deadline).expect("disabled");
        let bytes = Piece::new(bench.lendable, 20, 64);
        let fill = Fill::frame(64);
        let given =
            bench.mmal.submit_bulk(&mut bench.link, &input, payload, fill, &mut bulks, bytes, deadline);
        let (held, _) = given.unwrap_or_else(|failure| panic!("{}", failure.error));
        let eight = Piece::new(bench.lendable, 21, 8);
        let flushed = bench.mmal.flush_port_with_bulk(&mut bench.link, &input, &mut bulks, eight, deadline);
        let (drained, _) = flushed.unwrap_or_else(|failure| panic!("{}", failure.error));
        assert_eq!(drained, Drained { came_back: 1, still_out: 0 });
        assert_eq!(back(bench, held).filled.length, 64);
    });
}

/// With zero copy none is lost.
#[test]
fn without_zero_copy_each_end_of_a_stream_costs_null_sink_a_buffer() {
    on_both(|bench| {
        let (_component, input) = sink(bench, &PortSetup { buffers: 3, ..PLAIN });
        let payload = HandleNumber { handle: 1, size: SIZE };
        for _ in 0..10 {
            let in_flight = submit(bench, &input, payload, Fill::EMPTY);
            back(bench, in_flight);
        }
        let last = Fill { flags: Flags::END_OF_STREAM, ..Fill::EMPTY };
        for _ in 0..3 {
            let in_flight = submit(bench, &input, payload, last);
            back(bench, in_flight);
        }
        let _ = submit(bench, &input, payload, Fill::EMPTY);
        bench.witness.pass(20_000_000);
        assert_eq!(bench.mmal.poll(&mut bench.link), Ok(0));
        assert_logged(bench, "pool exhausted, recyling bust, on comp 64 port 1");

        let (_component, input) = sink(bench, &ZERO_COPY);
        let imported = bench.import(1, SIZE as usize);
        let payload = bench.payload(&imported);
        for _ in 0..10 {
            let in_flight = submit(bench, &input, payload, last);
            back(bench, in_flight);
        }
    });
}
