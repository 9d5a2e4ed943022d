//! CLOSE that crosses something else on its way: the answer to OPEN, and an answer to a message.
//!
//! The firmware's services do not close by themselves, so a CLOSE that crosses the other side's CLOSE cannot be had here;
//! the model does that (`--fault close-midway`).

use core::time::Duration;

use vchiq_mbox::error::{Error, Step};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "close-races",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "an OPEN that is given up before its answer leaves nothing open, and answers that cross a CLOSE harm nobody",
    asked_by: "raspberrypi/firmware#1681 (OPEN that fails now and then); driver maintainers",
    steps: &["link", "given-up", "unread", "ping"],
    passes_when: "the service can be opened again after each, and nothing comes for nobody",
};

/// Rounds of each kind; more would tell no more.
const MOST: u32 = 400;
/// An OPEN is answered after some ten microseconds; each round gives up a little later than the one before.
const LATER: Duration = Duration::from_nanos(100);

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("link", link::ensure_up)?;
    session.step("given-up", |session| {
        let (mut given_up, mut opened) = (0, 0);
        for round in 0..session.plan.iterations.min(MOST) {
            session.check_run_time()?;
            let deadline = session.deadline(LATER * round);
            match session.link.open(link::ECHO, deadline) {
                Ok(service) => {
                    opened += 1;
                    link::close(session, service)?;
                }
                Err(Error::Timeout { step: Step::Open }) => given_up += 1,
                Err(error) => return Err(session.link_failure(error)),
            }
            // The service takes one client on some peers: the OPEN that was given up must be closed by now.
            echo::ping_alone(session)?;
        }
        counts.set("given_up", given_up);
        counts.set("opened", opened);
        if given_up != 0 {
            return Ok(());
        }
        Err(Failure::fail(Owner::Harness, format_args!("no OPEN was given up: all were answered at once")))
    })?;
    session.step("unread", |session| {
        for round in 0..session.plan.iterations.min(MOST) {
            session.check_run_time()?;
            let service = link::open(session, link::ECHO, "echo")?;
            // Answered before, with, or after the CLOSE.
            let bytes = 8 * (1 + round as usize % 64);
            for number in 0..4 {
                echo::try_send(session, service, bytes, number)?;
            }
            link::close(session, service)?;
            counts.set("closed_unread", u64::from(round) + 1);
        }
        Ok(())
    })?;
    session.step("ping", echo::ping_alone)
}
