//! OPEN with versions that suit the service and with versions that do not.
//!
//! An OPEN is accepted if the client's version is not below the oldest that the server takes, and the server's not
//! below the oldest that the client takes (VCHIQ fact sheet 6.2).

use vchiq_mbox::{link::OpenRequest, wire::FourCc};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "versions",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "an OPEN is refused when nobody has the name or the versions do not meet, and accepted otherwise",
    asked_by: "driver maintainers; raspberrypi/firmware#1681 (OPEN that fails now and then)",
    steps: &["link", "refused", "oldest", "accepted", "ping"],
    passes_when: "every OPEN is answered as the rule says, and the server tells its own version",
};

/// Version of the echo service.
const SERVER: u16 = 3;

/// Name, version and oldest server version of OPENs that must be refused.
const REFUSED: [(&[u8; 4], u16, u16); 6] = [
    (b"none", 1, 1),
    (b"echo", 4, 4),
    (b"echo", 0x7fff, 0x7fff),
    // At once, on firmware that has the service: what it does after an OPEN does not begin.
    (b"func", 0, 0),
    (b"func", 1, 1),
    (b"func", 4, 4),
];

/// Versions of newer clients that take the server's, and the oldest they take.
const ACCEPTED: [(u16, u16); 4] = [(3, 3), (3, 0), (4, 3), (0x7fff, 0)];

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("link", link::ensure_up)?;
    session.step("refused", |session| {
        for (done, (name, version, version_min)) in REFUSED.into_iter().enumerate() {
            let request = OpenRequest::new(FourCc::new(*name), version, version_min);
            if opened(session, request)?.is_some() {
                return Err(wrong(request, "opened, not refused"));
            }
            counts.set("refused", done as u64 + 1);
        }
        Ok(())
    })?;
    session.step("oldest", |session| {
        counts.set("oldest", oldest(session)?.into());
        Ok(())
    })?;
    session.step("accepted", |session| {
        for (done, (version, version_min)) in ACCEPTED.into_iter().enumerate() {
            let request = OpenRequest { version, version_min, ..link::ECHO };
            match opened(session, request)? {
                Some(SERVER) => counts.set("accepted", done as u64 + 1),
                Some(told) => {
                    let failure = wrong(request, "acknowledged with another version than 3");
                    return Err(failure.with("told", told.into()));
                }
                None => return Err(wrong(request, "refused, not opened")),
            }
        }
        Ok(())
    })?;
    session.step("ping", echo::ping_alone)
}

/// The oldest client that the echo service takes: all before it are refused, all from it on are not.
fn oldest<B: Board>(session: &mut Session<'_, B>) -> Result<u16, Failure> {
    let mut oldest = None;
    for version in 0..=SERVER {
        let request = OpenRequest { version, version_min: 0, ..link::ECHO };
        match (opened(session, request)?, oldest) {
            (Some(_), None) => oldest = Some(version),
            (None, Some(_)) => return Err(wrong(request, "refused, but an older one was opened")),
            _ => {}
        }
    }
    oldest.ok_or_else(|| session.service_absent("echo"))
}

/// Opens and closes; gives the version that the server tells, or `None` if it refuses.
fn opened<B: Board>(session: &mut Session<'_, B>, request: OpenRequest) -> Result<Option<u16>, Failure> {
    let Some(service) = link::try_open(session, request)? else { return Ok(None) };
    let told = session.link.peer_version(service)?;
    link::close(session, service)?;
    Ok(Some(told.unwrap_or(0)))
}

fn wrong(request: OpenRequest, what: &str) -> Failure {
    let OpenRequest { fourcc, version, version_min, .. } = request;
    Failure::fail(
        Owner::Firmware,
        format_args!("OPEN of {fourcc}, version {version} (min {version_min}): {what}"),
    )
    .with("fourcc", fourcc.0)
    .with("version", version.into())
    .with("version_min", version_min.into())
}
