//! VideoCore asks, and we answer: it opens a service of ours, wants us awake, pauses the link. The model does so by text
//! commands of its own; no firmware is known to do it by itself.

use core::time::Duration;

use vchiq_mbox::{
    Error, Message, ServiceHandle,
    link::{Client, Counters, Offer},
    wire::FourCc,
};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_BYTES, ANSWER_TIMEOUT, CONTROL_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "offers",
    group: Group::Transport,
    needs: Needs::Model,
    proves: "VideoCore can open a service of ours, have us kept awake and pause the link",
    asked_by: "authors of ports that offer KEEP, as Linux does; raspberrypi/linux#7435",
    steps: &["offer", "accept", "answer", "closed", "withdraw", "use", "pause", "ping"],
    passes_when: "one client is let in and its message comes back to it, each REMOTE_USE is answered and released, and \
                  the link goes on after VideoCore's RESUME",
};

/// The service that Linux offers.
const KEEP: Offer = Offer::new(FourCc::new(*b"KEEP"), 1, 1);
/// The longest message of a client.
const LONGEST: usize = 64;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let service = session.step("offer", |session| {
        link::ensure_up(session)?;
        session.link.offer(KEEP).map_err(|error| session.link_failure(error))
    })?;
    let before = session.link.counters();
    let client = session.step("accept", |session| {
        tell(session, "model open KEEP")?;
        accept(session, service, &before)
    })?;
    counts.set("client_port", client.port.number().into());
    session.step("answer", |session| send_back(session, service))?;
    session.step("closed", |session| {
        until(session, "CLOSE of the client", |session| {
            let deadline = session.deadline(Duration::ZERO);
            matches!(session.link.accept(service, deadline), Err(Error::ClosedByPeer { .. }))
        })
    })?;
    // The first lets the next client in, the second withdraws the service.
    session.step("withdraw", |session| {
        link::close(session, service)?;
        link::close(session, service)
    })?;
    session.step("use", |session| {
        tell(session, "model use")?;
        until(session, "REMOTE_USE and REMOTE_RELEASE", |session| {
            let now = session.link.counters();
            now.uses_answered > before.uses_answered && now.uses_released > before.uses_released
        })
    })?;
    session.step("pause", |session| {
        tell(session, "model pause")?;
        until(session, "PAUSE", |session| session.link.counters().pauses > before.pauses)
    })?;
    session.step("ping", echo::ping_alone)?;
    let now = session.link.counters();
    counts.set("opens_refused", now.opens_refused - before.opens_refused);
    none_refused(session, &before)
}

/// Has the model do something.
fn tell<B: Board>(session: &mut Session<'_, B>, command: &str) -> Result<(), Failure> {
    let mut out = [0; ANSWER_BYTES];
    let code = session.ask_text(command, &mut out)?.code;
    if code == 0 {
        return Ok(());
    }
    Err(Failure::fail(Owner::Harness, format_args!("the model does not know \"{command}\""))
        .with("code", code as u32))
}

/// Waits for the client; one that is refused does not come.
fn accept<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    before: &Counters,
) -> Result<Client, Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    let accepted = session.link.accept(service, deadline);
    none_refused(session, before)?;
    accepted.map_err(|error| session.link_failure(error))
}

/// Sends the client's message back to it.
fn send_back<B: Board>(session: &mut Session<'_, B>, service: ServiceHandle) -> Result<(), Failure> {
    let mut bytes = [0; LONGEST];
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let copied = session.link.receive(service, deadline).and_then(|message: Message<'_, _, _>| {
        let size = message.copy_to(&mut bytes)?.len();
        Ok(size)
    });
    let size = copied.map_err(|error| session.link_failure(error))?;
    let sent = session.link.send(service, &[&bytes[..size]], deadline);
    sent.map(drop).map_err(|error| session.link_failure(error))
}

/// No OPEN may have been refused: the client asks for what is offered, in its version, once.
fn none_refused<B: Board>(session: &Session<'_, B>, before: &Counters) -> Result<(), Failure> {
    let refused = session.link.counters().opens_refused - before.opens_refused;
    if refused == 0 {
        return Ok(());
    }
    let reason = format_args!("{refused} OPEN refused: too short, or of a service that is taken");
    Err(session.locate(Failure::fail(Owner::Firmware, reason)))
}

/// Reads what comes until something has happened.
fn until<B: Board>(
    session: &mut Session<'_, B>,
    what: &str,
    mut has_happened: impl FnMut(&mut Session<'_, B>) -> bool,
) -> Result<(), Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    loop {
        session.link.poll().map_err(|error| session.link_failure(error))?;
        if has_happened(session) {
            return Ok(());
        }
        if deadline.has_passed(&session.clock) {
            let failure = Failure::hung(Owner::Firmware, format_args!("no {what} before the deadline"));
            return Err(session.locate(failure));
        }
    }
}
