//! Import, use, free, released.

use super::*;
use crate::{Error, Exhausted, Lendable, Misuse, ProtocolVersion};

#[test]
fn a_buffer_comes_back_by_released_only() {
    let (mut link, _, firmware, mut client) = opened();
    assert_eq!(client.version(), ProtocolVersion::Notifying(2));
    let buffer = Buffer::new(0xd010_0000);
    let dropped = Rc::clone(&buffer.dropped);
    let deadline = soon(&link);
    let imported = client.import(&mut link, buffer, deadline).unwrap();
    assert_eq!((imported.handle().number(), imported.kernel_id().number()), (0xc000_0020, 1));
    assert_eq!(client.buffer(&imported).unwrap().address, 0xd010_0000);
    assert_eq!(firmware.state.borrow().imports[&0xc000_0020], [0xd010_0000, 0x1000, 1]);

    let freed = client.free(&mut link, imported, deadline).unwrap();
    assert_eq!(client.try_take_released(&freed).unwrap().map(|returned| returned.kernel_id), None);
    let returned = client.await_released(&mut link, freed, deadline).unwrap();
    assert_eq!(returned.buffer.address, 0xd010_0000);
    assert!(!dropped.get());
    assert_eq!(client.outstanding().count(), 0);
    let counters = client.counters();
    assert_eq!((counters.imports, counters.imported, counters.frees, counters.released), (1, 1, 1, 1));
}

#[test]
fn steps_are_stamped_in_order() {
    let (mut link, _, _, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    let import = client.import_exchange(&imported).unwrap();
    let deadline = soon(&link);
    let freed = client.free(&mut link, imported, deadline).unwrap();
    let released = client.await_released(&mut link, freed, deadline).unwrap().exchange;
    for exchange in [import, released] {
        let interrupt = exchange.interrupt.expect("the peer rang").cycles;
        assert!(exchange.begin.cycles < exchange.rung.cycles && exchange.rung.cycles < interrupt);
        assert!(interrupt < exchange.parsed.cycles);
    }
    assert!(import.parsed.cycles < released.begin.cycles);
}

#[test]
fn several_imports_are_answered_and_released_in_any_order() {
    let (mut link, _, firmware, mut client) = opened();
    let deadline = soon(&link);
    firmware.state.borrow_mut().mute = true;
    let mut under_way = Vec::new();
    for address in [0xd000_0000, 0xd100_0000, 0xd200_0000] {
        under_way.push(client.submit_import(&mut link, Buffer::new(address), deadline).unwrap());
    }
    let board = link.platform().clone();
    board.run_peer();
    let replies: Vec<_> = firmware.state.borrow_mut().unsent.drain(..).rev().collect();
    for reply in replies {
        inject(&board, &reply);
    }
    let mut imported = Vec::new();
    for importing in under_way {
        imported.push(client.await_import(&mut link, importing, deadline).unwrap());
    }
    assert_eq!(
        imported.iter().map(|imported| imported.handle().number()).collect::<Vec<_>>(),
        [0xc000_0020, 0xc000_0021, 0xc000_0022]
    );

    let mut freed = Vec::new();
    for imported in imported {
        freed.push(client.free(&mut link, imported, deadline).unwrap());
    }
    for freed in freed.into_iter().rev() {
        let kernel_id = freed.kernel_id();
        assert_eq!(client.await_released(&mut link, freed, deadline).unwrap().kernel_id, kernel_id);
    }
    assert_eq!(client.outstanding().count(), 0);
}

#[test]
fn forty_thousand_cycles_use_each_id_once_and_leave_nothing_behind() {
    let (mut link, board, firmware, mut client) = opened();
    for round in 1..=40_000 {
        let imported = import(&mut link, &mut client, 0xd010_0000);
        assert_eq!(imported.kernel_id().number(), round);
        let deadline = soon(&link);
        let freed = client.free(&mut link, imported, deadline).unwrap();
        client.await_released(&mut link, freed, deadline).unwrap();
    }
    assert_eq!(client.counters().released, 40_000);
    assert!(firmware.state.borrow().imports.is_empty());
    assert_eq!(link.counters().received, link.counters().released);
    assert_eq!(link.positions().slots_held, 1);
    assert_eq!(board.peer().claimed_when_returned, 0);
}

#[test]
fn the_table_bounds_what_is_out() {
    let (mut link, _, _, mut client) = opened();
    let kept: Vec<_> =
        (0..4).map(|index| import(&mut link, &mut client, 0xd000_0000 + index * 0x1000)).collect();
    let deadline = soon(&link);
    let failure = client.import(&mut link, Buffer::new(0xd800_0000), deadline).unwrap_err();
    assert_eq!(failure.error, Exhausted::TableFull { capacity: 4 }.into());
    assert_eq!(failure.buffer.unwrap().address, 0xd800_0000);
    assert_eq!(client.outstanding().count(), kept.len());
}

#[test]
fn a_refused_import_gives_the_buffer_back() {
    let (mut link, _, firmware, mut client) = opened();
    firmware.state.borrow_mut().refuses_imports = true;
    let deadline = soon(&link);
    let failure = client.import(&mut link, Buffer::new(0xd010_0000), deadline).unwrap_err();
    assert!(matches!(failure.error, Error::ImportRefused { .. }));
    assert!(failure.buffer.is_some());
    assert_eq!(client.counters().refused, 1);
}

#[test]
fn firmware_without_the_service_is_told_apart() {
    let (mut link, board, _) = connected();
    board.peer().services.clear();
    let deadline = soon(&link);
    assert_eq!(Client::open(&mut link, &Options::default(), deadline).err(), Some(Error::Absent));
}

#[test]
fn version_1_firmware_frees_without_notice() {
    for (acknowledges_version, version) in [(false, 2), (true, 1)] {
        let (mut link, _, firmware) = connected();
        firmware.state.borrow_mut().acknowledges_version = acknowledges_version;
        firmware.state.borrow_mut().version = version;
        let deadline = link.deadline(Duration::from_secs(1));
        let mut client = Client::open(&mut link, &Options::default(), deadline).unwrap();
        assert_eq!(client.version(), ProtocolVersion::One);
        let imported = import(&mut link, &mut client, 0xd010_0000);
        firmware.state.borrow_mut().keeps_references = true;
        let freed = client.free(&mut link, imported, deadline).unwrap();
        let failure = client.await_released(&mut link, freed, deadline).unwrap_err();
        assert_eq!(failure.error, Error::NoReleaseNotice);
        assert_eq!(client.outstanding().count(), 1, "still reserved");
    }
}

#[test]
fn requests_for_memory_are_refused() {
    let (mut link, board, firmware, mut client) = opened();
    let mut request = vec![0x8000_000c, 0x77, 0x1_0000, 0x1000];
    request.resize(13, 0);
    inject(&board, &request);
    client.poll(&mut link).unwrap();
    board.run_peer();
    let replies = firmware.requests_of(10);
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0][2..], [0x77, 0, 0]);
}

