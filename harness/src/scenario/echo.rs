//! Pings of the echo service (VCHIQ fact sheet 9.1).
//!
//! | size | message | answer |
//! |---|---|---|
//! | 0 | SYNC: nothing but the type word, 4 bytes, the least the service takes (`vchiq_test` calls it size 0) | 1 byte |
//! | 64, 1024, 4000 | ECHO of so many bytes, the type word included | the same bytes |

use vchiq_mbox::{Exchange, HeldMessage, Message, ServiceHandle, wire::MAX_PAYLOAD};

use super::{Group, Needs, Scenario, link, steps::Steps};
use crate::{
    board::Board,
    failure::Failure,
    pattern::Pattern,
    session::{ANSWER_TIMEOUT, Counts, Session},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "echo",
    group: Group::Basics,
    needs: Needs::VideoCore,
    proves: "messages of 0, 64, 1024 and 4000 bytes reach VideoCore and come back whole",
    asked_by: "driver maintainers (raspberrypi/linux#3646); nobody has published bare-metal round trips",
    steps: &["open", "configure", "sync-0", "echo-64", "echo-1024", "echo-4000", "close"],
    passes_when: "every reply is there within its deadline and equals what was sent",
};

/// First word of a message.
mod kind {
    pub(super) const SYNC: u32 = 3;
    pub(super) const CONFIG: u32 = 4;
    pub(super) const ECHO: u32 = 5;
}

/// CONFIG for messages.
pub(super) const CONFIG: [u32; 10] = message_config(0);

/// CONFIG for messages, of which the service may have so many under way; 0 stands for its default. The words are type,
/// blocksize (0 asks for messages), iterations, verify, echo, three alignments, the client's quota and the service's.
pub(super) const fn message_config(quota: u32) -> [u32; 10] {
    [kind::CONFIG, 0, 100, 1, 1, 1, 0, 0, 0, quota]
}

/// CONFIG for bulk transfers of so many bytes, each echoed; what is in them is ours to check.
pub(super) const fn bulk_config(bytes: u32, iterations: u32) -> [u32; 10] {
    [kind::CONFIG, bytes, iterations, 0, 1, 1, 0, 0, 0, 0]
}
/// Bytes of the longest message.
pub(super) const LONGEST: usize = MAX_PAYLOAD;

/// What one step pings with.
struct Ping {
    step: &'static str,
    kind: u32,
    bytes: usize,
}

const PINGS: [Ping; 4] = [
    Ping { step: "sync-0", kind: kind::SYNC, bytes: 4 },
    Ping { step: "echo-64", kind: kind::ECHO, bytes: 64 },
    Ping { step: "echo-1024", kind: kind::ECHO, bytes: 1024 },
    Ping { step: "echo-4000", kind: kind::ECHO, bytes: 4000 },
];

/// Histograms a ping fills: the whole round trip, then its parts.
const STEPS: Steps<16> = Steps([
    "sync-0",
    "sync-0.submit",
    "sync-0.doorbell_to_irq",
    "sync-0.parse",
    "echo-64",
    "echo-64.submit",
    "echo-64.doorbell_to_irq",
    "echo-64.parse",
    "echo-1024",
    "echo-1024.submit",
    "echo-1024.doorbell_to_irq",
    "echo-1024.parse",
    "echo-4000",
    "echo-4000.submit",
    "echo-4000.doorbell_to_irq",
    "echo-4000.parse",
]);
const STEPS_A_PING: usize = 4;

/// Counts over all sizes.
#[derive(Default)]
struct Tally {
    pings: u64,
    slept: u64,
    stalls: u64,
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let result = ping_all(session, &mut tally);
    let overflow = STEPS.emit(session);
    counts.set("pings", tally.pings);
    counts.set("slept", tally.slept);
    counts.set("stalls", tally.stalls);
    counts.set("overflow", overflow);
    result
}

