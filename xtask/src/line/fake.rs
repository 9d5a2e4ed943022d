//! An image of a few log strings, and its serial line: what tests of the listening need, without a compiler.

use harness::Verdict;
use harness::banner::{Banner, BuildId};
use harness::record::{Record, ScenarioEnd, Start, clipped, encode, frame::MAX_FRAME};

/// Log strings by their place in the image's table; the first carries records.
const STRINGS: [(&str, &str); 9] = [
    ("defmt_println", "@record {=[u8]}"),
    ("defmt_info", "boot: entered at EL{=u8}"),
    ("defmt_warn", "no answer: {=?}"),
    ("defmt_error", "the link is dead: {=str} after {=u32} ms, {=bool}, {=char}"),
    ("defmt_derived", "Link({=?})|Timeout {{ ms: {=u32:?} }}|Dead"),
    ("defmt_derived", "Pair {{ one: {=?:?}, other: {=?:?} }}"),
    ("defmt_prim", "{=[?]}"),
    ("defmt_prim", "{=[?;1000000000]}"),
    ("defmt_derived", "Dead"),
];

/// Place of a string in the table.
pub fn place_of(string: &str) -> u16 {
    let place = STRINGS.iter().position(|(_, text)| *text == string).expect("a string of the image");
    place as u16 + 1
}

/// Its ELF file: a table of symbols, whose names are the strings.
pub fn elf() -> Vec<u8> {
    let mut names = vec![0];
    let mut symbols = vec![0; SYMBOL_BYTES];
    let mut add = |name: &str, section: u16, value: u64| {
        symbols.extend((names.len() as u32).to_le_bytes());
        symbols.extend([0x11, 0]);
        symbols.extend(section.to_le_bytes());
        symbols.extend(value.to_le_bytes());
        symbols.extend(1_u64.to_le_bytes());
        names.extend(name.bytes().chain([0]));
    };
    add("_defmt_version_ = 4", 0xfff1, 0);
    add("_defmt_encoding_ = rzcobs", 0xfff1, 0);
    let timestamp = ("defmt_timestamp", "{=u64:us}");
    for (place, (tag, data)) in STRINGS.into_iter().chain([timestamp]).enumerate() {
        let name = serde_json::json!({
            "package": "fake", "tag": tag, "data": data, "disambiguator": place.to_string(), "crate_name": "fake",
        });
        add(&name.to_string(), 1, place as u64 + 1);
    }
    // What follows is read in words.
    names.resize(names.len().next_multiple_of(8), 0);
    assemble(&names, &symbols)
}

/// The first record of a run.
pub fn start() -> Start {
    Start {
        git: clipped("0123456789ab"),
        profile: clipped("image"),
        iterations: 10,
        seed: 1,
        defaults: false,
        wishes: Default::default(),
    }
}

/// The last record of a scenario, with nothing to tell but the verdict.
pub fn scenario_end(name: &str, verdict: Verdict) -> Record {
    Record::ScenarioEnd(ScenarioEnd {
        name: clipped(name),
        verdict,
        owner: None,
        reason: None,
        counts: Default::default(),
        took_us: None,
    })
}

/// Which build it is.
pub const BUILD: [u8; BuildId::BYTES] = [7; BuildId::BYTES];

const HEADER_BYTES: usize = 64;
const SYMBOL_BYTES: usize = 24;

/// Five sections: the strings' own, their symbols, the symbols' names, the sections' names, the build's hash.
fn assemble(names: &[u8], symbols: &[u8]) -> Vec<u8> {
    const SECTION_NAMES: &[u8] = b"\0.defmt\0.symtab\0.strtab\0\0\0\0\0\0\0\0\0";
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    // An executable for AArch64, version 1.
    file.extend([2, 0, 183, 0, 1, 0, 0, 0]);
    let note = [&[4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0][..], b"GNU\0", &BUILD, &[0; 16]].concat();
    let contents = [&[0; 16][..], symbols, names, SECTION_NAMES, &note];
    let table = HEADER_BYTES + contents.iter().map(|content| content.len()).sum::<usize>();
    for word in [0, 0, table as u64] {
        file.extend(word.to_le_bytes());
    }
    file.extend(0_u32.to_le_bytes());
    for half in [HEADER_BYTES as u16, 0, 0, HEADER_BYTES as u16, 6, 4] {
        file.extend(half.to_le_bytes());
    }
    contents.iter().for_each(|content| file.extend(*content));
    file.extend([0; HEADER_BYTES]);
    // Name, kind, linked section, entry size.
    let kinds: [(u32, u32, u32, u64); 5] =
        [(1, 1, 0, 0), (8, 2, 3, SYMBOL_BYTES as u64), (16, 3, 0, 0), (16, 3, 0, 0), (0, 7, 0, 0)];
    let mut at = HEADER_BYTES as u64;
    for (content, (name, kind, link, entry)) in contents.iter().zip(kinds) {
        file.extend(name.to_le_bytes().into_iter().chain(kind.to_le_bytes()));
        for word in [0, 0, at, content.len() as u64] {
            file.extend(word.to_le_bytes());
        }
        file.extend(link.to_le_bytes().into_iter().chain(1_u32.to_le_bytes()));
        for word in [4, entry] {
            file.extend(word.to_le_bytes());
        }
        at += content.len() as u64;
    }
    file
}

/// What the image writes.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// So far.
    pub bytes: Vec<u8>,
    sequence: u16,
}

impl Line {
    /// A record, by the next number.
    pub fn record(&mut self, record: &Record) {
        let mut buffer = [0; MAX_FRAME];
        let frame = encode(record, self.sequence, &mut buffer).expect("fits").to_vec();
        self.sequence += 1;
        let length = (frame.len() as u32).to_le_bytes();
        self.log("@record {=[u8]}", &[&length[..], &frame].concat());
    }

    /// A log line: its string, and its arguments as defmt encodes them.
    pub fn log(&mut self, string: &str, arguments: &[u8]) {
        let at_us = 1_000_000 + u64::from(self.sequence) * 1000;
        let frame = [&place_of(string).to_le_bytes()[..], &at_us.to_le_bytes(), arguments].concat();
        self.bytes.push(0);
        self.bytes.extend(rzcobs(&frame));
        self.bytes.push(0);
    }

    /// A line of text.
    pub fn text(&mut self, text: &str) {
        self.bytes.extend(format!("\0{text}\r\n\0").into_bytes());
    }

    /// The line that tells the build.
    pub fn banner(&mut self) {
        self.text(&Banner { build: BuildId::new(BUILD), git: "0123456789ab" }.to_string());
    }
}

/// As defmt encodes a frame: no byte is zero, and a byte behind each seven says which of them were.
pub fn rzcobs(frame: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut run, mut zeros) = (0_u8, 0_u8);
    for byte in frame {
        match (run < 7, *byte) {
            (true, 0) => zeros |= 1 << run,
            (true, byte) => out.push(byte),
            (false, 0) => {
                out.push((run - 7) | 0x80);
                (run, zeros) = (0, 0);
                continue;
            }
            (false, byte) => out.push(byte),
        }
        run += 1;
        if run == 7 && zeros != 0 {
            out.push(zeros);
            (run, zeros) = (0, 0);
        } else if run == 134 {
            out.push(0xff);
            (run, zeros) = (0, 0);
        }
    }
    match run {
        0 => {}
        1..=6 => out.push((zeros | (0xff << run)) & 0x7f),
        _ => out.push((run - 7) | 0x80),
    }
    out
}
