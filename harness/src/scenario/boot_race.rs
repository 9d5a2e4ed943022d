//! The first OPEN soon after the firmware has started: at once, or after a delay that the plan names.
//!
//! A refusal alone does not tell a race from firmware without the service. So a refused OPEN is tried again a second
//! later: one that is taken then was too early before.

use core::time::Duration;

use vchiq_mbox::{Clock, link::OpenRequest, wire::FourCc};

use super::{
    Group, Needs, Scenario, link,
    shared_memory::{self, Client, PLACES},
};
use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, LinkState, Session},
    verdict::{Owner, Verdict},
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "boot-race",
    group: Group::Replay,
    needs: Needs::VideoCore,
    proves: "however soon after the start of the firmware its services are opened, they open and serve",
    asked_by: "raspberrypi/firmware#1681: the mmal service fails to open now and then at boot",
    steps: &["link", "delay", "mmal", "smem", "version", "handshake", "close"],
    passes_when: "no OPEN is refused that is taken a second later, and a block is lent and comes back; the seed says which of \
                  mmal and SMEM is opened first. Only the first scenario of a run (count fresh_link) meets a race",
};

/// The multimedia service, as its own client asks for it (VCHIQ fact sheet 10).
const MMAL: OpenRequest = OpenRequest::new(FourCc::new(*b"mmal"), 15, 10);
/// So long after a refusal it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// Bytes of the block that is lent: the lens-shading table of the camera reports.
const SIZE: usize = 32 * 1024;

/// The client of the one block.
type Smem<'a, B> = Client<'a, B, PLACES>;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    counts.set("fresh_link", (session.link_state == LinkState::Down).into());
    session.step("link", link::ensure_up)?;
    let delay = Duration::from_micros(session.plan.delay_us.into());
    session.step("delay", |session| {
        session.let_pass(delay);
        Ok(())
    })?;
    counts.set("opened_us", since_reset_us(session));
    let mut client = if session.plan.seed.is_multiple_of(2) {
        open_mmal(session, counts)?;
        session.step("smem", open_smem)?
    } else {
        let client = session.step("smem", open_smem)?;
        open_mmal(session, counts)?;
        client
    };
    let result = lend_once(session, &mut client);
    session.next_kernel_id = client.next_kernel_id();
    counts.set("imports", client.counters().imports);
    counts.set("released", client.counters().released);
    let closed = session.step("close", |session| shared_memory::close(session, &mut client));
    result.and(closed)
}

fn lend_once<'a, B: Board>(session: &mut Session<'a, B>, client: &mut Smem<'a, B>) -> Result<(), Failure> {
    session.step("version", |_| shared_memory::check_version::<B, _>(client))?;
    session.step("handshake", |session| shared_memory::handshake_once(session, client, SIZE))?;
    Ok(())
}

fn open_smem<'a, B: Board>(session: &mut Session<'a, B>) -> Result<Smem<'a, B>, Failure> {
    in_time(session, "SMEM", shared_memory::open, |session, mut client| {
        shared_memory::close(session, &mut client)
    })
}

/// Opens and closes the service, if the firmware has it.
fn open_mmal<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let has_it = session.step("mmal", |session| {
        let open = |session: &mut Session<'_, B>| link::open(session, MMAL, "mmal");
        match in_time(session, "mmal", open, link::close) {
            Ok(service) => link::close(session, service).map(|()| true),
            Err(failure) if failure.verdict == Verdict::Absent => Ok(false),
            Err(failure) => Err(failure),
        }
    })?;
    counts.set("mmal", has_it.into());
    Ok(())
}

/// Opens a service. Refused now and taken later is a failure; refused twice means that the firmware does not have it.
fn in_time<'a, B: Board, T>(
    session: &mut Session<'a, B>,
    name: &str,
    open: impl Fn(&mut Session<'a, B>) -> Result<T, Failure>,
    close: impl FnOnce(&mut Session<'a, B>, T) -> Result<(), Failure>,
) -> Result<T, Failure> {
    let refused = match open(session) {
        Err(failure) if failure.verdict == Verdict::Absent => failure,
        opened => return opened,
    };
    session.let_pass(AGAIN);
    let late = match open(session) {
        Ok(late) => late,
        Err(failure) if failure.verdict == Verdict::Absent => return Err(refused),
        Err(failure) => return Err(failure),
    };
    close(session, late)?;
    let reason = format_args!("{name} refuses OPEN, and takes it a second later: it was opened too early");
    Err(Failure::fail(Owner::Firmware, reason).with("delay_us", session.plan.delay_us))
}

/// Microseconds on the constant counter, which begins when the board starts.
fn since_reset_us<B: Board>(session: &Session<'_, B>) -> u64 {
    let ticks = u128::from(session.clock.ticks()) * 1_000_000;
    (ticks / u128::from(session.clock.tick_rate().max(1))) as u64
}
