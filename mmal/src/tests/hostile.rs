//! A service that is late, repeats itself, or makes things up.

use super::{server::give_back, *};
use crate::{BufferWords, Flags, Place, Status};

/// A buffer in a sink that holds it, and the words that would give it back.
fn held(handle: u32) -> (Link, FakeBoard, Client, InFlight, Vec<u32>) {
    let (mut link, board, server, mut client) = opened();
    let (component, port) = paused_sink(&mut link, &mut client);
    let in_flight = submit(&mut link, &mut client, &port, handle, Fill::frame(100));
    board.run_peer();
    let state = server.state.borrow();
    let words = give_back(&state.components[&component.handle().number()].ports[1].held[0]);
    drop(state);
    (link, board, client, in_flight, words)
}

#[test]
fn a_return_must_match_in_magic_component_port_and_handle() {
    for field in [6, 7, 8, 17] {
        let (mut link, board, mut client, in_flight, right) = held(0xc000_0002);
        let mut wrong = right.clone();
        wrong[field] ^= 0x40;
        inject(&board, &wrong);
        let Violation::BufferMismatch { words, expected, place } = violation(&mut link, &mut client) else {
            panic!("word {field}");
        };
        let BufferWords { magic, component, port, data, .. } = words;
        assert_eq!([magic, component, port, data], [6, 7, 8, 17].map(|word| wrong[word]));
        assert_eq!(expected, [0x40, 1, 0xc000_0002]);
        assert!(place.slot != 0);
        assert!(client.try_take(&in_flight).unwrap().is_none(), "not given back by a wrong return");
        inject(&board, &right);
        client.poll(&mut link).unwrap();
        assert!(client.try_take(&in_flight).unwrap().is_some());
    }
}

#[test]
fn a_return_to_nobody_is_found_out() {
    let (mut link, board, mut client, in_flight, right) = held(0xc000_0002);
    // Never issued; a number of ours for something else; 0.
    for context in [0x4000_0002, in_flight.context().number() + 1, 0] {
        let mut wrong = right.clone();
        wrong[9] = context;
        inject(&board, &wrong);
        let violation = violation(&mut link, &mut client);
        assert!(matches!(violation, Violation::BufferUnknown { .. }), "{violation:?}");
    }
    assert_eq!(client.outstanding().count(), 1);
}

#[test]
fn a_second_return_cannot_hit_another_buffer() {
    let (mut link, board, mut client, in_flight, right) = held(0xc000_0002);
    inject(&board, &right);
    inject(&board, &right);
    assert!(matches!(violation(&mut link, &mut client), Violation::BufferTwice { .. }));
    assert!(client.try_take(&in_flight).unwrap().is_some());
    inject(&board, &right);
    assert!(matches!(violation(&mut link, &mut client), Violation::BufferTwice { .. }));
    assert_eq!(client.counters().returned, 1);
}

#[test]
fn bytes_outside_the_memory_or_the_message_are_no_return() {
    for (word, value) in [(19, 6145), (20, 6045), (20, u32::MAX), (40, 129)] {
        let (mut link, board, mut client, in_flight, right) = held(0xc000_0002);
        let mut wrong = right.clone();
        wrong[word] = value;
        inject(&board, &wrong);
        let Violation::BufferRange { size, .. } = violation(&mut link, &mut client) else {
            panic!("word {word} = {value:#x}");
        };
        assert_eq!(size, 6144);
        assert!(client.try_take(&in_flight).unwrap().is_none());
    }
}

#[test]
fn a_handle_that_the_firmware_could_not_use_comes_back_marked() {
    let (mut link, board, mut client, in_flight, mut words) = held(0xc000_0002);
    words[17] = 0;
    inject(&board, &words);
    assert!(matches!(violation(&mut link, &mut client), Violation::BufferMismatch { .. }), "not marked");
    words[21] |= 0x400;
    inject(&board, &words);
    client.poll(&mut link).unwrap();
    let returned = client.try_take(&in_flight).unwrap().unwrap();
    assert_eq!(returned.data, crate::Data::Failed);
    assert!(returned.filled.flags.contains(Flags::TRANSMISSION_FAILED));
}

