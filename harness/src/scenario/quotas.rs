//! Answers that are held: VideoCore runs into its quotas, and goes on when slots come back.
//!
//! A service may fill half of its side's slots, all services together all but one, which is kept for control messages
//! (VCHIQ fact sheet 1.6 and 5.4). Messages of a whole slot make each held answer pin one.

use core::time::Duration;

use heapless::Vec;
use vchiq_mbox::{
    HeldMessage, Message, ServiceHandle,
    error::{Error, Step},
    gencmd::GCMD,
};

use super::{Group, Needs, Scenario, echo, link};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_TIMEOUT, CONTROL_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "quotas",
    group: Group::Transport,
    needs: Needs::Firmware,
    proves: "a slow reader stops VideoCore's services at their quotas, and everything goes on when slots come back, in any \
             order",
    asked_by: "raspberrypi/linux#6701, raspberrypi/firmware#449 (a slow consumer pins slots)",
    steps: &["link", "service-quota", "service-quota-echo", "state-quota", "message-quota", "ping"],
    passes_when: "VideoCore stops at half its slots for one service, and at all but one for three; another service can \
                  be opened and closed meanwhile, unless the one that waits is echo; every message comes back whole \
                  after the release",
};

/// Clients of the echo service that fill all slots together, none of them its own quota.
const CLIENTS: usize = 3;
/// Slots of a side.
const SLOTS: usize = 31;
/// A command with a long answer.
const COMMAND: &[u8] = b"commands\0";
/// Answers to it that are held at most; four fit a slot.
const COMMANDS: usize = 96;
/// VideoCore has stopped when nothing has come for so long: an answer takes some ten microseconds.
const QUIET: Duration = Duration::from_millis(5);
/// An OPEN that is not answered in that time waits for the release.
const PASSES: Duration = Duration::from_millis(20);
/// Messages that the echo service may have under way in `message-quota`.
const FEW: u32 = 3;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    session.step("link", link::ensure_up)?;
    session.step("service-quota", |session| {
        let slots = stop_commands(session)?;
        counts.set("command_slots", slots.into());
        expect(session, slots.into(), SLOTS as u64 / 2)
    })?;
    session.step("service-quota-echo", |session| {
        let stood = stop_and_go::<B, 1>(session, 0)?;
        counts.set("echo_answers", stood.answered);
        counts.set("echo_sent", stood.sent);
        counts.set("echo_lets_open_pass", stood.open_passed.into());
        expect(session, stood.answered, SLOTS as u64 / 2)
    })?;
    session.step("state-quota", |session| {
        let stood = stop_and_go::<B, CLIENTS>(session, 0)?;
        counts.set("state_answers", stood.answered);
        counts.set("state_sent", stood.sent);
        expect(session, stood.answered, SLOTS as u64 - 1)
    })?;
    session.step("message-quota", |session| {
        let stood = stop_and_go::<B, 1>(session, FEW)?;
        counts.set("message_answers", stood.answered);
        expect(session, stood.answered, FEW.into())
    })?;
    session.step("ping", echo::ping_alone)
}

fn expect<B: Board>(session: &Session<'_, B>, stopped_at: u64, expected: u64) -> Result<(), Failure> {
    if stopped_at == expected {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("VideoCore stopped at {stopped_at}, not at {expected}"))
        .at(&session.link.positions()))
}

/// Sends commands and holds every answer until no more come; opens and closes another service; releases, and takes the
/// answer that had to wait. Gives the slots that were held.
fn stop_commands<B: Board>(session: &mut Session<'_, B>) -> Result<u32, Failure> {
    let service = link::open(session, GCMD, "GCMD")?;
    let mut held = Vec::<HeldMessage, COMMANDS>::new();
    let stood = hold_answers(session, service, &mut held);
    let slots = session.link.positions().slots_held;
    let other = stood.and_then(|()| link::open(session, link::ECHO, "echo"));
    let closed = other.and_then(|other| link::close(session, other));
    for message in held {
        session.link.release(message);
    }
    closed?;
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let last = session.link.receive(service, deadline).map(Message::release);
    last.map_err(|error| session.link_failure(error))?;
    link::close(session, service)?;
    Ok(slots)
}

/// One command at a time: firmware takes one each time it is woken, so that of two at once the second waits for a
/// third (docs/findings.md).
fn hold_answers<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    held: &mut Vec<HeldMessage, COMMANDS>,
) -> Result<(), Failure> {
    while !held.is_full() {
        link::try_send(session, service, COMMAND)?;
        let quiet = session.deadline(QUIET);
        loop {
            if let Some(message) = link::try_hold(session, service)? {
                // There is room.
                let _ = held.push(message);
                break;
            }
            if quiet.has_passed(&session.clock) {
                return Ok(());
            }
        }
    }
    Err(Failure::fail(Owner::Firmware, format_args!("{COMMANDS} answers held, and VideoCore does not stop")))
}

