//! Whatever a line or a file holds: no panic, and no better verdict or label than what was sent deserves.

use harness::record::{Core, Machine, Peer, Step, clipped};
use harness::report::{Report, Rung, Timing};
use harness::{Record, Verdict};
use proptest::prelude::*;

use super::decode;
use crate::line::Announcement;
use crate::line::fake::{BUILD, Line, elf, scenario_end, start};

fn machine(core: Core) -> Record {
    let peer = Peer { revision: 1_661_522_596, variant: Some(1), hash: Some([1, 2, 3, 4, 5]) };
    Record::Machine(Machine { build: BUILD, core, peer })
}

/// The line of a whole run, as an image on such a core sends it.
fn run_on(core: Core, verdicts: [Verdict; 3]) -> Vec<u8> {
    let plan = ["bring-up", "echo", "handshake"];
    let mut line = Line::default();
    line.banner();
    line.log("boot: entered at EL{=u8}", &[2]);
    line.record(&Record::Start(start()));
    plan.iter().for_each(|name| line.record(&Record::Planned { name: clipped(name) }));
    line.record(&machine(core));
    for (name, verdict) in plan.into_iter().zip(verdicts) {
        line.banner();
        line.record(&machine(core));
        line.record(&Record::ScenarioStart { name: clipped(name) });
        line.record(&Record::StepStart { scenario: clipped(name), step: clipped("import") });
        line.record(&Record::Step(Step {
            scenario: clipped(name),
            step: clipped("import"),
            verdict,
            owner: None,
            reason: None,
            evidence: Default::default(),
        }));
        line.record(&scenario_end(name, verdict));
    }
    line.banner();
    line.record(&machine(core));
    let verdict = verdicts.into_iter().reduce(Verdict::and).expect("three");
    line.record(&Record::End { verdict, records: 0 });
    line.text(&format!("harness: end, verdict {verdict}"));
    line.bytes
}

fn only(bytes: &[u8]) -> Report {
    let mut reports = decode(&elf(), bytes).expect("the image is one");
    assert_eq!(reports.len(), 1, "{reports:#?}");
    reports.remove(0)
}

#[test]
fn a_line_of_the_fake_image_comes_to_its_report() {
    let report = only(&run_on(Core::Silicon, [Verdict::Pass; 3]));
    assert_eq!(
        (report.verdict(), report.rung, report.timing),
        (Verdict::Pass, Rung::Board, Timing::Measured)
    );
    assert_eq!((report.scenarios.len(), report.notes.as_slice()), (3, &[][..]), "{report:#?}");
    let report = only(&run_on(Core::Emulated, [Verdict::Pass, Verdict::Fail, Verdict::Pass]));
    assert_eq!((report.verdict(), report.timing), (Verdict::Fail, Timing::Modelled));
}

/// The announcement and the banner are the first that a bad contact costs.
#[test]
fn an_emulated_board_whose_announcement_is_damaged_is_not_taken_for_a_board() {
    let mut bytes = Announcement.bytes();
    bytes[3] ^= 4;
    bytes.extend(run_on(Core::Emulated, [Verdict::Pass; 3]));
    let report = only(&bytes);
    assert_eq!((report.rung, report.timing), (Rung::Emulated, Timing::Modelled));
}

/// What happens to a line.
#[derive(Clone, Debug)]
enum Damage {
    /// From here on so many bytes vanish.
    Cut(prop::sample::Index, usize),
    /// Bytes come that nobody sent.
    Insertion(prop::sample::Index, Vec<u8>),
    /// These bits of a byte change.
    Flip(prop::sample::Index, u8),
    /// A piece comes once more, elsewhere.
    Echo(prop::sample::Index, usize, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 0..400_usize).prop_map(|(at, length)| Damage::Cut(at, length)),
        (at(), prop::collection::vec(any::<u8>(), 1..60))
            .prop_map(|(at, bytes)| Damage::Insertion(at, bytes)),
        (at(), 1..=u8::MAX).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (at(), 0..400_usize, at()).prop_map(|(at, length, to)| Damage::Echo(at, length, to)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match damage {
            Damage::Cut(at, cut) => {
                let at = at.index(length);
                bytes.drain(at..(at + cut).min(length));
            }
            Damage::Insertion(at, inserted) => {
                let at = at.index(length);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Damage::Flip(at, bits) => bytes[at.index(length)] ^= bits,
            Damage::Echo(at, echoed, to) => {
                let at = at.index(length);
                let piece = bytes[at..(at + echoed).min(length)].to_vec();
                let to = to.index(length);
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![3 => Just(Verdict::Pass), 1 => Just(Verdict::Fail), 1 => Just(Verdict::Hung), 1 => Just(Verdict::Absent)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_no_run(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
        for report in decode(&elf(), &bytes).expect("the image is one") {
            prop_assert!(report.verdict() >= Verdict::Fail, "{report:#?}");
            prop_assert_eq!((report.rung, report.timing), (Rung::Unknown, Timing::Unknown));
        }
    }

    #[test]
    fn frames_of_arbitrary_strings_and_arguments_are_no_run(
        frames in prop::collection::vec((0..12_u8, prop::collection::vec(0..12_u8, 0..300)), 0..60),
    ) {
        let frame = |(place, arguments): &(u8, Vec<u8>)| {
            let head = [&[*place, 0][..], &[0; 8], arguments].concat();
            [&[0][..], &crate::line::fake::rzcobs(&head), &[0]].concat()
        };
        let bytes = frames.iter().flat_map(frame).collect::<Vec<_>>();
        for report in decode(&elf(), &bytes).expect("the image is one") {
            prop_assert!(report.verdict() >= Verdict::Fail, "{report:#?}");
        }
    }

    #[test]
    fn a_damaged_recording_is_never_better_than_the_whole_one(
        verdicts in [verdict(), verdict(), verdict()],
        is_emulated: bool,
        damages in prop::collection::vec(damage(), 1..8),
    ) {
        let core = if is_emulated { Core::Emulated } else { Core::Silicon };
        let clean = run_on(core, verdicts);
        let whole = only(&clean);
        for report in decode(&elf(), &damaged(clean, &damages)).expect("the image is one") {
            let known = report.timing == Timing::Unknown || report.timing == whole.timing;
            prop_assert!(known, "sent from {core:?}, told as {:?}", report.timing);
            prop_assert!(report.verdict() != Verdict::Pass || whole.verdict() == Verdict::Pass, "{report:#?}");
            for scenario in report.scenarios.iter().filter(|scenario| scenario.verdict == Verdict::Pass) {
                let there = whole.scenarios.iter().find(|there| there.name == scenario.name);
                prop_assert_eq!(there.map(|there| there.verdict), Some(Verdict::Pass), "{:#?}", scenario);
            }
        }
    }
}
