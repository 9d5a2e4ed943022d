//! What a scenario works with.

use core::time::Duration;

use heapless::Vec;
use vchiq_mbox::{
    Clock, Deadline, Mailbox, Vchiq, Window, error::Misuse, gencmd::Answer, link::Remains,
    mailbox::MailboxError, property::Tag,
};

use crate::{
    black_box::{self, BlackBox, Fingerprint, Left},
    board::{Board, Host, Identity, Parts, SLOT_WINDOW_BYTES},
    failure::Failure,
    histogram::Samples,
    journal::Journal,
    lending::Lending,
    plan::Plan,
    record::{Fact, MAX_COUNTS, Name, Peer, clipped},
    scenario::Media,
    timing::{Calibration, Elapsed},
    verdict::{Owner, Verdict},
};

/// Longest wait for the answer to a property message.
pub(crate) const PROPERTY_TIMEOUT: Duration = Duration::from_millis(500);
/// Room for an answer in text by mailbox.
pub(crate) const ANSWER_BYTES: usize = 1024;
/// Longest wait for VideoCore to take slot zero up.
pub(crate) const TAKE_UP_TIMEOUT: Duration = Duration::from_millis(1000);
/// Longest wait for CONNECT, OPENACK or CLOSE: VideoCore may start a thread for it.
pub(crate) const CONTROL_TIMEOUT: Duration = Duration::from_millis(2000);
/// Longest wait for the answer to a message.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_millis(1000);

// One exists in a run, and there is no allocator to put the failure elsewhere.
#[allow(clippy::large_enum_variant)]
/// How far the link has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum LinkState {
    /// Nobody has tried.
    Down,
    /// VideoCore has taken slot zero up.
    TakenUp,
    /// CONNECT has been exchanged.
    Up,
    /// It did not come up, or broke.
    Failed(Failure),
}

/// The link of a board.
pub(crate) type LinkOf<'a, B> = Vchiq<&'a mut <B as Board>::Platform, &'a <B as Board>::Window>;
/// The mailbox of a board.
pub(crate) type MailboxOf<'a, B> = Mailbox<&'a mut <B as Board>::Mailbox, &'a <B as Board>::Window>;

/// The journal of a board.
pub(crate) type JournalOf<'a, B> = Journal<'a, <B as Board>::Host, <B as Board>::Window>;

/// What the life before the last reset left of this run.
pub(crate) struct Earlier {
    pub(crate) left: Left,
    /// Where both sides of its link stood.
    pub(crate) remains: Option<Remains>,
}

/// A session, and what it goes on with.
pub(crate) type Opened<'a, B> = (Session<'a, B>, Option<Earlier>);

/// Everything a scenario works with.
pub(crate) struct Session<'a, B: Board> {
    pub(crate) identity: Identity,
    pub(crate) clock: &'a B::Clock,
    pub(crate) mailbox: MailboxOf<'a, B>,
    pub(crate) link: LinkOf<'a, B>,
    pub(crate) link_state: LinkState,
    pub(crate) lending: Lending<'a, B::Lendable>,
    pub(crate) journal: JournalOf<'a, B>,
    pub(crate) samples: &'a mut Samples,
    pub(crate) plan: Plan,
    /// What the firmware says of itself.
    pub(crate) peer: Peer,
    /// VideoCore's memory in bytes; 0 if it did not say.
    pub(crate) vc_memory: u32,
    pub(crate) calibration: Option<Calibration>,
    /// Number of the next buffer to lend: none is used twice in a run.
    pub(crate) next_kernel_id: u32,
    /// A client of SMEM has told its protocol version on this link.
    pub(crate) smem_version_told: bool,
    /// The run as a whole ends here.
    pub(crate) run_deadline: Deadline,
    /// Begin of this life of the run, in ticks.
    began: u64,
    /// Time that the lives before it have used.
    spent_before: Duration,
    /// Name of the scenario that runs.
    pub(crate) scenario: &'static str,
    /// A scenario that left a service open which cannot be closed, because VideoCore still has buffers.
    pub(crate) spoilt_by: Option<&'static str>,
    /// The MMAL client, between two scenarios that use it.
    pub(crate) media: Option<Media>,
    /// Messages for nobody before it began.
    pub(crate) strays_before: u64,
}

/// A board that cannot even be set up: our own fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum SetupFault {
    #[error("slots: {0}")]
    Slots(Misuse),
    #[error("property buffer: {0}")]
    Property(MailboxError),
}

