//! What survives a reset: how far the run has come.
//!
//! The memory holds two copies of the state, each with a sequence number and a checksum, and a new state overwrites the
//! older copy. Whatever a reset cuts off, one copy is whole; what memory holds after power-on is none. The number of
//! iterations done changes too often for that: it stands by itself, with its complement.
//!
//! ```text
//! word 0    magic                      8 … 15   step that runs, 32 bytes
//!      1    layout, number of words   16 … 31   verdicts, 4 bits a scenario of the plan; 0: not ended
//!      2    sequence                       32   checksum of the words before
//!   3, 4    fingerprint of the image; of the plan, 0: not read yet
//!      5    resets so far
//!      6    milliseconds used, up to the last end of a scenario
//!      7    phase; in bits 8 to 15 the place in the plan that it is about; bit 16: a life begins
//! ```
//!
//! Nothing here waits for a store to arrive. The memory is not cached; the processor's write buffer drains within
//! microseconds, and a reset that the image asks for comes after a barrier.

use core::str;

use vchiq_mbox::Window;

use crate::{
    board::{BLACK_BOX_BYTES, LastReset},
    plan::MAX_SCENARIOS,
    record::{Name, clipped},
    verdict::Verdict,
};

/// "HRNB", the first word of a copy.
const MAGIC: u32 = 0x424e_5248;
/// Raised whenever the words change their meaning.
const LAYOUT: u32 = 2;

const WORDS: usize = 33;
const CHECKSUM: usize = WORDS - 1;
const STEP: usize = 8;
const STEP_WORDS: usize = 8;
const VERDICTS: usize = 16;
const VERDICT_WORDS: usize = 16;
const VERDICTS_A_WORD: usize = 8;
const VERDICT_BITS: usize = 4;

/// Byte offsets of the copies, and of the iterations.
const COPIES: [usize; 2] = [0, 256];
const ITERATIONS: usize = 512;

const _: () = assert!(MAX_SCENARIOS <= VERDICT_WORDS * VERDICTS_A_WORD);
const _: () = assert!(ITERATIONS + 8 <= BLACK_BOX_BYTES && 4 * WORDS <= COPIES[1]);

/// What the run was doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// No scenario runs.
    Between,
    /// This place of the plan.
    Running(usize),
    /// It is over, and the image has asked for a reset before it goes on with the next.
    Resetting(usize),
}

/// Tells a plan, in its image, from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fingerprint {
    image: u32,
    /// 0: not read.
    plan: u32,
}

impl Fingerprint {
    /// Of the image alone, before its plan has been read. Another image may count its scenarios otherwise.
    pub(crate) fn of_image(git: &str, profile: &str) -> Self {
        Self { image: hash(git.bytes().chain(profile.bytes())), plan: 0 }
    }

    /// Of a plan in this image.
    pub(crate) fn with_plan(self, text: &[u8]) -> Self {
        Self { plan: hash(text.iter().copied()).max(1), ..self }
    }
}

/// FNV-1a, 32 bits.
fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// How far a run has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct State {
    pub(crate) fingerprint: Fingerprint,
    /// How often the board has been reset in this run.
    pub(crate) resets: u32,
    /// Time the run has used, up to the last end of a scenario.
    pub(crate) spent_ms: u32,
    pub(crate) phase: Phase,
    /// A life has begun, and does not know yet whether the run goes on: it has not read its plan.
    pub(crate) beginning: bool,
    /// The step that runs; empty outside of one.
    pub(crate) step: Name,
    /// How the scenarios of the plan ended, by place.
    pub(crate) verdicts: [Option<Verdict>; MAX_SCENARIOS],
}

impl State {
    fn new(fingerprint: Fingerprint) -> Self {
        Self {
            fingerprint,
            resets: 0,
            spent_ms: 0,
            phase: Phase::Between,
            beginning: false,
            step: Name::new(),
            verdicts: [None; MAX_SCENARIOS],
        }
    }

    fn to_words(&self, sequence: u32) -> [u32; WORDS] {
        let mut words = [0; WORDS];
        let (phase, place) = match self.phase {
            Phase::Between => (0, 0),
            Phase::Running(place) => (1, place),
            Phase::Resetting(place) => (2, place),
        };
        words[0] = MAGIC;
        words[1] = LAYOUT << 16 | WORDS as u32;
        words[2] = sequence;
        words[3] = self.fingerprint.image;
        words[4] = self.fingerprint.plan;
        words[5] = self.resets;
        words[6] = self.spent_ms;
        words[7] = phase | (place as u32) << 8 | u32::from(self.beginning) << 16;
        for (word, bytes) in words[STEP..].iter_mut().zip(self.step.as_bytes().chunks(4)) {
            let mut four = [0; 4];
            four[..bytes.len()].copy_from_slice(bytes);
            *word = u32::from_le_bytes(four);
        }
        for (place, verdict) in self.verdicts.iter().enumerate() {
            let (word, shift) = place_of(place);
            words[word] |= number_of(*verdict) << shift;
        }
        words[CHECKSUM] = checksum(&words);
        words
    }

