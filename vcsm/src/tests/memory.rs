//! Memory for firmware that asks, undone imports, version 1, and the end of a link.

use super::*;
use crate::{Exhausted, Misuse, ProtocolVersion, Violation};

/// VC_MEM_REQUEST of so many bytes.
fn ask_for_memory(board: &FakeBoard, transaction: u32, size: u32, align: u32) {
    let mut request = vec![0x8000_000c, transaction, size, align];
    request.resize(12, 0);
    request.push(0x51);
    inject(board, &request);
}

#[test]
fn firmware_gets_the_smallest_spare_buffer_that_fits() {
    let (mut link, board, firmware, mut client) = opened();
    for (address, size) in [(0xd030_0000, 0x8000), (0xd010_0000, 0x1000), (0xd020_0000, 0x2000)] {
        client.offer(sized(address, size)).unwrap();
    }
    ask_for_memory(&board, 0x77, 0x1800, 0x1000);
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert_eq!(firmware.requests_of(10)[0][2..], [0x77, 0xd020_0000, 1]);
    let given = client.outstanding().next().unwrap();
    assert!(given.given && given.handle.unwrap().number() == 0x51);

    // One field wrong gives nothing back.
    inject(&board, &[0x8000_000b, 0xd020_0000, 0x1800, 1, 0x52]);
    assert!(matches!(violation(&mut link, &mut client), Violation::ReleasedMismatch { .. }));
    assert_eq!(client.outstanding().count(), 1);
    inject(&board, &[0x8000_000b, 0xd020_0000, 0x1800, 1, 0x51]);
    client.poll(&mut link).unwrap();
    assert_eq!(client.outstanding().count(), 0);
    assert_eq!(std::iter::from_fn(|| client.withdraw()).count(), 3, "spare again");
    inject(&board, &[0x8000_000b, 0xd020_0000, 0x1800, 1, 0x51]);
    assert!(matches!(violation(&mut link, &mut client), Violation::ReleasedTwice { .. }));
}

#[test]
fn a_request_that_no_spare_buffer_fits_is_refused() {
    let (mut link, board, firmware, mut client) = opened();
    client.offer(buffer(0xd010_1000)).unwrap();
    for (size, align) in [(0x1001, 1), (0x1000, 0x2000), (0, 1)] {
        ask_for_memory(&board, 0x77, size, align);
        client.poll(&mut link).unwrap();
        board.run_peer();
    }
    let refusals = firmware.requests_of(10);
    assert!(refusals.len() == 3 && refusals.iter().all(|words| words[2..] == [0x77, 0, 0]));
    assert_eq!((client.counters().memory_requests, client.counters().memory_given), (3, 0));
}

#[test]
fn a_given_buffer_gets_a_new_number_each_time() {
    let (mut link, board, firmware, mut client) = opened();
    client.offer(buffer(0xd010_0000)).unwrap();
    for number in 1..=3 {
        ask_for_memory(&board, number, 0x1000, 0x1000);
        client.poll(&mut link).unwrap();
        board.run_peer();
        assert_eq!(firmware.requests_of(10).last().unwrap()[2..], [number, 0xd010_0000, number]);
        inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, number, 0x51]);
        client.poll(&mut link).unwrap();
    }
}

#[test]
fn spares_are_bounded_and_come_back_to_a_full_list_as_recovered() {
    let (mut link, board, _, mut client) = opened();
    for page in 0..4 {
        client.offer(buffer(0xd010_0000 + page * 0x1000)).unwrap();
    }
    let (error, kept) = client.offer(buffer(0xd090_0000)).unwrap_err();
    let full = Exhausted::SparesFull { capacity: 4 };
    assert_eq!((error, kept.address), (full.into(), 0xd090_0000));
    ask_for_memory(&board, 1, 0x1000, 1);
    client.poll(&mut link).unwrap();
    let given = client.outstanding().next().unwrap().kernel_id.number();
    client.offer(kept).unwrap();
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, given, 0x51]);
    client.poll(&mut link).unwrap();
    assert_eq!(client.take_recovered().unwrap().buffer.address, 0xd010_0000);
}

