//! No wait outlasts its deadline.

use super::*;
use crate::{
    Clock,
    error::{Error, Exhausted, Owner, Step},
};

/// Runs a wait against a silent peer and checks when it ended.
fn ends_in_time<T>(link: &mut Link, wait: impl FnOnce(&mut Link, Deadline) -> Result<T, Error>) -> Error {
    let deadline = soon(link);
    let error = wait(link, deadline).err().expect("nobody answers");
    let late = link.platform().ticks().saturating_sub(deadline.ticks());
    assert!(late < 1000, "{late} ticks late");
    error
}

#[test]
fn nobody_at_the_other_end_is_the_links_fault() {
    let (mut link, _) = prepared();
    let error = ends_in_time(&mut link, |link, deadline| link.connect(deadline));
    assert_eq!((error, error.owner()), (Error::Timeout { step: Step::PeerInitialise }, Owner::Link));
}

#[test]
fn a_peer_without_connect_is_the_firmwares_fault_and_may_still_come() {
    let (mut link, board) = prepared();
    board.start_peer();
    board.peer().stuck = true;
    let error = ends_in_time(&mut link, |link, deadline| link.connect(deadline));
    assert_eq!((error, error.owner()), (Error::Timeout { step: Step::Connect }, Owner::Firmware));
    board.peer().stuck = false;
    link.connect(soon(&link)).unwrap();
    assert_eq!(board.peer().received_of(1).len(), 1, "one CONNECT");
}

#[test]
fn open_receive_and_close_end_in_time() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    let error = ends_in_time(&mut link, |link, deadline| link.receive(service, deadline).map(|_| ()));
    assert_eq!(error, Error::Timeout { step: Step::Receive });
    board.peer().stuck = true;
    let request = OpenRequest::new(ECHO, 3, 3);
    let error = ends_in_time(&mut link, |link, deadline| link.open(request, deadline));
    assert_eq!(error, Error::Timeout { step: Step::Open });
    let error = ends_in_time(&mut link, |link, deadline| link.close(service, deadline));
    assert_eq!(error, Error::Timeout { step: Step::Close });
}

#[test]
fn a_stalled_sender_ends_in_time() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().stuck = true;
    let error = ends_in_time(&mut link, |link, deadline| {
        loop {
            link.send(service, &[&pattern(4088)], deadline)?;
        }
        #[expect(unreachable_code)]
        Ok(())
    });
    assert_eq!(error, Exhausted::SlotQuota { port: 0, in_use: 15 }.into());
    assert!(error.is_retryable() && !error.is_fatal());
}