    /// The state and its sequence number; `None` if the words are anything else.
    fn from_words(words: &[u32; WORDS]) -> Option<(Self, u32)> {
        let known = words[0] == MAGIC && words[1] == LAYOUT << 16 | WORDS as u32;
        if !known || words[CHECKSUM] != checksum(words) {
            return None;
        }
        let place = usize::try_from(words[7] >> 8 & 0xff).ok().filter(|place| *place < MAX_SCENARIOS)?;
        let beginning = match words[7] >> 16 {
            0 => false,
            1 => true,
            _ => return None,
        };
        let phase = match words[7] & 0xff {
            0 => Phase::Between,
            1 => Phase::Running(place),
            2 => Phase::Resetting(place),
            _ => return None,
        };
        let mut verdicts = [None; MAX_SCENARIOS];
        for (place, verdict) in verdicts.iter_mut().enumerate() {
            let (word, shift) = place_of(place);
            *verdict = verdict_of(words[word] >> shift & 0xf)?;
        }
        let state = Self {
            fingerprint: Fingerprint { image: words[3], plan: words[4] },
            resets: words[5],
            spent_ms: words[6],
            phase,
            beginning,
            step: step_of(&words[STEP..STEP + STEP_WORDS])?,
            verdicts,
        };
        Some((state, words[2]))
    }
}

/// Word and shift of a place's verdict.
fn place_of(place: usize) -> (usize, usize) {
    (VERDICTS + place / VERDICTS_A_WORD, place % VERDICTS_A_WORD * VERDICT_BITS)
}

fn number_of(verdict: Option<Verdict>) -> u32 {
    match verdict {
        None => 0,
        Some(Verdict::Pass) => 1,
        Some(Verdict::Skip) => 2,
        Some(Verdict::Absent) => 3,
        Some(Verdict::Fail) => 4,
        Some(Verdict::Hung) => 5,
    }
}

/// `None` for a number that is no verdict.
fn verdict_of(number: u32) -> Option<Option<Verdict>> {
    Some(match number {
        0 => None,
        1 => Some(Verdict::Pass),
        2 => Some(Verdict::Skip),
        3 => Some(Verdict::Absent),
        4 => Some(Verdict::Fail),
        5 => Some(Verdict::Hung),
        _ => return None,
    })
}

fn step_of(words: &[u32]) -> Option<Name> {
    let mut bytes = [0; 4 * STEP_WORDS];
    for (four, word) in bytes.chunks_exact_mut(4).zip(words) {
        four.copy_from_slice(&word.to_le_bytes());
    }
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    str::from_utf8(&bytes[..end]).ok().map(clipped)
}

/// Of all words but the last. Cheap rather than strong: it has to tell a state from garbage and from half of another.
fn checksum(words: &[u32; WORDS]) -> u32 {
    words[..CHECKSUM].iter().fold(MAGIC, |sum, word| (sum.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b1))
}

/// What a run left that did not end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Left {
    pub(crate) state: State,
    sequence: u32,
    /// Iterations that the running scenario had done, if that can be told.
    pub(crate) iterations: Option<u32>,
}

/// What a life finds that begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// No run of this image.
    Nothing,
    /// A run of this image that has not ended.
    OpenRun,
    /// The life before began and did not get as far as its plan.
    NoPlanBefore,
}

/// Notes that a life begins, before the first question that the Arm could stand in. To `image` its plan is unknown.
pub(crate) fn begin<W: Window>(window: &W, image: Fingerprint, last_reset: LastReset) -> Found {
    let left = newest(window, last_reset).filter(|left| left.state.fingerprint.image == image.image);
    let found = match &left {
        None => Found::Nothing,
        Some(left) if left.state.beginning => Found::NoPlanBefore,
        Some(_) => Found::OpenRun,
    };
    let mut black_box = BlackBox::new(window, image, left.as_ref());
    black_box.state.beginning = true;
    black_box.write();
    found
}

