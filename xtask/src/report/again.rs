//! How to run one scenario of a report again.

use harness::Plan;
use harness::report::{Asked, PeerKind, Report, Rung, ScenarioReport};
use harness::scenario::Kind;

/// The command; `None` for what is no scenario of the catalogue, and for other rungs. What it needs beside is [`with`].
pub fn command(report: &Report, scenario: &ScenarioReport) -> Option<String> {
    Kind::ALL.iter().find(|kind| kind.name() == scenario.name)?;
    let verb = match (report.rung, report.peer.kind) {
        (Rung::Emulated, PeerKind::Model) => "run --log --peer model",
        (Rung::Emulated, PeerKind::Firmware) => "run --log",
        (Rung::Board, PeerKind::Firmware) => "sdcard",
        _ => return None,
    };
    let mut out = format!("cargo xtask {verb} --scenario {}", scenario.name);
    if let Some(plan) = &report.plan {
        out.push_str(&wishes(plan));
    }
    if report.rung == Rung::Emulated && report.board.model == "Zero 2 W" {
        out.push_str(" --board zero2w");
    }
    let variant = &report.peer.variant;
    if report.peer.kind == PeerKind::Firmware
        && ["start_db", "start_x", "start_cd"].contains(&variant.as_str())
    {
        out.push_str(&format!(" --variant {variant}"));
    }
    Some(out)
}

/// What the report cannot put into the command: by which name the PC has that firmware, and what was done to the model.
pub fn with(report: &Report) -> Option<String> {
    let peer = &report.peer;
    match peer.kind {
        PeerKind::Firmware => Some(format!(
            "with the firmware of {} (build id {}), by --firmware if it is not the usual one",
            peer.date, peer.build_id
        )),
        PeerKind::Model => Some("with the model's fault, by --fault, if it had one".to_owned()),
        PeerKind::Absent => None,
    }
}

/// What was asked for, as options. Raw samples are left out: they are not why it failed.
fn wishes(plan: &Asked) -> String {
    let mut out = format!(" --iterations {} --seed {}", plan.iterations, plan.seed);
    let usual = Plan::default();
    let numbers = [
        ("deadline-ms", plan.timeout_ms, usual.timeout_ms),
        ("first-transaction", plan.first_transaction, usual.first_transaction),
        ("delay-us", plan.delay_us, usual.delay_us),
    ];
    for (name, value, usual) in numbers {
        if let Some(value) = value.filter(|value| *value != usual) {
            out.push_str(&format!(" --{name} {value}"));
        }
    }
    if let Some(sizes) = plan.sizes.as_ref().filter(|sizes| !sizes.is_empty()) {
        let sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
        out.push_str(&format!(" --sizes {}", sizes.join(",")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn the_command_has_what_the_run_was_asked_for() {
        let mut report = example();
        let mut plan = Asked {
            iterations: 20,
            seed: 7,
            timeout_ms: Some(Plan::default().timeout_ms),
            sizes: Some(Vec::new()),
            first_transaction: Some(1),
            delay_us: None,
            samples: Some(100),
        };
        report.plan = Some(plan.clone());
        let of = |report: &Report| command(report, &report.scenarios[1]);
        let shown = of(&report).expect("a command");
        assert_eq!(shown, "cargo xtask run --log --scenario handshake --iterations 20 --seed 7");
        (plan.timeout_ms, plan.sizes, plan.delay_us) = (Some(50), Some(vec![4096, 64]), Some(9));
        report.plan = Some(plan);
        let shown = of(&report).expect("a command");
        assert!(shown.ends_with(" --seed 7 --deadline-ms 50 --delay-us 9 --sizes 4096,64"), "{shown}");
        report.peer.variant = "start_db".into();
        assert!(of(&report).is_some_and(|shown| shown.ends_with(" --variant start_db")));
        report.peer.variant = "start_cd".into();
        assert!(of(&report).is_some_and(|shown| shown.ends_with(" --variant start_cd")));
        report.rung = Rung::Board;
        assert!(of(&report).is_some_and(|shown| shown.starts_with("cargo xtask sdcard ")));
        report.scenarios[1].name = "end".into();
        assert_eq!(of(&report), None);
    }
    /// Each word of a command means something to the program.
    #[test]
    fn a_run_of_the_model_has_a_command_that_is_taken() {
        let mut report = example();
        report.peer.kind = PeerKind::Model;
        let shown = command(&report, &report.scenarios[1]).expect("a command");
        assert!(shown.starts_with("cargo xtask run --log --peer model --scenario handshake"), "{shown}");
    }
}
