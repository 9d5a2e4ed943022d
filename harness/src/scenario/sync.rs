//! The sync slots, if a service of the firmware uses them.

use super::{Group, Needs, Scenario, known, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "sync",
    group: Group::Transport,
    needs: Needs::Firmware,
    proves: "whether a service of the firmware answers OPEN through the sync slot, past the queue",
    asked_by: "driver maintainers: the path is in every driver and nobody has seen it used",
    steps: &["link", "open-all"],
    passes_when: "at least one service does; absent if none of those offered does",
};

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("link", link::ensure_up)?;
    session.step("open-all", |session| {
        let (mut offered, mut synchronous) = (0, 0);
        for request in known::SERVICES {
            session.check_run_time()?;
            if let Some(service) = link::try_open(session, request)? {
                offered += 1;
                synchronous += u64::from(session.link.is_synchronous(service)?);
                link::close(session, service)?;
            }
        }
        counts.set("offered", offered);
        counts.set("synchronous", synchronous);
        if synchronous != 0 {
            return Ok(());
        }
        Err(Failure::absent(format_args!("none of {offered} services answers through the sync slot")))
    })
}
