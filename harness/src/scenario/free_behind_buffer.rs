//! FREE sent directly behind BUFFER_FROM_HOST, on another service: which of the two does the firmware see first?

use mmal::{Data, Fill};

use super::{
    Group, Needs, Scenario,
    media::{self, Lender, Media, SIZE, ZERO_COPY, back, order_of, payload, submit, with_media},
    shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "free-behind-buffer",
    group: Group::Lifecycle,
    needs: Needs::Firmware,
    proves: "a FREE that overtakes the buffer before it does no harm: the buffer is used before RELEASED, or not at all",
    asked_by: "raspberrypi/linux#6701, #3946; drivers that free as soon as they have queued",
    steps: &["open", "mmal", "race", "close"],
    passes_when: "the buffer comes back and RELEASED comes once; if RELEASED is first, the buffer is marked as failed",
};

/// Races, at most: each leaves a line of error in the firmware's log.
const MOST: u32 = 50;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    with_media(session, |session, media, client| {
        let rounds = session.plan.iterations.min(MOST);
        let mut free_won = 0;
        session.step("race", |session| {
            let (component, input) = media::sink(session, media, &ZERO_COPY)?;
            for _ in 0..rounds {
                free_won += u64::from(race(session, media, client, &input)?);
            }
            media::destroy(session, media, component)
        })?;
        counts.set("races", rounds.into());
        counts.set("free_won", free_won);
        Ok(())
    })
}

/// Gives whether FREE was first.
fn race<'a, B: Board>(
    session: &mut Session<'a, B>,
    media: &mut Media,
    client: &mut Lender<'a, B>,
    input: &mmal::Port,
) -> Result<bool, Failure> {
    let imported = shared_memory::import(session, client, SIZE)?;
    let in_flight = submit(session, media, input, payload(&imported), Fill::frame(SIZE as u32))?;
    let freed = shared_memory::free(session, client, imported)?;
    let returned = back(session, media, in_flight)?;
    let released = shared_memory::take_back_in_order(session, client, freed)?;
    let free_won = order_of(&returned).is_none_or(|returned| released < returned);
    if free_won && returned.data != Data::Failed {
        let reason =
            format_args!("RELEASED before the buffer came back, and the buffer is not marked as failed");
        return Err(Failure::fail(Owner::Firmware, reason)
            .with("released_as", released as u32)
            .with("flags", returned.filled.flags.bits()));
    }
    Ok(free_won)
}
