//! The scenarios, as values.
//!
//! A scenario says what it proves, who asked for it and when it has passed; its file says how.

mod bring_up;
mod echo;
mod handshake;
mod link;
mod rules;
mod steps;

use vchiq_mbox::{Exchange, link::Stray};

use crate::{
    board::{Board, Host},
    failure::Failure,
    histogram::Samples,
    session::{Counts, Session, record},
    timing::Calibration,
    verdict::Owner,
};

/// What a scenario came to.
pub(crate) struct Outcome {
    /// Why it did not pass.
    pub(crate) failure: Option<Failure>,
    /// How often what happened.
    pub(crate) counts: Counts,
}

/// Runs a scenario.
pub(crate) fn run<B: Board>(session: &mut Session<'_, B>, kind: Kind) -> Outcome {
    session.samples.clear();
    let before = Traffic::of(session);
    let Outcome { failure, counts } = match kind {
        Kind::BringUp => bring_up::run(session),
        Kind::Echo => echo::run(session),
        Kind::Handshake => handshake::run(session),
        Kind::SecondInit => rules::second_init(session),
        Kind::Pause => rules::pause(session),
    };
    let traffic = Traffic::of(session).since(&before);
    let failure = failure.or_else(|| traffic.judge(session.link.last_stray()));
    Outcome { failure, counts }
}

/// Doorbells that may ring beside one for each message and each slot that comes back: CONNECT, answers to OPEN.
const SPARE_RINGS: u64 = 32;

/// What went over the link, in numbers.
struct Traffic {
    /// Messages both ways, and slots of ours that came back.
    moved: u64,
    /// Messages that were for nobody.
    strays: u64,
    doorbells: u64,
}

impl Traffic {
    fn of<B: Board>(session: &mut Session<'_, B>) -> Self {
        let counters = session.link.counters();
        Self {
            moved: counters.sent + counters.received + counters.slots_reclaimed,
            strays: counters.strays,
            doorbells: session.journal.host().doorbell_interrupts().into(),
        }
    }

    fn since(&self, earlier: &Self) -> Self {
        Self {
            moved: self.moved - earlier.moved,
            strays: self.strays - earlier.strays,
            doorbells: self.doorbells.saturating_sub(earlier.doorbells),
        }
    }

    /// Nothing may come for nobody, and the doorbell rings only when there is something to tell.
    fn judge(&self, last_stray: Option<Stray>) -> Option<Failure> {
        let Self { moved, strays, doorbells } = *self;
        if strays != 0 {
            let reason = format_args!("{strays} messages that were for nobody");
            let failure = Failure::fail(Owner::Firmware, reason);
            return Some(failure.with("msgid", last_stray.map_or(0, |stray| stray.msgid)));
        }
        if doorbells > moved + SPARE_RINGS {
            let reason = format_args!("{doorbells} doorbells for {moved} messages and slots");
            return Some(Failure::fail(Owner::Link, reason));
        }
        None
    }
}

/// Records a round trip: the whole, `submit`, `doorbell_to_irq`, `parse`, in four histograms from `first` on. Gives
/// whether the core slept meanwhile.
fn record_parts(samples: &mut Samples, first: usize, calibration: &Calibration, exchange: &Exchange) -> bool {
    let slept = record(samples, first, calibration.elapsed(exchange.begin, exchange.parsed));
    record(samples, first + 1, calibration.elapsed(exchange.begin, exchange.rung));
    record_answer(samples, first + 2, calibration, exchange);
    slept
}

/// Records `doorbell_to_irq` and `parse`, in two histograms from `first` on. They are known only if the answer's
/// interrupt came before the answer was found. An answer so fast that its interrupt came before the sender had
/// returned counts as 0 and is parsed from then on.
fn record_answer(samples: &mut Samples, first: usize, calibration: &Calibration, exchange: &Exchange) {
    let Exchange { rung, interrupt: Some(interrupt), parsed, .. } = *exchange else { return };
    let interrupt = if interrupt.cycles < rung.cycles { rung } else { interrupt };
    record(samples, first, calibration.elapsed(rung, interrupt));
    record(samples, first + 1, calibration.elapsed(interrupt, parsed));
}

