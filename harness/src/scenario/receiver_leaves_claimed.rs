//! A receiver that lets messages go with their claimed bit still set: the sender's books never balance again.

use vchiq_mbox::{link::Misbehaviour, property::FirmwareRevision};

use super::{
    Group, Needs, Scenario,
    crowd::{Crowd, Pressed, WideClient},
    echo, shared_memory,
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "receiver-leaves-claimed",
    group: Group::Hostile,
    needs: Needs::Firmware,
    proves: "a receiver that forgets to clear the claimed bit stops that service for good, and no other",
    asked_by: "raspberrypi/linux#6701, pikvm#1704: which mistake of a driver looks like this, and which does not",
    steps: &["open", "leave-claimed", "others"],
    passes_when: "the other services and the mailbox still answer; the counts say when the service fell silent",
};

/// Bytes of the buffer.
const SIZE: usize = 4096;
/// Handshakes that are tried: more than fill all slots that the service may have.
const TRIES: u32 = 3000;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut client: WideClient<'_, B> = session.step("open", shared_memory::ready)?;
    session.step("leave-claimed", |session| {
        let mut crowd = Crowd::new(session, 1, SIZE)?;
        session.link.misbehave(Misbehaviour::LeaveClaimed { one_in: 1 });
        let pressed = crowd.press(session, &mut client, TRIES);
        session.link.behave();
        session.next_kernel_id = client.next_kernel_id();
        let Pressed { rounds, silent } = pressed?;
        counts.set("handshakes", rounds.into());
        counts.set("silent", silent.into());
        Ok(())
    })?;
    if client.outstanding().next().is_some() {
        // It is out for ever, so the service cannot be closed.
        session.spoilt_by = Some(session.scenario);
    } else {
        shared_memory::close(session, &mut client)?;
    }
    session.step("others", |session| {
        session.ask::<FirmwareRevision>(())?;
        echo::ping_alone(session)
    })
}
