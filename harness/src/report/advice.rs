//! What to look at next, for each verdict that is not a pass.

use crate::verdict::{Owner, Verdict};

/// Advice on a scenario that did not pass. `reason` is what the report says of it.
pub(super) fn advice(
    scenario: &str,
    verdict: Verdict,
    owner: Option<Owner>,
    reason: &str,
) -> Option<&'static str> {
    if verdict == Verdict::Pass {
        return None;
    }
    let known = by_reason(reason).or_else(|| by_scenario(scenario, verdict));
    Some(known.unwrap_or_else(|| by_owner(verdict, owner)))
}

/// Words of a reason that say more than its owner does.
fn by_reason(reason: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(words, _)| reason.contains(words)).map(|(_, advice)| *advice)
}

/// What people, the PC and the line do to a run comes first: it says nothing of the firmware, whatever else is in the
/// reason. The first that is found counts. The tests hold keys to the words of the error they are for where it can be made
/// here (`reasons`, `of_the_collector`) or where a run ends (`monitor`); the others are held to a copy of it (`CAUSES`), or to nothing.
const KNOWN: [(&str, &str); 32] = [
    ("stopped by hand", STOPPED),
    (
        "listening was ended",
        "if the board was still sending, listen to its last line; if it had fallen silent, it hung there: the last words",
    ),
    (" s was reached", "listening had no more time: --limit-s of `monitor` gives more"),
    (
        "was started anew, by its power or by hand",
        "the board lost its power, or was reset from outside: the run after it has a report of its own",
    ),
    (
        "starts anew at the same place",
        "what runs at that place is in the last words; a weak power supply looks like this, too",
    ),
    (
        "the recording ends here",
        "the recording ends before the run does: record up to the last line, `harness: end, verdict …`",
    ),
    (
        "no byte came",
        "power, the card in its slot, pins 8 and 10 (not exchanged, with ground), and the rate (--baud)",
    ),
    ("of wall time was reached", "the PC had no more time for it: --timeout gives more"),
    (
        "records were lost",
        "the notes count what the line lost: cable, ground and rate; what is lost is not sent again, so run it again",
    ),
    ("lost or damaged on their way", LOST),
    ("are incomplete", LOST),
    ("last record was lost", LOST),
    ("no record that arrived says why", LOST),
    ("harness.limit_s", "the run had no more time: --limit-s gives more (harness.limit_s in cmdline.txt)"),
    ("not reached", "the run ended before it: the last scenario that has begun tells how"),
    ("needs real firmware", "run it without --peer model"),
    ("needs the model", "run it with `cargo xtask run --peer model`"),
    ("run it alone", "give it a run of its own, by --scenario with its name alone"),
    (
        "left services open",
        "the scenario that the reason names spoils those after it: run this one alone, or before it",
    ),
    (
        "buffers are out",
        "the step before has left buffers with the firmware: its reason, and the messages that it still owes",
    ),
    (
        "does not measure clocks",
        "nothing is wrong: the firmware, or the model, does not know the tag, so the rate that the times count in is \
         the one that it was asked for",
    ),
    (
        "set gpu_mem=32",
        "this is the cut-down firmware: set gpu_mem=32 or more in config.txt and use start.elf, not start_cd.elf",
    ),
    ("QEMU", "QEMU has no VideoCore: run the same card with `cargo xtask run`, or on a board"),
    (
        "repeats the one at",
        "the two places tell whether the slot was read twice (same place) or the firmware sent twice (another place and \
         sequence); a distance of 128 is the signature of picamera2#1090",
    ),
    (
        "no free transmit slot",
        "the firmware has all our slots: slots_lent and recycle in the evidence, and in its log (--log) whether a \
         thread is stuck or it has halted",
    ),
    ("slot quota", "the firmware keeps our slots: slots_lent in the evidence, and who reads that service"),
    (
        "link paused by the peer",
        "the firmware paused the link and did not resume it; nothing can be sent until it does",
    ),
    (
        "link paused by this side",
        "this side paused the link and has not resumed it: the step before, and whether it ended as it should",
    ),
    (
        "no doorbell interrupt",
        "the interrupt's way: doorbell 0 in the Arm control block, the local controller, the vectors",
    ),
    (
        "instead, for nobody",
        "something else came: stray.msgid in the evidence is its type and ports, stray.place its place in the slots",
    ),
    (
        "for nobody",
        "the raw words and the place are in the reason: its type, ports and slot say which side lost track",
    ),
    (
        "to nobody",
        "a reply to a request that is not under way: its transaction is in the reason, and whether it was ever sent tells \
         a late reply from a wrong one",
    ),
];

