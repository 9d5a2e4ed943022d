//! Cuts the line into pieces: what stands between zero bytes.

/// Longer than any frame: what grows beyond it is noise.
const LONGEST_PIECE: usize = 16 * 1024;

/// What stood between two zero bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// What the image writes in plain text, because it must be readable without its ELF file. Without its line end.
    Text(String),
    /// A log frame, or what is left of one.
    Frame(Vec<u8>),
}

impl Piece {
    fn of(bytes: Vec<u8>) -> Self {
        line_of_text(&bytes).map_or(Self::Frame(bytes), Self::Text)
    }
}

/// Puts bytes together to pieces.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    pending: Vec<u8>,
}

impl Framer {
    /// Takes a byte; returns a piece when the byte completed one.
    pub fn byte(&mut self, byte: u8) -> Option<Piece> {
        if byte != 0 {
            self.pending.push(byte);
            if self.pending.len() < LONGEST_PIECE {
                return None;
            }
        }
        self.cut()
    }

    /// The image begins again, perhaps in the middle of a line.
    pub fn restart(&mut self) {
        self.pending.clear();
    }

    /// What has arrived and is not complete, at the end of a run.
    pub fn cut(&mut self) -> Option<Piece> {
        let bytes = std::mem::take(&mut self.pending);
        (!bytes.is_empty()).then(|| Piece::of(bytes))
    }
}

/// Text ends with CR and LF.
fn line_of_text(bytes: &[u8]) -> Option<String> {
    let text = bytes.strip_suffix(b"\r\n")?;
    let is_text = text.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    is_text.then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(bytes: &[u8]) -> Vec<Piece> {
        let mut framer = Framer::default();
        let mut pieces: Vec<Piece> = bytes.iter().filter_map(|byte| framer.byte(*byte)).collect();
        pieces.extend(framer.cut());
        pieces
    }

    #[test]
    fn text_is_told_from_frames_by_its_line_end() {
        let text = Piece::Text("x0 = 0000\r\nx1 = 1".into());
        assert_eq!(pieces(b"\0x0 = 0000\r\nx1 = 1\r\n\0\0\x01\xff\0"), [text, Piece::Frame(vec![1, 255])]);
        assert_eq!(pieces(b"\x01\r\n\0ab"), [Piece::Frame(b"\x01\r\n".into()), Piece::Frame(b"ab".into())]);
        assert_eq!(pieces(b"\0\0"), []);
    }

    #[test]
    fn a_line_that_never_pauses_is_cut_and_loses_nothing() {
        let noise = vec![0xaa; 2 * LONGEST_PIECE + 5];
        let lengths = pieces(&noise).into_iter().map(|piece| match piece {
            Piece::Frame(bytes) => bytes.len(),
            Piece::Text(_) => 0,
        });
        assert_eq!(lengths.collect::<Vec<_>>(), [LONGEST_PIECE, LONGEST_PIECE, 5]);
    }
}
