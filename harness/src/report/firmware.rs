//! The part of the report that the firmware tells about itself and the board, before the scenarios and after them.

use serde::{Deserialize, Serialize};
use vchiq_mbox::gencmd::value_of;

use crate::record::When;

/// The firmware in its own words.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Firmware {
    /// All of the answer to `version`; empty if there is none.
    pub version_text: String,
    /// All answers, in the order asked.
    pub answers: Vec<Answer>,
}

/// An answer to a command.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// `get_mem reloc`.
    pub command: String,
    /// Asked before or after the scenarios.
    pub when: When,
    /// Error code: 0 if the command was carried out.
    pub code: i32,
    /// The text; bytes that are no text, and control characters but the line feed, as `\x1b`, a backslash doubled.
    pub text: String,
    /// There was more, or may have been.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Who has how much memory, and how VideoCore's was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    /// The Arm's share of the low SDRAM by property tag; 0 if not said.
    pub arm_bytes: u32,
    /// VideoCore's share; 0 if not said.
    pub vc_bytes: u32,
    /// Before the scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Heaps>,
    /// After them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Heaps>,
}

/// VideoCore's heaps. The firmware gives whole MiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Heaps {
    /// Free in the relocatable heap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reloc_free_mib: Option<u32>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reloc_total_mib: Option<u32>,
    /// Free in the heap of `malloc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub malloc_free_mib: Option<u32>,
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub malloc_total_mib: Option<u32>,
    /// Blocks of the relocatable heap that were refused since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alloc_failures: Option<u32>,
    /// How often it was compacted since boot: blocks have moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compactions: Option<u32>,
    /// `legacy block fails` since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy_block_fails: Option<u32>,
    /// How often memory ran out since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oom_events: Option<u32>,
}

impl Heaps {
    /// What the answers tell; `None` if they tell nothing.
    pub(super) fn of(answers: &[Answer], when: When) -> Option<Self> {
        let free = |name| mebibytes(answers, when, name);
        let statistic = |label| labelled(text(answers, when, "mem_reloc_stats")?, label);
        let heaps = Self {
            reloc_free_mib: free("reloc"),
            reloc_total_mib: free("reloc_total"),
            malloc_free_mib: free("malloc"),
            malloc_total_mib: free("malloc_total"),
            alloc_failures: statistic("alloc failures"),
            compactions: statistic("compactions"),
            legacy_block_fails: statistic("legacy block fails"),
            oom_events: text(answers, when, "mem_oom").and_then(|text| labelled(text, "oom events")),
        };
        (heaps != Self::default()).then_some(heaps)
    }
}

impl Memory {
    /// What moved between the two, in words: one line each. The heap of `malloc` is left out: starting VCHIQ and its
    /// services takes some of it for good.
    pub(super) fn changes(&self) -> Vec<String> {
        let (Some(before), Some(after)) = (self.before, self.after) else { return Vec::new() };
        let rows = [
            ("MiB free in VideoCore's relocatable heap", before.reloc_free_mib, after.reloc_free_mib),
            ("allocations refused by VideoCore", before.alloc_failures, after.alloc_failures),
            ("compactions of VideoCore's heap", before.compactions, after.compactions),
            ("legacy blocks refused by VideoCore", before.legacy_block_fails, after.legacy_block_fails),
            ("times that VideoCore was out of memory", before.oom_events, after.oom_events),
        ];
        let moved = rows.into_iter().filter_map(|(what, before, after)| {
            let (before, after) = (before?, after?);
            (before != after).then(|| format!("{what}: {before} before the scenarios, {after} after them"))
        });
        moved.collect()
    }
}

/// Temperature of the SoC in thousandths of a degree Celsius.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Temperature {
    /// Before the scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_millidegrees: Option<u32>,
    /// After them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_millidegrees: Option<u32>,
    /// Above it the SoC is slowed down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_millidegrees: Option<u32>,
}

/// What the firmware says of throttling.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Throttled {
    /// The word before the scenarios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u32>,
    /// After them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u32>,
    /// Names of the bits set in either.
    pub flags: Vec<String>,
    /// Times of this run must not be compared. That is so for any bit: one that was set before the run hides what
    /// happened in it.
    pub times_void: bool,
}

/// Bits by name (gencmd fact sheet 1); 16 higher, the same since boot.
const FLAGS: [&str; 4] = ["under-voltage", "frequency-capped", "throttled", "soft-temperature-limit"];

