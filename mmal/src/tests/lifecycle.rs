//! Who has a buffer, and what gives it back.

use super::*;
use crate::{Data, Exhausted, Flags, HandleNumber, How, Misuse, wire::UNKNOWN_TIME};

#[test]
fn a_buffer_goes_out_as_the_service_wants_it() {
    let (mut link, board, server, mut client) = opened();
    let (component, port) = paused_sink(&mut link, &mut client);
    let fill = Fill { length: 100, offset: 28, flags: Flags::FRAME, pts: 7, dts: UNKNOWN_TIME };
    let in_flight = submit(&mut link, &mut client, &port, 0xc000_0002, fill);
    board.run_peer();
    let sent = server.requests_of(11).remove(0);
    let context = in_flight.context().number();
    assert_eq!(sent[6..10], [server::MAGIC, component.handle().number(), 1, context]);
    assert_eq!(sent[10..17], [0; 7]);
    assert_eq!(sent[17..22], [0xc000_0002, 6144, 100, 28, 6]);
    assert_eq!(sent[22..26], [7, 0, 0, 0x8000_0000]);
    assert_eq!(sent[26..], [&[0; 12][..], &[1, 0, 0], &[0; 33]].concat());
}

#[test]
fn a_buffer_comes_back_with_what_the_firmware_says_of_it() {
    let (mut link, _, _, mut client) = opened();
    let component = create(&mut link, &mut client, "copy");
    let input = open_port(&mut link, &mut client, &component, PortType::Input);
    let output = open_port(&mut link, &mut client, &component, PortType::Output);
    let fill = Fill { pts: 1234, ..Fill::frame(100) };
    let full = submit(&mut link, &mut client, &input, 0xc000_0002, fill);
    let room = submit(&mut link, &mut client, &output, 0xc000_0003, Fill::EMPTY);
    assert!(client.submitted(&room).is_some());
    let deadline = soon(&link);
    let filled = client.await_returned(&mut link, room, deadline).unwrap();
    let emptied = client.await_returned(&mut link, full, deadline).unwrap();
    assert_eq!((filled.payload.handle, emptied.payload.handle), (0xc000_0003, 0xc000_0002));
    assert_eq!((filled.filled.length, filled.filled.pts, filled.filled.flags), (100, 1234, Flags::FRAME));
    assert_eq!((filled.data, emptied.filled.length), (Data::InMemory, 0));
    let sequence = |how| match how {
        How::Returned { info, exchange } => {
            assert!(exchange.begin.cycles < exchange.parsed.cycles);
            info.sequence
        }
        How::ComponentDestroyed => panic!("not destroyed"),
    };
    assert_eq!(sequence(filled.how) - sequence(emptied.how), 1, "the order of the messages can be told");
    assert_eq!((client.counters().submitted, client.counters().returned), (2, 2));
}

#[test]
fn a_buffer_that_is_out_is_counted_and_not_reachable() {
    let (mut link, _, _, mut client) = opened();
    let (component, port) = paused_sink(&mut link, &mut client);
    let payload = Memory::new(0xc000_0002);
    let dropped = Rc::clone(&payload.dropped);
    let deadline = soon(&link);
    let in_flight = client.submit(&mut link, &port, payload, Fill::frame(1), deadline).unwrap();
    assert_eq!((client.out_of(&port), client.outstanding().count()), (1, 1));
    let outstanding = client.outstanding().next().unwrap();
    assert_eq!((outstanding.handle, outstanding.component), (0xc000_0002, component.handle()));
    assert!(client.try_take(&in_flight).unwrap().is_none() && client.take_any().is_none());
    let failure = client.await_returned(&mut link, in_flight, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::ReturnTimedOut { .. }));
    let deadline = soon(&link);
    client.enable(&mut link, &component, deadline).unwrap();
    let returned = client.await_returned(&mut link, failure.in_flight, deadline).unwrap();
    assert!(!dropped.get());
    drop(returned);
    assert!(dropped.get());
}

