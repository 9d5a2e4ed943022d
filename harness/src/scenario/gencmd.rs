//! Commands in text by both ways, the GCMD service and the mailbox: do they tell the same, and how long does each take?
//!
//! "The mailbox lives, VCHIQ does not" is how people describe a stuck link; that reading is worth something only if both
//! ways lead to the same firmware.

use vchiq_mbox::{
    Clock,
    error::Error,
    gencmd::{Answer, Gencmd, GencmdError, value_of},
    mailbox::MailboxError,
    property::{ClockId, MeasuredClockRate, Throttled},
};

use super::{Group, Needs, Scenario, leftovers, link, steps::Steps};
use crate::{
    board::Board,
    failure::Failure,
    session::{ANSWER_BYTES, ANSWER_TIMEOUT, CONTROL_TIMEOUT, Counts, Session, record},
    verdict::Owner,
};

pub(super) static DESCRIPTION: Scenario = Scenario {
    name: "gencmd",
    group: Group::Transport,
    needs: Needs::VideoCore,
    proves: "the firmware tells the same of itself through VCHIQ, through the mailbox and by property tags",
    asked_by: "raspberrypi/linux#6701 (mailbox alive, VCHIQ stuck); everybody who is asked for `vcgencmd version`",
    steps: &["open", "version", "throttled", "clocks", "unknown", "gcmd", "mailbox", "close"],
    passes_when: "version and throttle word are equal by each way, measured clocks differ by 2 % at most, an unknown command \
                  has the same code and text",
};

/// Timed: a command that costs the firmware next to nothing.
const TIMED: &str = "get_throttled";
/// No firmware has it.
const UNKNOWN: &str = "no_such_command";
/// Commands by each way, at most; more would tell no more.
const MOST: u32 = 1000;
/// Measured clocks may differ by one part in this.
const CLOCK_TOLERANCE: u32 = 50;

const STEPS: Steps<2> = Steps(["gcmd", "mailbox"]);
/// Places in [`STEPS`].
mod at {
    pub(super) const GCMD: usize = 0;
    pub(super) const MAILBOX: usize = 1;
}

pub(super) fn run<B: Board>(session: &mut Session<'_, B>, counts: &mut Counts) -> Result<(), Failure> {
    let mut client = session.step("open", |session| {
        session.calibration()?;
        link::ensure_up(session)?;
        open(session)
    })?;
    let result = compare_and_time(session, &mut client, counts);
    let overflow = STEPS.emit(session);
    counts.set("overflow", overflow);
    result?;
    session.step("close", |session| {
        let deadline = session.deadline(CONTROL_TIMEOUT);
        client.close(&mut session.link, deadline).map_err(|error| failure_of(session, error))
    })
}

fn compare_and_time<B: Board>(
    session: &mut Session<'_, B>,
    client: &mut Gencmd,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let mut room = Room::default();
    session.step("version", |session| ask_both(session, client, "version", &mut room)?.agree())?;
    session.step("throttled", |session| {
        let by_tag = session.ask::<Throttled>(())?.bits();
        let ways = ask_both(session, client, "get_throttled", &mut room)?;
        ways.agree()?;
        is_near(throttled(ways.service.text), by_tag, 0)
    })?;
    session.step("clocks", |session| {
        for (command, clock) in [("measure_clock arm", ClockId::Arm), ("measure_clock core", ClockId::Core)] {
            let by_tag = session.ask::<MeasuredClockRate>(clock)?;
            let ways = ask_both(session, client, command, &mut room)?;
            is_near(frequency(ways.service.text), by_tag, by_tag / CLOCK_TOLERANCE)?;
            is_near(frequency(ways.mailbox.text), by_tag, by_tag / CLOCK_TOLERANCE)?;
        }
        Ok(())
    })?;
    session.step("unknown", |session| {
        let ways = ask_both(session, client, UNKNOWN, &mut room)?;
        ways.agree()?;
        is_refusal(&ways.service)
    })?;
    let rounds = session.plan.iterations.min(MOST);
    let mut slept = 0;
    for (name, step) in [("gcmd", at::GCMD), ("mailbox", at::MAILBOX)] {
        session.step(name, |session| {
            for done in 0..rounds {
                session.check_run_time()?;
                slept += u64::from(time_once(session, client, step, &mut room)?);
                super::note_progress(session, done + 1 + step as u32 * rounds, 2);
            }
            Ok(())
        })?;
    }
    counts.set("commands", u64::from(rounds) * 2);
    counts.set("slept", slept);
    Ok(())
}

