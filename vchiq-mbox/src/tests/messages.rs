//! Every message, byte for byte, both ways: `tests/data/vchiq` and `tests/data/property`.

use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::{
    BusAddress, Mailbox,
    link::Connection,
    property::*,
    testing::{FakeMailbox, MailboxBehaviour, golden, golden_bytes},
    wire::{BulkPayload, CLAIMED, MessageId, MessageType, OpenAckPayload, OpenPayload, Port, stride},
};

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("../../../tests/data/vchiq/", $name, ".hex"))
    };
}

macro_rules! property {
    ($name:literal) => {
        include_str!(concat!("../../../tests/data/property/", $name, ".hex"))
    };
}

/// Encodes to the golden bytes, and decodes from them; gives the payload.
#[track_caller]
fn assert_message(text: &str, kind: MessageType, source: u16, destination: u16, payload: &[u8]) {
    let bytes = golden_bytes(text);
    let (source, destination) = (Port::new(source).unwrap(), Port::new(destination).unwrap());
    let encoded = MessageId::new(kind, source, destination).0.to_le_bytes();
    let size = (payload.len() as u32).to_le_bytes();
    assert_eq!([&encoded, &size, payload].concat(), bytes, "{kind:?} encoded");

    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let id = MessageId(word(0));
    assert_eq!(
        (id.kind(), id.source(), id.destination()),
        (Ok(kind), source, destination),
        "{kind:?} decoded"
    );
    assert_eq!(word(4) as usize, payload.len());
    assert_eq!(stride(payload.len()), bytes.len().next_multiple_of(8));
}

#[test]
fn control_messages_have_their_golden_bytes() {
    use MessageType::*;
    assert_message(data!("connect"), Connect, 0, 0, &[]);
    assert_message(data!("close"), Close, 0, 75, &[]);
    assert_message(data!("close_from_peer"), Close, 75, 0, &[]);
    assert_message(data!("nack"), Close, 0, 0, &[]);
    assert_message(data!("close_before_openack"), Close, 1, 0, &[]);
    assert_message(data!("pause"), Pause, 0, 0, &[]);
    assert_message(data!("resume"), Resume, 0, 0, &[]);
    assert_message(data!("remote_use"), RemoteUse, 0, 0, &[]);
    assert_message(data!("remote_release"), RemoteRelease, 0, 0, &[]);
    assert_message(data!("remote_use_active"), RemoteUseActive, 0, 0, &[]);
}

#[test]
fn messages_with_a_payload_of_their_own_have_their_golden_bytes() {
    let open = OpenPayload::new(ECHO, 0, 3, 3);
    assert_message(data!("open"), MessageType::Open, 0, 0, open.as_bytes());
    let decoded = OpenPayload::read_from_bytes(&golden_bytes(data!("open"))[8..]).unwrap();
    let fields =
        (decoded.fourcc.get(), decoded.client_id.get(), decoded.version.get(), decoded.version_min.get());
    assert_eq!(fields, (ECHO.0, 0, 3, 3));

    let acknowledgement = OpenAckPayload { version: 3.into() };
    assert_message(data!("openack"), MessageType::OpenAck, 75, 0, acknowledgement.as_bytes());
    assert_eq!(
        OpenAckPayload::read_from_bytes(&golden_bytes(data!("openack"))[8..]).unwrap().version.get(),
        3
    );

    let bulk = BulkPayload { pagelist: 0xc013_2000.into(), size: 8192.into() };
    assert_message(data!("bulk_rx"), MessageType::BulkRx, 0, 85, bulk.as_bytes());
    assert_message(data!("bulk_tx"), MessageType::BulkTx, 0, 85, bulk.as_bytes());
    let decoded = BulkPayload::read_from_bytes(&golden_bytes(data!("bulk_rx"))[8..]).unwrap();
    assert_eq!((decoded.pagelist.get(), decoded.size.get()), (0xc013_2000, 8192));

    let done = 8192u32.to_le_bytes();
    assert_message(data!("bulk_rx_done"), MessageType::BulkRxDone, 85, 0, &done);
    assert_message(data!("bulk_tx_done"), MessageType::BulkTxDone, 85, 0, &done);
    assert_message(data!("bulk_rx_aborted"), MessageType::BulkRxDone, 85, 0, &u32::MAX.to_le_bytes());
}