fn ping_all<B: Board>(session: &mut Session<'_, B>, tally: &mut Tally) -> Result<(), Failure> {
    let service = session.step("open", |session| {
        session.calibration()?;
        link::ensure_up(session)?;
        link::open(session, link::ECHO, "echo")
    })?;
    session.step("configure", |session| configure(session, service, CONFIG))?;
    for (index, ping) in PINGS.iter().enumerate() {
        session.step(ping.step, |session| {
            for done in 0..session.plan.iterations {
                session.check_run_time()?;
                ping_once(session, service, ping, index * STEPS_A_PING, done, tally)?;
                super::note_progress(session, done + 1 + index as u32 * session.plan.iterations, 4);
            }
            Ok(())
        })?;
    }
    session.step("close", |session| link::close(session, service))
}

/// The link up, the service open and set to answer pings.
pub(super) fn open<B: Board>(session: &mut Session<'_, B>) -> Result<ServiceHandle, Failure> {
    link::ensure_up(session)?;
    let service = link::open(session, link::ECHO, "echo")?;
    configure(session, service, CONFIG)?;
    Ok(service)
}

/// One exchange with the service, without the clock: is the link still there?
pub(super) fn ping_alone<B: Board>(session: &mut Session<'_, B>) -> Result<(), Failure> {
    let service = link::open(session, link::ECHO, "echo")?;
    configure(session, service, CONFIG)?;
    link::close(session, service)
}

/// Tells what is to come; the service answers one byte 0.
pub(super) fn configure<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    config: [u32; 10],
) -> Result<(), Failure> {
    let mut request = [0; 40];
    for (bytes, word) in request.chunks_exact_mut(4).zip(config) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    let mut answer = [0; 64];
    let (size, _) = exchange(session, service, &request, &mut answer)?;
    if answer.get(..size) == Some(&[0]) {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("CONFIG answered by {size} bytes, not by one byte 0"))
        .with("answer", first_word(&answer)))
}

fn ping_once<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    ping: &Ping,
    first_step: usize,
    number: u32,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let exchange = ping_whole(session, service, ping, number)?;
    tally.pings += 1;
    tally.stalls += u64::from(exchange.stalls);
    record_exchange(session, first_step, &exchange.moments, tally)
}

/// Sends an ECHO of `bytes` bytes, 4 to [`LONGEST`], and checks what comes back. `number` chooses its contents.
pub(super) fn echo_once<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    bytes: usize,
    number: u32,
) -> Result<(), Failure> {
    ping_whole(session, service, &Ping { step: "", kind: kind::ECHO, bytes }, number).map(drop)
}

fn ping_whole<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    ping: &Ping,
    number: u32,
) -> Result<Timed, Failure> {
    let mut sent = [0; LONGEST];
    let mut got = [0; LONGEST];
    let (sent, got) = (&mut sent[..ping.bytes], &mut got[..ping.bytes]);
    fill(sent, ping.kind, session.plan.seed ^ u64::from(number));
    let (size, exchange) = exchange(session, service, sent, got)?;
    check_answer(ping, sent, got, size).map_err(|failure| session.locate(failure))?;
    Ok(exchange)
}

/// The type word, then a pattern.
fn fill(message: &mut [u8], kind: u32, seed: u64) {
    let pattern = Pattern::new(seed);
    for (index, bytes) in message.chunks_mut(4).enumerate() {
        let word = if index == 0 { kind } else { pattern.word(index) };
        bytes.copy_from_slice(&word.to_le_bytes()[..bytes.len()]);
    }
}

/// Sends an ECHO without waiting, for neither room nor the answer. Gives false if slots or quotas are used up.
pub(super) fn try_send<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    bytes: usize,
    number: u32,
) -> Result<bool, Failure> {
    let mut message = [0; LONGEST];
    let message = &mut message[..bytes];
    fill(message, kind::ECHO, session.plan.seed ^ u64::from(number));
    link::try_send(session, service, message)
}

