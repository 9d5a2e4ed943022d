//! A service that is late, repeats itself, or makes things up.

use super::*;
use crate::{Error, Misuse, Violation};

#[test]
fn a_timed_out_import_stays_reserved_and_its_late_reply_is_freed() {
    let (mut link, board, firmware, mut client) = opened();
    firmware.state.borrow_mut().mute = true;
    let buffer = Buffer::new(0xd010_0000);
    let dropped = Rc::clone(&buffer.dropped);
    let deadline = soon(&link);
    let failure = client.import(&mut link, buffer, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::ImportTimedOut { .. }));
    assert!(failure.buffer.is_none() && !dropped.get(), "nobody may reuse it");
    let outstanding = client.outstanding().next().unwrap();
    assert!(outstanding.abandoned && outstanding.handle.is_none());
    assert!(client.take_recovered().is_none());

    firmware.state.borrow_mut().mute = false;
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert_eq!(firmware.requests_of(4)[0][2], 0xc000_0020, "FREE of the handle nobody waited for");
    client.poll(&mut link).unwrap();
    let recovered = client.take_recovered().unwrap();
    assert_eq!(recovered.buffer.address, 0xd010_0000);
    assert_eq!(client.outstanding().count(), 0);
}

#[test]
fn an_abandoned_import_that_is_refused_late_comes_back() {
    let (mut link, board, firmware, mut client) = opened();
    firmware.state.borrow_mut().mute = true;
    firmware.state.borrow_mut().refuses_imports = true;
    let deadline = soon(&link);
    assert!(client.import(&mut link, Buffer::new(0xd010_0000), deadline).is_err());
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    client.poll(&mut link).unwrap();
    assert!(client.take_recovered().is_some());
    assert!(firmware.requests_of(4).is_empty());
}

#[test]
fn a_client_that_is_dropped_forgets_what_is_out() {
    let (mut link, _, _, mut client) = opened();
    let buffer = Buffer::new(0xd010_0000);
    let dropped = Rc::clone(&buffer.dropped);
    let deadline = soon(&link);
    let imported = client.import(&mut link, buffer, deadline).unwrap();
    drop(imported);
    drop(client);
    assert!(!dropped.get(), "VideoCore may still write there");
}

#[test]
fn no_released_before_the_deadline_keeps_the_buffer() {
    let (mut link, board, firmware, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    firmware.state.borrow_mut().keeps_references = true;
    let deadline = soon(&link);
    let freed = client.free(&mut link, imported, deadline).unwrap();
    let failure = client.await_released(&mut link, freed, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::ReleaseTimedOut { .. }));
    // It may come minutes later.
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, 1, 0xc000_0020]);
    let deadline = soon(&link);
    assert!(client.await_released(&mut link, failure.freed, deadline).is_ok());
}

#[test]
fn released_must_match_in_every_field() {
    let right = [0x8000_000b, 0xd010_0000, 0x1000, 1, 0xc000_0020];
    for field in [1, 2, 4] {
        let (mut link, board, firmware, mut client) = opened();
        let imported = import(&mut link, &mut client, 0xd010_0000);
        firmware.state.borrow_mut().keeps_references = true;
        let deadline = soon(&link);
        let freed = client.free(&mut link, imported, deadline).unwrap();
        let mut wrong = right;
        wrong[field] ^= 0x1000;
        inject(&board, &wrong);
        let Violation::ReleasedMismatch { words, expected, .. } = violation(&mut link, &mut client) else {
            panic!("field {field}");
        };
        assert_eq!((words, expected), (wrong, right));
        assert!(client.try_take_released(&freed).unwrap().is_none(), "not given back by a wrong RELEASED");
        inject(&board, &right);
        assert!(client.await_released(&mut link, freed, deadline).is_ok());
    }
}

#[test]
fn released_for_a_number_nobody_had_is_found_out() {
    let (mut link, board, _, mut client) = opened();
    let words = [0x8000_000b, 0xd010_0000, 0x1000, 9, 0xc000_0020];
    inject(&board, &words);
    assert!(
        matches!(violation(&mut link, &mut client), Violation::ReleasedUnknown { words: w, .. } if w == words)
    );
}

