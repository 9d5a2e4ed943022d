//! The report in a terminal: who ran, what passed, how long it took.

use std::fmt::Write;

use comfy_table::{Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use harness::Verdict;
use harness::record::ResetCause;
use harness::report::{Latency, PeerKind, Report, Reset, ScenarioReport};
use harness::scenario::Kind;

use super::chart::time;
use super::times_table;
use crate::terminal::{Look, printable};

/// Width of the tables where no terminal has one: a pipe, a file, the log of a CI server.
const PIPED_WIDTH: u16 = 120;
/// In less there is no column for how long each scenario took.
const WIDTH_FOR_TIMES: u16 = 100;

/// The whole summary, ending with a newline, for standard output.
pub fn summary(report: &Report) -> String {
    let look = Look::of_stdout();
    let width = if look.terminal { Table::new().width() } else { None };
    summary_for(report, look, width.unwrap_or(PIPED_WIDTH))
}

fn summary_for(report: &Report, look: Look, width: u16) -> String {
    let mut out = folded(&printable(&header(report)), width);
    let _ = writeln!(out, "\n{}", verdicts(report, look, width));
    for scenario in report.scenarios.iter().filter(|scenario| !scenario.log.is_empty()) {
        let _ = writeln!(out, "\nLog of {}, before it ended:", printable(&scenario.name));
        for line in &scenario.log {
            let _ = writeln!(out, "  {}", printable(line));
        }
    }
    if let Some(table) = times_table::table(report, look, width) {
        let timing = report.timing.name();
        let _ = writeln!(
            out,
            "\nTimes in cycles of the Arm core, {timing}; quantiles are 0 to 3.2 % above the exact ones.\n{table}"
        );
    }
    for reset in &report.resets {
        let (when, why) = reset_words(reset);
        let _ = writeln!(out, "reset: {}, {why}", printable(&when));
    }
    for note in &report.notes {
        let _ = writeln!(out, "note: {}", printable(note));
    }
    let _ = writeln!(out, "\nverdict: {}", report.verdict());
    out
}

/// Lines that are too long are broken at the dots between their parts.
fn folded(text: &str, width: u16) -> String {
    const BETWEEN: &str = " · ";
    let mut out = String::new();
    for line in text.lines() {
        let mut length = 0;
        for part in line.split(BETWEEN) {
            let longer = length + BETWEEN.chars().count() + part.chars().count();
            let (between, so_far) = match length {
                0 => ("", part.chars().count()),
                _ if longer > usize::from(width) => ("\n  ", 2 + part.chars().count()),
                _ => (BETWEEN, longer),
            };
            out.push_str(between);
            out.push_str(part);
            length = so_far;
        }
        out.push('\n');
    }
    out
}

/// When the board was reset in mid-run, and why.
pub fn reset_words(reset: &Reset) -> (String, &'static str) {
    let when = match reset.scenario.as_str() {
        "" => "outside of a scenario".to_owned(),
        scenario => format!("after {scenario}"),
    };
    let why = match reset.cause {
        ResetCause::Watchdog => "the watchdog reset the board, which made no progress",
        ResetCause::Image => "the image reset the board, to go on with fresh firmware",
    };
    (when, why)
}

/// Image, board, clocks and peer in two lines.
fn header(report: &Report) -> String {
    let mut out = format!(
        "{} · {} ({}, revision {}) · timing {}\n",
        report.rung.name(),
        report.board.model,
        report.board.soc,
        report.board.revision,
        report.timing.name(),
    );
    let megahertz = |hz: u32| if hz == 0 { "unknown".to_owned() } else { format!("{} MHz", hz / 1_000_000) };
    if report.image.git.is_empty() {
        // Whether firmware is there is what such a run does not tell.
        out.push_str("image and peer unknown: the image sent no record of its start\n");
        return out;
    }
    let peer = &report.peer;
    let who = match peer.kind {
        PeerKind::Absent => "no VideoCore firmware".to_owned(),
        kind => format!("{} {} of {} ({})", kind.name(), peer.variant, peer.date, short(&peer.build_id)),
    };
    let clocks = &report.clocks;
    let _ = writeln!(
        out,
        "image {} ({}) · peer {who} · Arm {} · core {}",
        report.image.git,
        report.image.profile,
        megahertz(clocks.arm_hz),
        megahertz(clocks.core_hz),
    );
    if let Some(line) = firmware_line(report) {
        let _ = writeln!(out, "{line}");
    }
    if let Some(throttled) = report.throttled.as_ref().filter(|throttled| throttled.times_void) {
        let word = throttled.before.unwrap_or(0) | throttled.after.unwrap_or(0);
        let flags = throttled.flags.join(", ");
        let _ = writeln!(out, "THROTTLED ({word:#x}: {flags}): do not compare these times");
    }
    out
}

/// What the firmware says of itself, and who has how much memory; `None` if neither is known.
fn firmware_line(report: &Report) -> Option<String> {
    let says = report.firmware.as_ref().and_then(|firmware| version_line(&firmware.version_text));
    let says = says.map(|line| format!("firmware says: {line}"));
    let memory = report.memory.filter(|memory| memory.arm_bytes != 0 && memory.vc_bytes != 0);
    let memory = memory.map(|memory| {
        format!("memory Arm {} MiB, VideoCore {} MiB", memory.arm_bytes >> 20, memory.vc_bytes >> 20)
    });
    let parts: Vec<String> = says.into_iter().chain(memory).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// The last line of the answer to `version`, its hash shortened, cut where a terminal's line would end.
fn version_line(text: &str) -> Option<String> {
    const LONGEST: usize = 80;
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    let is_hash = |word: &str| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words: Vec<&str> =
        line.split_whitespace().map(|word| if is_hash(word) { short(word) } else { word }).collect();
    let line = words.join(" ");
    let cut: String = line.chars().take(LONGEST).collect();
    Some(if cut == line { line } else { format!("{cut} …") })
}

/// The first digits of a hash.
fn short(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}

/// A table of our style, without rows.
pub fn new_table(header: &[&str], look: Look) -> Table {
    let mut table = Table::new();
    if !look.terminal {
        table.force_no_tty();
    }
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.iter().copied());
    table
}

/// One row a scenario, with the steps that did not pass below it.
fn verdicts(report: &Report, look: Look, width: u16) -> Table {
    let with_times =
        width >= WIDTH_FOR_TIMES && report.scenarios.iter().any(|scenario| scenario.took_us.is_some());
    let mut header = vec!["scenario", "verdict", "owner", "what happened"];
    if with_times {
        header.insert(3, "took");
    }
    let mut table = new_table(&header, look);
    table.set_width(width);
    for scenario in &report.scenarios {
        let owner = scenario.owner.map(|owner| owner.name()).unwrap_or_default();
        let mut row = vec![
            Cell::new(printable(&scenario.name)),
            verdict_cell(scenario.verdict, look),
            Cell::new(owner),
        ];
        if with_times {
            row.push(Cell::new(scenario.took_us.map(time).unwrap_or_default()));
        }
        row.push(Cell::new(printable(&what_happened(scenario))));
        table.add_row(row);
    }
    // Only the last column has text that may be broken.
    for column in table.column_iter_mut().take(header.len() - 1) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

/// A verdict, in its colour where there are colours.
fn verdict_cell(verdict: Verdict, look: Look) -> Cell {
    let cell = Cell::new(verdict.to_string());
    if !look.colours {
        return cell;
    }
    cell.fg(match verdict {
        Verdict::Pass => Color::Green,
        Verdict::Absent | Verdict::Skip => Color::Yellow,
        Verdict::Fail | Verdict::Hung => Color::Red,
    })
}

/// Why it did not pass, or what it counted.
fn what_happened(scenario: &ScenarioReport) -> String {
    let mut lines: Vec<String> = scenario.reason.iter().cloned().collect();
    let counts: Vec<String> = scenario.counts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if !counts.is_empty() {
        lines.push(counts.join(", "));
    }
    let passed = scenario.steps.iter().filter(|step| step.verdict == Verdict::Pass).count();
    if !scenario.steps.is_empty() {
        lines.push(format!("{passed} of {} steps passed", scenario.steps.len()));
    }
    lines.extend(scenario.next.iter().map(|next| format!("look at: {next}")));
    lines.join("\n")
}

/// Timed steps in the order in which they happen.
pub fn in_order(scenario: &ScenarioReport) -> Vec<(&str, &Latency)> {
    let mut steps: Vec<_> = scenario.latency.iter().map(|(step, figures)| (step.as_str(), figures)).collect();
    steps.sort_by_key(|(step, _)| place_of(&scenario.name, step));
    steps
}

/// Where a timed step stands: steps in the order of their scenario, the whole before its parts, parts in the order
/// in which they happen. What is not known comes last, by name.
fn place_of(scenario: &str, step: &str) -> (usize, usize) {
    const PARTS: [&str; 5] = ["submit", "doorbell_to_irq", "parse", "lock", "unlock"];
    let (whole, part) = step.split_once('.').unwrap_or((step, ""));
    let kind = Kind::ALL.iter().find(|kind| kind.name() == scenario);
    let steps = kind.map_or(&[][..], |kind| kind.scenario().steps);
    let place = |list: &[&str], name: &str| list.iter().position(|known| *known == name);
    let whole_place = place(steps, whole).unwrap_or(steps.len());
    let part_place =
        if part.is_empty() { 0 } else { place(&PARTS, part).map_or(PARTS.len() + 1, |at| at + 1) };
    (whole_place, part_place)
}

/// `1234567` as `1 234 567`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use harness::Owner;
    use harness::report::{
        Board, Clocks, Firmware, Image, Memory, Peer, Rung, StepReport, Throttled, Timing,
    };

    use super::*;

    pub(crate) fn report() -> Report {
        let latency = Latency {
            unit: "cycles".to_owned(),
            n: 1000,
            min: 90_000,
            p50: 120_000,
            p90: 130_000,
            p99: 150_000,
            max: 1_234_567,
            histogram: vec![(90_000, 1000)],
        };
        let scenario = |name: &str, verdict, owner, reason: Option<&str>| ScenarioReport {
            name: name.to_owned(),
            verdict,
            owner,
            reason: reason.map(ToOwned::to_owned),
            next: reason.map(|_| "the cable".to_owned()),
            took_us: Some(1_234_567),
            log: Vec::new(),
            counts: [("imports".to_owned(), 1000)].into(),
            latency: [("import".to_owned(), latency.clone())].into(),
            samples: [].into(),
            sides: None,
            steps: vec![StepReport {
                name: "open".to_owned(),
                verdict,
                owner,
                reason: reason.map(ToOwned::to_owned),
                evidence: reason.map(|_| ("tx_pos".to_owned(), 0x1000)).into_iter().collect(),
            }],
        };
        Report {
            schema: 1,
            image: Image { git: "8805e9a".into(), sha256: String::new(), profile: "image".into() },
            board: Board {
                soc: "BCM2837".into(),
                model: "3B".into(),
                revision: "a02082".into(),
                dma_channels: None,
            },
            rung: Rung::Emulated,
            timing: Timing::Modelled,
            clocks: Clocks { arm_hz: 1_200_000_000, core_hz: 400_000_000, ..Clocks::default() },
            peer: Peer {
                kind: PeerKind::Firmware,
                revision: 1_661_522_596,
                build_id: "102f1e8400".into(),
                date: "2022-08-26".into(),
                variant: "start".into(),
            },
            firmware: Some(Firmware {
                version_text: format!(
                    "Aug 26 2022 14:04:36 \nversion {} (clean) (start)",
                    "102f1e8483".repeat(4)
                ),
                answers: Vec::new(),
            }),
            memory: Some(Memory { arm_bytes: 944 << 20, vc_bytes: 64 << 20, before: None, after: None }),
            throttled: Some(Throttled::default()),
            temperature: None,
            plan: None,
            started: "2026-11-23T17:00:00Z".into(),
            wall_s: 3,
            resets: Vec::new(),
            scenarios: vec![
                scenario("bring-up", Verdict::Pass, None, None),
                scenario(
                    "handshake",
                    Verdict::Fail,
                    Some(Owner::Firmware),
                    Some("released: none within 2 s"),
                ),
            ],
            notes: vec!["2 records lost".to_owned()],
            last_words: Vec::new(),
        }
    }

    fn plain(report: &Report) -> String {
        summary_for(report, Look::PLAIN, PIPED_WIDTH)
    }

    /// A reason as long as they come.
    fn with_a_long_reason() -> Report {
        let mut report = report();
        let words: Vec<String> =
            (10..24).map(|number| format!("peer.debug.msgid{number}=0x500001f")).collect();
        report.scenarios[1].name = "receiver-leaves-claimed".to_owned();
        report.scenarios[1].reason = Some(format!("released: none [{}]", words.join(", ")));
        report
    }

    #[test]
    fn no_row_is_wider_than_the_terminal_or_than_a_log_of_ci() {
        for width in [80, 100, 120, 160] {
            let text = summary_for(&with_a_long_reason(), Look::PLAIN, width);
            let rows = text.lines().filter(|line| line.starts_with(['┌', '│', '╞', '└']));
            let widest = rows.map(|row| row.chars().count()).max().unwrap_or(0);
            assert!(widest <= usize::from(width), "{widest} at {width}:\n{text}");
            assert!(text.contains("peer.debug.msgid23=0x500001f]"), "a word is broken at {width}:\n{text}");
            assert!(text.contains("│ receiver-leaves-claimed ┆"), "a name is broken at {width}:\n{text}");
        }
    }

    #[test]
    fn how_long_a_scenario_took_stands_where_there_is_room() {
        assert!(!summary_for(&report(), Look::PLAIN, 80).contains("1.2 s"));
        let text = summary_for(&report(), Look::PLAIN, 100);
        assert!(text.contains(" took ") && text.contains("1.2 s"), "{text}");
    }

    #[test]
    fn the_log_of_a_failure_stands_below_the_verdicts() {
        let mut report = report();
        report.scenarios[1].log = vec!["1.234567 vc assert".to_owned()];
        let text = plain(&report);
        assert!(text.contains("\nLog of handshake, before it ended:\n  1.234567 vc assert\n"), "{text}");
    }

    #[test]
    fn a_line_is_broken_between_its_parts_only() {
        assert_eq!(folded("one · two · three\nfour\n", 12), "one · two\n  three\nfour\n");
        assert_eq!(folded("one · two\n", 80), "one · two\n");
    }

    #[test]
    fn the_summary_names_both_sides_the_timing_and_the_owner_of_a_failure() {
        let text = plain(&report());
        for part in [
            "emulated · 3B (BCM2837, revision a02082) · timing modelled",
            "firmware start of 2022-08-26 (102f1e8400)",
            "Arm 1200 MHz",
            "firmware says: version 102f1e8483 (clean) (start) · memory Arm 944 MiB, VideoCore 64 MiB",
            "released: none within 2 s",
            "look at: the cable",
            "firmware",
            "cycles of the Arm core, modelled",
            "1 234 567",
            "100.0",
            "note: 2 records lost",
            "verdict: fail",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }

    #[test]
    fn verdicts_have_colours_only_where_the_look_has_them() {
        let look = |colours| Look { terminal: true, colours };
        let coloured = verdict_cell(Verdict::Fail, look(true));
        assert_ne!(coloured, Cell::new("fail"));
        assert_eq!(verdict_cell(Verdict::Fail, look(false)), Cell::new("fail"));
        assert!(!plain(&report()).contains('\u{1b}'));
    }

    #[test]
    fn a_reset_in_mid_run_is_told_with_its_scenario_and_cause() {
        let mut report = report();
        report.resets = vec![
            Reset { scenario: "handshake".to_owned(), cause: ResetCause::Image },
            Reset { scenario: String::new(), cause: ResetCause::Watchdog },
        ];
        let text = plain(&report);
        assert!(text.contains("reset: after handshake, the image reset the board"), "{text}");
        assert!(text.contains("reset: outside of a scenario, the watchdog reset the board"), "{text}");
    }

    #[test]
    fn a_run_without_a_record_does_not_claim_that_there_is_no_firmware() {
        let mut report = report();
        report.image.git.clear();
        report.peer.kind = PeerKind::Absent;
        let text = plain(&report);
        assert!(text.contains("image and peer unknown") && !text.contains("no VideoCore"), "{text}");
    }

    #[test]
    fn a_throttled_run_is_marked_above_its_figures() {
        let mut report = report();
        assert!(!plain(&report).contains("THROTTLED"));
        report.throttled = Some(Throttled {
            before: Some(0),
            after: Some(0x5_0005),
            flags: vec!["under-voltage".into(), "throttled".into()],
            times_void: true,
        });
        let text = plain(&report);
        let line = "\nTHROTTLED (0x50005: under-voltage, throttled): do not compare these times\n";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn whatever_the_firmware_calls_its_version_stays_in_one_line() {
        assert_eq!(version_line(""), None);
        assert_eq!(version_line("\n \n"), None);
        assert_eq!(version_line("one\n\n two  three \n").as_deref(), Some("two three"));
        let line = version_line(&"é".repeat(1000)).expect("a line");
        assert_eq!(line.chars().count(), 82);
    }

    #[test]
    fn no_text_of_a_report_commands_the_terminal() {
        let evil = "\x1b]0;title\x07";
        let mut report = report();
        report.image.git = evil.into();
        report.notes = vec![evil.into()];
        report.resets = vec![Reset { scenario: evil.into(), cause: ResetCause::Image }];
        let scenario = &mut report.scenarios[1];
        (scenario.name, scenario.reason) = (evil.into(), Some(evil.into()));
        let figures = report.scenarios[0].latency.values().chain(report.scenarios[1].latency.values()).next();
        let figures = figures.expect("times").clone();
        report.scenarios[1].latency.insert(evil.into(), figures);
        let text = plain(&report);
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'), "{text:?}");
        assert!(text.contains("note: \\x1b]0;title\\x07"), "{text}");
    }

    #[test]
    fn a_run_that_timed_nothing_has_no_table_of_times() {
        let mut report = report();
        report.scenarios.iter_mut().for_each(|scenario| scenario.latency.clear());
        assert!(!plain(&report).contains("p50"));
    }

    #[test]
    fn steps_stand_in_the_order_in_which_they_happen() {
        let mut steps =
            ["free", "import", "import.parse", "import.submit", "released", "use", "use.unlock", "use.lock"];
        steps.sort_by_key(|step| place_of("handshake", step));
        let order =
            ["import", "import.submit", "import.parse", "use", "use.lock", "use.unlock", "free", "released"];
        assert_eq!(steps, order);
        assert!(place_of("handshake", "import") < place_of("handshake", "news"));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            ["0", "999", "1 000", "12 345 678"],
            [0, 999, 1000, 12_345_678].map(grouped).each_ref().map(String::as_str)
        );
    }
}