impl<'a, B: Board> Session<'a, B> {
    /// Looks for what a life before a reset left, then lays slot zero out; nothing is sent. The host is given back if
    /// that cannot be done. Without a fingerprint the plan is not one to go on with after a reset.
    pub(crate) fn new(
        parts: Parts<'a, B>,
        plan: Plan,
        fingerprint: Option<Fingerprint>,
    ) -> Result<Opened<'a, B>, (SetupFault, &'a mut B::Host)> {
        let Parts { identity, clock, platform, mailbox, slots, property, lendable, host, samples, .. } =
            parts;
        let kept = parts.black_box.zip(fingerprint);
        let left = kept.and_then(|(window, plan)| black_box::left(window, plan, parts.last_reset));
        let earlier = left.map(|left| Earlier { left, remains: Remains::of(slots) });
        clear(slots);
        let mailbox = match Mailbox::new(mailbox, property) {
            Ok(mailbox) => mailbox,
            Err(error) => return Err((SetupFault::Property(error), host)),
        };
        let link = match Vchiq::prepare(platform, slots) {
            Ok(link) => link,
            Err(error) => return Err((SetupFault::Slots(error), host)),
        };
        let black_box = kept.map(|(window, plan)| {
            let left = earlier.as_ref().map(|earlier| &earlier.left);
            BlackBox::new(window, plan, left)
        });
        samples.raw.keep(plan.samples as usize);
        let spent = earlier.as_ref().map_or(0, |earlier| earlier.left.state.spent_ms);
        let spent_before = Duration::from_millis(u64::from(spent));
        let limit = Duration::from_secs(u64::from(plan.limit_s));
        let run_deadline = Deadline::after(clock, limit.saturating_sub(spent_before));
        let session = Self {
            identity,
            clock,
            mailbox,
            link,
            link_state: LinkState::Down,
            lending: Lending::new(lendable),
            journal: Journal::new(host, black_box),
            samples,
            plan,
            peer: Peer::UNASKED,
            vc_memory: 0,
            calibration: None,
            next_kernel_id: 1,
            smem_version_told: false,
            run_deadline,
            began: clock.ticks(),
            spent_before,
            scenario: "",
            spoilt_by: None,
            media: None,
            strays_before: 0,
        };
        Ok((session, earlier))
    }

    /// Time that the run has used, over all its lives.
    pub(crate) fn spent_ms(&self) -> u32 {
        let ticks = self.clock.ticks().saturating_sub(self.began);
        let now_ms = u128::from(ticks) * 1000 / u128::from(self.clock.tick_rate().max(1));
        u32::try_from(self.spent_before.as_millis() + now_ms).unwrap_or(u32::MAX)
    }

    /// Lets time pass, awake.
    pub(crate) fn let_pass(&mut self, time: Duration) {
        let until = Deadline::after(&self.clock, time);
        while !until.has_passed(&self.clock) {
            self.journal.host().progress();
            core::hint::spin_loop();
        }
    }

    /// `timeout`, or the plan's longest wait if that is shorter, from now. Not cut at the end of the run: an answer cut
    /// off by our own limit would be called missing, and the firmware blamed. The run's time is looked at between
    /// messages ([`Self::check_run_time`]).
    ///
    /// Every wait begins here, so the watchdog is kicked here: it is for a core that stands, not for many waits in a row.
    pub(crate) fn deadline(&mut self, timeout: Duration) -> Deadline {
        self.journal.host().progress();
        let longest = Duration::from_millis(u64::from(self.plan.timeout_ms));
        Deadline::after(&self.clock, timeout.min(longest))
    }

    /// Asks a property tag.
    pub(crate) fn ask<T: Tag>(&mut self, request: T::Request) -> Result<T::Response, MailboxError> {
        let deadline = self.deadline(PROPERTY_TIMEOUT);
        self.mailbox.call::<T>(self.link.platform(), request, deadline)
    }

    /// Asks by text, through the mailbox; `out` holds at least [`ANSWER_BYTES`].
    pub(crate) fn ask_text<'t>(
        &mut self,
        command: &str,
        out: &'t mut [u8],
    ) -> Result<Answer<'t>, MailboxError> {
        let deadline = self.deadline(PROPERTY_TIMEOUT);
        self.mailbox.gencmd(self.link.platform(), command, out, deadline)
    }

    /// Fails when the run's time is up.
    pub(crate) fn check_run_time(&self) -> Result<(), Failure> {
        if self.run_deadline.has_passed(&self.clock) {
            let limit = self.plan.limit_s;
            return Err(Failure::fail(
                Owner::Harness,
                format_args!("the run's limit of {limit} s (harness.limit_s) is over"),
            ));
        }
        Ok(())
    }

    /// Runs a step between its two records.
    pub(crate) fn step<T>(
        &mut self,
        step: &str,
        body: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.journal.step_start(self.scenario, step);
        let result = self.check_run_time().and_then(|()| body(self));
        self.journal.step_end(self.scenario, step, result.as_ref().err());
        result
    }

    /// The calibration, or the reason why there are no times.
    pub(crate) fn calibration(&self) -> Result<Calibration, Failure> {
        self.calibration.ok_or_else(|| {
            Failure::fail(Owner::Harness, format_args!("the counters do not run, nothing can be timed"))
        })
    }

    /// Adds where both sides are; and of a peer that seems silent what it said to nobody since the scenario began, or else
    /// whether it has read what we sent.
    pub(crate) fn locate(&self, failure: Failure) -> Failure {
        let positions = self.link.positions();
        let failure = failure.at(&positions);
        match self.link.last_stray() {
            Some(stray)
                if failure.verdict == Verdict::Hung && self.link.counters().strays > self.strays_before =>
            {
                failure.instead(&stray)
            }
            _ if failure.verdict == Verdict::Hung => failure.having_read(&positions),
            _ => failure,
        }
    }

    /// Turns an error of the link into a failure that says where both sides are. A link that broke stays so.
    pub(crate) fn link_failure(&mut self, error: impl Into<Failure>) -> Failure {
        let failure = self.locate(error.into());
        if matches!(self.link.connection(), vchiq_mbox::link::Connection::Dead(_)) {
            self.link_state = LinkState::Failed(failure.clone());
        }
        failure
    }

    /// Firmware without SMEM and echo, by its own account: start_cd, which `gpu_mem=16` selects.
    pub(crate) fn is_cut_down(&self) -> bool {
        const START_CD: u32 = 4;
        const CUT_DOWN_MEMORY: u32 = 16 << 20;
        self.peer.variant == Some(START_CD) || (1..=CUT_DOWN_MEMORY).contains(&self.vc_memory)
    }

    /// The verdict on a service that refuses OPEN.
    pub(crate) fn service_absent(&self, service: &str) -> Failure {
        let failure = if self.is_cut_down() {
            Failure::absent(format_args!(
                "cut-down firmware (start_cd) has no {service} service: set gpu_mem=32 or more"
            ))
        } else {
            Failure::absent(format_args!("the firmware has no {service} service: OPEN refused"))
        };
        failure.with("variant", self.peer.variant.unwrap_or(0)).with("vc_memory", self.vc_memory)
    }
}