#[test]
fn data_has_its_golden_bytes_and_a_claimed_one_is_none() {
    let words: [u32; 10] = [4, 0, 100, 1, 1, 1, 0, 0, 0, 0];
    let config: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_message(data!("data"), MessageType::Data, 0, 75, &config);
    assert_message(data!("data_from_peer"), MessageType::Data, 75, 0, &[0]);
    assert_message(data!("data_empty"), MessageType::Data, 0, 75, &[]);
    let claimed = golden_bytes(data!("data_claimed"));
    let id = u32::from_le_bytes(claimed[..4].try_into().unwrap());
    assert_eq!(id, MessageId::new(MessageType::Data, Port::from(75), Port::NONE).0 | CLAIMED);
    assert!(MessageId(id).kind().is_err());
}

#[test]
fn padding_has_its_golden_bytes() {
    for (text, size) in [(data!("padding"), 32), (data!("padding_least"), 0)] {
        let bytes = golden_bytes(text);
        let header = [0, size].map(u32::to_le_bytes).concat();
        assert_eq!(bytes, header);
        assert_eq!(MessageId(0).kind(), Ok(MessageType::Padding));
    }
}

/// What the driver stored from a position of ours on; our slots lie in order.
fn sent(board: &FakeBoard, position: u32, len: usize) -> Vec<u8> {
    board.memory().bytes(34 * 4096 + position as usize, len)
}

/// Puts golden bytes where the peer's next message goes, as it would.
fn deliver(link: &mut Link, board: &FakeBoard, text: &str) {
    board.run_peer();
    let bytes = golden_bytes(text);
    let position = board.memory().load(0x03c);
    let mut memory = board.memory();
    memory.store_bytes(2 * 4096 + position as usize, &bytes);
    memory.store(0x03c, position + bytes.len().next_multiple_of(8) as u32);
    drop(memory);
    board.peer().stuck = true;
    link.poll().unwrap();
}

#[test]
fn the_driver_sends_golden_bytes() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    for (position, text) in [(0, data!("connect")), (8, data!("open"))] {
        let expected = golden_bytes(text);
        assert_eq!(sent(&board, position, expected.len()), expected);
    }
    let mut position = link.positions().tx_pos;
    let mut check = |link: &Link, text: &str| {
        let expected = golden_bytes(text);
        assert_eq!(sent(&board, position, expected.len()), expected, "{text}");
        position = link.positions().tx_pos;
    };
    link.send(service, &[&golden_bytes(data!("data"))[8..]], soon(&link)).unwrap();
    check(&link, data!("data"));
    link.send(service, &[], soon(&link)).unwrap();
    check(&link, data!("data_empty"));
    board.peer().answers_pause = true;
    link.pause(soon(&link)).unwrap();
    check(&link, data!("pause"));
    link.resume(soon(&link)).unwrap();
    check(&link, data!("resume"));
    board.run_peer();
    link.close(service, soon(&link)).unwrap();
    check(&link, data!("close"));
}

#[test]
fn the_driver_reads_golden_bytes() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    deliver(&mut link, &board, data!("data_from_peer"));
    assert_eq!(board.memory().bytes(0x2018, 9), golden_bytes(data!("data_claimed")));
    assert_eq!(receive(&mut link, service), [0]);
    assert_eq!(board.memory().bytes(0x2018, 9), golden_bytes(data!("data_from_peer")));

    let before = link.positions().tx_pos;
    deliver(&mut link, &board, data!("remote_use"));
    assert_eq!(sent(&board, before, 8), golden_bytes(data!("remote_use_active")));
    deliver(&mut link, &board, data!("remote_release"));
    assert_eq!((link.counters().uses_answered, link.counters().uses_released), (1, 1));

    let before = link.positions().tx_pos;
    deliver(&mut link, &board, data!("pause"));
    assert_eq!(
        (link.connection(), sent(&board, before, 8)),
        (Connection::Paused, golden_bytes(data!("pause")))
    );
    deliver(&mut link, &board, data!("resume"));
    assert_eq!(link.connection(), Connection::Connected);

    let before = link.positions().tx_pos;
    deliver(&mut link, &board, data!("close_from_peer"));
    assert_eq!(sent(&board, before, 8), golden_bytes(data!("close")));
    assert!(!link.is_open(service));
    assert_eq!(link.counters().strays, 0);
}