/// Checks an answer that is held: that to the ECHO of so many bytes and that number.
pub(super) fn check_held<B: Board>(
    session: &mut Session<'_, B>,
    held: &HeldMessage,
    bytes: usize,
    number: u32,
) -> Result<(), Failure> {
    let mut sent = [0; LONGEST];
    let mut got = [0; LONGEST];
    let (sent, got) = (&mut sent[..bytes], &mut got[..bytes]);
    fill(sent, kind::ECHO, session.plan.seed ^ u64::from(number));
    let size = usize::from(held.info().size);
    if size <= bytes {
        session.link.copy_held(held, got)?;
    }
    let ping = Ping { step: "", kind: kind::ECHO, bytes };
    check_answer(&ping, sent, got, size).map_err(|failure| session.locate(failure))
}

/// The answer to a ping: any single byte to SYNC, the very same bytes to ECHO.
fn check_answer(ping: &Ping, sent: &[u8], got: &[u8], size: usize) -> Result<(), Failure> {
    let wanted = if ping.kind == kind::SYNC { 1 } else { ping.bytes };
    if size != wanted {
        let reason = format_args!("{} bytes answered by {size} bytes, not {wanted}", ping.bytes);
        return Err(Failure::fail(Owner::Firmware, reason).with("answer", first_word(got)));
    }
    let differs = |(a, b): (&u8, &u8)| a != b;
    let place = if ping.kind == kind::SYNC { None } else { sent.iter().zip(got).position(differs) };
    let Some(place) = place else { return Ok(()) };
    Err(Failure::fail(Owner::Link, format_args!("byte {place} of {} came back changed", ping.bytes))
        .with("offset", place as u32)
        .with("expected", sent[place].into())
        .with("found", got[place].into()))
}

/// One message and its answer.
struct Timed {
    moments: Exchange,
    stalls: u32,
}

/// Sends a message and takes the answer. Gives the answer's size, which may exceed `answer`; then nothing is copied.
fn exchange<B: Board>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    request: &[u8],
    answer: &mut [u8],
) -> Result<(usize, Timed), Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    let submitted = match session.link.send(service, &[request], deadline) {
        Ok(submitted) => submitted,
        Err(error) => return Err(session.link_failure(error)),
    };
    let message = match session.link.receive(service, deadline).map(Message::hold) {
        Ok(message) => message,
        Err(error) => {
            let failure = session.link_failure(error);
            return Err(failure.with("sent_bytes", request.len() as u32));
        }
    };
    let info = message.info();
    let size = usize::from(info.size);
    let copied = if size <= answer.len() { session.link.copy_held(&message, answer).err() } else { None };
    session.link.release(message);
    if let Some(misuse) = copied {
        return Err(misuse.into());
    }
    Ok((size, Timed { moments: Exchange::between(&submitted, &info), stalls: submitted.stalls }))
}

/// Whole and parts into the histograms.
fn record_exchange<B: Board>(
    session: &mut Session<'_, B>,
    first_step: usize,
    exchange: &Exchange,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let calibration = session.calibration()?;
    tally.slept += u64::from(super::record_parts(session.samples, first_step, &calibration, exchange));
    Ok(())
}

fn first_word(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// An ECHO of `N` bytes with a number in its second word.
pub(super) fn numbered<const N: usize>(number: u32) -> [u8; N] {
    let mut message = [0; N];
    for (bytes, word) in message.chunks_exact_mut(4).zip([kind::ECHO, number]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    message
}

/// The number of [`numbered`].
pub(super) fn number_of(message: &[u8]) -> u32 {
    first_word(message.get(4..).unwrap_or(&[]))
}

/// Sends an ECHO of `N` bytes with a number in it, and takes the answer, which must have it too.
pub(super) fn exchange_numbered<B: Board, const N: usize>(
    session: &mut Session<'_, B>,
    service: ServiceHandle,
    number: u32,
) -> Result<(), Failure> {
    let mut answer = [0; N];
    let (size, _) = exchange(session, service, &numbered::<N>(number), &mut answer)?;
    let found = number_of(&answer);
    if (size, found) == (N, number) {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("echo {number} is answered by another, or cut"))
        .with("size", size as u32)
        .with("expected", number)
        .with("found", found))
}
