//! Every service that firmware is known to offer, opened and closed again.

use vchiq_mbox::wire::FourCc;

use super::{Group, Needs, Scenario, echo, known, link};
use crate::{
    board::Board,
    failure::Failure,
    record::Name,
    session::{Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "services",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "which services the firmware offers, in which versions, and that each can be opened and closed",
    asked_by: "integrators who find a service missing (raspberrypi/firmware#428, #1378, rpicam-apps#897)",
    steps: &["link", "open-all", "ping"],
    passes_when: "each OPEN and each CLOSE is answered, whichever way; the counts name the services offered and \
                  their versions",
};

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("link", link::ensure_up)?;
    session.step("open-all", |session| {
        let (mut offered, mut refused) = (0, 0);
        for request in known::SERVICES {
            session.check_run_time()?;
            if let Some(service) = link::try_open(session, request)? {
                offered += 1;
                let version = session.link.peer_version(service)?.unwrap_or(0);
                counts.set(&name_of(request.fourcc), version.into());
                link::close(session, service)?;
            } else {
                refused += 1;
            }
        }
        counts.set("offered", offered);
        counts.set("refused", refused);
        Ok(())
    })?;
    session.step("ping", echo::ping_alone)
}

/// The name of a service as a count has it.
fn name_of(fourcc: FourCc) -> Name {
    let mut name = Name::new();
    for byte in fourcc.0.to_be_bytes() {
        // Four letters fit.
        let _ = name.push(char::from(byte));
    }
    name
}