const STOPPED: &str = "nothing is known of it: run it again, or alone (--scenario with its name)";
const LOST: &str = "the line lost or damaged bytes, or the image was ended while it sent: cable, ground and rate; what is \
                    lost is not sent again, so run it again";

fn by_scenario(scenario: &str, verdict: Verdict) -> Option<&'static str> {
    match (scenario, verdict) {
        ("plan", _) => Some("cmdline.txt on the card: the byte position is counted from its start"),
        ("boot", _) => Some(
            "the image said nothing: the serial line, kernel8.img on the card, and the firmware's log (--log)",
        ),
        ("setup", _) => Some("the memory map: docs/memory-map.md"),
        ("free-while-locked", Verdict::Fail) => {
            Some("docs/findings.md, the life of a lent buffer: known of firmware of 2022")
        }
        ("shared-payload", Verdict::Fail) => Some(
            "docs/findings.md, MMAL: passthrough and splitter drop a reference too many in firmware of 2022",
        ),
        _ => None,
    }
}

fn by_owner(verdict: Verdict, owner: Option<Owner>) -> &'static str {
    match (verdict, owner) {
        (Verdict::Skip, _) => "the reason tells what it lacks; nothing was found wrong",
        (Verdict::Hung, Some(Owner::Firmware) | None) => {
            "the firmware's log (--log) tells whether it asserted or halted; run start_db, which asserts more; compare tx_pos \
             with rx_pos of the other side: equal means that everything sent was read"
        }
        (Verdict::Hung, Some(Owner::Harness)) => {
            "this side stood still, not VideoCore: the step tells where, the evidence what both sides had in the slots"
        }
        (_, Some(Owner::Firmware)) => {
            "docs/findings.md tells what is known of this release; run the scenario on another release (--firmware) and on \
             start_db (--variant)"
        }
        (_, Some(Owner::Link)) => {
            "memory attributes and barriers on this side (docs/memory-map.md), doorbells, and on a board the cable between"
        }
        (_, Some(Owner::Harness)) => {
            "our own code or configuration: the reason names the limit or the mistake"
        }
        (Verdict::Absent, None) => {
            "the firmware does not offer the service: another variant or release may (--variant, --firmware)"
        }
        (_, None) => "the step and both sides' positions in the report",
    }
}

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use vchiq_mbox::{
        Error,
        error::{Exhausted, Misuse, Step},
        link::Stray,
    };

    use super::*;
    use crate::failure::Failure;

    #[test]
    fn a_pass_needs_no_advice_and_everything_else_has_some() {
        assert_eq!(advice("echo", Verdict::Pass, None, ""), None);
        for verdict in [Verdict::Skip, Verdict::Absent, Verdict::Fail, Verdict::Hung] {
            for owner in [None, Some(Owner::Harness), Some(Owner::Firmware), Some(Owner::Link)] {
                assert!(advice("echo", verdict, owner, "").is_some_and(|advice| advice.len() > 20));
            }
        }
    }

    /// Each cause that is none of the firmware's, as it is worded, and what the advice must and must not speak of.
    const CAUSES: [(&str, Verdict, &str, &str, &str); 16] = [
        ("echo", Verdict::Skip, "in ping: the run was stopped by hand", "again", "where it can be run"),
        ("echo", Verdict::Skip, "not reached: the run was stopped by hand", "again", "limit"),
        ("echo", Verdict::Skip, "not reached", "the run ended before it", "where it can be run"),
        ("echo", Verdict::Skip, "not reached, or its records were lost", "cable", "the run ended before it"),
        (
            "echo",
            Verdict::Skip,
            "needs real firmware: the model does not do all of this",
            "--peer model",
            "reason",
        ),
        (
            "echo",
            Verdict::Skip,
            "handshake left services open that cannot be closed safely",
            "alone",
            "can be run",
        ),
        (
            "echo",
            Verdict::Skip,
            "2 buffers are out: CLOSE would halt the firmware",
            "step before",
            "can be run",
        ),
        (
            "version-one",
            Verdict::Skip,
            "a client has told its version already: run it alone",
            "--scenario",
            "can be run",
        ),
        (
            "echo",
            Verdict::Hung,
            "ping: no further record from the image; listening was ended",
            "silent",
            "start_db",
        ),
        (
            "echo",
            Verdict::Hung,
            "ping: no further record from the image; the board was started anew, by its power or by hand",
            "lost its power",
            "start_db",
        ),
        (
            "end",
            Verdict::Hung,
            "no further record from the image; the recording ends here",
            "record up to",
            "start_db",
        ),
        (
            "boot",
            Verdict::Hung,
            "no record from the image; no byte came within 15 s",
            "--baud",
            "kernel8.img",
        ),
        ("echo", Verdict::Fail, "samples of ping are incomplete: part 2 is missing", "cable", "our own code"),
        ("echo", Verdict::Fail, "2 records lost or damaged on their way", "cable", "our own code"),
        (
            "end",
            Verdict::Fail,
            "the run's limit of 5 s (harness.limit_s) is over",
            "--limit-s",
            "our own code",
        ),
        (
            "free-while-locked",
            Verdict::Absent,
            "the firmware has no SMEM service: OPEN refused",
            "--variant",
            "2022",
        ),
    ];

    #[test]
    fn the_advice_fits_the_cause() {
        for (scenario, verdict, reason, fits, misleads) in CAUSES {
            for owner in
                [None, Some(Owner::Harness)].into_iter().filter(|_| verdict != Verdict::Absent).chain([None])
            {
                let advice = advice(scenario, verdict, owner, reason).expect("advice");
                assert!(advice.contains(fits) && !advice.contains(misleads), "{reason}: {advice}");
            }
        }
    }

    #[test]
    fn what_the_reason_says_goes_before_whose_fault_it_is() {
        let of = |reason| advice("echo", Verdict::Absent, None, reason).expect("advice");
        assert!(
            of("cut-down firmware (start_cd) has no echo service: set gpu_mem=32 or more")
                .contains("config.txt")
        );
        assert_ne!(of("OPEN refused"), of("QEMU: there is no VideoCore"));
    }

    /// Each key with a reason that it is for, as the error or the scenario words it, cut to a record's room.
    fn reasons() -> Vec<(&'static str, Failure)> {
        let slot = vchiq_mbox::slot::Layout::new(65).expect("a layout").master.data.first();
        let stray = Stray { msgid: 0x0504_b009, size: 8, slot, offset: 0x18, words: [3, 0xabc] };
        let silent = Error::Timeout { step: Step::Receive };
        let place = vcsm::Place { slot: 127, offset: 4088, sequence: 5_500_033 };
        let place_of_mmal = mmal::Place { slot: 127, offset: 4088, sequence: 5_500_033 };
        let smem = |violation: vcsm::Violation| Failure::from(vcsm::Error::from(violation));
        let media = |violation: mmal::Violation| Failure::from(mmal::Error::from(violation));
        vec![
            ("no free transmit slot", Exhausted::NoFreeSlot { tx_pos: 4096 }.into()),
            ("slot quota", Exhausted::SlotQuota { port: 0, in_use: 15 }.into()),
            ("link paused by the peer", Exhausted::Paused.into()),
            ("link paused by this side", Misuse::Paused.into()),
            ("instead, for nobody", Failure::from(silent).instead(&stray)),
            (
                "repeats the one at",
                smem(vcsm::Violation::DuplicateReply { words: [u32::MAX; 2], first: place, again: place }),
            ),
            (
                "repeats the one at",
                media(mmal::Violation::DuplicateReply {
                    words: [0x6c61_6d6d, 14, 0xc002_b7b0, 1, 0, 0],
                    first: place_of_mmal,
                    again: place_of_mmal,
                }),
            ),
            ("for nobody", smem(vcsm::Violation::ReleasedUnknown { words: [u32::MAX; 5], place })),
            ("for nobody", crate::scenario::judge_stray(stray).expect("a failure")),
            ("buffers are out", vcsm::Error::from(vcsm::Misuse::BuffersOut { count: 2 }).into()),
            ("to nobody", smem(vcsm::Violation::ReplyToNobody { words: [u32::MAX; 2], place })),
            (
                "to nobody",
                media(mmal::Violation::ReplyToNobody {
                    words: [0x6c61_6d6d, 14, 0xc002_b7b0, 1, 0, 0],
                    place: place_of_mmal,
                }),
            ),
        ]
    }

    #[test]
    fn each_key_is_found_in_the_words_of_the_error_that_it_is_for() {
        for (key, failure) in reasons() {
            let known = KNOWN.iter().find(|(words, _)| *words == key).expect("a key");
            assert_eq!(by_reason(&failure.reason), Some(known.1), "{key}: {}", failure.reason);
        }
    }
    /// Each key with a scenario of a report that is about it, as the collector words it.
    fn of_the_collector() -> Vec<(&'static str, crate::report::ScenarioReport)> {
        use crate::record::{Frame, Record, Start, clipped};
        use crate::report::{Collector, Finish, Rung, Setup, Timing};

        let start = Start {
            git: clipped("0123456789ab"),
            profile: clipped("image"),
            iterations: 1,
            seed: 1,
            defaults: false,
            wishes: Default::default(),
        };
        let end = |verdict| Record::End { verdict, records: 0 };
        let echo = || Record::ScenarioStart { name: clipped("echo") };
        let first = [Record::Start(start), Record::Planned { name: clipped("ids") }];
        // The records behind the first two with their numbers, how the run ends, the scenario, the key.
        let ends = |last_line, by_hand| Finish { last_line, by_hand, ..Finish::default() };
        let cases = [
            (vec![(2, echo())], ends(None, true), "echo", "stopped by hand"),
            (vec![(2, echo())], ends(None, true), "ids", "stopped by hand"),
            (vec![(2, end(Verdict::Skip))], ends(None, false), "ids", "not reached"),
            (vec![(3, end(Verdict::Skip))], ends(None, false), "ids", "records were lost"),
            (
                vec![(2, echo()), (4, end(Verdict::Pass))],
                ends(None, false),
                "echo",
                "lost or damaged on their way",
            ),
            (Vec::new(), ends(Some(Verdict::Pass), false), "end", "last record was lost"),
            (vec![(2, end(Verdict::Fail))], ends(None, false), "end", "no record that arrived says why"),
        ];
        let report_of = |records: Vec<(u16, Record)>, finish| {
            let mut collector = Collector::new(Setup {
                rung: Rung::Board,
                timing: Timing::Measured,
                image_sha256: Default::default(),
                started: 0,
                model_peer: false,
            });
            let numbered = (0..).zip(first.clone()).chain(records);
            numbered.for_each(|(sequence, record)| collector.frame(Frame { sequence, record }, None));
            collector.finish(finish)
        };
        let scenarios = cases.into_iter().map(|(records, finish, name, key)| {
            let scenarios = report_of(records, finish).scenarios;
            (key, scenarios.into_iter().find(|scenario| scenario.name == name).expect("a scenario"))
        });
        scenarios.collect()
    }

    #[test]
    fn each_key_about_the_line_is_found_in_the_words_of_the_collector() {
        for (key, scenario) in of_the_collector() {
            let known = KNOWN.iter().find(|(words, _)| *words == key).expect("a key");
            assert_eq!(scenario.next.as_deref(), Some(known.1), "{key}: {:?}", scenario.reason);
        }
    }
}
