//! The bytes of `tests/data`.

/// Rows of hex digits, `#` for comments, `--` for a byte that its sender does not write.
///
/// # Panics
/// On anything else: the file is wrong.
pub fn golden(text: &str) -> Vec<Option<u8>> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.flat_map(str::split_whitespace)
        .map(|byte| (byte != "--").then(|| u8::from_str_radix(byte, 16).expect("two hex digits")))
        .collect()
}

/// The same where every byte is written.
///
/// # Panics
/// As [`golden`], and on `--`.
pub fn golden_bytes(text: &str) -> Vec<u8> {
    golden(text).into_iter().map(|byte| byte.expect("a byte that is written")).collect()
}
