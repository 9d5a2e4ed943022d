//! Messages of a whole slot, so many that the slot queues of both sides wrap.
//!
//! A queue has 64 entries, and a side 31 slots: an entry is used again after 64 slots, by then for another slot if slots
//! came back out of order. With 524288 iterations the positions pass 2^31, with twice as many they wrap.

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "wrap",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "slots go round: the queues of both sides wrap, and no byte is lost on the way",
    asked_by: "raspberrypi/linux#6701 (slots that do not come back)",
    steps: &["open", "go-round", "close"],
    passes_when: "every message of 4088 bytes comes back whole, and each side has had more slots than its queue has \
                  entries",
};

/// Entries of a slot queue.
const QUEUE: u32 = vchiq_mbox::wire::SLOT_QUEUE_LENGTH as u32;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let service = session.step("open", echo::open)?;
    session.step("go-round", |session| {
        let before = session.link.positions();
        // Twice round at least.
        let rounds = session.plan.iterations.max(2 * QUEUE);
        for done in 0..rounds {
            session.check_run_time()?;
            echo::echo_once(session, service, echo::LONGEST, done)?;
            if rounds == session.plan.iterations {
                super::note_progress(session, done + 1, 1);
            }
        }
        let after = session.link.positions();
        let ours = after.recycle.wrapping_sub(before.recycle);
        let theirs = after.peer_recycle.wrapping_sub(before.peer_recycle);
        counts.set("slots_ours", ours.into());
        counts.set("slots_theirs", theirs.into());
        counts.set("tx_pos", after.tx_pos.into());
        counts.set("rx_pos", after.rx_pos.into());
        if ours.min(theirs) > QUEUE {
            return Ok(());
        }
        let reason =
            format_args!("{rounds} messages of a slot each, but only {ours} and {theirs} slots went round");
        Err(Failure::fail(Owner::Link, reason).at(&after))
    })?;
    session.step("close", |session| link::close(session, service))
}