#[test]
fn a_second_released_cannot_hit_another_buffer() {
    let (mut link, board, _, mut client) = opened();
    let first = import(&mut link, &mut client, 0xd010_0000);
    let deadline = soon(&link);
    let freed = client.free(&mut link, first, deadline).unwrap();
    client.await_released(&mut link, freed, deadline).unwrap();
    let second = import(&mut link, &mut client, 0xd010_0000);
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, 1, 0xc000_0020]);
    assert!(matches!(violation(&mut link, &mut client), Violation::ReleasedTwice { .. }));
    assert!(client.buffer(&second).is_ok());
}

/// raspberrypi/linux#6701: RELEASED handled for a buffer whose IMPORT was still waiting for its reply.
#[test]
fn released_for_an_import_without_reply_gives_nothing_back() {
    let (mut link, board, firmware, mut client) = opened();
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    let importing = client.submit_import(&mut link, Buffer::new(0xd010_0000), deadline).unwrap();
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, 1, 0xc000_0020]);
    assert!(matches!(
        violation(&mut link, &mut client),
        Violation::ReleasedMismatch { expected: [.., 0], .. }
    ));
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    assert!(client.await_import(&mut link, importing, deadline).is_ok());
}

#[test]
fn released_before_free_is_a_violation_and_recovers_the_buffer() {
    let (mut link, board, firmware, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, 1, 0xc000_0020]);
    assert!(matches!(violation(&mut link, &mut client), Violation::ReleasedBeforeFree { .. }));
    let deadline = soon(&link);
    let failure = client.free(&mut link, imported, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::AlreadyReleased { .. }));
    board.run_peer();
    assert!(firmware.requests_of(4).is_empty(), "no FREE of a dead handle");
    assert_eq!(client.take_recovered().unwrap().buffer.address, 0xd010_0000);
    assert_eq!(
        client.buffer(&failure.imported).err(),
        Some(Misuse::UnknownToken { kernel_id: failure.imported.kernel_id() })
    );
}

#[test]
fn a_repeated_reply_is_told_from_a_reply_to_nobody() {
    let (mut link, board, _, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    inject(&board, &[2, imported.handle().number()]);
    let Violation::DuplicateReply { words, first, again } = violation(&mut link, &mut client) else {
        panic!("duplicate not recognised");
    };
    assert_eq!(words, [2, imported.handle().number()]);
    assert_eq!(again.sequence - first.sequence, 1);
    inject(&board, &[0x6c61_6d6d, 5]);
    assert!(matches!(
        violation(&mut link, &mut client),
        Violation::ReplyToNobody { words: [0x6c61_6d6d, 5], .. }
    ));
    assert_eq!(client.counters().violations, 2);
}

#[test]
fn a_handle_that_is_in_use_is_not_given_to_another_import() {
    let (mut link, board, firmware, mut client) = opened();
    let first = import(&mut link, &mut client, 0xd010_0000);
    firmware.state.borrow_mut().next_handle = first.handle().number();
    let deadline = soon(&link);
    let failure = client.import(&mut link, Buffer::new(0xd020_0000), deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Violation(Violation::HandleInUse { .. })));
    assert!(failure.buffer.is_none(), "nobody knows what became of it");
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert!(firmware.requests_of(4).is_empty(), "no FREE of a handle that another import has");
    assert_eq!(client.outstanding().count(), 2);
}

