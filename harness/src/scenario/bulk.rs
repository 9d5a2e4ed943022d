//! Bulk transfers with the echo service (VCHIQ fact sheet 7 and 9.1).
//!
//! The service takes what one BULK_TX brings and sends it back for one BULK_RX. `bulk-…` are whole cache lines;
//! `edges-…` begin and end within one, so that what comes back has bytes in the fragments pool.

use core::time::Duration;

use vchiq_mbox::{
    ServiceHandle,
    bulk::{BulkQueue, BulkSetup, CacheLine, Direction, Finished, InFlight, Moved, NotEnded, NotSubmitted},
};

use super::{Group, Needs, Scenario, echo, link, steps::Steps};
use crate::{
    board::Board,
    damage::Damage,
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, Counts, Session, gravest, record},
    stretch::Stretch,
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "bulk",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "blocks of 8 to 64 KiB go to VideoCore and back by bulk transfer, on cache lines and off them",
    asked_by: "driver maintainers (raspberrypi/linux#1977, #2643, #3646, #7493; raspberrypi/firmware#743)",
    steps: &[
        "open",
        "cache-line",
        "bulk-8192",
        "bulk-16384",
        "bulk-32768",
        "bulk-65536",
        "edges-8187",
        "edges-16379",
        "edges-32763",
        "edges-65531",
        "mismatch",
        "reopen",
        "abort",
    ],
    passes_when: "every transfer ends with its size and its bytes, and nothing beside them changes; one of another size \
                  than the service waits for is aborted, and so is what is out at CLOSE",
};

/// Histograms of a size: there and back, and there alone.
const STEPS: Steps<16> = Steps([
    "bulk-8192",
    "bulk-8192.sent",
    "bulk-16384",
    "bulk-16384.sent",
    "bulk-32768",
    "bulk-32768.sent",
    "bulk-65536",
    "bulk-65536.sent",
    "edges-8187",
    "edges-8187.sent",
    "edges-16379",
    "edges-16379.sent",
    "edges-32763",
    "edges-32763.sent",
    "edges-65531",
    "edges-65531.sent",
]);
const STEPS_A_SIZE: usize = 2;

/// Where a transfer begins in its first page, sent and received. Their difference is a multiple of 4, as the patterns
/// want it.
#[derive(Clone, Copy)]
struct Offsets {
    sent: usize,
    got: usize,
}

const LINES: Offsets = Offsets { sent: 0, got: 0 };
/// Neither is on a line; what is received begins in the first half of one of 64 bytes and ends in the second.
const EDGES: Offsets = Offsets { sent: 0x35, got: 0x15 };
/// In the middle of a line of 64 bytes, and at the beginning of one of 32.
const HALF_LINE: Offsets = Offsets { sent: 0, got: 32 };

/// What one step moves.
struct Size {
    bytes: usize,
    offsets: Offsets,
}

const SIZES: [Size; 8] = [
    Size { bytes: 8192, offsets: LINES },
    Size { bytes: 16384, offsets: LINES },
    Size { bytes: 32768, offsets: LINES },
    Size { bytes: 65536, offsets: LINES },
    Size { bytes: 8187, offsets: EDGES },
    Size { bytes: 16379, offsets: EDGES },
    Size { bytes: 32763, offsets: EDGES },
    Size { bytes: 65531, offsets: EDGES },
];
/// What `mismatch` and `abort` tell the service to expect.
const EXPECTED: usize = 8192;
/// So long is waited for bytes that are missing.
const LATE: Duration = Duration::from_millis(5);
/// Transfers that are out when `abort` closes the service: all that one direction may have.
const OUT_AT_CLOSE: usize = 4;

/// The memory of the transfers of one exchange.
pub(super) type Queue<'a, B> = BulkQueue<Stretch<'a, <B as Board>::Lendable>, OUT_AT_CLOSE>;

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut transfers = 0;
    let result = all_steps(session, counts, &mut transfers);
    let overflow = STEPS.emit(session);
    counts.set("transfers", transfers);
    counts.set("overflow", overflow);
    result
}

fn all_steps<B: Board>(
    session: &mut Session<'_, B>,
    counts: &mut Counts,
    transfers: &mut u64,
) -> Result<(), Failure> {
    let service = session.step("open", |session| {
        session.calibration()?;
        link::ensure_up(session)?;
        link::open(session, link::ECHO, "echo")
    })?;
    let moved = move_all(session, service, counts, transfers);
    // Closed also after a failure: the next scenario wants to open it.
    let closed = session.step("reopen", |session| {
        link::close(session, service)?;
        link::open(session, link::ECHO, "echo")
    });
    let failure = gravest(moved.err(), closed.as_ref().err().cloned());
    match (failure, closed) {
        (None, Ok(service)) => session.step("abort", |session| close_with_transfers_out(session, service)),
        (Some(failure), Ok(service)) => {
            // The failure is known already.
            let _ = link::close(session, service);
            Err(failure)
        }
        (failure, Err(closed)) => Err(failure.unwrap_or(closed)),
    }
}