#[test]
fn a_payload_that_is_handed_on_is_that_of_a_buffer_of_ours() {
    let (mut link, board, _, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let input = open_port(&mut link, &mut client, &component, PortType::Input);
    let output = open_port(&mut link, &mut client, &component, PortType::Output);
    let deadline = soon(&link);
    client.disable(&mut link, &component, deadline).unwrap();
    let full = submit(&mut link, &mut client, &input, 0xc000_0002, Fill::frame(100));
    let room = submit(&mut link, &mut client, &output, 0xc000_0003, Fill::EMPTY);
    let mut words = vec![0; 73];
    words[..2].copy_from_slice(&[server::MAGIC, 12]);
    words[6..10].copy_from_slice(&[server::MAGIC, 0x40, 2, room.context().number()]);
    words[17..20].copy_from_slice(&[0xc000_0002, 6144, 100]);
    inject(&board, &words);
    assert!(matches!(violation(&mut link, &mut client), Violation::BufferMismatch { .. }), "no reference");
    words[39] = 1;
    for reference in [0, 0x4000_0002, room.context().number()] {
        words[13] = reference;
        inject(&board, &words);
        assert!(matches!(violation(&mut link, &mut client), Violation::BufferMismatch { .. }));
    }
    words[13] = full.context().number();
    inject(&board, &words);
    client.poll(&mut link).unwrap();
    let returned = client.try_take(&room).unwrap().unwrap();
    assert_eq!(returned.data, crate::Data::Shared { with: full.context() });
    assert_eq!(returned.payload.handle, 0xc000_0003);
    assert_eq!(client.outstanding().count(), 1, "the input has not come back by this");
}

#[test]
fn replies_to_nobody_are_told_from_wrong_ones() {
    let (mut link, board, server, mut client) = opened();
    inject(&board, &[server::MAGIC, 5, 0, 0x51, 0, 0, 0]);
    assert!(matches!(
        violation(&mut link, &mut client),
        Violation::ReplyToNobody { words: [server::MAGIC, 5, 0, 0x51, 0, 0], .. }
    ));
    server.state.borrow_mut().spoil = Some(|words| words[1] = 13);
    let deadline = soon(&link);
    let error = client.version(&mut link, deadline).unwrap_err();
    assert!(matches!(
        error,
        Error::Violation(Violation::WrongReply { asked: crate::wire::MessageType::GetVersion, .. })
    ));
}

#[test]
fn undecodable_messages_are_violations_with_their_place() {
    let (mut link, board, _, mut client) = opened();
    // Behind CONNECT and OPENACK.
    inject(&board, &[0x534d_454d, 1, 0, 0, 0, 0]);
    let expected = Violation::Magic {
        words: [0x534d_454d, 1, 0, 0, 0, 0],
        place: Place { slot: 2, offset: 8 + 16, sequence: 0 },
    };
    assert_eq!(violation(&mut link, &mut client), expected);
    inject(&board, &[server::MAGIC, 12, 0, 0, 0]);
    assert!(matches!(violation(&mut link, &mut client), Violation::Size { size: 20, .. }));
    inject(&board, &[]);
    assert!(matches!(violation(&mut link, &mut client), Violation::Size { size: 0, .. }));
    inject(&board, &[0; 129]);
    assert!(matches!(violation(&mut link, &mut client), Violation::Size { size: 516, .. }));
    inject(&board, &[server::MAGIC, 99, 0, 0, 0, 0]);
    assert!(matches!(violation(&mut link, &mut client), Violation::UnknownMessage { size: 24, .. }));
    let mut short = vec![0; 72];
    short[..2].copy_from_slice(&[server::MAGIC, 12]);
    inject(&board, &short);
    assert!(matches!(violation(&mut link, &mut client), Violation::Length { size: 288, expected: 292, .. }));
    inject(&board, &[server::MAGIC, 16, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(violation(&mut link, &mut client), Violation::Length { size: 40, expected: 44, .. }));
    assert_eq!(link.counters().received, link.counters().released, "every slot let go");
    assert_eq!(client.counters().violations, 7);
}

#[test]
fn events_of_nobody_or_without_their_details_are_found_out() {
    let (mut link, board, server, mut client) = opened();
    let component = create(&mut link, &mut client, "null_sink");
    let number = server.state.borrow().components[&component.handle().number()].client;
    let erro = u32::from_le_bytes(*b"ERRO");
    inject(&board, &[server::MAGIC, 16, 0, 0, 0, 0, 77, 1, 0, erro, 0]);
    assert!(matches!(violation(&mut link, &mut client), Violation::EventOfNobody { component: 77, .. }));
    inject(&board, &[server::MAGIC, 16, 0, 0, 0, 0, number, 1, 0, erro, 8, 0]);
    assert!(matches!(violation(&mut link, &mut client), Violation::EventRange { length: 8, .. }));
    inject(&board, &[server::MAGIC, 16, 0, 0, 0, 0, number, 5, 0, erro, 0]);
    assert!(matches!(violation(&mut link, &mut client), Violation::EventRange { port_type: 5, .. }));
    let mut long = vec![0; 11 + 65];
    long[..11].copy_from_slice(&[server::MAGIC, 16, 0, 0, 0, 0, number, 1, 0, erro, 260]);
    inject(&board, &long);
    assert!(matches!(violation(&mut link, &mut client), Violation::EventRange { length: 260, .. }));
    assert!(client.take_event().is_none());
}

#[test]
fn replies_that_cannot_be_are_found_out() {
    let (mut link, board, server, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let deadline = soon(&link);
    let mut port = client.port(&mut link, &component, PortType::Input, 0, deadline).unwrap();
    let spoil = |spoil| server.state.borrow_mut().spoil = Some(spoil);

    spoil(|words: &mut Vec<u32>| words.truncate(9));
    let error = client.version(&mut link, deadline).unwrap_err();
    assert!(matches!(error, Error::Violation(Violation::Length { size: 36, expected: 40, .. })));
    spoil(|words| words.truncate(6));
    let error = client.enable(&mut link, &component, deadline).unwrap_err();
    assert!(matches!(error, Error::Violation(Violation::Length { size: 24, expected: 28, .. })));
    spoil(|words| words[9] = 1);
    let error = client.update_port(&mut link, &mut port, deadline).unwrap_err();
    assert!(matches!(
        error,
        Error::Violation(Violation::WrongPort { asked: [0x40, 2, 0], found: [0x40, 2, 1], .. })
    ));
    spoil(|words| words[11] = 256);
    let error = client.update_port(&mut link, &mut port, deadline).unwrap_err();
    assert!(matches!(error, Error::Violation(Violation::PortHandle { found: 256, .. })));
    spoil(|words| words[11] = 2);
    let error = client.update_port(&mut link, &mut port, deadline).unwrap_err();
    assert!(matches!(error, Error::Violation(Violation::PortHandle { found: 2, .. })), "another than before");
    client.set_parameter(&mut link, &port, 7, &[1; 8], deadline).unwrap();
    let changes: [fn(&mut Vec<u32>); 3] = [|words| words[7] = 8, |words| words[8] = 20, |words| words[8] = 4];
    for change in changes {
        spoil(change);
        let error = client.get_parameter(&mut link, &port, 7, &mut [0; 8], deadline).unwrap_err();
        assert!(matches!(error, Error::Violation(Violation::WrongParameter { asked: 7, .. })), "{error:?}");
    }
    spoil(|words| words[7] = 0x40);
    let error = client.create(&mut link, "copy", deadline).unwrap_err();
    assert!(matches!(error, Error::Violation(Violation::HandleInUse { handle: 0x40, .. })));
    spoil(|words| words[8] = 9);
    let error = client.create(&mut link, "copy", deadline).unwrap_err();
    assert!(matches!(error, Error::Violation(Violation::PortCount { ports: [9, 1, 0], .. })));
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert_eq!(server.requests_of(5).len(), 1, "that component is of no use, and destroyed");
    assert_eq!(client.counters().violations, 10);
}

#[test]
fn a_status_that_nobody_knows_is_kept() {
    let (mut link, _, server, mut client) = opened();
    server.state.borrow_mut().refuses = Some(0x7fff_ffff);
    let deadline = soon(&link);
    let error = client.create(&mut link, "copy", deadline).unwrap_err();
    assert_eq!(error.status(), Some(Status::Unknown(0x7fff_ffff)));
}

#[test]
fn a_service_that_closes_ends_every_wait() {
    let (mut link, board, mut client, in_flight, _) = held(0xc000_0002);
    board.peer().close_service(*b"mmal");
    board.run_peer();
    let deadline = soon(&link);
    let failure = client.await_returned(&mut link, in_flight, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Link(vchiq_mbox::Error::ClosedByPeer { .. })));
    assert!(matches!(client.version(&mut link, deadline), Err(Error::Link(_))));
    assert_eq!(client.outstanding().count(), 1);
}
