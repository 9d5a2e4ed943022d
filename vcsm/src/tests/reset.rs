//! A VideoCore that has been reset: lent buffers come back by that alone, and nothing of the former session counts.

use vchiq_mbox::testing::FakePeer;

use super::*;
use crate::{Misuse, Violation};

/// The firmware that has been started again, with a service that knows nothing.
fn restart(link: &mut Link, board: &FakeBoard) -> Firmware {
    *board.peer() = FakePeer::default();
    let firmware = Firmware::default();
    let mut service = FakeService::new(*b"SMEM", 31, firmware.behaviour());
    service.versions = (1, 0);
    board.peer().services.push(service);
    board.start_peer();
    link.connect(soon(link)).unwrap();
    firmware
}

#[test]
fn a_reset_of_videocore_gives_everything_back() {
    let (mut link, _, firmware, mut client) = opened();
    let kept = import(&mut link, &mut client, 0xd010_0000);
    let other = import(&mut link, &mut client, 0xd020_0000);
    firmware.state.borrow_mut().keeps_references = true;
    let deadline = soon(&link);
    let freed = client.free(&mut link, other, deadline).unwrap();
    firmware.state.borrow_mut().mute = true;
    let deadline = soon(&link);
    assert!(client.import(&mut link, Buffer::new(0xd030_0000), deadline).is_err());
    assert_eq!(client.outstanding().count(), 3);

    let reset = link.start_over();
    let mut back: Vec<u32> =
        std::iter::from_fn(|| client.take_after_reset(&reset)).map(|buffer| buffer.address).collect();
    back.sort_unstable();
    assert_eq!(back, [0xd010_0000, 0xd020_0000, 0xd030_0000]);
    assert!(client.buffer(&kept).is_err() && client.try_take_released(&freed).is_err());
    assert_eq!(client.outstanding().count(), 0);
}

#[test]
fn nothing_comes_back_without_the_reset_even_if_the_link_is_lost() {
    let (mut link, board, _, mut client) = opened();
    let buffer = Buffer::new(0xd010_0000);
    let dropped = Rc::clone(&buffer.dropped);
    let deadline = soon(&link);
    let imported = client.import(&mut link, buffer, deadline).unwrap();
    board.memory().store(0x03c, 0x1234_5678);
    assert!(matches!(client.poll(&mut link), Err(Error::Link(_))));
    let failure = client.free(&mut link, imported, deadline).unwrap_err();
    assert!(matches!(failure.error, Error::Link(vchiq_mbox::Error::Violation(_))));
    assert!(client.take_recovered().is_none());
    drop(client);
    assert!(!dropped.get(), "forgotten, not reused");
}

#[test]
fn a_client_of_the_former_session_can_ask_nothing_in_the_next() {
    let (mut link, board, _, mut client) = opened();
    let imported = import(&mut link, &mut client, 0xd010_0000);
    let _reset = link.start_over();
    let firmware = restart(&mut link, &board);
    let deadline = soon(&link);
    let mut next = Client::open(&mut link, &Options::default(), deadline).unwrap();
    assert_eq!(client.service().port(), next.service().port());

    let stale = Error::Link(vchiq_mbox::error::Misuse::StaleHandle { port: 0 }.into());
    let failure = client.free(&mut link, imported, deadline).unwrap_err();
    assert_eq!(failure.error, stale);
    let failure = client.import(&mut link, Buffer::new(0xd020_0000), deadline).unwrap_err();
    assert_eq!((failure.error, failure.buffer.is_some()), (stale, true), "nothing was sent");
    assert_eq!(client.poll(&mut link), Err(stale));
    assert_eq!(client.close_with_buffers_out(&mut link, deadline), Err(stale));
    board.run_peer();
    assert_eq!(firmware.state.borrow().requests.len(), 1, "only CLIENT_VERSION of the next client");
    assert_eq!(client.outstanding().count(), 1, "still reserved");
    let imported = import(&mut link, &mut next, 0xd030_0000);
    let freed = next.free(&mut link, imported, deadline).unwrap();
    next.await_released(&mut link, freed, deadline).unwrap();
}

#[test]
fn released_for_a_buffer_of_the_former_session_gives_nothing_back() {
    let (mut link, board, _, mut client) = opened();
    let former = import(&mut link, &mut client, 0xd010_0000);
    let reset = link.start_over();
    restart(&mut link, &board);
    let options = Options { first_kernel_id: client.next_kernel_id(), ..Options::default() };
    let deadline = soon(&link);
    let mut next = Client::open(&mut link, &options, deadline).unwrap();
    let buffer = client.take_after_reset(&reset).unwrap();
    let imported = next.import(&mut link, buffer, deadline).unwrap();
    assert_ne!(imported.kernel_id(), former.kernel_id());
    let words = [0x8000_000b, 0xd010_0000, 0x1000, former.kernel_id().number(), former.handle().number()];
    inject(&board, &words);
    assert!(matches!(
        violation(&mut link, &mut next),
        Violation::ReleasedTwice { .. } | Violation::ReleasedUnknown { .. }
    ));
    assert!(next.buffer(&imported).is_ok());
    assert_eq!(next.close(&mut link, deadline), Err(Misuse::BuffersOut { count: 1 }.into()));
}