#[test]
fn undecodable_messages_are_violations_with_their_place() {
    let (mut link, board, _, mut client) = opened();
    // Behind CONNECT, OPENACK and the acknowledgement of the version.
    inject(&board, &[0x8000_000b, 1]);
    let expected = Violation::Length {
        word: 0x8000_000b,
        size: 8,
        expected: 20,
        place: crate::Place { slot: 2, offset: 8 + 16 + 24, sequence: 1 },
    };
    assert_eq!(violation(&mut link, &mut client), expected);
    inject(&board, &[0x8000_0001, 1]);
    assert!(matches!(violation(&mut link, &mut client), Violation::UnknownMessage { word: 0x8000_0001, .. }));
    inject(&board, &[7; 100]);
    assert!(matches!(violation(&mut link, &mut client), Violation::Size { size: 400, .. }));
    inject(&board, &[]);
    assert!(matches!(violation(&mut link, &mut client), Violation::Size { size: 0, .. }));
    inject(&board, &[0x8000_0009, 1, 2]);
    assert!(matches!(violation(&mut link, &mut client), Violation::UnexpectedVersionAck { .. }));
    assert_eq!(link.counters().received, link.counters().released, "every slot let go");
}

#[test]
fn transactions_go_on_behind_the_largest_id() {
    let (mut link, _, _) = connected();
    let options = Options { first_transaction: 0x7fff_fffd, ..Options::default() };
    let deadline = soon(&link);
    let mut client = Client::open(&mut link, &options, deadline).unwrap();
    for _ in 0..4 {
        let imported = import(&mut link, &mut client, 0xd010_0000);
        let deadline = soon(&link);
        let freed = client.free(&mut link, imported, deadline).unwrap();
        client.await_released(&mut link, freed, deadline).unwrap();
    }
    assert_eq!(client.counters().violations, 0);
}

#[test]
fn an_empty_buffer_is_refused_and_a_closed_service_reported() {
    let (mut link, board, _, mut client) = opened();
    let deadline = soon(&link);
    let mut empty = Buffer::new(0xd010_0000);
    empty.size = 0;
    assert_eq!(client.import(&mut link, empty, deadline).unwrap_err().error, Misuse::EmptyBuffer.into());
    board.peer().close_service(*b"SMEM");
    board.run_peer();
    let failure = client.import(&mut link, Buffer::new(0xd010_0000), deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Link(vchiq_mbox::Error::ClosedByPeer { .. })));
    assert!(failure.buffer.is_none(), "IMPORT was sent before the CLOSE was seen");
}

#[test]
fn an_import_released_before_its_reply_was_awaited_says_so_and_comes_back() {
    let (mut link, board, _, mut client) = opened();
    let deadline = soon(&link);
    let importing = client.submit_import(&mut link, Buffer::new(0xd010_0000), deadline).unwrap();
    board.run_peer();
    client.poll(&mut link).unwrap();
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, 1, 0xc000_0020]);
    assert!(matches!(violation(&mut link, &mut client), Violation::ReleasedBeforeFree { .. }));
    let kernel_id = importing.kernel_id();
    let failure = client.await_import(&mut link, importing, deadline).unwrap_err();
    assert_eq!((failure.error, failure.buffer.is_none()), (Error::AlreadyReleased { kernel_id }, true));
    assert_eq!(client.take_recovered().unwrap().kernel_id, kernel_id);
}

#[test]
fn a_buffer_of_no_bytes_is_not_lent() {
    let (mut link, _, firmware, mut client) = opened();
    let mut nothing = Buffer::new(0xd010_0000);
    nothing.size = 0;
    let deadline = soon(&link);
    let failure = client.import(&mut link, nothing, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Misuse(_)) && failure.buffer.is_some());
    assert!(firmware.requests_of(8).is_empty());
    assert_eq!(failure.error.owner(), vchiq_mbox::Owner::Harness);
    assert_eq!(Error::Absent.owner(), vchiq_mbox::Owner::Firmware);
}

#[test]
fn released_that_lies_there_unread_is_not_taken_for_the_answer_to_free() {
    let (mut link, board, firmware, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, 1, 0xc000_0020]);
    let deadline = soon(&link);
    let failure = client.free(&mut link, imported, deadline).unwrap_err();
    assert!(
        matches!(failure.error, Error::Violation(Violation::ReleasedBeforeFree { .. })),
        "{}",
        failure.error
    );
    board.run_peer();
    assert!(firmware.requests_of(4).is_empty(), "no FREE of a dead handle");
    assert!(client.take_recovered().is_some());
}