/// Room for an answer by each way.
struct Room {
    service: [u8; ANSWER_BYTES],
    mailbox: [u8; ANSWER_BYTES],
}

impl Default for Room {
    fn default() -> Self {
        Self { service: [0; ANSWER_BYTES], mailbox: [0; ANSWER_BYTES] }
    }
}

/// The answers to one command.
struct Ways<'t> {
    service: Answer<'t>,
    mailbox: Answer<'t>,
}

impl Ways<'_> {
    /// Code and text are the same.
    fn agree(&self) -> Result<(), Failure> {
        let (service, mailbox) = (&self.service, &self.mailbox);
        if service.code != mailbox.code {
            let reason = format_args!("the service and the mailbox answer with different codes");
            return Err(Failure::fail(Owner::Firmware, reason)
                .with("service", service.code as u32)
                .with("mailbox", mailbox.code as u32));
        }
        if service.bytes == mailbox.bytes {
            return Ok(());
        }
        let differs = |(a, b): (&u8, &u8)| a != b;
        let shorter = service.bytes.len().min(mailbox.bytes.len());
        let place = service.bytes.iter().zip(mailbox.bytes).position(differs).unwrap_or(shorter);
        let byte = |bytes: &[u8]| bytes.get(place).copied().unwrap_or(0).into();
        Err(Failure::fail(Owner::Firmware, format_args!("the service and the mailbox tell different texts"))
            .with("offset", place as u32)
            .with("service", byte(service.bytes))
            .with("mailbox", byte(mailbox.bytes)))
    }
}

/// Opens the service; a refusal means that the firmware does not have it.
fn open<B: Board>(session: &mut Session<'_, B>) -> Result<Gencmd, Failure> {
    let deadline = session.deadline(CONTROL_TIMEOUT);
    match Gencmd::open(&mut session.link, deadline) {
        Err(GencmdError::Link(Error::Refused { .. })) => {
            leftovers::check(session)?;
            Err(session.service_absent("GCMD"))
        }
        opened => opened.map_err(|error| failure_of(session, error)),
    }
}

fn ask_both<'t, B: Board>(
    session: &mut Session<'_, B>,
    client: &mut Gencmd,
    command: &str,
    room: &'t mut Room,
) -> Result<Ways<'t>, Failure> {
    let service = ask_service(session, client, command, &mut room.service)?;
    let mailbox = ask_mailbox(session, command, &mut room.mailbox)?;
    Ok(Ways { service, mailbox })
}

fn ask_service<'t, B: Board>(
    session: &mut Session<'_, B>,
    client: &mut Gencmd,
    command: &str,
    room: &'t mut [u8],
) -> Result<Answer<'t>, Failure> {
    let deadline = session.deadline(ANSWER_TIMEOUT);
    client.ask(&mut session.link, command, room, deadline).map_err(|error| failure_of(session, error))
}

fn ask_mailbox<'t, B: Board>(
    session: &mut Session<'_, B>,
    command: &str,
    room: &'t mut [u8],
) -> Result<Answer<'t>, Failure> {
    session.ask_text(command, room).map_err(|error| match error {
        MailboxError::NotAnswered { status, .. } => {
            let reason = format_args!("the firmware does not take commands by mailbox (tag 0x00030080)");
            Failure::absent(reason).with("status", status)
        }
        error => error.into(),
    })
}