/// Zeroes the memory for slots: after a reset it holds what the last link left there.
fn clear<W: Window>(slots: &W) {
    for offset in (0..slots.len().min(SLOT_WINDOW_BYTES)).step_by(4) {
        slots.store(offset, 0);
    }
}

/// Adds a time to a histogram of the scenario's. Gives whether the core slept.
pub(crate) fn record(samples: &mut Samples, index: usize, elapsed: Elapsed) -> bool {
    samples.record(index, elapsed.cycles);
    elapsed.slept
}

/// Counts of a scenario, by name.
#[derive(Default)]
pub(crate) struct Counts {
    list: Vec<Fact, MAX_COUNTS>,
}

impl Counts {
    /// Sets a count; large ones saturate.
    pub(crate) fn set(&mut self, name: &str, value: u64) {
        let name: Name = clipped(name);
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        match self.list.iter_mut().find(|fact| fact.name == name) {
            Some(fact) => fact.value = value,
            // There is room for every name a scenario uses.
            None => drop(self.list.push(Fact { name, value })),
        }
    }

    pub(crate) fn into_list(self) -> Vec<Fact, MAX_COUNTS> {
        self.list
    }
}

/// The first failure, at the gravest verdict met.
pub(crate) fn gravest(first: Option<Failure>, then: Option<Failure>) -> Option<Failure> {
    match (first, then) {
        (Some(first), Some(then)) => Some(if then.verdict > first.verdict { then } else { first }),
        (first, then) => first.or(then),
    }
}

/// The verdict of an outcome.
pub(crate) fn verdict_of(failure: Option<&Failure>) -> Verdict {
    failure.map_or(Verdict::Pass, |failure| failure.verdict)
}
