//! FREE of a buffer that a component has: RELEASED must wait until the component lets go of it, in whatever way.
//!
//! | holder | how (MMAL fact sheet 8) |
//! |---|---|
//! | sink | `null_sink`, paused: nobody but the service has the buffer |
//! | copy | `copy` without an output: the component has it in its queue |

use core::time::Duration;

use mmal::{Component, Fill, HandleNumber, Port};

use super::{
    Group, Needs, Scenario,
    media::{self, Lender, Media, SIZE, ZERO_COPY, back, order_of, payload, submit, watch, with_media},
    shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "free-in-flight",
    group: Group::Lifecycle,
    needs: Needs::Firmware,
    proves: "a buffer that a component has is not given back by FREE, but when the component lets go of it",
    asked_by: "raspberrypi/linux#3946 (released late by design), #4606, #4592 (buffers at the end of a stream), #6701",
    steps: &[
        "open",
        "mmal",
        "sink-work",
        "sink-flush",
        "sink-disable",
        "sink-destroy",
        "copy-work",
        "copy-flush",
        "copy-disable",
        "copy-destroy",
        "after-return",
        "close",
    ],
    passes_when: "no RELEASED while the buffer is out; one, behind the BUFFER_TO_HOST that returned it; the contents intact",
};

/// Long enough for a RELEASED that is not withheld: it takes microseconds.
const WATCH: Duration = Duration::from_millis(5);

/// Who has the buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Sink,
    Copy,
}

/// How it is let go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LetGo {
    Work,
    Flush,
    Disable,
    Destroy,
}

const CASES: [(&str, Holder, LetGo); 8] = [
    ("sink-work", Holder::Sink, LetGo::Work),
    ("sink-flush", Holder::Sink, LetGo::Flush),
    ("sink-disable", Holder::Sink, LetGo::Disable),
    ("sink-destroy", Holder::Sink, LetGo::Destroy),
    ("copy-work", Holder::Copy, LetGo::Work),
    ("copy-flush", Holder::Copy, LetGo::Flush),
    ("copy-disable", Holder::Copy, LetGo::Disable),
    ("copy-destroy", Holder::Copy, LetGo::Destroy),
];

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    with_media(session, |session, media, client| {
        for (step, holder, let_go) in CASES {
            session.step(step, |session| hold_and_free(session, media, client, holder, let_go))?;
        }
        counts.set("held", CASES.len() as u64);
        session.step("after-return", |session| free_after_return(session, media, client))
    })
}

/// The component and its ports, set up to hold.
struct Keeper {
    /// None once it has been destroyed.
    component: Option<Component>,
    input: Port,
    output: Option<Port>,
}

impl Keeper {
    fn new<B: Board>(
        session: &mut Session<'_, B>,
        media: &mut Media,
        holder: Holder,
    ) -> Result<Self, Failure> {
        match holder {
            Holder::Sink => {
                let (component, input) = media::sink(session, media, &ZERO_COPY)?;
                media::pause(session, media, &component)?;
                Ok(Self { component: Some(component), input, output: None })
            }
            Holder::Copy => {
                let (component, input, output) = media::pair(session, media, "copy")?;
                Ok(Self { component: Some(component), input, output: Some(output) })
            }
        }
    }

    /// Makes it let go; `room` is what a component that waits for an output gets.
    fn let_go<B: Board>(
        &mut self,
        session: &mut Session<'_, B>,
        media: &mut Media,
        how: LetGo,
        room: HandleNumber,
    ) -> Result<(), Failure> {
        let deadline = session.deadline(ANSWER_TIMEOUT);
        let link = &mut session.link;
        let result = match (how, &self.output, &self.component) {
            (LetGo::Work, Some(output), _) => {
                let room = submit(session, media, output, room, Fill::EMPTY)?;
                return back(session, media, room).map(drop);
            }
            (LetGo::Work, None, Some(component)) => media.enable(link, component, deadline),
            (LetGo::Flush, ..) => media.flush_port(link, &self.input, deadline).map(drop),
            (LetGo::Disable, ..) => media.disable_port(link, &mut self.input, deadline).map(drop),
            (LetGo::Work | LetGo::Destroy, ..) => {
                let Some(component) = self.component.take() else { return Ok(()) };
                let destroyed = media.destroy(link, component, deadline);
                destroyed.map(drop).map_err(|failure| failure.error)
            }
        };
        result.map_err(|error| session.link_failure(error))
    }
}

fn hold_and_free<'a, B: Board>(
    session: &mut Session<'a, B>,
    media: &mut Media,
    client: &mut Lender<'a, B>,
    holder: Holder,
    let_go: LetGo,
) -> Result<(), Failure> {
    let mut keeper = Keeper::new(session, media, holder)?;
    let target = shared_memory::import(session, client, SIZE)?;
    let imported = shared_memory::import(session, client, SIZE)?;
    let in_flight = submit(session, media, &keeper.input, payload(&imported), Fill::frame(SIZE as u32))?;
    // The buffer first: directly behind it FREE would win (scenario free-behind-buffer).
    watch(session, client, WATCH)?;
    let freed = shared_memory::free(session, client, imported)?;
    watch(session, client, WATCH)?;
    let early = client.try_take_released(&freed).map_err(vcsm::Error::from)?.is_some();
    keeper.let_go(session, media, let_go, payload(&target))?;
    let returned = order_of(&back(session, media, in_flight)?);
    if early {
        let reason = format_args!("RELEASED while a component had the buffer");
        return Err(Failure::fail(Owner::Firmware, reason));
    }
    let released = shared_memory::take_back_in_order(session, client, freed)?;
    if let Some(component) = keeper.component {
        media::destroy(session, media, component)?;
    }
    let target = shared_memory::free(session, client, target)?;
    shared_memory::take_back_changed(session, client, target)?;
    judge_order(returned, released)
}

/// FREE of a buffer that has just come back.
fn free_after_return<'a, B: Board>(
    session: &mut Session<'a, B>,
    media: &mut Media,
    client: &mut Lender<'a, B>,
) -> Result<(), Failure> {
    let (component, input) = media::sink(session, media, &ZERO_COPY)?;
    let imported = shared_memory::import(session, client, SIZE)?;
    let in_flight = submit(session, media, &input, payload(&imported), Fill::frame(SIZE as u32))?;
    back(session, media, in_flight)?;
    let freed = shared_memory::free(session, client, imported)?;
    shared_memory::take_back(session, client, freed)?;
    media::destroy(session, media, component)
}

/// RELEASED comes behind the message that returned the buffer.
fn judge_order(returned: Option<u64>, released: u64) -> Result<(), Failure> {
    match returned {
        Some(returned) if returned < released => Ok(()),
        Some(returned) => {
            let reason = format_args!("RELEASED before the buffer came back");
            let failure = Failure::fail(Owner::Firmware, reason);
            Err(failure.with("returned_as", returned as u32).with("released_as", released as u32))
        }
        None => Err(Failure::fail(
            Owner::Firmware,
            format_args!("the component ended without giving the buffer back"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn released_has_to_come_behind_the_buffer() {
        assert_eq!(judge_order(Some(4), 5), Ok(()));
        assert!(judge_order(Some(5), 4).is_err());
        assert!(judge_order(None, 4).is_err());
    }
}
