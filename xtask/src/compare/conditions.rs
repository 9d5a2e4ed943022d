//! How two reports were made, held against each other: what voids their figures, and what a reader should only know.

use std::collections::BTreeMap;

use harness::record::When;
use harness::report::{Asked, PeerKind, Report};

use super::caveats::Caveats;

/// Clocks of two runs may differ by this part of them: more is another setting, or throttling.
const CLOCK_TOLERANCE: f64 = 0.005;
/// Entries of `config.txt` that are named if they differ.
const NAMED_SETTINGS: usize = 5;
/// What the firmware is asked for its settings.
const SETTINGS: &str = "get_config int";

/// Everything in which A and B differ beside what they came to.
pub fn differences(a: &Report, b: &Report, caveats: &mut Caveats) {
    of_board(a, b, caveats);
    match (&a.plan, &b.plan) {
        (Some(a), Some(b)) => plans(a, b, caveats),
        _ => caveats.note(
            "a report does not tell its iterations and seed: that they are equal is taken on trust"
                .to_owned(),
        ),
    }
    images(a, b, caveats);
}

/// In what the board, its clocks and its firmware differ: what may change between two runs of one card, too.
pub fn of_board(a: &Report, b: &Report, caveats: &mut Caveats) {
    board_and_clocks(a, b, caveats);
    firmware(a, b, caveats);
}

fn board_and_clocks(a: &Report, b: &Report, caveats: &mut Caveats) {
    if a.rung != b.rung {
        caveats.void(format!("rungs differ: {} and {}", a.rung.name(), b.rung.name()));
    }
    if (&a.board.soc, &a.board.model) != (&b.board.soc, &b.board.model) {
        caveats.void(format!("boards differ: {} and {}", a.board.model, b.board.model));
    } else if a.board.revision != b.board.revision {
        caveats.note(format!("board revisions differ: {} and {}", a.board.revision, b.board.revision));
    }
    for (clock, a_hz, b_hz) in
        [("Arm", a.clocks.arm_hz, b.clocks.arm_hz), ("core", a.clocks.core_hz, b.clocks.core_hz)]
    {
        if clock_differs(a_hz, b_hz) {
            caveats.void(format!("{clock} clocks differ: {a_hz} and {b_hz} Hz"));
        }
    }
    for (clock, setting) in
        a.clocks.settings.iter().filter(|(clock, _)| !matches!(clock.as_str(), "arm" | "core"))
    {
        let other = b.clocks.settings.get(clock).and_then(|setting| setting.set_hz);
        if let (Some(a_hz), Some(b_hz)) = (setting.set_hz, other)
            && clock_differs(a_hz, b_hz)
        {
            caveats.note(format!("the clock {clock} is set to {a_hz} and {b_hz} Hz"));
        }
    }
}

/// What the runs were asked for. Other work voids the figures; what only shifts how processors meet does not.
fn plans(a: &Asked, b: &Asked, caveats: &mut Caveats) {
    if a.iterations != b.iterations {
        caveats.void(format!("iterations differ: {} and {}", a.iterations, b.iterations));
    }
    if let (Some(a), Some(b)) = (&a.sizes, &b.sizes)
        && a != b
    {
        let words = |sizes: &[u32]| {
            let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
            if sizes.is_empty() { "the scenarios' own".to_owned() } else { sizes.join(",") }
        };
        caveats.void(format!("sizes of blocks differ: {} and {}", words(a), words(b)));
    }
    if let (Some(a), Some(b)) = (a.delay_us, b.delay_us)
        && a != b
    {
        caveats.void(format!("delays before the first OPEN differ: {a} and {b} µs"));
    }
    if let (Some(a), Some(b)) = (a.samples, b.samples)
        && a != b
    {
        caveats.note(format!(
            "raw samples kept of each step differ (--samples): {a} and {b}; sending them shifts how both processors \
             meet as much as another seed does"
        ));
    }
    for (what, a, b) in [
        ("first transactions", a.first_transaction, b.first_transaction),
        ("deadlines of waits in ms", a.timeout_ms, b.timeout_ms),
    ] {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            caveats.note(format!("{what} differ: {a} and {b}"));
        }
    }
    if a.samples.is_some() != b.samples.is_some() {
        caveats.note(
            "one report does not tell sizes, delay and raw samples: that they are equal is taken on trust"
                .to_owned(),
        );
    }
}

fn firmware(a: &Report, b: &Report, caveats: &mut Caveats) {
    let kinds = [a.peer.kind, b.peer.kind];
    if a.peer.kind != b.peer.kind && !kinds.contains(&PeerKind::Absent) {
        caveats.note(format!("peers differ: {} and {}", a.peer.kind.name(), b.peer.kind.name()));
    }
    if a.peer.variant != b.peer.variant {
        caveats.note(format!("variants of the firmware differ: {} and {}", a.peer.variant, b.peer.variant));
    }
    if let (Some(a), Some(b)) = (a.memory, b.memory)
        && (a.arm_bytes, a.vc_bytes) != (b.arm_bytes, b.vc_bytes)
    {
        caveats.note(format!(
            "the split of memory differs: VideoCore has {} and {} MiB (gpu_mem)",
            a.vc_bytes >> 20,
            b.vc_bytes >> 20
        ));
    }
    let (a, b) = (settings(a), settings(b));
    let differ = a.iter().filter_map(|(key, a)| Some((key, a, b.get(key)?))).filter(|(_, a, b)| a != b);
    let mut differ: Vec<String> = differ.map(|(key, a, b)| format!("{key} {a} and {b}")).collect();
    if differ.len() > NAMED_SETTINGS {
        let more = differ.len() - NAMED_SETTINGS;
        differ.truncate(NAMED_SETTINGS);
        differ.push(format!("and {more} more"));
    }
    if !differ.is_empty() {
        caveats.note(format!("the firmware's settings differ ({SETTINGS}): {}", differ.join(", ")));
    }
}

/// What `config.txt` and the firmware's defaults came to. Entries that one release alone has are its own affair.
fn settings(report: &Report) -> BTreeMap<&str, &str> {
    let answers = report.firmware.iter().flat_map(|firmware| &firmware.answers);
    let answers = answers.filter(|answer| answer.command == SETTINGS && answer.when == When::Before);
    answers.flat_map(|answer| answer.text.lines()).filter_map(|line| line.trim().split_once('=')).collect()
}

fn images(a: &Report, b: &Report, caveats: &mut Caveats) {
    let (a, b) = (&a.image, &b.image);
    let differ = if a.git != b.git {
        format!("{} and {}", a.git, b.git)
    } else if a.profile != b.profile {
        format!("{}, profiles {} and {}", a.git, a.profile, b.profile)
    } else if a.sha256 != b.sha256 && ![a, b].iter().any(|image| image.sha256.is_empty()) {
        format!("both of {}, built from changed sources or by another compiler", a.git)
    } else {
        return;
    };
    caveats.note(format!("images differ ({differ}): what changed may be the image's doing"));
}

/// A report whose clock is 0 does not know it.
pub fn clock_differs(a_hz: u32, b_hz: u32) -> bool {
    let difference = (f64::from(a_hz) - f64::from(b_hz)).abs();
    a_hz != 0 && b_hz != 0 && difference > CLOCK_TOLERANCE * f64::from(a_hz)
}
