//! What a scenario that failed has left open.
//!
//! A service takes one client, so the next scenario's OPEN would be refused and the service reported as absent. What can
//! be closed is closed; what cannot is remembered, with the name of the scenario.

use heapless::Vec;
use vchiq_mbox::{MAX_SERVICES, ServiceHandle, wire::FourCc};

use crate::{
    board::Board,
    failure::Failure,
    session::{CONTROL_TIMEOUT, LinkState, Session},
};

/// Firmware of 2022 halts at CLOSE with a buffer out (docs/findings.md).
const SMEM: FourCc = FourCc::new(*b"SMEM");
/// Its client lives as long as the run.
const MMAL: FourCc = FourCc::new(*b"mmal");

/// Closes what can be closed without harm.
pub(super) fn close<B: Board>(session: &mut Session<'_, B>) {
    if session.link_state != LinkState::Up {
        return;
    }
    let opened: Vec<(ServiceHandle, FourCc), MAX_SERVICES> = session.link.opened().collect();
    for (service, fourcc) in opened.into_iter().filter(|(_, fourcc)| *fourcc != MMAL) {
        let deadline = session.deadline(CONTROL_TIMEOUT);
        if fourcc == SMEM || session.link.close(service, deadline).is_err() {
            session.spoilt_by = Some(session.scenario);
        }
    }
}

/// Says why a service that is open already cannot be opened again.
pub(super) fn check<B: Board>(session: &Session<'_, B>) -> Result<(), Failure> {
    let Some(scenario) = session.spoilt_by else { return Ok(()) };
    Err(Failure::skip(format_args!("{scenario} left services open that cannot be closed safely")))
}