/// A mailbox that answers by these bytes.
fn answering(answer: &str) -> (Mailbox<FakeMailbox, FakeMailbox>, FakeMailbox, FakeBoard) {
    let words = golden_bytes(answer);
    let words = words.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
    let fake = FakeMailbox::new(1056, MailboxBehaviour::Buffer(words));
    fake.note_requests();
    (Mailbox::new(fake.clone(), fake.clone()).unwrap(), fake, FakeBoard::new(4096))
}

/// Asks a tag: the request has its golden bytes, and the golden answer is read.
fn ask<T: Tag>(request: T::Request, question: &str, answer: &str) -> T::Response {
    let (mut mailbox, fake, board) = answering(answer);
    let deadline = Deadline::after(&board, Duration::from_micros(50));
    let response = mailbox.call::<T>(&board, request, deadline).unwrap();
    assert_asked(&fake, question);
    response
}

/// The request had the golden bytes, where they are not open.
fn assert_asked(fake: &FakeMailbox, question: &str) {
    let expected = golden(question);
    let found = fake.request();
    let compared: Vec<_> = expected.iter().zip(found).map(|(byte, found)| byte.map(|_| found)).collect();
    assert_eq!(compared, expected, "{question}");
}

#[test]
fn property_calls_have_their_golden_bytes_both_ways() {
    let slot_zero = BusAddress(0xc00e_f000);
    let init = |answer| ask::<VchiqInit>(slot_zero, property!("vchiq_init_request"), answer);
    assert_eq!(init(property!("vchiq_init_accepted")), VchiqReply::Accepted);
    assert_eq!(init(property!("vchiq_init_refused")), VchiqReply::Refused(u32::MAX));
    let handle = MemoryHandle(0xc000_0020);
    let locked = ask::<LockMemory>(handle, property!("lock_memory_request"), property!("lock_memory_answer"));
    assert_eq!(locked, Some(BusAddress(0xd010_0000)));
    let (question, answer) = (property!("unlock_memory_request"), property!("unlock_memory_answer"));
    assert_eq!(ask::<UnlockMemory>(handle, question, answer), 0);
    let (question, answer) = (property!("firmware_revision_request"), property!("firmware_revision_answer"));
    assert_eq!(ask::<FirmwareRevision>((), question, answer), 1_661_522_596);
    let (question, answer) = (property!("firmware_hash_request"), property!("firmware_hash_answer"));
    let hash = ask::<FirmwareHash>((), question, answer);
    assert_eq!(hash.to_string(), "102f1e8400000000000000000000000000098326");
    let (question, answer) = (property!("board_revision_request"), property!("board_revision_answer"));
    assert_eq!(ask::<BoardRevision>((), question, answer), 0x00a0_2082);
    let (question, answer) = (property!("videocore_memory_request"), property!("videocore_memory_answer"));
    let memory = MemoryRegion { base: 0x3c00_0000, size: 0x0400_0000 };
    assert_eq!(ask::<VideoCoreMemory>((), question, answer), memory);
    let (question, answer) = (property!("clock_rate_request"), property!("clock_rate_answer"));
    assert_eq!(ask::<ClockRate>(ClockId::Arm, question, answer), 1_200_000_000);
}

#[test]
fn texts_by_mailbox_have_their_golden_bytes_both_ways() {
    let (mut mailbox, fake, board) = answering(property!("command_line_answer"));
    let deadline = Deadline::after(&board, Duration::from_micros(50));
    let mut out = [0; 32];
    assert_eq!(mailbox.command_line(&board, &mut out, deadline).unwrap(), b"coherent_pool=1M");
    assert_asked(&fake, property!("command_line_request"));

    let (mut mailbox, fake, board) = answering(property!("gencmd_answer"));
    let deadline = Deadline::after(&board, Duration::from_micros(50));
    let mut out = [0; 1024];
    let answer = mailbox.gencmd(&board, "get_mem arm", &mut out, deadline).unwrap();
    assert_eq!((answer.code, answer.text), (0, "arm=128M"));
    let expected = golden_bytes(property!("gencmd_request"));
    // Behind the text there are only zeros, the end tag among them.
    assert_eq!(fake.request()[..expected.len()], expected);
    assert!(fake.request()[expected.len()..1048].iter().all(|byte| *byte == 0));
}
