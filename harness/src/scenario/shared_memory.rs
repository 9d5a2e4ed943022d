//! The SMEM service, as scenarios use it.

use core::time::Duration;

use vchiq_mbox::Window;
use vcsm::{Error, Lendable, Misuse, Options, ProtocolVersion, Smem};

use super::link;
use crate::{
    block::Block,
    board::Board,
    failure::Failure,
    session::{CONTROL_TIMEOUT, Session},
    verdict::Owner,
};

/// Buffers out at a time; one more than needed, so that a late one is reported and not refused.
pub(super) const PLACES: usize = 2;
/// CLIENT_VERSION took 1.5 ms on a board with logging on (VCSM fact sheet 5).
const VERSION_TIMEOUT: Duration = Duration::from_millis(500);

/// The client for blocks of a board.
pub(super) type Client<'a, B, const N: usize = PLACES> = Smem<Block<'a, <B as Board>::Lendable>, N>;

/// Opens the service; a refusal means that the firmware does not have it.
pub(super) fn open<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
) -> Result<Client<'a, B, N>, Failure> {
    let memory = session.lending.memory();
    let start = memory.bus_address().physical();
    let options = Options {
        version_timeout: VERSION_TIMEOUT,
        first_kernel_id: session.next_kernel_id,
        lendable: Lendable { start, end: start.saturating_add(memory.len() as u32) },
        ..Options::default()
    };
    let deadline = session.deadline(CONTROL_TIMEOUT);
    Smem::open(&mut session.link, &options, deadline).map_err(|error| match error {
        Error::Absent => session.service_absent("SMEM"),
        error => session.link_failure(error),
    })
}

/// The link up, the service open, and a firmware that tells when it is done with a buffer.
pub(super) fn ready<'a, B: Board, const N: usize>(
    session: &mut Session<'a, B>,
) -> Result<Client<'a, B, N>, Failure> {
    link::ensure_up(session)?;
    let client = open(session)?;
    check_version::<B, N>(&client)?;
    Ok(client)
}

/// The firmware tells when it is done with a buffer: protocol version 2 or later.
pub(super) fn check_version<B: Board, const N: usize>(client: &Client<'_, B, N>) -> Result<(), Failure> {
    match client.version() {
        ProtocolVersion::Notifying(_) => Ok(()),
        ProtocolVersion::One => Err(Failure::absent(format_args!(
            "version 1 firmware: no answer to CLIENT_VERSION, it never says when it is done with a buffer"
        ))),
    }
}

/// Closes the service; with a buffer out it stays open, because CLOSE would halt the firmware.
pub(super) fn close<B: Board, const N: usize>(
    session: &mut Session<'_, B>,
    client: &mut Client<'_, B, N>,
) -> Result<(), Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    client.close(&mut session.link, deadline).map_err(|error| match error {
        Error::Misuse(misuse @ Misuse::BuffersOut { .. }) => Failure::skip(format_args!("{misuse}")),
        error => session.link_failure(error),
    })
}

/// A peer that does not answer is hung; one that answers wrongly has failed.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let owner = Owner::from(error.owner());
        match error {
            Error::Link(error) => error.into(),
            Error::Absent | Error::NoReleaseNotice => Self::absent(format_args!("{error}")),
            Error::ImportTimedOut { .. } | Error::ReleaseTimedOut { .. } => {
                Self::hung(owner, format_args!("{error}"))
            }
            _ => Self::fail(owner, format_args!("{error}")),
        }
    }
}