fn move_all<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    counts: &mut Counts,
    transfers: &mut u64,
) -> Result<(), Failure> {
    let line = session.step("cache-line", |session| find_line(session, service))?;
    counts.set("cache_line", line.bytes().into());
    for (index, size) in SIZES.iter().enumerate() {
        let first = index * STEPS_A_SIZE;
        session.step(STEPS.0[first], |session| {
            let iterations = session.plan.iterations;
            echo::configure(session, service, echo::bulk_config(size.bytes as u32, iterations))?;
            for done in 0..iterations {
                session.check_run_time()?;
                move_once(session, service, size, done, Some(first))?
                    .map_err(|damage| damaged(damage, size))?;
                *transfers += 2;
                super::note_progress(session, done + 1 + index as u32 * iterations, SIZES.len() as u32);
            }
            Ok(())
        })?;
    }
    session.step("mismatch", |session| send_another_size(session, service))
}

/// Finds out which cache lines VideoCore reckons with: only if both sides reckon with the same do the bytes of an outer
/// line come to where they belong.
pub(super) fn find_line<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
) -> Result<CacheLine, Failure> {
    let size = Size { bytes: SIZES[0].bytes, offsets: HALF_LINE };
    let mut last = Ok(());
    for line in [CacheLine::Bytes64, CacheLine::Bytes32] {
        // The service waits for so many transfers as it is told, whatever it is told next.
        echo::configure(session, service, echo::bulk_config(size.bytes as u32, 1))?;
        session.link.set_up_bulks(BulkSetup { line, ..BulkSetup::default() })?;
        match move_once(session, service, &size, line.bytes(), None)? {
            Ok(()) => return Ok(line),
            Err(damage) => last = Err(damaged(damage, &size)),
        }
    }
    last.map(|()| CacheLine::Bytes32)
}

/// One block there and back. The inner error is what is wrong with the bytes.
fn move_once<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    size: &Size,
    number: u32,
    first_step: Option<usize>,
) -> Result<Result<(), Damage>, Failure> {
    let calibration = session.calibration()?;
    let seed = session.plan.seed ^ u64::from(number) << 20 ^ size.bytes as u64;
    let (pattern, around) = (Pattern::new(seed), Pattern::new(!seed));
    let sent = session.lending.take_stretch(size.offsets.sent, size.bytes)?;
    let got = session.lending.take_stretch(size.offsets.got, size.bytes)?;
    sent.fill(pattern);
    got.fill(around);

    let mut queue = Queue::<B>::new();
    let receiving = submit(session, &mut queue, service, Direction::Receive, got)?;
    let sending = submit(session, &mut queue, service, Direction::Transmit, sent)?;
    let sent = whole(session, &mut queue, sending, Direction::Transmit)?;
    let got = whole(session, &mut queue, receiving, Direction::Receive)?;

    if let Some(first) = first_step {
        let begin = sent.exchange.begin;
        record(session.samples, first, calibration.elapsed(begin, got.exchange.parsed));
        record(session.samples, first + 1, calibration.elapsed(begin, sent.exchange.parsed));
    }
    let unchanged = sent.memory.check(pattern, pattern);
    let checked = got.memory.check(pattern, around);
    if checked.is_err() && whole_later(session, &got.memory, pattern, around) {
        let reason = format_args!("{} bytes came after the word that they have come", size.bytes);
        return Err(Failure::fail(Owner::Firmware, reason).at(&session.link.positions()));
    }
    session.lending.put_back_stretch(&sent.memory);
    session.lending.put_back_stretch(&got.memory);
    Ok(unchanged.and(checked))
}

/// Looks again a moment later: bytes that are changed stay so, bytes that are late come.
fn whole_later<B: Board>(
    session: &mut Session<'_, B>,
    memory: &Stretch<'_, B::Lendable>,
    inside: Pattern,
    around: Pattern,
) -> bool {
    let deadline = session.deadline(LATE);
    while !deadline.has_passed(&session.clock) {
        core::hint::spin_loop();
    }
    memory.check(inside, around).is_ok()
}

/// Asks for a transfer.
pub(super) fn submit<'a, B: Board>(
    session: &mut Session<'a, B>,
    queue: &mut Queue<'a, B>,
    service: ServiceHandle,
    direction: Direction,
    memory: Stretch<'a, B::Lendable>,
) -> Result<InFlight, Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let submitted = match direction {
        Direction::Transmit => queue.transmit(&mut session.link, service, memory, deadline),
        Direction::Receive => queue.receive(&mut session.link, service, memory, deadline),
    };
    submitted.map_err(|NotSubmitted { error, memory }| {
        session.lending.put_back_stretch(&memory);
        session.link_failure(error)
    })
}