#[test]
fn flush_and_disable_let_the_firmware_give_back_what_it_has() {
    for disable in [false, true] {
        let (mut link, _, _, mut client) = opened();
        let (_component, mut port) = paused_sink(&mut link, &mut client);
        for handle in [0xc000_0002, 0xc000_0003] {
            let _ = submit(&mut link, &mut client, &port, handle, Fill::frame(100));
        }
        let deadline = soon(&link);
        let drained = if disable {
            client.disable_port(&mut link, &mut port, deadline).unwrap()
        } else {
            client.flush_port(&mut link, &port, deadline).unwrap()
        };
        assert_eq!((drained.came_back, drained.still_out), (2, 0));
        assert_eq!(port.info().is_enabled(), !disable);
        let back: Vec<_> = std::iter::from_fn(|| client.take_returned(&port)).collect();
        assert_eq!(back.iter().map(|back| back.filled.length).collect::<Vec<_>>(), [100, 100]);
    }
}

#[test]
fn what_a_flush_does_not_bring_back_stays_with_the_firmware() {
    let (mut link, board, server, mut client) = opened();
    let (component, port) = paused_sink(&mut link, &mut client);
    let in_flight = submit(&mut link, &mut client, &port, 0xc000_0002, Fill::frame(100));
    board.run_peer();
    let stolen = server.state.borrow_mut().components.get_mut(&component.handle().number()).unwrap().ports[1]
        .held
        .remove(0);
    let deadline = soon(&link);
    let drained = client.flush_port(&mut link, &port, deadline).unwrap();
    assert_eq!((drained.came_back, drained.still_out), (0, 1));
    assert!(client.take_returned(&port).is_none());
    inject(&board, &server::give_back(&stolen));
    client.poll(&mut link).unwrap();
    assert!(client.try_take(&in_flight).unwrap().is_some(), "it may come later still");
}

#[test]
fn destroying_a_component_gives_back_what_the_firmware_does_not() {
    for keeps in [false, true] {
        let (mut link, board, server, mut client) = opened();
        server.state.borrow_mut().keeps_buffers = keeps;
        let (component, port) = paused_sink(&mut link, &mut client);
        let in_flight = submit(&mut link, &mut client, &port, 0xc000_0002, Fill::frame(100));
        board.run_peer();
        let held = server.state.borrow().components[&component.handle().number()].ports[1].held[0].clone();
        let deadline = soon(&link);
        let destroyed = client.destroy(&mut link, component, deadline).unwrap();
        assert_eq!((destroyed.came_back, destroyed.not_returned), (usize::from(!keeps), usize::from(keeps)));
        let returned = client.try_take(&in_flight).unwrap().unwrap();
        assert_eq!(matches!(returned.how, How::ComponentDestroyed), keeps);
        assert_eq!(client.outstanding().count(), 0);
        inject(&board, &server::give_back(&held));
        assert!(matches!(violation(&mut link, &mut client), Violation::BufferTwice { .. }));
    }
}

#[test]
fn a_port_of_a_destroyed_component_takes_nothing() {
    let (mut link, _, server, mut client) = opened();
    let (component, mut port) = paused_sink(&mut link, &mut client);
    let deadline = soon(&link);
    client.destroy(&mut link, component, deadline).unwrap();
    let sent = server.state.borrow().requests.len();
    let failure = client.submit(&mut link, &port, Memory::new(1), Fill::EMPTY, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Misuse(Misuse::UnknownComponent { .. })));
    assert!(client.disable_port(&mut link, &mut port, deadline).is_err());
    assert!(client.update_port(&mut link, &mut port, deadline).is_err());
    assert_eq!(server.state.borrow().requests.len(), sent);
}