/// Kicks the watchdog, and tells the PC twenty times in a scenario how far it is. `rounds` is how often the plan's
/// iterations are gone through.
fn note_progress<B: Board>(session: &mut Session<'_, B>, scenario: &str, done: u32, rounds: u32) {
    session.journal.host().progress();
    let total = session.plan.iterations.saturating_mul(rounds);
    let part = (total / 20).max(1);
    if done.is_multiple_of(part) {
        session.journal.progress(scenario, done, total);
    }
}

/// Which scenario.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// The ladder from a powered board to an open SMEM service.
    BringUp,
    /// Pings of the echo service.
    Echo,
    /// import → use → free → released.
    Handshake,
    /// VCHIQ_INIT on a link that is up.
    SecondInit,
    /// PAUSE and RESUME from our side.
    Pause,
}

/// A scenario, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// As the command line and the report spell it.
    pub name: &'static str,
    /// What a pass proves.
    pub proves: &'static str,
    /// Who asked for it: threads of the user fact sheet.
    pub asked_by: &'static str,
    /// Its steps, in order.
    pub steps: &'static [&'static str],
    /// When it has passed.
    pub passes_when: &'static str,
}

impl Kind {
    /// What a run without wishes runs, in this order.
    pub const DEFAULT: [Self; 3] = [Self::BringUp, Self::Echo, Self::Handshake];
    /// Every scenario.
    pub const ALL: [Self; 5] = [Self::BringUp, Self::Echo, Self::Handshake, Self::SecondInit, Self::Pause];

    /// As the command line and the report spell it.
    pub const fn name(self) -> &'static str {
        self.scenario().name
    }

    /// The scenario's description.
    pub const fn scenario(self) -> &'static Scenario {
        match self {
            Self::BringUp => &BRING_UP,
            Self::Echo => &ECHO,
            Self::Handshake => &HANDSHAKE,
            Self::SecondInit => &SECOND_INIT,
            Self::Pause => &PAUSE,
        }
    }
}

static BRING_UP: Scenario = Scenario {
    name: "bring-up",
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

static ECHO: Scenario = Scenario {
    name: "echo",
    proves: "messages of 0, 64, 1024 and 4000 bytes reach VideoCore and come back whole",
    asked_by: "driver maintainers (raspberrypi/linux#3646); nobody has published bare-metal round trips",
    steps: &["open", "configure", "sync-0", "echo-64", "echo-1024", "echo-4000", "close"],
    passes_when: "every reply is there within its deadline and equals what was sent",
};

static HANDSHAKE: Scenario = Scenario {
    name: "handshake",
    proves: "a lent buffer is imported, used, freed and given back exactly once, untouched",
    asked_by: "camera and kernel people (raspberrypi/linux#6701, picamera2#1090, linux#3220)",
    steps: &["open", "version", "import", "use", "free", "released", "integrity", "close"],
    passes_when: "as many RELEASED as imports, each with the address, size, id and handle of its import; lock \
                  returns the imported address; the pattern and the guards around it are intact",
};

static SECOND_INIT: Scenario = Scenario {
    name: "second-init",
    proves: "a second VCHIQ_INIT is refused and does the link no harm",
    asked_by: "authors of boot loaders and chain-loaded images (VCHIQ has no reconnect)",
    steps: &["open", "second-init", "ping"],
    passes_when: "the firmware refuses, and the echo service still answers",
};

static PAUSE: Scenario = Scenario {
    name: "pause",
    proves: "the firmware answers PAUSE, and goes on at RESUME",
    asked_by: "driver maintainers; Linux itself never pauses a Pi's firmware",
    steps: &["open", "pause", "resume", "ping"],
    passes_when: "PAUSE is answered, and the echo service answers after RESUME",
};
#[cfg(test)]
mod tests {
    use super::*;

    fn owner(moved: u64, strays: u64, doorbells: u64) -> Option<Owner> {
        Traffic { moved, strays, doorbells }.judge(None).and_then(|failure| failure.owner)
    }

    #[test]
    fn a_message_for_nobody_and_a_doorbell_storm_do_not_go_unnoticed() {
        assert_eq!(owner(100, 0, 100), None);
        assert_eq!(owner(100, 1, 100), Some(Owner::Firmware));
        assert_eq!(owner(100, 0, 100 + SPARE_RINGS), None);
        assert_eq!(owner(100, 0, 101 + SPARE_RINGS), Some(Owner::Link));
    }
}
