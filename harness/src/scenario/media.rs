//! The MMAL service, as scenarios use it.
//!
//! `start_db` of 2022 may refuse a second MMAL client (docs/findings.md), so the service is opened once in a run, and its
//! scenarios share the client.

use core::time::Duration;

use mmal::{
    Component, Error, Fill, HandleNumber, How, InFlight, Mmal, Options, Port, PortSetup, PortType, Returned,
    Stream, Violation, i420_size, wire::Encoding,
};
use vcsm::Imported;

use super::shared_memory::{self, Client};
use crate::{
    board::Board,
    failure::Failure,
    session::{CONTROL_TIMEOUT, Session},
    verdict::Owner,
};

/// The client. Buffers carry the handle of an import by number: FREE may come while one is out, and that is the point.
pub(crate) type Media = Mmal<HandleNumber, 8>;
/// The SMEM client beside it.
pub(super) type Lender<'a, B> = Client<'a, B, BUFFERS>;

/// Imports out at a time.
pub(super) const BUFFERS: usize = 8;
/// Columns and lines of the picture that is moved.
const SIDE: u32 = 64;
/// Bytes of it.
pub(super) const SIZE: usize = i420_size(SIDE, SIDE) as usize;
/// Linux waits as long for a reply.
const MEDIA_TIMEOUT: Duration = Duration::from_secs(3);

/// A port that takes imports of one picture each.
pub(super) const ZERO_COPY: PortSetup<'_> = PortSetup {
    zero_copy: true,
    stream: Stream::Video { encoding: Encoding::I420, width: SIDE, height: SIDE },
    buffers: 1,
    buffer_size: SIZE as u32,
};

/// Runs the steps of a scenario with both clients: `open`, `mmal`, the scenario's own, `close`.
pub(super) fn with_media<'a, B: Board>(
    session: &mut Session<'a, B>,
    body: impl FnOnce(&mut Session<'a, B>, &mut Media, &mut Lender<'a, B>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    shared_memory::with_client(session, |session, client| {
        let mut media = session.step("mmal", open)?;
        let result = body(session, &mut media, client);
        session.media = Some(media);
        result
    })
}

fn open<B: Board>(session: &mut Session<'_, B>) -> Result<Media, Failure> {
    if let Some(media) = session.media.take() {
        return Ok(media);
    }
    let deadline = session.deadline(CONTROL_TIMEOUT);
    Mmal::open(&mut session.link, &Options::default(), deadline).map_err(|error| match error {
        Error::Absent => session.service_absent("mmal"),
        error => session.link_failure(error),
    })
}

/// Makes a component.
pub(super) fn create<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    name: &str,
) -> Result<Component, Failure> {
    let deadline = session.deadline(MEDIA_TIMEOUT);
    media.create(&mut session.link, name, deadline).map_err(|error| session.link_failure(error))
}

/// Makes a port ready.
pub(super) fn open_port<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    component: &Component,
    kind: PortType,
    index: u32,
    setup: &PortSetup<'_>,
) -> Result<Port, Failure> {
    let deadline = session.deadline(MEDIA_TIMEOUT);
    let port = media.open_port(&mut session.link, component, kind, index, setup, deadline);
    port.map_err(|error| session.link_failure(error))
}

/// Lets a component work.
pub(super) fn enable<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    component: &Component,
) -> Result<(), Failure> {
    let deadline = session.deadline(MEDIA_TIMEOUT);
    media.enable(&mut session.link, component, deadline).map_err(|error| session.link_failure(error))
}

/// Stops a component; its ports keep what they have and take more.
pub(super) fn pause<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    component: &Component,
) -> Result<(), Failure> {
    let deadline = session.deadline(MEDIA_TIMEOUT);
    media.disable(&mut session.link, component, deadline).map_err(|error| session.link_failure(error))
}

/// A `null_sink` that works, and its input.
pub(super) fn sink<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    setup: &PortSetup<'_>,
) -> Result<(Component, Port), Failure> {
    let component = create(session, media, "null_sink")?;
    let input = open_port(session, media, &component, PortType::Input, 0, setup)?;
    enable(session, media, &component)?;
    Ok((component, input))
}

/// A component that works, with an input and an output of the same stream.
pub(super) fn pair<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    name: &str,
) -> Result<(Component, Port, Port), Failure> {
    let component = create(session, media, name)?;
    let input = open_port(session, media, &component, PortType::Input, 0, &ZERO_COPY)?;
    let same = PortSetup { stream: Stream::Same(input.info()), ..ZERO_COPY };
    let output = open_port(session, media, &component, PortType::Output, 0, &same)?;
    enable(session, media, &component)?;
    Ok((component, input, output))
}

/// What a buffer carries that lends an import.
pub(super) fn payload(imported: &Imported) -> HandleNumber {
    HandleNumber { handle: imported.handle().number(), size: SIZE as u32 }
}

/// Gives a buffer to a port.
pub(super) fn submit<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    port: &Port,
    payload: HandleNumber,
    fill: Fill,
) -> Result<InFlight, Failure> {
    let deadline = session.deadline(MEDIA_TIMEOUT);
    let given = media.submit(&mut session.link, port, payload, fill, deadline);
    given.map_err(|failure| session.link_failure(failure.error))
}

/// Waits for a buffer.
pub(super) fn back<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    in_flight: InFlight,
) -> Result<Returned<HandleNumber>, Failure> {
    let deadline = session.deadline(MEDIA_TIMEOUT);
    let returned = media.await_returned(&mut session.link, in_flight, deadline);
    returned.map_err(|failure| session.link_failure(failure.error))
}

/// Number of the message that brought a buffer back, among all messages of the link; `None` if none did.
pub(super) fn order_of(returned: &Returned<HandleNumber>) -> Option<u64> {
    match returned.how {
        How::Returned { info, .. } => Some(info.sequence),
        How::ComponentDestroyed => None,
    }
}

/// Lets so much time pass, and takes what SMEM sends meanwhile.
pub(super) fn watch<'a, B: Board>(
    session: &mut Session<'a, B>,
    client: &mut Lender<'a, B>,
    time: Duration,
) -> Result<(), Failure> {
    let deadline = session.deadline(time);
    shared_memory::settle(session, client, deadline, |_| false).map(drop)
}

/// Ends a component.
pub(super) fn destroy<B: Board>(
    session: &mut Session<'_, B>,
    media: &mut Media,
    component: Component,
) -> Result<(), Failure> {
    let deadline = session.deadline(MEDIA_TIMEOUT);
    match media.destroy(&mut session.link, component, deadline) {
        Ok(_) => {
            // What was left in it is nobody's now: the memory is a matter of its import.
            while media.take_any().is_some() {}
            Ok(())
        }
        Err(failure) => Err(session.link_failure(failure.error)),
    }
}

/// A peer that does not answer is hung; one that answers wrongly has failed.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let owner = Owner::from(error.owner());
        match error {
            Error::Link(error) => error.into(),
            Error::Absent => Self::absent(format_args!("{error}")),
            Error::RequestTimedOut { .. } | Error::ReturnTimedOut { .. } | Error::EventTimedOut => {
                Self::hung(owner, format_args!("{error}"))
            }
            Error::Violation(Violation::DuplicateReply { first, again, .. }) => {
                let distance = again.sequence.saturating_sub(first.sequence);
                Self::fail(owner, format_args!("{error}")).repeated(
                    (first.slot, first.offset),
                    (again.slot, again.offset),
                    distance,
                )
            }
            _ => Self::fail(owner, format_args!("{error}")),
        }
    }
}
