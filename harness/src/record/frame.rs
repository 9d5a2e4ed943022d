//! A record as bytes: `version, sequence (2, little-endian), postcard, CRC-32 (4, little-endian)`.
//!
//! The log line that carries it is [`PREFIX`], a space and the bytes as defmt prints a slice: `@record [1, 0, 0, …]`.

use super::Record;

/// First word of a log line that carries a record.
pub const PREFIX: &str = "@record";
/// Version of [`Record`]'s layout.
pub const VERSION: u8 = 6;
/// No frame is longer.
pub const MAX_FRAME: usize = 1344;

const HEAD: usize = 3;
const TAIL: usize = 4;

/// A decoded frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Counts the records of a run from 0; wraps.
    pub sequence: u16,
    /// What it carries.
    pub record: Record,
}

/// Why bytes are not a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Damage {
    /// Shorter than an empty frame.
    #[error("{0} bytes are no frame")]
    Short(usize),
    /// Checksum differs.
    #[error("checksum is {found:#010x}, the frame says {said:#010x}")]
    Checksum {
        /// Of the bytes received.
        found: u32,
        /// At the frame's end.
        said: u32,
    },
    /// From an image with another record layout.
    #[error("record layout {0}, this tool reads {VERSION}: image and tool are not of the same commit")]
    Version(u8),
    /// Checksum right, contents not.
    #[error("checksum is right but the contents are no record")]
    Contents,
    /// Not a list of bytes.
    #[error("not a list of bytes")]
    NotBytes,
}

/// Frames `record` into `buffer`.
///
/// # Errors
/// `None` if the record does not fit: it never is, by the bounds of its parts (a test holds them to it).
pub fn encode<'b>(record: &Record, sequence: u16, buffer: &'b mut [u8; MAX_FRAME]) -> Option<&'b [u8]> {
    buffer[0] = VERSION;
    buffer[1..HEAD].copy_from_slice(&sequence.to_le_bytes());
    let body = postcard::to_slice(record, &mut buffer[HEAD..MAX_FRAME - TAIL]).ok()?.len();
    let end = HEAD + body;
    let checksum = crc32(&buffer[..end]);
    buffer[end..end + TAIL].copy_from_slice(&checksum.to_le_bytes());
    Some(&buffer[..end + TAIL])
}

/// Reads a frame back.
///
/// # Errors
/// [`Damage`] tells what is wrong with the bytes.
pub fn decode(bytes: &[u8]) -> Result<Frame, Damage> {
    let (content, tail) = bytes.split_last_chunk::<TAIL>().ok_or(Damage::Short(bytes.len()))?;
    let [version, low, high, body @ ..] = content else {
        return Err(Damage::Short(bytes.len()));
    };
    let (found, said) = (crc32(content), u32::from_le_bytes(*tail));
    if found != said {
        return Err(Damage::Checksum { found, said });
    }
    if *version != VERSION {
        return Err(Damage::Version(*version));
    }
    let (record, rest) = postcard::take_from_bytes(body).map_err(|_| Damage::Contents)?;
    if !rest.is_empty() {
        return Err(Damage::Contents);
    }
    Ok(Frame { sequence: u16::from_le_bytes([*low, *high]), record })
}

/// Finds the frame in a line of the decoded log; `None` if the line carries no record.
#[cfg(feature = "std")]
pub fn in_log_line(line: &str) -> Option<Result<Frame, Damage>> {
    let text = line.split_once(PREFIX)?.1.trim();
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let bytes = inner.and_then(|inner| {
        inner.split(',').map(|byte| byte.trim().parse::<u8>().ok()).collect::<Option<Vec<u8>>>()
    });
    Some(bytes.ok_or(Damage::NotBytes).and_then(|bytes| decode(&bytes)))
}