/// Where both sides stood still.
struct Stood {
    /// Answers held.
    answered: u64,
    /// Messages sent, over all clients.
    sent: u64,
    /// Another service could be opened.
    open_passed: bool,
}

/// Answers that are held at most: every slot of VideoCore's.
type Held = Vec<HeldMessage, SLOTS>;

/// Clients of the echo service, and the numbers of their next messages and answers.
struct Clients<const N: usize> {
    services: [ServiceHandle; N],
    sent: [u32; N],
    answered: [u32; N],
}

/// Sends and holds every answer until both sides stand still; opens and closes another service; then releases out of
/// order until everything has been answered.
fn stop_and_go<B: Board, const N: usize>(session: &mut Session<'_, B>, quota: u32) -> Result<Stood, Failure> {
    let mut services = [link::open(session, link::ECHO, "echo")?; N];
    for service in services.iter_mut().skip(1) {
        *service = link::open(session, link::ECHO, "echo")?;
    }
    for service in services {
        echo::configure(session, service, echo::message_config(quota))?;
    }
    let mut clients = Clients { services, sent: [0; N], answered: [0; N] };
    let mut held = Vec::new();
    let stood = clients.stop(session, &mut held);
    // Released also after a failure: nobody else would, and VideoCore needs the slots.
    let went = clients.go(session, &mut held);
    let stood = stood.and_then(|stood| went.map(|()| stood))?;
    for service in services {
        link::close(session, service)?;
    }
    // An OPEN that was given up must not have left the service open.
    let other = link::open(session, GCMD, "GCMD")?;
    link::close(session, other)?;
    Ok(stood)
}

/// Opens and closes another service, if the OPEN is answered soon; if not, it is given up.
fn open_passes<B: Board>(session: &mut Session<'_, B>) -> Result<bool, Failure> {
    let deadline = session.deadline(PASSES);
    match session.link.open(GCMD, deadline) {
        Ok(other) => link::close(session, other).map(|()| true),
        Err(Error::Timeout { step: Step::Open }) => Ok(false),
        Err(error) => Err(session.link_failure(error)),
    }
}

impl<const N: usize> Clients<N> {
    fn stop<B: Board>(&mut self, session: &mut Session<'_, B>, held: &mut Held) -> Result<Stood, Failure> {
        let mut quiet = session.deadline(QUIET);
        while !quiet.has_passed(&session.clock) {
            for client in 0..N {
                let moved = self.send(session, client)? | self.hold(session, client, held)?;
                if moved {
                    quiet = session.deadline(QUIET);
                }
            }
        }
        let (answered, sent) = (held.len() as u64, self.sent.iter().copied().map(u64::from).sum());
        let open_passed = open_passes(session)?;
        Ok(Stood { answered, sent, open_passed })
    }

    fn send<B: Board>(&mut self, session: &mut Session<'_, B>, client: usize) -> Result<bool, Failure> {
        let number = self.sent[client];
        let sent = echo::try_send(session, self.services[client], echo::LONGEST, number)?;
        self.sent[client] += u32::from(sent);
        Ok(sent)
    }

    /// Takes an answer, if there is one.
    fn hold<B: Board>(
        &mut self,
        session: &mut Session<'_, B>,
        client: usize,
        held: &mut Held,
    ) -> Result<bool, Failure> {
        let Some(message) = link::try_hold(session, self.services[client])? else { return Ok(false) };
        let number = self.answered[client];
        self.answered[client] += 1;
        let checked = echo::check_held(session, &message, echo::LONGEST, number);
        if let Err(message) = held.push(message) {
            session.link.release(message);
            return Err(Failure::fail(
                Owner::Firmware,
                format_args!("more answers than VideoCore has slots"),
            ));
        }
        checked.map(|()| true)
    }

    /// Lets go of what is held, out of order, and takes the rest of the answers meanwhile.
    fn go<B: Board>(&mut self, session: &mut Session<'_, B>, held: &mut Held) -> Result<(), Failure> {
        let mut deadline = session.deadline(ANSWER_TIMEOUT);
        let mut result = Ok(());
        loop {
            // Neither the oldest nor the newest: a walk over what is there.
            while !held.is_empty() {
                let place = 7 % held.len();
                session.link.release(held.remove(place));
            }
            if result.is_err() || self.sent == self.answered {
                return result;
            }
            for client in 0..N {
                match self.hold(session, client, held) {
                    Ok(true) => deadline = session.deadline(CONTROL_TIMEOUT),
                    Ok(false) => {}
                    Err(failure) => result = Err(failure),
                }
            }
            if deadline.has_passed(&session.clock) {
                let missing: u32 = self.sent.iter().sum::<u32>() - self.answered.iter().sum::<u32>();
                let reason = format_args!("{missing} answers still missing after every slot came back");
                result = Err(Failure::hung(Owner::Firmware, reason).at(&session.link.positions()));
            }
        }
    }
}
