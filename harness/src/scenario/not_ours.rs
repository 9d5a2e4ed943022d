//! Memory that is not ours is refused on this side: nothing of it reaches the firmware.

use vchiq_mbox::Window;
use vcsm::{Error, Misuse};

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    block::Block,
    board::Board,
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "not-ours",
    group: Group::Lifecycle,
    needs: Needs::VideoCore,
    proves: "an import of memory that is not set aside for lending is refused by the client, and not sent",
    asked_by: "raspberrypi/linux#6701 and every driver author: the firmware takes any address it is given",
    steps: &["open", "refuse", "close"],
    passes_when: "no message is sent for such a block, and the service goes on",
};

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client: &mut Client<'_, B, PLACES>| {
        session.step("refuse", |session| refuse(session, client, counts))
    })
}

fn refuse<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Client<'a, B, PLACES>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let sent = session.link.counters().sent;
    let memory = session.lending.memory();
    // Behind the end, across it, and so far that the address wraps.
    let end = memory.len();
    let places = [(end, 4096), (end - 4096, 8192), (usize::MAX - 4095, 4096)];
    for (start, size) in places {
        let block = Block::new(memory, start, size, Pattern::new(0));
        let deadline = session.deadline(ANSWER_TIMEOUT);
        match client.import(&mut session.link, block, deadline) {
            Err(failure) if matches!(failure.error, Error::Misuse(Misuse::NotLendable { .. })) => {}
            Err(failure) => return Err(session.link_failure(failure.error)),
            Ok(_) => {
                let reason = format_args!("memory that is not ours was lent");
                return Err(Failure::fail(Owner::Harness, reason).with("start", start as u32));
            }
        }
    }
    counts.set("refused", places.len() as u64);
    let more = session.link.counters().sent - sent;
    if more == 0 {
        return Ok(());
    }
    Err(Failure::fail(Owner::Harness, format_args!("{more} messages were sent for refused memory")))
}
