//! The worked examples of `docs/protocol`: blocks of bytes with a name.
//!
//! ````text
//! ```bytes NAME
//! 22018: 03 00 03 00 -- -- -- --     ; a comment
//! ```
//! ````
//!
//! A row has an offset and bytes; `--` is a byte that is not checked.

use std::{collections::BTreeMap, fs, path::Path};

/// What opens a block.
const FENCE: &str = "```bytes ";

/// The blocks that a session with the firmware shows; `protocol_slave` compares them.
pub const SHOWN_BY_FIRMWARE: &[&str] = &[
    "bulk-session",
    "connected",
    "echo-session",
    "events-idle",
    "fragment-32",
    "fragment-64",
    "gencmd-answer",
    "gencmd-mailbox-answer",
    "gencmd-mailbox-request",
    "gencmd-request",
    "gencmd-unknown",
    "init-reply",
    "init-request",
    "lock-reply",
    "open-refused",
    "padding",
    "pagelist-receive",
    "pagelist-transmit",
    "slot-returned",
    "slot-zero",
    "smem-alloc",
    "smem-alloc-result",
    "smem-client-version",
    "smem-free",
    "smem-import",
    "smem-import-result",
    "smem-lock",
    "smem-lock-result",
    "smem-released",
    "smem-unlock",
    "smem-unlock-result",
    "smem-version-ack",
];

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Offset of the first byte.
    pub offset: usize,
    /// Its bytes; `None` is not checked.
    pub bytes: Vec<Option<u8>>,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let code = line.split(';').next()?;
        let (offset, bytes) = code.split_once(':')?;
        let offset = usize::from_str_radix(offset.trim(), 16).ok()?;
        let byte = |text: &str| match text {
            "--" => Some(None),
            _ if text.len() == 2 => u8::from_str_radix(text, 16).ok().map(Some),
            _ => None,
        };
        let bytes: Vec<_> = bytes.split_whitespace().map(byte).collect::<Option<_>>()?;
        (!bytes.is_empty()).then_some(Self { offset, bytes })
    }
}

/// One block.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Example {
    /// Its rows, in the order of the page.
    pub rows: Vec<Row>,
}

impl Example {
    /// The payload that the rows give from offset 0 on; bytes that are not checked are 0.
    pub fn payload(&self) -> Vec<u8> {
        self.rows.iter().flat_map(|row| row.bytes.iter().map(|byte| byte.unwrap_or(0))).collect()
    }

    /// Compares each row with what `bytes` gives for its offset and length.
    ///
    /// # Panics
    /// Where they differ.
    pub fn assert_matches(&self, name: &str, bytes: impl Fn(usize, usize) -> Vec<u8>) {
        for Row { offset, bytes: expected } in &self.rows {
            let found = bytes(*offset, expected.len());
            assert_eq!(found.len(), expected.len(), "{name}: length of the row at {offset:#x}");
            let found: Vec<_> = expected.iter().zip(found).map(|(byte, found)| byte.map(|_| found)).collect();
            assert_eq!(&found, expected, "{name}: row at {offset:#x}");
        }
    }

    /// Compares a whole payload: the rows have all of it, from offset 0 on.
    ///
    /// # Panics
    /// Where they differ.
    pub fn assert_is(&self, name: &str, payload: &[u8]) {
        let end = self.rows.last().map_or(0, |row| row.offset + row.bytes.len());
        let gapless = self.rows.windows(2).all(|rows| rows[0].offset + rows[0].bytes.len() == rows[1].offset);
        assert!(gapless && self.rows.first().is_some_and(|row| row.offset == 0), "{name} has gaps");
        assert_eq!(payload.len(), end, "{name}: length, found {payload:02x?}");
        self.assert_matches(name, |offset, length| payload[offset..offset + length].to_vec());
    }
}

/// Every block of every chapter, by name.
///
/// # Panics
/// If a page cannot be read, a row makes no sense, or a name is there twice.
pub fn examples() -> BTreeMap<String, Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&folder).expect("docs/protocol") {
        let path = entry.expect("an entry of docs/protocol").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a page");
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(name) = line.strip_prefix(FENCE) else { continue };
            let block = lines.by_ref().take_while(|line| *line != "```");
            let rows = block
                .map(|line| Row::read(line).unwrap_or_else(|| panic!("{}: {name}: {line}", path.display())))
                .collect();
            let twice = found.insert(name.to_owned(), Example { rows });
            assert_eq!(twice, None, "{name} is there twice");
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_an_offset_and_bytes_or_are_refused() {
        let row = Row { offset: 0x22018, bytes: vec![Some(3), None] };
        assert_eq!(Row::read("22018: 03 --   ; a comment: 04"), Some(row));
        for line in ["", "22018:", "22018: 3", "22018: 03 xx", "no offset 03", "x: 03"] {
            assert_eq!(Row::read(line), None, "{line}");
        }
    }

    #[test]
    #[should_panic(expected = "row at 0x4")]
    fn a_byte_that_differs_is_found() {
        let row = |offset, byte| Row { offset, bytes: vec![Some(byte)] };
        let example = Example { rows: vec![row(0, 1), row(4, 2)] };
        example.assert_matches("block", |offset, _| vec![if offset == 0 { 1 } else { 3 }]);
    }
}