/// CRC-32 as in Ethernet and zip (reflected 0x04C11DB7), bit by bit: a run frames a few kilobytes.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let polynomial = if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            crc = (crc >> 1) ^ polynomial;
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::{
        BUCKETS_PER_RECORD, BoardFacts, Clocks, Core, Fact, Facts, Latency, Machine, Peer, ResetCause,
        Resumed, SAMPLES_PER_RECORD, Samples, ScenarioEnd, Start, Step, TEXT_BYTES, Text, When, Wishes,
        clipped,
    };
    use super::*;
    use crate::plan::MAX_SIZES;
    use crate::verdict::{Owner, Verdict};

    fn longest<const N: usize>() -> heapless::String<N> {
        clipped(&"x".repeat(N))
    }

    fn longest_facts<const N: usize>() -> heapless::Vec<Fact, N> {
        (0..N).map(|_| Fact { name: longest(), value: u32::MAX }).collect()
    }

    fn longest_start() -> Start {
        Start {
            git: longest(),
            profile: longest(),
            iterations: u32::MAX,
            seed: u64::MAX,
            defaults: true,
            wishes: Wishes {
                timeout_ms: u32::MAX,
                sizes: [u32::MAX; MAX_SIZES].into_iter().collect(),
                first_transaction: u32::MAX,
                delay_us: u32::MAX,
                samples: u32::MAX,
            },
        }
    }

    /// Each kind with every field at its longest.
    fn longest_records() -> Vec<Record> {
        let (owner, reason) = (Some(Owner::Firmware), Some(longest()));
        vec![
            Record::Start(longest_start()),
            Record::Board(BoardFacts {
                soc: longest(),
                revision: u32::MAX,
                midr: u64::MAX,
                entry_el: 3,
                arm_memory: u32::MAX,
                vc_memory: u32::MAX,
            }),
            Record::Clocks(Clocks {
                when: When::After,
                arm_hz: u32::MAX,
                core_hz: u32::MAX,
                counter_hz: u32::MAX,
                cycles_hz: u32::MAX,
                bracket_cycles: u32::MAX,
                millidegrees: Some(u32::MAX),
                throttled: Some(u32::MAX),
            }),
            Record::Machine(Machine {
                build: [u8::MAX; 8],
                core: Core::Emulated,
                peer: Peer { revision: u32::MAX, variant: Some(u32::MAX), hash: Some([u32::MAX; 5]) },
            }),
            Record::ScenarioStart { name: longest() },
            Record::StepStart { scenario: longest(), step: longest() },
            Record::Progress { scenario: longest(), done: u32::MAX, total: u32::MAX },
            Record::Step(Step {
                scenario: longest(),
                step: longest(),
                verdict: Verdict::Hung,
                owner,
                reason: reason.clone(),
                evidence: longest_facts(),
            }),
            Record::Latency(Latency {
                scenario: longest(),
                step: longest(),
                n: u32::MAX,
                min: u64::MAX,
                max: u64::MAX,
                overflow: u32::MAX,
                part: u16::MAX,
                parts: u16::MAX,
                buckets: (0..BUCKETS_PER_RECORD).map(|_| (u16::MAX, u32::MAX)).collect(),
            }),
            Record::ScenarioEnd(ScenarioEnd {
                name: longest(),
                verdict: Verdict::Fail,
                owner,
                reason,
                counts: longest_facts(),
                took_us: Some(u64::MAX),
            }),
            Record::End { verdict: Verdict::Pass, records: u16::MAX },
            Record::Facts(Facts { topic: longest(), facts: longest_facts() }),
            Record::Text(Text {
                when: When::After,
                command: longest(),
                code: i32::MIN,
                size: u16::MAX,
                offset: u16::MAX,
                bytes: [u8::MAX; TEXT_BYTES].into_iter().collect(),
            }),
            Record::Resumed(Resumed {
                start: longest_start(),
                resets: u16::MAX,
                scenario: longest(),
                cause: ResetCause::Image,
            }),
            Record::Before { name: longest(), verdict: Verdict::Hung },
            Record::Samples(Samples {
                scenario: longest(),
                step: longest(),
                kept: u16::MAX,
                first: u16::MAX,
                cycles: [u32::MAX; SAMPLES_PER_RECORD].into_iter().collect(),
            }),
        ]
    }

    #[test]
    fn every_record_fits_a_frame_at_its_longest_and_comes_back_equal() {
        for (sequence, record) in longest_records().into_iter().enumerate() {
            let mut buffer = [0; MAX_FRAME];
            let frame = encode(&record, sequence as u16, &mut buffer).expect("fits");
            assert_eq!(decode(frame), Ok(Frame { sequence: sequence as u16, record }));
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let mut buffer = [0; MAX_FRAME];
        let record = Record::ScenarioStart { name: clipped("handshake") };
        let frame = encode(&record, 7, &mut buffer).expect("fits").to_vec();
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(&damaged), Err(Damage::Checksum { .. })), "bit {bit}");
        }
    }

    #[test]
    fn a_cut_frame_is_noticed() {
        let mut buffer = [0; MAX_FRAME];
        let record = Record::ScenarioStart { name: clipped("echo") };
        let frame = encode(&record, 7, &mut buffer).expect("fits").to_vec();
        for length in 0..frame.len() {
            assert!(decode(&frame[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn another_record_layout_is_told_from_damage() {
        let mut frame = vec![VERSION + 1, 0, 0, 4, 0];
        let checksum = crc32(&frame);
        frame.extend(checksum.to_le_bytes());
        assert_eq!(decode(&frame), Err(Damage::Version(VERSION + 1)));
    }

    #[test]
    fn the_checksum_is_the_common_crc32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    #[cfg(feature = "std")]
    fn a_log_line_with_a_record_is_told_from_other_lines() {
        let mut buffer = [0; MAX_FRAME];
        let record = Record::End { verdict: Verdict::Pass, records: 3 };
        let frame = encode(&record, 3, &mut buffer).expect("fits");
        let line = format!("{PREFIX} {frame:?}");
        assert_eq!(in_log_line(&line), Some(Ok(Frame { sequence: 3, record })));
        assert_eq!(in_log_line("INFO board ready"), None);
        assert_eq!(in_log_line("@record [1, 2, 300]"), Some(Err(Damage::NotBytes)));
        assert_eq!(in_log_line("@record [1, 2"), Some(Err(Damage::NotBytes)));
    }
}