/// Firmware gives a number again at once.
#[test]
fn a_port_of_a_destroyed_component_is_none_of_the_next_one() {
    let (mut link, _, server, mut client) = opened();
    let (component, old) = paused_sink(&mut link, &mut client);
    let deadline = soon(&link);
    let number = component.handle().number();
    client.destroy(&mut link, component, deadline).unwrap();
    server.state.borrow_mut().next_handle = 0;
    let (component, new) = paused_sink(&mut link, &mut client);
    assert_eq!(component.handle().number(), number);
    assert_ne!(old, new);
    let failure = client.submit(&mut link, &old, Memory::new(1), Fill::EMPTY, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Misuse(Misuse::UnknownComponent { .. })));
}

#[test]
fn a_client_that_is_dropped_forgets_what_is_out() {
    let (mut link, _, _, mut client) = opened();
    let (_component, port) = paused_sink(&mut link, &mut client);
    let payload = Memory::new(0xc000_0002);
    let dropped = Rc::clone(&payload.dropped);
    let deadline = soon(&link);
    let _ = client.submit(&mut link, &port, payload, Fill::frame(1), deadline).unwrap();
    drop(client);
    assert!(!dropped.get(), "VideoCore may still use it");
}

#[test]
fn everything_comes_back_after_a_reset_of_videocore() {
    let (mut link, _, _, mut client) = opened();
    let (_component, port) = paused_sink(&mut link, &mut client);
    for handle in [1, 2, 3] {
        let _ = submit(&mut link, &mut client, &port, handle, Fill::frame(1));
    }
    let (_, _, reset) = link.after_reset();
    let mut handles: Vec<u32> =
        std::iter::from_fn(|| client.take_after_reset(&reset)).map(|payload| payload.handle).collect();
    handles.sort_unstable();
    assert_eq!(handles, [1, 2, 3]);
}

#[test]
fn a_full_table_and_impossible_buffers_are_refused_with_their_payload() {
    let (mut link, board, server, mut client) = opened();
    let (_component, port) = paused_sink(&mut link, &mut client);
    let deadline = soon(&link);
    let mut refused = |handle, size, fill: Fill| {
        let mut payload = Memory::new(handle);
        payload.size = size;
        client.submit(&mut link, &port, payload, fill, deadline).unwrap_err().error
    };
    assert_eq!(refused(0, 8, Fill::EMPTY), Misuse::EmptyPayload { handle: 0, size: 8 }.into());
    assert_eq!(refused(8, 0, Fill::EMPTY), Misuse::EmptyPayload { handle: 8, size: 0 }.into());
    let outside = Misuse::OutsidePayload { length: 5, offset: 4, size: 8 };
    assert_eq!(refused(1, 8, Fill { offset: 4, ..Fill::frame(5) }), outside.into());
    let overflow = Fill { offset: u32::MAX, ..Fill::frame(5) };
    assert!(matches!(refused(1, 8, overflow), Error::Misuse(Misuse::OutsidePayload { .. })));
    for handle in 1..=4 {
        let _ = submit(&mut link, &mut client, &port, handle, Fill::frame(1));
    }
    let failure = client.submit(&mut link, &port, Memory::new(5), Fill::frame(1), deadline).unwrap_err();
    assert_eq!((failure.error, failure.payload.handle), (Exhausted::TableFull { capacity: 4 }.into(), 5));
    board.run_peer();
    assert_eq!(server.requests_of(11).len(), 4);
}

#[test]
fn a_buffer_without_memory_can_be_given_to_an_output_that_brings_its_own() {
    let (mut link, board, server) = connected();
    let deadline = soon(&link);
    let mut client: Mmal<HandleNumber, 2> = Mmal::open(&mut link, &Options::default(), deadline).unwrap();
    let component = client.create(&mut link, "copy", deadline).unwrap();
    let port = client.open_port(&mut link, &component, PortType::Output, 0, &ZERO_COPY, deadline).unwrap();
    let nothing = HandleNumber { handle: 0, size: 0 };
    assert!(client.submit(&mut link, &port, nothing, Fill::EMPTY, deadline).is_ok());
    board.run_peer();
    assert_eq!(server.requests_of(11)[0][17..19], [0, 0]);
}