/// The run has ended, or cannot begin: there is nothing to go on with.
pub(crate) fn close<W: Window>(window: &W) {
    for at in COPIES {
        window.store(at, 0);
    }
}

/// Looks for a run with this fingerprint that did not end.
pub(crate) fn left<W: Window>(window: &W, fingerprint: Fingerprint, last_reset: LastReset) -> Option<Left> {
    newest(window, last_reset).filter(|left| left.state.fingerprint == fingerprint)
}

/// The state that was written last. After power-on there is none, whatever memory holds.
fn newest<W: Window>(window: &W, last_reset: LastReset) -> Option<Left> {
    if last_reset == LastReset::PowerOn {
        return None;
    }
    let copies = COPIES.map(|at| read(window, at));
    let (state, sequence) = match copies {
        [Some(first), Some(second)] => {
            let second_is_newer = (second.1.wrapping_sub(first.1) as i32) > 0;
            if second_is_newer { second } else { first }
        }
        [first, second] => first.or(second)?,
    };
    let (done, complement) = (window.load(ITERATIONS), window.load(ITERATIONS + 4));
    let iterations = (done == !complement).then_some(done);
    Some(Left { state, sequence, iterations })
}

fn read<W: Window>(window: &W, at: usize) -> Option<(State, u32)> {
    let mut words = [0; WORDS];
    for (index, word) in words.iter_mut().enumerate() {
        *word = window.load(at + 4 * index);
    }
    State::from_words(&words)
}

/// Keeps the state of a run where a reset leaves it alone.
pub(crate) struct BlackBox<'a, W: Window> {
    window: &'a W,
    state: State,
    sequence: u32,
}

impl<'a, W: Window> BlackBox<'a, W> {
    /// For a run that begins, or that goes on with what it left.
    /// It is noted at once: also the Arm that stands before the first scenario must not begin for ever.
    pub(crate) fn new(window: &'a W, fingerprint: Fingerprint, left: Option<&Left>) -> Self {
        let mut black_box = match left {
            Some(left) => Self { window, state: left.state.clone(), sequence: left.sequence },
            None => Self { window, state: State::new(fingerprint), sequence: 0 },
        };
        if left.is_none() {
            black_box.close();
            black_box.write();
        }
        black_box
    }

    /// How far the run has come.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// The board has been reset once more.
    pub(crate) fn resumed(&mut self) {
        self.state.resets = self.state.resets.saturating_add(1);
        self.state.beginning = false;
        self.enter(Phase::Between);
    }

    /// The scenario at this place of the plan begins.
    pub(crate) fn scenario_start(&mut self, place: usize) {
        self.iterations(0);
        self.enter(Phase::Running(place));
    }

    /// A step of it begins.
    pub(crate) fn step_start(&mut self, step: &str) {
        self.state.step = clipped(step);
        self.write();
    }

    /// So many iterations are done: two stores.
    pub(crate) fn iterations(&self, done: u32) {
        self.window.store(ITERATIONS, done);
        self.window.store(ITERATIONS + 4, !done);
    }

    /// The scenario at this place has ended, after so much time of the run.
    pub(crate) fn scenario_end(&mut self, place: usize, verdict: Verdict, spent_ms: u32) {
        if let Some(slot) = self.state.verdicts.get_mut(place) {
            *slot = Some(verdict);
        }
        self.state.spent_ms = spent_ms;
        self.enter(Phase::Between);
    }

    /// The image is about to reset the board, because of the scenario at this place.
    pub(crate) fn resetting(&mut self, place: usize) {
        self.enter(Phase::Resetting(place));
    }

    /// The run has ended: there is nothing to go on with.
    pub(crate) fn close(&mut self) {
        close(self.window);
    }

    fn enter(&mut self, phase: Phase) {
        self.state.phase = phase;
        self.state.step.clear();
        self.write();
    }

