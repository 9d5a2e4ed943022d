//! What to check when the line does not say what it should.

use std::time::Duration;

use super::intake::Counts;
use crate::line::Course;
use crate::terminal::printable;

/// A board needs two seconds from power to the first byte, and takes no longer over a network.
pub const SILENCE_AT_FIRST: Duration = Duration::from_secs(10);
/// A scenario may be silent for long, but a person asks sooner.
pub const SILENCE_LATER: Duration = Duration::from_secs(60);
/// So many bytes without one sound line are no beginning of something.
const ENOUGH: u64 = 2048;

/// Nothing has come at all.
pub fn nothing_came(source: &str, baud: Option<u32>) -> String {
    let mut hint = format!(
        "nothing has come from {source} for {} s. Is the board powered? Is the card in it (its LED blinks while the \
         firmware reads)?",
        SILENCE_AT_FIRST.as_secs()
    );
    if let Some(baud) = baud {
        hint.push_str(&format!(
            " Wiring: the adapter's RX to pin 8 of the header (GPIO 14), its TX to pin 10, its ground to pin 6; 3.3 V \
             signals. Rate: the image sends at 921600 baud, this port is set to {baud}"
        ));
    }
    hint
}

/// Nothing has come for a while.
pub fn silent_since(silence: Duration, course: &Course) -> String {
    let step = if course.step.is_empty() { String::new() } else { format!(", {}", course.step) };
    let place = printable(&format!("{}{step}", course.scenario));
    format!("nothing has come for {} s; the last of it was {place}", silence.as_secs())
}

/// Bytes come, and nothing can be made of them.
pub fn nothing_is_sound(counts: Counts, baud: Option<u32>) -> Option<String> {
    if counts.sound > 0 || counts.bytes < ENOUGH {
        return None;
    }
    let rate = baud.map(|baud| format!(" Rate: the image sends at 921600 baud, this port is set to {baud}."));
    Some(format!(
        "{} bytes have come, and none is a line of text or a log frame.{} Another program's output? Another image's: \
         restart the board, and it tells which it is",
        counts.bytes,
        rate.unwrap_or_default()
    ))
}

/// A recording that is none of the image's line.
pub fn nothing_of_ours(source: &str, counts: Counts) -> String {
    let what = match counts {
        Counts { bytes: 0, .. } => "is empty".to_owned(),
        Counts { bytes, damaged: 0, .. } => {
            format!(
                "holds nothing of the harness: its {bytes} bytes have neither a record nor the line that tells the image's build"
            )
        }
        Counts { bytes, .. } => format!(
            "holds nothing of the harness that can be read: of its {bytes} bytes no record could be decoded, and the line \
             that tells the image's build is not among them. If it is a recording, name the image's ELF file with --elf"
        ),
    };
    format!("{source} {what}. `cargo xtask monitor` and `cargo xtask run --raw FILE` make recordings")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wiring_and_rate_are_named_for_a_port_and_not_for_a_network() {
        let hint = nothing_came("/dev/ttyUSB0", Some(115_200));
        for part in ["/dev/ttyUSB0", "powered", "pin 8", "pin 10", "card", "set to 115200"] {
            assert!(hint.contains(part), "{part}: {hint}");
        }
        assert!(!nothing_came("board:4000", None).contains("pin 8"));
    }

    #[test]
    fn no_name_from_the_line_commands_the_terminal() {
        let crafted = Course { scenario: "\x1b[2J".into(), step: "\x07".into(), ..Course::default() };
        let hint = silent_since(SILENCE_LATER, &crafted);
        assert!(hint.ends_with("was \\x1b[2J, \\x07"), "{hint}");
    }

    #[test]
    fn noise_alone_is_told_from_a_line_that_has_noise() {
        let counts = Counts { bytes: 4000, damaged: 40, ..Counts::default() };
        assert!(nothing_is_sound(counts, Some(115_200)).is_some_and(|hint| hint.contains("115200")));
        assert_eq!(nothing_is_sound(Counts { sound: 1, ..counts }, None), None);
        assert_eq!(nothing_is_sound(Counts { bytes: 10, ..counts }, None), None);
    }
}
