//! Pausing from our side, and who may use the link meanwhile.

use super::*;
use crate::{
    error::{Error, Exhausted, Misuse, Step},
    link::Connection,
};

const CLOSE: u32 = 4;
const PAUSE: u32 = 10;
const RESUME: u32 = 11;
const REMOTE_USE: u32 = 12;
const REMOTE_RELEASE: u32 = 13;
const REMOTE_USE_ACTIVE: u32 = 14;

fn paused() -> (Link, FakeBoard, ServiceHandle) {
    let (mut link, board, service) = opened(Behaviour::Echo);
    board.peer().answers_pause = true;
    link.pause(soon(&link)).unwrap();
    (link, board, service)
}

#[test]
fn our_pause_is_answered_and_our_resume_lets_both_go_on() {
    let (mut link, board, service) = paused();
    assert_eq!(link.connection(), Connection::Paused);
    assert_eq!(link.send(service, &[b"now"], soon(&link)), Err(Misuse::Paused.into()));
    link.resume(soon(&link)).unwrap();
    link.send(service, &[b"later"], soon(&link)).unwrap();
    assert_eq!(receive(&mut link, service), b"later");
    let peer = board.peer();
    assert_eq!((peer.received_of(PAUSE).len(), peer.received_of(RESUME).len()), (1, 1));
}

#[test]
fn what_crosses_our_pause_is_received_and_answered_after_resume() {
    let (mut link, board, service) = opened(Behaviour::Sink);
    board.peer().answers_pause = true;
    // Published before the peer sees our PAUSE.
    board.peer().queue_data(*b"echo", b"crossing");
    board.peer().queue(REMOTE_USE, 0, 0, &[]);
    board.peer().close_service(*b"echo");
    board.run_peer();
    board.peer().stuck = true;
    assert_eq!(link.pause(soon(&link)), Err(Error::Timeout { step: Step::Pause }));
    board.peer().stuck = false;
    link.pause(soon(&link)).unwrap();
    assert_eq!(receive(&mut link, service), b"crossing");
    link.resume(soon(&link)).unwrap();
    board.run_peer();
    let peer = board.peer();
    assert_eq!((peer.received_of(REMOTE_USE_ACTIVE).len(), peer.received_of(CLOSE).len()), (1, 1));
    assert_eq!(peer.received_of(PAUSE).len(), 1, "PAUSE is sent once");
}

#[test]
fn pauses_that_cross_answer_each_other() {
    let (mut link, board, _) = opened(Behaviour::Sink);
    board.peer().stuck = true;
    assert!(link.pause(soon(&link)).is_err());
    board.peer().stuck = false;
    // Its own pause, not an answer.
    board.peer().queue(PAUSE, 0, 0, &[]);
    link.pause(soon(&link)).unwrap();
    assert_eq!(link.connection(), Connection::Paused);
    assert_eq!(board.peer().received_of(PAUSE).len(), 1, "no answer to an answer");
}

#[test]
fn only_who_has_paused_resumes() {
    let (mut link, board, _) = opened(Behaviour::Sink);
    assert_eq!(link.resume(soon(&link)), Err(Misuse::NotPaused.into()));
    board.peer().queue(PAUSE, 0, 0, &[]);
    board.run_peer();
    link.poll().unwrap();
    assert_eq!(link.resume(soon(&link)), Err(Misuse::NotPaused.into()));
    assert_eq!(link.pause(soon(&link)), Err(Exhausted::Paused.into()));
}

#[test]
fn a_peer_that_does_not_answer_our_pause_runs_into_the_deadline() {
    let (mut link, _, _) = opened(Behaviour::Sink);
    assert_eq!(link.pause(soon(&link)), Err(Error::Timeout { step: Step::Pause }));
    assert_eq!(link.connection(), Connection::Pausing);
}

#[test]
fn uses_are_released_as_often_as_taken_and_no_more() {
    let (mut link, board, _) = opened(Behaviour::Sink);
    for kind in [REMOTE_USE, REMOTE_RELEASE, REMOTE_RELEASE] {
        board.peer().queue(kind, 0, 0, &[]);
    }
    board.run_peer();
    link.poll().unwrap();
    let counters = link.counters();
    assert_eq!((counters.uses_answered, counters.uses_released, counters.strays), (1, 1, 1));
}