/// Firmware of 2022 halts when the service is closed under an import (docs/findings.md).
#[test]
fn the_service_is_not_closed_while_a_buffer_is_out() {
    let (mut link, board, firmware, mut client) = opened();
    let kept = import(&mut link, &mut client, 0xd010_0000);
    let other = import(&mut link, &mut client, 0xd020_0000);
    let deadline = soon(&link);
    assert_eq!(client.close(&mut link, deadline), Err(Misuse::BuffersOut { count: 2 }.into()));
    firmware.state.borrow_mut().keeps_references = true;
    let freed = client.free(&mut link, other, deadline).unwrap();
    assert_eq!(client.close(&mut link, deadline), Err(Misuse::BuffersOut { count: 2 }.into()), "only freed");
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    assert!(client.import(&mut link, Buffer::new(0xd030_0000), deadline).is_err());
    let deadline = soon(&link);
    assert_eq!(client.close(&mut link, deadline), Err(Misuse::BuffersOut { count: 3 }.into()), "abandoned");
    board.run_peer();
    assert!(board.peer().received_of(4).is_empty(), "no CLOSE was sent");
    assert!(link.is_open(client.service()));
    drop((kept, freed));
}

#[test]
fn the_service_can_be_closed_once_everything_is_back_or_on_purpose() {
    let (mut link, board, _, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    let deadline = soon(&link);
    let freed = client.free(&mut link, imported, deadline).unwrap();
    client.await_released(&mut link, freed, deadline).unwrap();
    client.close(&mut link, deadline).unwrap();

    let (mut link, board_2, _, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    let deadline = soon(&link);
    client.close_with_buffers_out(&mut link, deadline).unwrap();
    assert_eq!((board.peer().received_of(4).len(), board_2.peer().received_of(4).len()), (1, 1));
    assert_eq!(client.outstanding().count(), 1, "still reserved");
    assert!(client.buffer(&imported).is_ok());
}

#[test]
fn version_1_firmware_gives_no_notice_so_freed_buffers_do_not_keep_the_service() {
    let (mut link, _, firmware) = connected();
    firmware.state.borrow_mut().acknowledges_version = false;
    let deadline = link.deadline(Duration::from_secs(1));
    let mut client = Client::open(&mut link, &Options::default(), deadline).unwrap();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    let deadline = soon(&link);
    assert_eq!(client.close(&mut link, deadline), Err(Misuse::BuffersOut { count: 1 }.into()));
    firmware.state.borrow_mut().keeps_references = true;
    let freed = client.free(&mut link, imported, deadline).unwrap();
    client.close(&mut link, deadline).unwrap();
    assert_eq!(client.outstanding().count(), 1, "still reserved");
    drop(freed);
}

#[test]
fn memory_that_is_not_ours_is_refused_before_anything_is_sent() {
    let (mut link, _, firmware) = connected();
    let lendable = Lendable { start: 0x1000_0000, end: 0x1100_0000 };
    let deadline = soon(&link);
    let mut client = Client::open(&mut link, &Options { lendable, ..Options::default() }, deadline).unwrap();
    let sent = link.counters().sent;
    for address in [0xd0ff_f001, 0xd100_0000, 0xc000_0000, 0xcfff_f000] {
        let failure = client.import(&mut link, Buffer::new(address), deadline).unwrap_err();
        let expected = Misuse::NotLendable { address: BusAddress(address), size: 0x1000 };
        assert_eq!((failure.error, failure.buffer.is_some()), (expected.into(), true), "{address:#x}");
    }
    assert_eq!((link.counters().sent, client.counters().imports), (sent, 0));
    assert!(firmware.state.borrow().imports.is_empty());
    let imported = import(&mut link, &mut client, 0xd000_0000);
    assert_eq!(imported.kernel_id().number(), 1, "no number was spent on what was refused");
}
