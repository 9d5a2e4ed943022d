//! The ladder from a powered board to an open SMEM service, one rung after the other.

use vchiq_mbox::{
    Window,
    error::Error,
    link::OpenRequest,
    property::{BoardRevision, ClockId, FirmwareRevision, MeasuredClockRate},
    wire::FourCc,
};

use super::{
    Group, Needs, Scenario, link,
    shared_memory::{self, PLACES},
};
use crate::{
    board::{Board, Host, LENDABLE_BYTES},
    failure::Failure,
    session::{CONTROL_TIMEOUT, Counts, LinkState, Session, gravest},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "bring-up",
    group: Group::Basics,
    needs: Needs::VideoCore,
    proves: "board, mailbox, VCHIQ and the SMEM service come up, one rung after the other",
    asked_by: "bare-metal authors (raspberrypi/firmware#1137, #1561); integrators who find SMEM missing \
               (raspberrypi/firmware#428, rpicam-apps#897)",
    steps: &[
        "board",
        "mailbox",
        "clocks",
        "vchiq-init",
        "connect",
        "doorbell",
        "echo-service",
        "smem-service",
    ],
    passes_when: "every rung answers within its deadline",
};

/// A service that no firmware has (VCHIQ fact sheet 9).
const NOBODY: OpenRequest = OpenRequest::new(FourCc::new(*b"none"), 1, 1);
/// OPENs tried until a doorbell interrupt is seen: an answer can be found before its interrupt.
const DOORBELL_TRIES: u32 = 10;
/// Our own count of cycles may differ from the firmware's by one part in this.
const CLOCK_TOLERANCE: u32 = 50;

/// What a rung does.
type Climb<B> = fn(&mut Session<'_, B>) -> Result<(), Failure>;

/// A rung of the ladder.
struct Rung<B: Board> {
    name: &'static str,
    climb: Climb<B>,
    /// Without it there is no point in going on.
    carries: bool,
}

fn ladder<B: Board>() -> [Rung<B>; 8] {
    let rung = |name, carries, climb: Climb<B>| Rung { name, climb, carries };
    [
        rung("board", false, board),
        rung("mailbox", true, mailbox),
        rung("clocks", false, clocks),
        rung("vchiq-init", true, vchiq_init),
        rung("connect", true, connect),
        rung("doorbell", false, doorbell),
        rung("echo-service", false, echo_service),
        rung("smem-service", false, smem_service),
    ]
}

/// Climbs until a rung that carries the others breaks.
pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut failure: Option<Failure> = None;
    let mut climbed = 0;
    let mut broken: Option<&'static str> = None;
    for rung in ladder::<B>() {
        if let Some(broken) = broken {
            let skip = Failure::skip(format_args!("not reached: {broken} carries it"));
            session.journal.step_start(session.scenario, rung.name);
            session.journal.step_end(session.scenario, rung.name, Some(&skip));
            continue;
        }
        match session.step(rung.name, rung.climb) {
            Ok(()) => climbed += 1,
            Err(why) => {
                broken = rung.carries.then_some(rung.name);
                failure = gravest(failure, Some(why));
            }
        }
    }
    counts.set("rungs", climbed);
    counts.set("doorbell_interrupts", session.journal.host().doorbell_interrupts().into());
    failure.map_or(Ok(()), Err)
}

/// Counters run, memory to lend holds what is stored, the SoC is the one the revision code names.
fn board<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    session.calibration()?;
    let memory = session.lending.memory();
    let have = memory.len();
    if have < LENDABLE_BYTES {
        let reason = format_args!("{have} bytes to lend, {LENDABLE_BYTES} needed");
        return Err(Failure::fail(Owner::Harness, reason));
    }
    for offset in [0, LENDABLE_BYTES - 4] {
        let expected = !(offset as u32);
        memory.store(offset, expected);
        let found = memory.load(offset);
        if found != expected {
            return Err(Failure::fail(Owner::Harness, format_args!("memory does not hold what is stored"))
                .with("offset", offset as u32)
                .with("expected", expected)
                .with("found", found));
        }
    }
    check_soc(session)
}

/// The revision code's processor field against the SoC found by MIDR (hardware fact sheet 1).
fn check_soc<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    const NEW_STYLE: u32 = 1 << 23;
    // A silent mailbox is the next rung's business.
    let Ok(revision) = session.ask::<BoardRevision>(()) else { return Ok(()) };
    let named = match (revision >> 12) & 0xf {
        _ if revision & NEW_STYLE == 0 => return Ok(()),
        2 => "BCM2837",
        3 => "BCM2711",
        _ => "another SoC",
    };
    let soc = session.identity.soc;
    if named == soc {
        return Ok(());
    }
    Err(Failure::fail(Owner::Harness, format_args!("set up for {soc}, the board has {named}"))
        .with("revision", revision)
        .with("midr", session.identity.midr as u32))
}

/// The firmware says which it is.
fn mailbox<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    session.ask::<FirmwareRevision>(())?;
    Ok(())
}

/// Cycles we count in a second against the rate the firmware measures.
fn clocks<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let counted = session.calibration()?.cycles_hz;
    let Ok(measured) = session.ask::<MeasuredClockRate>(ClockId::Arm) else {
        return Err(
            Failure::skip(format_args!("the firmware does not measure clocks")).with("counted", counted)
        );
    };
    if measured.abs_diff(counted) <= measured / CLOCK_TOLERANCE {
        return Ok(());
    }
    let reason = format_args!("the cycle counter runs at {counted} Hz, the firmware measures {measured} Hz");
    Err(Failure::fail(Owner::Harness, reason).with("counted", counted).with("measured", measured))
}

/// VCHIQ_INIT works once in the life of a firmware: a scenario before this one may have brought the link up.
fn vchiq_init<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    match &session.link_state {
        LinkState::Down => link::take_up(session),
        LinkState::TakenUp | LinkState::Up => Ok(()),
        LinkState::Failed(failure) => Err(failure.clone()),
    }
}

fn connect<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    if session.link_state == LinkState::Up { Ok(()) } else { link::connect(session) }
}

/// An OPEN that is refused is a round trip that every firmware makes; its answer has to ring.
fn doorbell<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let before = session.journal.host().doorbell_interrupts();
    for _ in 0..DOORBELL_TRIES {
        let deadline = session.deadline(CONTROL_TIMEOUT);
        match session.link.open(NOBODY, deadline) {
            Err(Error::Refused { .. }) => {}
            Ok(_) => {
                let reason = format_args!("the firmware opened a service that does not exist");
                return Err(Failure::fail(Owner::Firmware, reason));
            }
            Err(error) => return Err(session.link_failure(error)),
        }
        if session.journal.host().doorbell_interrupts() != before {
            return Ok(());
        }
    }
    Err(Failure::fail(
        Owner::Link,
        format_args!("answers arrive, but no doorbell interrupt in {DOORBELL_TRIES} of them"),
    )
    .at(&session.link.positions()))
}

fn echo_service<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let handle = link::open(session, link::ECHO, "echo")?;
    link::close(session, handle)
}

fn smem_service<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let mut client = shared_memory::open::<B, PLACES>(session)?;
    let checked = shared_memory::check_version::<B, _>(&client);
    // Closed also if the version does not do: nothing is out, and the next scenario opens it anew.
    let closed = shared_memory::close(session, &mut client);
    checked.and(closed)
}
