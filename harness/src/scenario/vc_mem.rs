//! Does the firmware ask for memory (VC_MEM_REQUEST)?

use core::time::Duration;

use super::{
    Group, Needs, Scenario,
    shared_memory::{self, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    pattern::Pattern,
    session::{Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "vc-mem",
    group: Group::Smem,
    needs: Needs::Firmware,
    proves: "whether the firmware asks the Arm for memory as soon as a client offers it",
    asked_by: "driver maintainers: Linux answers the request, nobody has published one",
    steps: &["open", "wait", "close"],
    passes_when: "a request comes and is answered with the buffer offered; absent if none comes in 50 ms",
};

/// How long a request is waited for.
const WAIT: Duration = Duration::from_millis(50);
/// Bytes offered.
const SIZE: usize = 1 << 20;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    shared_memory::with_client::<B, PLACES>(session, |session, client| {
        session.step("wait", |session| {
            let block = session.lending.take(SIZE, Pattern::new(session.plan.seed))?;
            block.fill();
            if let Err((_, block)) = client.offer(block) {
                session.lending.put_back(&block);
            }
            let deadline = session.deadline(WAIT);
            let asked = shared_memory::settle(session, client, deadline, |client| {
                client.counters().memory_requests != 0
            })?;
            if let Some(block) = client.withdraw() {
                session.lending.put_back(&block);
            }
            counts.set("requests", client.counters().memory_requests);
            counts.set("given", client.counters().memory_given);
            if asked {
                return Ok(());
            }
            Err(Failure::absent(format_args!("the firmware asked for no memory")))
        })
    })
}
