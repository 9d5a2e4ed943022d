//! Components that hand one memory on to several ports: `passthrough` and `splitter`. The firmware's log is the witness of who
//! let the memory go (`run --log`).

use core::time::Duration;

use mmal::{Data, Fill, HandleNumber, PortSetup, PortType, Stream};
use vcsm::{Error, Imported, Violation};

use super::{
    Group, Needs, Scenario,
    firmware_trace::traced,
    media::{self, Lender, Media, SIZE, ZERO_COPY, back, payload, submit, with_media},
    shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session, gravest},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "shared-payload",
    group: Group::Lifecycle,
    needs: Needs::Firmware,
    proves: "memory that a component hands on to its outputs is not given back before it was freed",
    asked_by: "camera pipelines with a splitter; raspberrypi/linux#3946",
    steps: &["open", "mmal", "passthrough", "splitter", "close"],
    passes_when: "no RELEASED before FREE, one after it, once every port has returned its buffer",
};

/// For outputs, whose format is that of their input.
const FOLLOWING: PortSetup<'_> = PortSetup { stream: Stream::AsItIs, ..ZERO_COPY };
/// What an output gets that is to bring another's memory.
const NOTHING: HandleNumber = HandleNumber { handle: 0, size: 0 };
/// Outputs that are used.
const OUTPUTS: u32 = 4;
/// For a RELEASED that is on its way when every port has returned its buffer.
const ON_ITS_WAY: Duration = Duration::from_millis(5);

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    with_media(session, |session, media, client| {
        let mut failure = None;
        for (name, count) in [("passthrough", "passthrough_shared"), ("splitter", "splitter_shared")] {
            let mut shared = 0;
            let result = session.step(name, |session| {
                traced(session, |session, _| hand_on(session, media, client, name, &mut shared))
            });
            counts.set(count, shared);
            failure = gravest(failure, result.err());
        }
        failure.map_or(Ok(()), Err)
    })
}

fn hand_on<'a, B: Board>(
    session: &mut Session<'a, B>,
    media: &mut Media,
    client: &mut Lender<'a, B>,
    name: &str,
    shared: &mut u64,
) -> Result<(), Failure> {
    let component = media::create(session, media, name)?;
    let input = media::open_port(session, media, &component, PortType::Input, 0, &ZERO_COPY)?;
    let mut outputs: heapless::Vec<mmal::Port, 4> = heapless::Vec::new();
    for index in 0..component.outputs().min(OUTPUTS) {
        // There is room for all.
        let _ =
            outputs.push(media::open_port(session, media, &component, PortType::Output, index, &FOLLOWING)?);
    }
    media::enable(session, media, &component)?;
    let imported = shared_memory::import(session, client, SIZE)?;
    let full = submit(session, media, &input, payload(&imported), Fill::frame(SIZE as u32))?;
    for output in &outputs {
        let room = submit(session, media, output, NOTHING, Fill::EMPTY)?;
        let returned = back(session, media, room)?;
        *shared += u64::from(matches!(returned.data, Data::Shared { .. }));
    }
    back(session, media, full)?;
    session.let_pass(ON_ITS_WAY);
    let result = free_or_find_gone(session, client, imported);
    media::destroy(session, media, component)?;
    result
}

/// Frees the import, unless the firmware has RELEASED it already.
fn free_or_find_gone<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Lender<'a, B>,
    imported: Imported,
) -> Result<(), Failure> {
    match client.poll(&mut session.link) {
        Ok(_) => {
            let freed = shared_memory::free(session, client, imported)?;
            shared_memory::take_back(session, client, freed)
        }
        Err(Error::Violation(violation @ Violation::ReleasedBeforeFree { .. })) => {
            while let Some(recovered) = client.take_recovered() {
                recovered.buffer.check().map_err(|damage| damage.failure("after RELEASED"))?;
                session.lending.put_back(&recovered.buffer);
            }
            drop(imported);
            Err(Failure::fail(Owner::Firmware, format_args!("{violation}")))
        }
        Err(error) => Err(session.link_failure(error)),
    }
}
