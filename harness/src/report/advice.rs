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
    Some(by_reason(reason).or_else(|| by_scenario(scenario)).unwrap_or_else(|| by_owner(verdict, owner)))
}

/// Words of a reason that say more than its owner does.
fn by_reason(reason: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 9] = [
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
            "peer.rx has stopped: see in the firmware's log (--log) whether a thread is stuck or it has halted",
        ),
        (
            "slot quota",
            "the firmware keeps our slots: slots_lent in the evidence, and who reads that service",
        ),
        (
            "link paused",
            "the firmware paused the link and did not resume it; nothing can be sent until it does",
        ),
        (
            "no doorbell interrupt",
            "the interrupt's way: doorbell 0 in the Arm control block, the local controller, the vectors",
        ),
        (
            "a message for nobody",
            "the raw words are in the evidence: its type, ports and slot say which side lost track",
        ),
        (
            "not reached",
            "the run ended before it: look at the last scenario that has a verdict, and at harness.limit_s",
        ),
    ];
    KNOWN.iter().find(|(words, _)| reason.contains(words)).map(|(_, advice)| *advice)
}

fn by_scenario(scenario: &str) -> Option<&'static str> {
    match scenario {
        "plan" => Some("cmdline.txt on the card: the byte position is counted from its start"),
        "boot" => Some(
            "the image said nothing: the serial line, kernel8.img on the card, and the firmware's log (--log)",
        ),
        "setup" => Some("the memory map: docs/memory-map.md"),
        "free-while-locked" => Some("docs/findings.md, the life of a lent buffer: known of firmware of 2022"),
        "shared-payload" => Some(
            "docs/findings.md, MMAL: passthrough and splitter drop a reference too many in firmware of 2022",
        ),
        _ => None,
    }
}

fn by_owner(verdict: Verdict, owner: Option<Owner>) -> &'static str {
    match (verdict, owner) {
        (Verdict::Hung, Some(Owner::Firmware) | None) => {
            "the firmware's log (--log) tells whether it asserted or halted; run start_db, which asserts more; compare tx_pos \
             with rx_pos of the other side: equal means that everything sent was read"
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
        (Verdict::Skip, None) => "the reason tells where it can be run",
        (_, None) => "the step and both sides' positions in the report",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_needs_no_advice_and_everything_else_has_some() {
        assert_eq!(advice("echo", Verdict::Pass, None, ""), None);
        for verdict in [Verdict::Skip, Verdict::Absent, Verdict::Fail, Verdict::Hung] {
            for owner in [None, Some(Owner::Harness), Some(Owner::Firmware), Some(Owner::Link)] {
                assert!(advice("echo", verdict, owner, "").is_some_and(|advice| advice.len() > 20));
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
}
