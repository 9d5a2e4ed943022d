//! Two components have one buffer: RELEASED waits for the second of them.

use core::time::Duration;

use mmal::Fill;

use super::{
    Group, Needs, Scenario,
    media::{self, Lender, Media, SIZE, ZERO_COPY, back, order_of, payload, submit, watch, with_media},
    shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "two-holders",
    group: Group::Lifecycle,
    needs: Needs::Firmware,
    proves: "a buffer that two components have is given back when the second lets go of it",
    asked_by: "raspberrypi/linux#3946; camera pipelines that show and encode one frame",
    steps: &["open", "mmal", "hold", "first", "second", "close"],
    passes_when: "no RELEASED after the first return, one behind the second",
};

/// Long enough for a RELEASED that is not withheld.
const WATCH: Duration = Duration::from_millis(5);

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, _: &mut Counts) -> Result<(), Failure> {
    with_media(session, hold_twice)
}

fn hold_twice<'a, B: Board>(
    session: &mut Session<'a, B>,
    media: &mut Media,
    client: &mut Lender<'a, B>,
) -> Result<(), Failure> {
    let (held, freed) = session.step("hold", |session| {
        let (one, first) = media::sink(session, media, &ZERO_COPY)?;
        let (two, second) = media::sink(session, media, &ZERO_COPY)?;
        media::pause(session, media, &one)?;
        media::pause(session, media, &two)?;
        let imported = shared_memory::import(session, client, SIZE)?;
        let fill = Fill::frame(SIZE as u32);
        let in_first = submit(session, media, &first, payload(&imported), fill)?;
        let in_second = submit(session, media, &second, payload(&imported), fill)?;
        watch(session, client, WATCH)?;
        let freed = shared_memory::free(session, client, imported)?;
        Ok(([(one, in_first), (two, in_second)], freed))
    })?;
    let [(one, in_first), (two, in_second)] = held;
    let early = session.step("first", |session| {
        media::enable(session, media, &one)?;
        back(session, media, in_first)?;
        watch(session, client, WATCH)?;
        // One is out still: ours, if RELEASED has not come.
        Ok(client.outstanding().next().is_none())
    })?;
    session.step("second", |session| {
        media::enable(session, media, &two)?;
        let returned = order_of(&back(session, media, in_second)?);
        media::destroy(session, media, one)?;
        media::destroy(session, media, two)?;
        let released = shared_memory::take_back_in_order(session, client, freed)?;
        if !early && returned.is_some_and(|returned| returned < released) {
            return Ok(());
        }
        let reason = format_args!("RELEASED while the second component had the buffer");
        Err(Failure::fail(Owner::Firmware, reason).with("released_as", released as u32))
    })
}
