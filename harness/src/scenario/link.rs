//! The way to a connected link: VCHIQ_INIT, slot zero taken up, CONNECT.
//!
//! It can be gone once in the life of a firmware, so the scenarios of a run share the link; the first one that
//! needs it brings it up.

use vchiq_mbox::{
    HeldMessage, Message, ServiceHandle,
    error::{Error, Step},
    link::OpenRequest,
    mailbox::MailboxError,
    property::{FirmwareRevision, VchiqInit, VchiqReply},
    wire::FourCc,
};

use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, CONTROL_TIMEOUT, LinkState, Session, TAKE_UP_TIMEOUT},
    verdict::{Owner, Verdict},
};

/// The echo service, version 3 and no other (VCHIQ fact sheet 9).
pub(super) const ECHO: OpenRequest = OpenRequest::new(FourCc::new(*b"echo"), 3, 3);

/// Hands slot zero over and waits until VideoCore has filled its half.
pub(super) fn take_up<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let result = try_take_up(session);
    session.link_state = match &result {
        Ok(()) => LinkState::TakenUp,
        Err(failure) => LinkState::Failed(failure.clone()),
    };
    result
}

fn try_take_up<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let slot_zero = session.link.bus_address();
    let answer = session.ask::<VchiqInit>(slot_zero);
    // QEMU 7 does not know the tag, QEMU 10 answers as if it had worked: slot zero alone decides.
    if session.peer.revision == FirmwareRevision::QEMU {
        return if taken_up(session) { Ok(()) } else { Err(no_videocore(session)) };
    }
    match answer {
        Ok(VchiqReply::Accepted) if taken_up(session) => Ok(()),
        Ok(VchiqReply::Accepted) => Err(Failure::hung(
            Owner::Firmware,
            format_args!("VCHIQ_INIT accepted, but slot zero does not change before the deadline"),
        )
        .with("slot_zero", slot_zero.0)
        .at(&session.link.positions())),
        Ok(VchiqReply::Refused(word)) => {
            Err(Failure::fail(Owner::Firmware, format_args!("VCHIQ_INIT refused with {word:#010x}"))
                .with("slot_zero", slot_zero.0))
        }
        Err(MailboxError::NotAnswered { status, .. }) => {
            Err(Failure::absent(format_args!("the firmware does not know the tag VCHIQ_INIT"))
                .with("status", status)
                .with("revision", session.peer.revision))
        }
        Err(error) => Err(error.into()),
    }
}

/// Waits for VideoCore's half of slot zero.
fn taken_up<B: Board>(session: &mut Session<'_, B>) -> bool {
    let deadline = session.deadline(TAKE_UP_TIMEOUT);
    while !session.link.peer_is_initialised() {
        if deadline.has_passed(&session.clock) {
            return false;
        }
        core::hint::spin_loop();
    }
    true
}

fn no_videocore<B: Board>(session: &Session<'_, B>) -> Failure {
    Failure::absent(format_args!(
        "QEMU: there is no VideoCore, slot zero does not change before the deadline"
    ))
    .with("revision", session.peer.revision)
    .with("peer.initialised", session.link.positions().peer_initialised)
}

/// Exchanges CONNECT.
pub(super) fn connect<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    let result = session.link.connect(deadline).map_err(|error| session.link_failure(error));
    session.link_state = match &result {
        Ok(()) => LinkState::Up,
        Err(failure) => LinkState::Failed(failure.clone()),
    };
    result
}

/// The link, up: for scenarios that are not about bringing it up.
pub(super) fn ensure_up<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    if session.link_state == LinkState::Down {
        take_up(session)?;
    }
    if session.link_state == LinkState::TakenUp {
        connect(session)?;
    }
    match &session.link_state {
        LinkState::Failed(failure) if failure.verdict == Verdict::Absent => Err(failure.clone()),
        LinkState::Failed(failure) => Err(Failure::skip(format_args!("no link: {}", failure.reason))),
        _ => Ok(()),
    }
}

/// Opens a service; a refusal means that the firmware does not have it.
pub(super) fn open<B: Board>(
    session: &mut Session<'_, B>,
    request: OpenRequest,
    name: &str,
) -> Result<ServiceHandle, Failure> {
    try_open(session, request)?.ok_or_else(|| session.service_absent(name))
}

/// Opens a service, unless the firmware refuses.
pub(super) fn try_open<B: Board>(
    session: &mut Session<'_, B>,
    request: OpenRequest,
) -> Result<Option<ServiceHandle>, Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    match session.link.open(request, deadline) {
        Ok(handle) => Ok(Some(handle)),
        Err(Error::Refused { .. }) => Ok(None),
        Err(Error::Timeout { step: Step::Open }) => {
            let name = request.fourcc;
            let reason = format_args!("no answer to OPEN of the {name} service before the deadline");
            Err(session.locate(Failure::hung(Owner::Firmware, reason)))
        }
        Err(error) => Err(session.link_failure(error)),
    }
}

/// Waits for a message, copies it, and lets it go. Gives its size.
pub(super) fn receive<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    out: &mut [u8],
) -> Result<usize, Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let received = session.link.receive(service, deadline).map(Message::hold);
    let message = received.map_err(|error| session.link_failure(error))?;
    let copied = session.link.copy_held(&message, out).map(<[u8]>::len);
    session.link.release(message);
    copied.map_err(|misuse| session.link_failure(misuse))
}

/// Closes a service.
pub(super) fn close<B: Board>(session: &mut Session<'_, B>, handle: ServiceHandle) -> Result<(), Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    session.link.close(handle, deadline).map_err(|error| session.link_failure(error))
}

/// Sends without waiting. Gives false if slots or quotas are used up.
pub(super) fn try_send<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    message: &[u8],
) -> Result<bool, Failure> {
    match session.link.try_send(service, &[message]) {
        Ok(_) => Ok(true),
        Err(error) if error.is_retryable() => Ok(false),
        Err(error) => Err(session.link_failure(error)),
    }
}

/// The next message, held, if there is one.
pub(super) fn try_hold<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
) -> Result<Option<HeldMessage>, Failure> {
    let received = session.link.try_receive(service).map(|message| message.map(Message::hold));
    received.map_err(|error| session.link_failure(error))
}