/// Waits for a transfer's end.
pub(super) fn wait<'a, B: Board>(
    session: &mut Session<'a, B>,
    queue: &mut Queue<'a, B>,
    in_flight: InFlight,
    direction: Direction,
) -> Result<Finished<Stretch<'a, B::Lendable>>, Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    queue.wait(&mut session.link, in_flight, deadline).map_err(|NotEnded { error, .. }| {
        let in_flight = session.link.bulks_in_flight() as u32;
        session.link_failure(error).with(request(direction), in_flight)
    })
}

/// Waits for a transfer that must move everything.
pub(super) fn whole<'a, B: Board>(
    session: &mut Session<'a, B>,
    queue: &mut Queue<'a, B>,
    in_flight: InFlight,
    direction: Direction,
) -> Result<Finished<Stretch<'a, B::Lendable>>, Failure> {
    let finished = wait(session, queue, in_flight, direction)?;
    let size = finished.memory.len() as u32;
    let (name, positions) = (request(direction), session.link.positions());
    let failure = match finished.moved {
        Moved::Bytes(actual) if actual == size => return Ok(finished),
        Moved::Bytes(actual) => {
            let reason = format_args!("{name} of {size} bytes ended with {actual}");
            Failure::fail(Owner::Firmware, reason).with("actual", actual)
        }
        Moved::Aborted => {
            let reason = format_args!("{name} of {size} bytes aborted, though the service waits for {size}");
            Failure::fail(Owner::Firmware, reason).with("actual", u32::MAX)
        }
    };
    session.lending.put_back_stretch(&finished.memory);
    Err(failure.with("size", size).at(&positions))
}

/// A transfer of another size than the service waits for: it is aborted, and nothing is moved.
fn send_another_size<B: Board>(session: &mut Session<'_, B>, service: ServiceHandle) -> Result<(), Failure> {
    echo::configure(session, service, echo::bulk_config(EXPECTED as u32, 1))?;
    let half = session.lending.take_stretch(0, EXPECTED / 2)?;
    let mut queue = Queue::<B>::new();
    let in_flight = submit(session, &mut queue, service, Direction::Transmit, half)?;
    let Finished { memory, moved, .. } = wait(session, &mut queue, in_flight, Direction::Transmit)?;
    session.lending.put_back_stretch(&memory);
    must_be_aborted(session, moved, Direction::Transmit, "though the service waits for twice as many")
}

/// Transfers that are out at CLOSE: aborted, and told before the answer to CLOSE.
fn close_with_transfers_out<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
) -> Result<(), Failure> {
    echo::configure(session, service, echo::bulk_config(EXPECTED as u32, 1))?;
    let mut queue = Queue::<B>::new();
    for _ in 0..OUT_AT_CLOSE {
        let memory = session.lending.take_stretch(0, EXPECTED)?;
        // Taken by `try_finish` below: the order of the ends does not matter here.
        let _in_flight = submit(session, &mut queue, service, Direction::Receive, memory)?;
    }
    link::close(session, service)?;
    let kept = session.link.bulks_in_flight();
    if kept != 0 {
        let reason = format_args!("CLOSE answered while {kept} of {OUT_AT_CLOSE} BULK_RX are not ended");
        return Err(Failure::fail(Owner::Firmware, reason).at(&session.link.positions()));
    }
    while let Some(Finished { memory, moved, .. }) =
        queue.try_finish(&mut session.link).map_err(|error| session.link_failure(error))?
    {
        session.lending.put_back_stretch(&memory);
        must_be_aborted(session, moved, Direction::Receive, "though the service is closed")?;
    }
    Ok(())
}

pub(super) fn must_be_aborted<B: Board>(
    session: &Session<'_, B>,
    moved: Moved,
    direction: Direction,
    though: &str,
) -> Result<(), Failure> {
    let Moved::Bytes(actual) = moved else { return Ok(()) };
    let reason = format_args!("{} ended with {actual} bytes, {though}", request(direction));
    Err(Failure::fail(Owner::Firmware, reason).with("actual", actual).at(&session.link.positions()))
}

/// The message that asks for a transfer.
const fn request(direction: Direction) -> &'static str {
    match direction {
        Direction::Transmit => "BULK_TX",
        Direction::Receive => "BULK_RX",
    }
}

fn damaged(damage: Damage, size: &Size) -> Failure {
    let (offset, where_) = (damage.offset, damage.in_transfer(size.bytes));
    let reason = format_args!("{} bytes by bulk transfer: byte {offset} {where_}", size.bytes);
    damage.shown_in(Failure::fail(Owner::Link, reason)).with("page_offset", size.offsets.got as u32)
}
