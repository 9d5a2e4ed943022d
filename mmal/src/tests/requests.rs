//! Requests, and what the service says of them.

use super::*;
use crate::{EventKind, Exhausted, Misuse, Status, Version, wire::MessageType};

#[test]
fn the_versions_of_the_service_are_told() {
    let (mut link, _, _, mut client) = opened();
    let deadline = soon(&link);
    let version = client.version(&mut link, deadline).unwrap();
    assert_eq!(version, Version { flags: 0, major: 16, minor: 1, minimum: 10 });
}

#[test]
fn firmware_without_the_service_is_absent() {
    let (mut link, board, _) = connected();
    board.peer().services.clear();
    let deadline = soon(&link);
    assert_eq!(Client::open(&mut link, &Options::default(), deadline).err(), Some(Error::Absent));
}

#[test]
fn a_component_has_the_ports_the_service_tells() {
    let (mut link, _, server, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    assert_eq!((component.inputs(), component.outputs(), component.clocks()), (1, 1, 0));
    let sent = &server.requests_of(4)[0];
    assert_eq!(sent[7], u32::from_le_bytes(*b"copy"));
    let deadline = soon(&link);
    assert!(client.destroy(&mut link, component, deadline).is_ok());
    assert!(server.state.borrow().components.is_empty());
}

#[test]
fn a_name_that_nobody_knows_is_refused_with_the_firmware_s_status() {
    let (mut link, _, _, mut client) = opened();
    let deadline = soon(&link);
    let error = client.create(&mut link, "null_source", deadline).unwrap_err();
    assert_eq!(error.status(), Some(Status::NotImplemented));
    assert!(matches!(error, Error::Refused { request: MessageType::ComponentCreate, .. }));
}

#[test]
fn every_refusal_carries_its_status() {
    let (mut link, _, server, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let mut port = open_port(&mut link, &mut client, &component, PortType::Input);
    server.state.borrow_mut().refuses = Some(14);
    let deadline = soon(&link);
    let before = *port.info();
    let refused = [
        client.create(&mut link, "copy", deadline).err(),
        client.enable(&mut link, &component, deadline).err(),
        client.disable(&mut link, &component, deadline).err(),
        client.port(&mut link, &component, PortType::Input, 0, deadline).err(),
        client.update_port(&mut link, &mut port, deadline).err(),
        client.set_port(&mut link, &mut port, |info| info.set_buffers(9, 9), deadline).err(),
        client.set_zero_copy(&mut link, &mut port, false, deadline).err(),
        client.get_parameter(&mut link, &port, 4, &mut [0; 4], deadline).err(),
        client.enable_port(&mut link, &mut port, deadline).err(),
        client.disable_port(&mut link, &mut port, deadline).err(),
        client.flush_port(&mut link, &port, deadline).err(),
        client.connect(&mut link, &port, &port, deadline).err(),
        client.destroy(&mut link, component, deadline).map_err(|failure| failure.error).err(),
    ];
    for error in refused {
        assert_eq!(error.and_then(|error| error.status()), Some(Status::Again), "{error:?}");
    }
    assert_eq!(*port.info(), before, "settings stay as they were");
    assert!(port.is_zero_copy());
}

#[test]
fn a_port_is_made_ready_in_the_order_that_the_service_wants() {
    let (mut link, _, server, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let port = open_port(&mut link, &mut client, &component, PortType::Output);
    let kinds: Vec<u32> = server.state.borrow().requests.iter().map(|words| words[1]).collect();
    assert_eq!(kinds, [4, 8, 14, 9, 8, 10]);
    // ZERO_COPY is 4, its value 1, and the message 44 bytes long (MMAL fact sheet 6).
    assert_eq!(server.requests_of(14)[0][8..], [4, 12, 1]);
    let state = server.state.borrow();
    let theirs = &state.components[&component.handle().number()].ports[2];
    assert_eq!((theirs.enabled, theirs.buffers), (true, [2, 6144]));
    assert_eq!(theirs.format[1], u32::from_le_bytes(*b"I420"));
    assert_eq!(theirs.format[8..14], [64, 64, 0, 0, 64, 64]);
    assert!(port.info().is_enabled() && port.is_zero_copy());
    assert_eq!(port.info().port.index_all.get(), 2);
}

#[test]
fn a_stream_left_as_it_is_is_not_set() {
    let (mut link, _, server, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let deadline = soon(&link);
    let setup = PortSetup { stream: Stream::AsItIs, zero_copy: false, ..ZERO_COPY };
    let port = client.open_port(&mut link, &component, PortType::Output, 0, &setup, deadline).unwrap();
    let kinds: Vec<u32> = server.state.borrow().requests.iter().map(|words| words[1]).collect();
    assert_eq!(kinds, [4, 8, 10]);
    assert!(!port.is_zero_copy());
}

#[test]
fn the_format_of_another_port_is_taken_without_its_pointers() {
    let (mut link, _, server, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let input = open_port(&mut link, &mut client, &component, PortType::Input);
    let deadline = soon(&link);
    let mut other = *input.info();
    other.format.specific = 0xdead_0000.into();
    let setup = PortSetup { stream: Stream::Same(&other), ..ZERO_COPY };
    client.open_port(&mut link, &component, PortType::Output, 0, &setup, deadline).unwrap();
    let set = &server.requests_of(9)[1];
    assert_eq!(set[26], u32::from_le_bytes(*b"I420"));
    assert_eq!(set[28], 0, "a pointer into another port");
}

#[test]
fn parameters_are_set_and_asked_for() {
    let (mut link, _, _, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let deadline = soon(&link);
    let port = client.port(&mut link, &component, PortType::Input, 0, deadline).unwrap();
    client.set_parameter(&mut link, &port, 0x77, &[1, 2, 3, 4, 5, 6, 7, 8], deadline).unwrap();
    let mut value = [0; 16];
    let told = client.get_parameter(&mut link, &port, 0x77, &mut value, deadline).unwrap();
    assert_eq!(told, [1, 2, 3, 4, 5, 6, 7, 8]);
    let error = client.get_parameter(&mut link, &port, 0x78, &mut value, deadline).unwrap_err();
    assert_eq!(error.status(), Some(Status::NotImplemented));
    let error = client.set_parameter(&mut link, &port, 1, &[0; 473], deadline).unwrap_err();
    assert_eq!(error, Misuse::TooLong { size: 473, room: 472 }.into());
}

#[test]
fn a_line_reaches_the_firmware_s_log() {
    let (mut link, _, server, mut client) = opened();
    let deadline = soon(&link);
    client.log(&mut link, "step 7", deadline).unwrap();
    assert_eq!(server.state.borrow().log, ["step 7"]);
    let long = "x".repeat(488);
    assert_eq!(client.log(&mut link, &long, deadline), Err(Misuse::TooLong { size: 488, room: 487 }.into()));
    client.log(&mut link, &long[1..], deadline).unwrap();
}

#[test]
fn the_service_s_counts_are_asked_for_with_and_without_a_reset() {
    let (mut link, _, server, mut client) = opened();
    let deadline = soon(&link);
    let counts = client.statistics(&mut link, false, deadline).unwrap();
    assert_eq!(counts.buffers.rx_zero_copy.get(), 0);
    client.statistics(&mut link, true, deadline).unwrap();
    let resets: Vec<u32> = server.requests_of(13).iter().map(|words| words[108]).collect();
    assert_eq!(resets, [0, 1]);
}

#[test]
fn events_name_their_component_and_wait_to_be_taken() {
    let (mut link, _, _, mut client) = opened();
    let component = create(&mut link, &mut client, "null_sink");
    let deadline = soon(&link);
    let mut control = client.port(&mut link, &component, PortType::Control, 0, deadline).unwrap();
    client.enable_port(&mut link, &mut control, deadline).unwrap();
    let input = open_port(&mut link, &mut client, &component, PortType::Input);
    let last = Fill { flags: crate::Flags::END_OF_STREAM, ..Fill::frame(6144) };
    let in_flight = submit(&mut link, &mut client, &input, 0xc000_0002, last);
    let event = client.await_event(&mut link, deadline).unwrap();
    assert_eq!((event.component, event.kind), (component.handle(), EventKind::EndOfStream));
    assert_eq!((event.port, event.index), (PortType::Control, 0));
    assert_eq!(event.data[..], [2, 0, 0, 0, 0, 0, 0, 0]);
    assert!(client.try_take(&in_flight).unwrap().is_some(), "the buffer came before the event");
    let deadline = soon(&link);
    assert_eq!(client.await_event(&mut link, deadline), Err(Error::EventTimedOut));
}

#[test]
fn events_that_nobody_takes_are_counted_as_lost() {
    let (mut link, board, server, mut client) = opened();
    let component = create(&mut link, &mut client, "null_sink");
    let number = server.state.borrow().components[&component.handle().number()].client;
    let erro = u32::from_le_bytes(*b"ERRO");
    for _ in 0..6 {
        inject(&board, &[server::MAGIC, 16, 0, 0, 0, 0, number, 2, 0, erro, 4, 14]);
    }
    client.poll(&mut link).unwrap();
    assert_eq!((client.counters().events, client.counters().events_lost), (6, 2));
    let kinds: Vec<_> = std::iter::from_fn(|| client.take_event()).map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Error(Status::Again); 4]);
}

#[test]
fn ports_are_tied_and_untied() {
    let (mut link, _, server, mut client) = opened();
    let (first, second) =
        (create(&mut link, &mut client, "copy"), create(&mut link, &mut client, "null_sink"));
    let deadline = soon(&link);
    let output = client.port(&mut link, &first, PortType::Output, 0, deadline).unwrap();
    let input = client.port(&mut link, &second, PortType::Input, 0, deadline).unwrap();
    client.connect(&mut link, &output, &input, deadline).unwrap();
    client.disconnect(&mut link, &output, &input, deadline).unwrap();
    let sent: Vec<Vec<u32>> = server.requests_of(10).iter().map(|words| words[6..].to_vec()).collect();
    assert_eq!(sent, [[0x40, 2, 4, 0x80, 1], [0x40, 2, 5, 0x80, 1]]);
}

#[test]
fn a_late_reply_is_recognised() {
    let (mut link, board, server, mut client) = opened();
    server.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    let error = client.version(&mut link, deadline).unwrap_err();
    assert!(matches!(error, Error::RequestTimedOut { request: MessageType::GetVersion, .. }));
    server.state.borrow_mut().mute = false;
    let late = server.state.borrow_mut().unsent.remove(0);
    inject(&board, &late);
    assert_eq!(client.poll(&mut link), Ok(1));
    assert_eq!((client.counters().late_replies, client.counters().violations), (1, 0));
    inject(&board, &late);
    assert!(matches!(violation(&mut link, &mut client), Violation::DuplicateReply { .. }));
}

#[test]
fn a_component_that_was_made_too_late_is_destroyed() {
    let (mut link, board, server, mut client) = opened();
    server.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    assert!(client.create(&mut link, "copy", deadline).is_err());
    server.state.borrow_mut().mute = false;
    let late = server.state.borrow_mut().unsent.remove(0);
    inject(&board, &late);
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert!(server.state.borrow().components.is_empty());
    assert_eq!(client.poll(&mut link), Ok(1), "the reply to that DESTROY");
    assert_eq!(client.counters().violations, 0);
}

#[test]
fn a_component_that_ended_too_late_gives_its_buffers_back() {
    let (mut link, board, server, mut client) = opened();
    let (component, port) = paused_sink(&mut link, &mut client);
    let in_flight = submit(&mut link, &mut client, &port, 0xc000_0002, Fill::frame(6144));
    board.run_peer();
    server.state.borrow_mut().keeps_buffers = true;
    server.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    let failure = client.destroy(&mut link, component, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::RequestTimedOut { .. }));
    assert!(client.try_take(&in_flight).unwrap().is_none());
    let late = server.state.borrow_mut().unsent.remove(0);
    inject(&board, &late);
    client.poll(&mut link).unwrap();
    assert!(client.try_take(&in_flight).unwrap().is_some());
    let deadline = soon(&link);
    let again = client.destroy(&mut link, failure.component, deadline).unwrap_err();
    assert!(matches!(again.error, Error::Misuse(Misuse::UnknownComponent { .. })));
}

#[test]
fn requests_without_replies_use_the_table_up() {
    let (mut link, _, server, mut client) = opened();
    server.state.borrow_mut().mute = true;
    for _ in 0..8 {
        let deadline = soon(&link);
        assert!(matches!(client.version(&mut link, deadline), Err(Error::RequestTimedOut { .. })));
    }
    let deadline = soon(&link);
    assert_eq!(client.version(&mut link, deadline), Err(Exhausted::RequestsFull { capacity: 8 }.into()));
}

#[test]
fn components_use_their_table_up_before_anything_is_sent() {
    let (mut link, _, server, mut client) = opened();
    for _ in 0..8 {
        let _ = create(&mut link, &mut client, "null_sink");
    }
    let deadline = soon(&link);
    let error = client.create(&mut link, "null_sink", deadline).unwrap_err();
    assert_eq!(error, Exhausted::ComponentsFull { capacity: 8 }.into());
    assert_eq!(server.requests_of(4).len(), 8);
}

#[test]
fn contexts_go_on_behind_those_of_an_earlier_client() {
    let (mut link, _, server, mut client) = opened();
    let deadline = soon(&link);
    client.version(&mut link, deadline).unwrap();
    client.close(&mut link, deadline).unwrap();
    let options = Options { contexts_used: client.contexts_used(), ..Options::default() };
    let mut client = Client::open(&mut link, &options, deadline).unwrap();
    client.version(&mut link, deadline).unwrap();
    let contexts: Vec<u32> = server.requests_of(3).iter().map(|words| words[3]).collect();
    assert_eq!(contexts, [0x1, 0x5]);
}