impl Throttled {
    /// `None` if the firmware said neither.
    pub(super) fn of(before: Option<u32>, after: Option<u32>) -> Option<Self> {
        let word = before.or(after)? | after.unwrap_or(0);
        let name = |bit: u32| match (FLAGS.get(bit as usize % 16), bit / 16) {
            (Some(name), 0) => (*name).to_owned(),
            (Some(name), _) => format!("{name}-since-boot"),
            (None, _) => format!("bit-{bit}"),
        };
        let flags = (0..u32::BITS).filter(|bit| word >> bit & 1 == 1).map(name).collect();
        Some(Self { before, after, flags, times_void: word != 0 })
    }
}

/// The text of an answer that was carried out.
pub(super) fn text<'a>(answers: &'a [Answer], when: When, command: &str) -> Option<&'a str> {
    let wanted = |answer: &&Answer| answer.when == when && answer.command == command && answer.code == 0;
    answers.iter().find(wanted).map(|answer| answer.text.as_str())
}

/// `reloc=107M` in the answer to `get_mem reloc`.
fn mebibytes(answers: &[Answer], when: When, name: &str) -> Option<u32> {
    let text = text(answers, when, &format!("get_mem {name}"))?;
    value_of(text, name)?.strip_suffix('M')?.parse().ok()
}

/// `compactions:        0`, a number with or without a unit behind it.
fn labelled(text: &str, label: &str) -> Option<u32> {
    let value = text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(':'))?;
    value.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(when: When, command: &str, code: i32, text: &str) -> Answer {
        Answer { command: command.to_owned(), when, code, text: text.to_owned(), cut: false }
    }

    #[test]
    fn heaps_are_read_from_the_firmware_s_own_lines() {
        let when = When::Before;
        let answers = [
            answer(when, "get_mem reloc", 0, "reloc=107M"),
            answer(when, "get_mem reloc_total", 0, "reloc_total=108M"),
            answer(
                when,
                "mem_reloc_stats",
                0,
                "alloc failures:     2\ncompactions:        13\nlegacy block fails: 0\n",
            ),
            answer(when, "mem_oom", 0, "oom events: 1\nlifetime oom required: 4 Mbytes\n"),
        ];
        let heaps = Heaps::of(&answers, when).expect("something is told");
        assert_eq!((heaps.reloc_free_mib, heaps.reloc_total_mib), (Some(107), Some(108)));
        assert_eq!((heaps.malloc_free_mib, heaps.malloc_total_mib), (None, None));
        assert_eq!((heaps.alloc_failures, heaps.compactions), (Some(2), Some(13)));
        assert_eq!((heaps.legacy_block_fails, heaps.oom_events), (Some(0), Some(1)));
        assert_eq!(Heaps::of(&answers, When::After), None);
    }

    #[test]
    fn an_answer_that_makes_no_sense_leaves_its_figure_out() {
        for (code, text) in [
            (0, ""),
            (0, "reloc="),
            (0, "reloc=-1M"),
            (0, "reloc=99999999999M"),
            (0, "reloc=107"),
            (1, "reloc=107M"),
        ] {
            assert_eq!(
                Heaps::of(&[answer(When::After, "get_mem reloc", code, text)], When::After),
                None,
                "{text:?}"
            );
        }
        assert_eq!(labelled("oom events: many", "oom events"), None);
        assert_eq!(labelled("oom events:", "oom events"), None);
    }

    #[test]
    fn memory_that_does_not_come_back_is_told() {
        let heaps =
            |free| Some(Heaps { reloc_free_mib: Some(free), compactions: Some(0), ..Heaps::default() });
        let memory = Memory { before: heaps(107), after: heaps(105), ..Memory::default() };
        let told = ["MiB free in VideoCore's relocatable heap: 107 before the scenarios, 105 after them"];
        assert_eq!(memory.changes(), told);
        assert!(Memory { before: heaps(107), after: heaps(107), ..memory }.changes().is_empty());
        assert!(Memory { after: None, ..memory }.changes().is_empty());
    }

    #[test]
    fn any_bit_of_the_throttle_word_voids_the_times_and_has_a_name() {
        assert_eq!(Throttled::of(None, None), None);
        let quiet = Throttled::of(Some(0), Some(0)).expect("both said");
        assert_eq!((quiet.times_void, quiet.flags.len()), (false, 0));
        let before = Throttled::of(Some(1 << 16), None).expect("one said");
        assert!(before.times_void);
        assert_eq!(before.flags, ["under-voltage-since-boot"]);
        let during = Throttled::of(Some(0), Some(0x8000_0006)).expect("both said");
        assert!(during.times_void);
        assert_eq!(during.flags, ["frequency-capped", "throttled", "bit-31"]);
    }
}