    /// Over the older copy.
    fn write(&mut self) {
        self.sequence = self.sequence.wrapping_add(1);
        let at = COPIES[self.sequence as usize % COPIES.len()];
        for (index, word) in self.state.to_words(self.sequence).into_iter().enumerate() {
            self.window.store(at + 4 * index, word);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, vec::Vec};

    use vchiq_mbox::BusAddress;

    use super::*;

    const PLAN: Fingerprint = Fingerprint { image: 0x0123_4567, plan: 0x89ab_cdef };
    const IMAGE: Fingerprint = Fingerprint { plan: 0, ..PLAN };

    /// Memory that stops taking stores after a while, as at a reset.
    struct Memory {
        words: Vec<Cell<u32>>,
        stores_left: Cell<usize>,
    }

    impl Memory {
        fn filled(word: impl Fn(usize) -> u32) -> Self {
            let words = (0..BLACK_BOX_BYTES / 4).map(|index| Cell::new(word(index))).collect();
            Self { words, stores_left: Cell::new(usize::MAX) }
        }
    }

    impl Window for Memory {
        fn len(&self) -> usize {
            4 * self.words.len()
        }
        fn bus_address(&self) -> BusAddress {
            BusAddress(0)
        }
        fn load(&self, offset: usize) -> u32 {
            self.words[offset / 4].get()
        }
        fn store(&self, offset: usize, value: u32) {
            if let Some(left) = self.stores_left.get().checked_sub(1) {
                self.stores_left.set(left);
                self.words[offset / 4].set(value);
            }
        }
    }

    fn left_in(memory: &Memory) -> Option<Left> {
        left(memory, PLAN, LastReset::Unknown)
    }

    #[test]
    fn what_memory_holds_after_power_on_is_no_run() {
        let mut random = 0x9e37_79b9_u32;
        for round in 0..2000 {
            let garbage: Vec<u32> = (0..BLACK_BOX_BYTES / 4)
                .map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    random
                })
                .collect();
            // Half of the rounds with a first word that is right by chance.
            let word = |index: usize| match index {
                0 if round % 2 == 0 => MAGIC,
                1 if round % 2 == 0 => LAYOUT << 16 | WORDS as u32,
                _ => garbage[index],
            };
            assert_eq!(left_in(&Memory::filled(word)), None, "round {round}");
        }
        for word in [0, u32::MAX, 0xaaaa_aaaa] {
            assert_eq!(left_in(&Memory::filled(|_| word)), None);
        }
    }

    #[test]
    fn a_run_is_found_with_everything_it_noted() {
        let memory = Memory::filled(|_| 0xdead_beef);
        let mut black_box = BlackBox::new(&memory, PLAN, None);
        black_box.scenario_start(0);
        black_box.scenario_end(0, Verdict::Pass, 1234);
        black_box.scenario_start(1);
        black_box.step_start("echo-1024");
        black_box.iterations(77);
        let left = left_in(&memory).expect("a run");
        assert_eq!(left.state, *black_box.state());
        assert_eq!(left.state.phase, Phase::Running(1));
        assert_eq!((left.state.step.as_str(), left.iterations), ("echo-1024", Some(77)));
        assert_eq!(left.state.verdicts[..2], [Some(Verdict::Pass), None]);
        assert_eq!((left.state.spent_ms, left.state.resets), (1234, 0));
    }

    #[test]
    fn a_reset_within_an_update_leaves_the_state_before_it_or_after_it() {
        for stores in 0..=WORDS {
            let memory = Memory::filled(|_| 0);
            let mut black_box = BlackBox::new(&memory, PLAN, None);
            black_box.scenario_start(2);
            black_box.step_start("import");
            let before = black_box.state().clone();
            memory.stores_left.set(stores);
            black_box.step_start("released");
            let found = left_in(&memory).expect("a run").state;
            let expected = if stores == WORDS { black_box.state() } else { &before };
            assert_eq!(&found, expected, "cut after {stores} stores");
        }
        let memory = Memory::filled(|_| 0);
        let black_box = BlackBox::new(&memory, PLAN, None);
        black_box.iterations(5);
        memory.stores_left.set(1);
        black_box.iterations(6);
        let mut black_box = black_box;
        memory.stores_left.set(usize::MAX);
        black_box.step_start("echo-64");
        assert_eq!(left_in(&memory).map(|left| left.iterations), Some(None), "half a number is none");
    }

    #[test]
    fn a_changed_word_anywhere_is_noticed() {
        let memory = Memory::filled(|_| 0);
        let mut black_box = BlackBox::new(&memory, PLAN, None);
        black_box.step_start("first");
        black_box.step_start("second");
        let newer = COPIES[black_box.sequence as usize % 2];
        for index in 0..WORDS {
            for bit in [0, 13, 31] {
                let word = memory.load(newer + 4 * index);
                memory.store(newer + 4 * index, word ^ 1 << bit);
                let left = left_in(&memory).expect("the older copy");
                assert_eq!(left.state.step.as_str(), "first", "word {index}, bit {bit}");
                memory.store(newer + 4 * index, word);
            }
        }
    }

    #[test]
    fn another_layout_another_plan_and_power_on_are_not_gone_on_with() {
        let memory = Memory::filled(|_| 0);
        let mut black_box = BlackBox::new(&memory, PLAN, None);
        black_box.scenario_start(0);
        assert!(left_in(&memory).is_some());
        assert!(left(&memory, PLAN, LastReset::Watchdog).is_some());
        assert_eq!(left(&memory, PLAN, LastReset::PowerOn), None);
        for other in [Fingerprint { plan: 1, ..PLAN }, Fingerprint { image: 1, ..PLAN }] {
            assert_eq!(left(&memory, other, LastReset::Watchdog), None);
        }
        let mut words = black_box.state().to_words(9);
        words[1] += 1 << 16;
        words[CHECKSUM] = checksum(&words);
        assert_eq!(State::from_words(&words), None);
    }

    #[test]
    fn a_number_that_is_no_verdict_phase_or_place_is_refused_whatever_the_checksum_says() {
        let good = State::new(PLAN).to_words(1);
        for (index, word) in
            [(VERDICTS, 6), (7, 3), (7, 1 | (MAX_SCENARIOS as u32) << 8), (7, 2 << 16), (STEP, 0xffff_ffff)]
        {
            let mut words = good;
            words[index] = word;
            words[CHECKSUM] = checksum(&words);
            assert_eq!(State::from_words(&words), None, "word {index}: {word:#x}");
        }
        assert!(State::from_words(&good).is_some());
    }

    #[test]
    fn every_place_keeps_its_own_verdict_through_a_reset() {
        let memory = Memory::filled(|_| 0);
        let mut black_box = BlackBox::new(&memory, PLAN, None);
        let verdicts = [Verdict::Pass, Verdict::Skip, Verdict::Absent, Verdict::Fail, Verdict::Hung];
        for place in 0..MAX_SCENARIOS {
            black_box.scenario_start(place);
            black_box.scenario_end(place, verdicts[place % verdicts.len()], place as u32);
        }
        black_box.resetting(MAX_SCENARIOS - 1);
        let left = left_in(&memory).expect("a run");
        assert_eq!(left.state.phase, Phase::Resetting(MAX_SCENARIOS - 1));
        for (place, verdict) in left.state.verdicts.iter().enumerate() {
            assert_eq!(*verdict, Some(verdicts[place % verdicts.len()]), "{place}");
        }
        let mut next = BlackBox::new(&memory, PLAN, Some(&left));
        next.resumed();
        let again = left_in(&memory).expect("a run");
        assert_eq!((again.state.resets, again.state.phase), (1, Phase::Between));
        assert_eq!(again.state.verdicts, left.state.verdicts);
        next.close();
        assert_eq!(left_in(&memory), None, "the run has ended");
    }

    #[test]
    fn a_life_that_begins_leaves_the_run_as_it_was_and_is_told_from_one_that_got_no_plan() {
        let memory = Memory::filled(|_| 0);
        assert_eq!(begin(&memory, IMAGE, LastReset::Unknown), Found::Nothing);
        assert_eq!(begin(&memory, IMAGE, LastReset::Watchdog), Found::NoPlanBefore);
        assert_eq!(begin(&memory, IMAGE, LastReset::PowerOn), Found::Nothing);
        let mut black_box = BlackBox::new(&memory, PLAN, None);
        black_box.scenario_start(3);
        black_box.step_start("open");
        let running = black_box.state().clone();
        assert_eq!(begin(&memory, IMAGE, LastReset::Watchdog), Found::OpenRun);
        let left = left_in(&memory).expect("a run");
        assert_eq!(left.state, State { beginning: true, ..running });
        BlackBox::new(&memory, PLAN, Some(&left)).resumed();
        assert_eq!(begin(&memory, IMAGE, LastReset::Watchdog), Found::OpenRun, "it went on");
        assert_eq!(begin(&memory, IMAGE, LastReset::Watchdog), Found::NoPlanBefore);
        let other = Fingerprint { image: 1, plan: 0 };
        assert_eq!(begin(&memory, other, LastReset::Watchdog), Found::Nothing);
        close(&memory);
        assert_eq!(begin(&memory, IMAGE, LastReset::Watchdog), Found::Nothing);
    }

    #[test]
    fn fingerprints_tell_images_and_plans_apart() {
        let image = Fingerprint::of_image("8805e9a", "image");
        assert_ne!(image, Fingerprint::of_image("8805e9b", "image"));
        assert_ne!(image, image.with_plan(b""), "no command line is a plan");
        assert_ne!(image.with_plan(b"harness.seed=1"), image.with_plan(b"harness.seed=2"));
    }
}