/// Asks by one way, between two looks at the clock. Gives whether the core slept.
fn time_once<B: Board>(
    session: &mut Session<'_, B>,
    client: &mut Gencmd,
    step: usize,
    room: &mut Room,
) -> Result<bool, Failure> {
    let calibration = session.calibration()?;
    let begin = session.clock.now();
    if step == at::GCMD {
        ask_service(session, client, TIMED, &mut room.service)?;
    } else {
        ask_mailbox(session, TIMED, &mut room.mailbox)?;
    }
    let elapsed = calibration.elapsed(begin, session.clock.now());
    Ok(record(session.samples, step, elapsed))
}

fn failure_of<B: Board>(session: &mut Session<'_, B>, error: GencmdError) -> Failure {
    match error {
        GencmdError::Link(error) => session.link_failure(error),
        error => {
            let failure = Failure::fail(error.owner().into(), format_args!("{error}"));
            session.link_failure(failure)
        }
    }
}

/// The word of `throttled=0x50005`.
fn throttled(text: &str) -> Option<u32> {
    u32::from_str_radix(value_of(text, "throttled")?.strip_prefix("0x")?, 16).ok()
}

/// The rate of `frequency(48)=1200000000`; the number in brackets is the firmware's own.
fn frequency(text: &str) -> Option<u32> {
    text.strip_prefix("frequency(")?.split_once(")=")?.1.trim().parse().ok()
}

fn is_near(by_text: Option<u32>, by_tag: u32, tolerance: u32) -> Result<(), Failure> {
    let Some(value) = by_text else {
        let reason = format_args!("the answer holds no value that could be read");
        return Err(Failure::fail(Owner::Firmware, reason).with("tag", by_tag));
    };
    if value.abs_diff(by_tag) <= tolerance {
        return Ok(());
    }
    Err(Failure::fail(Owner::Firmware, format_args!("a command and its property tag tell different values"))
        .with("command", value)
        .with("tag", by_tag))
}

/// A command that nobody knows has a code and says why.
fn is_refusal(answer: &Answer<'_>) -> Result<(), Failure> {
    if answer.code != 0 && answer.text.starts_with("error=") {
        return Ok(());
    }
    let reason = format_args!("an unknown command is not refused");
    Err(Failure::fail(Owner::Firmware, reason).with("code", answer.code as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: i32, text: &str) -> Answer<'_> {
        Answer { code, text, bytes: text.as_bytes() }
    }

    fn disagreement(service: Answer<'_>, mailbox: Answer<'_>) -> Option<Owner> {
        Ways { service, mailbox }.agree().err().and_then(|failure| failure.owner)
    }

    #[test]
    fn both_ways_tell_the_same_or_the_firmware_is_to_blame() {
        assert_eq!(disagreement(answer(0, "a"), answer(0, "a")), None);
        for other in [answer(1, "a"), answer(0, "b"), answer(0, ""), answer(0, "ab")] {
            assert_eq!(disagreement(answer(0, "a"), other), Some(Owner::Firmware), "{other:?}");
        }
    }

    #[test]
    fn values_are_read_or_missed_and_never_guessed() {
        assert_eq!(frequency("frequency(48)=1200000000"), Some(1_200_000_000));
        assert_eq!(throttled("throttled=0x50005"), Some(0x50005));
        for text in ["", "frequency(48)=", "frequency=1", "frequency(1)=-1", "frequency(1)=99999999999"] {
            assert_eq!(frequency(text), None, "{text:?}");
        }
        for text in ["", "throttled=", "throttled=5", "throttled=0x", "throttled=0x123456789"] {
            assert_eq!(throttled(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_value_outside_its_tolerance_or_none_at_all_fails() {
        assert_eq!(is_near(Some(102), 100, 2), Ok(()));
        assert!(is_near(Some(103), 100, 2).is_err());
        assert!(is_near(Some(97), 100, 2).is_err());
        assert!(is_near(None, 0, 0).is_err());
    }

    #[test]
    fn an_unknown_command_must_be_refused_in_words() {
        assert_eq!(is_refusal(&answer(-1, "error=1 error_msg=\"Command not registered\"")), Ok(()));
        assert!(is_refusal(&answer(0, "error=1")).is_err());
        assert!(is_refusal(&answer(1, "")).is_err());
    }
}