#[test]
fn an_undone_import_comes_back_by_released_without_free() {
    let (mut link, board, firmware, mut client) = opened();
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    let importing = client.submit_import(&mut link, buffer(0xd010_0000), deadline).unwrap();
    let kernel_id = importing.kernel_id();
    let nothing = Misuse::NothingToUndo { kernel_id };
    assert_eq!(client.undo_import(&mut link, kernel_id, deadline), Err(nothing.into()), "still awaited");
    assert!(client.await_import(&mut link, importing, deadline).is_err());
    let deadline = soon(&link);
    client.undo_import(&mut link, kernel_id, deadline).unwrap();
    assert_eq!(client.undo_import(&mut link, kernel_id, deadline), Err(nothing.into()), "once");
    board.run_peer();
    assert_eq!(firmware.requests_of(7)[0][2..], [8, 2]);
    client.poll(&mut link).unwrap();
    assert_eq!(client.take_recovered().unwrap().kernel_id, kernel_id);
    assert!(firmware.requests_of(4).is_empty());
    assert_eq!(client.counters().violations, 0);
}

/// Firmware of 2022 does nothing about an import that it has answered (docs/findings.md).
#[test]
fn a_late_reply_is_freed_also_after_action_clean() {
    let (mut link, board, firmware, mut client) = opened();
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    let failure = client.import(&mut link, buffer(0xd010_0000), deadline).unwrap_err();
    let Error::ImportTimedOut { kernel_id, .. } = failure.error else { panic!("not abandoned") };
    firmware.state.borrow_mut().by_transaction.clear();
    let deadline = soon(&link);
    client.undo_import(&mut link, kernel_id, deadline).unwrap();
    board.run_peer();
    let reply = firmware.state.borrow_mut().unsent.remove(0);
    inject(&board, &reply);
    client.poll(&mut link).unwrap();
    board.run_peer();
    assert_eq!(firmware.requests_of(4).len(), 1, "FREE of the handle nobody waited for");
    client.poll(&mut link).unwrap();
    assert_eq!(client.take_recovered().unwrap().kernel_id, kernel_id);
}

#[test]
fn released_without_a_handle_undoes_nothing() {
    let (mut link, board, firmware, mut client) = opened();
    firmware.state.borrow_mut().mute = true;
    firmware.state.borrow_mut().keeps_references = true;
    let deadline = soon(&link);
    let failure = client.import(&mut link, buffer(0xd010_0000), deadline).unwrap_err();
    let Error::ImportTimedOut { kernel_id, .. } = failure.error else { panic!("not abandoned") };
    let deadline = soon(&link);
    client.undo_import(&mut link, kernel_id, deadline).unwrap();
    inject(&board, &[0x8000_000b, 0xd010_0000, 0x1000, 1, 0]);
    assert!(matches!(violation(&mut link, &mut client), Violation::ReleasedMismatch { .. }));
    assert!(client.take_recovered().is_none());
}

#[test]
fn a_client_of_version_1_does_not_announce_itself() {
    let (mut link, board, firmware) = connected();
    let options = Options { tells_version: false, ..Options::default() };
    let deadline = soon(&link);
    let mut client = Client::open(&mut link, &options, deadline).unwrap();
    board.run_peer();
    assert_eq!(client.version(), ProtocolVersion::One);
    assert!(firmware.requests_of(9).is_empty());
    let imported = import(&mut link, &mut client, 0xd010_0000);
    firmware.state.borrow_mut().keeps_references = true;
    let freed = client.free(&mut link, imported, deadline).unwrap();
    let failure = client.await_released(&mut link, freed, deadline).unwrap_err();
    assert_eq!(failure.error, Error::NoReleaseNotice);
}

#[test]
fn transactions_go_on_behind_16_bits() {
    for first in [0xfffd, 0x1_fffd, 0x7fff_fffd] {
        let (mut link, _, firmware) = connected();
        let options = Options { first_transaction: first, ..Options::default() };
        let deadline = soon(&link);
        let mut client = Client::open(&mut link, &options, deadline).unwrap();
        for _ in 0..4 {
            let imported = import(&mut link, &mut client, 0xd010_0000);
            let deadline = soon(&link);
            let freed = client.free(&mut link, imported, deadline).unwrap();
            client.await_released(&mut link, freed, deadline).unwrap();
        }
        let third = firmware.requests_of(8)[1][1];
        assert_eq!(third, if first == 0x7fff_fffd { 1 } else { first + 3 });
        assert_eq!(client.counters().violations, 0);
    }
}

fn buffer(address: u32) -> Buffer {
    Buffer::new(address)
}

fn sized(address: u32, size: u32) -> Buffer {
    let mut buffer = buffer(address);
    buffer.size = size;
    buffer
}
