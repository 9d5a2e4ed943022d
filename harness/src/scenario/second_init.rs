//! VCHIQ_INIT on a link that is up. Afterwards a ping tells whether the link is still there.

use vchiq_mbox::property::{VchiqInit, VchiqReply};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "second-init",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "a second VCHIQ_INIT is refused and does the link no harm",
    asked_by: "authors of boot loaders and chain-loaded images (VCHIQ has no reconnect)",
    steps: &["open", "second-init", "ping"],
    passes_when: "the firmware refuses, and the echo service still answers",
};

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("open", link::ensure_up)?;
    session.step("second-init", |session| {
        let slot_zero = session.link.bus_address();
        match session.ask::<VchiqInit>(slot_zero)? {
            VchiqReply::Refused(word) => {
                counts.set("answer", word.into());
                Ok(())
            }
            VchiqReply::Accepted => {
                Err(Failure::fail(Owner::Firmware, format_args!("second VCHIQ_INIT accepted"))
                    .with("slot_zero", slot_zero.0))
            }
        }
    })?;
    session.step("ping", echo::ping_alone)
}
