//! Message headers (VCHIQ fact sheet 1.2 to 1.4).

/// Bytes of a header.
pub(crate) const HEADER: u32 = 8;
/// Set in a header while its DATA message is held.
pub(crate) const CLAIMED: u32 = 1 << 30;

/// Message types.
pub(crate) mod kind {
    pub(crate) const PADDING: u8 = 0;
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const OPEN: u8 = 2;
    pub(crate) const OPENACK: u8 = 3;
    pub(crate) const CLOSE: u8 = 4;
    pub(crate) const DATA: u8 = 5;
    pub(crate) const BULK_RX: u8 = 6;
    pub(crate) const BULK_TX: u8 = 7;
    pub(crate) const BULK_RX_DONE: u8 = 8;
    pub(crate) const BULK_TX_DONE: u8 = 9;
    pub(crate) const PAUSE: u8 = 10;
    pub(crate) const RESUME: u8 = 11;
    pub(crate) const REMOTE_USE: u8 = 12;
    pub(crate) const REMOTE_RELEASE: u8 = 13;
    pub(crate) const REMOTE_USE_ACTIVE: u8 = 14;
    /// Nobody's.
    pub(crate) const UNKNOWN: u8 = 0x3f;
}

/// First word of a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MessageId(pub(crate) u32);

impl MessageId {
    pub(crate) fn new(kind: u8, source: u16, destination: u16) -> Self {
        Self(u32::from(kind) << 24 | u32::from(source & 0xfff) << 12 | u32::from(destination & 0xfff))
    }

    pub(crate) fn kind(self) -> u8 {
        (self.0 >> 24) as u8
    }

    pub(crate) fn source(self) -> u16 {
        (self.0 >> 12 & 0xfff) as u16
    }

    pub(crate) fn destination(self) -> u16 {
        (self.0 & 0xfff) as u16
    }
}

/// Bytes that a message takes in its slot; `None` if that is more than a number can say.
pub(crate) fn stride(size: u32) -> Option<u32> {
    Some(size.checked_add(HEADER + 7)? & !7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_is_the_message_with_its_header_in_whole_doublewords() {
        let expected = [(0, 8), (1, 16), (8, 16), (12, 24), (25, 40), (32, 40), (4080, 4088), (4088, 4096)];
        for (size, bytes) in expected {
            assert_eq!(stride(size), Some(bytes), "{size}");
        }
        assert_eq!(stride(u32::MAX), None);
    }

    #[test]
    fn header_words_are_those_of_the_worked_example() {
        assert_eq!(MessageId::new(kind::OPENACK, 75, 0).0, 0x0304_b000);
        assert_eq!(MessageId::new(kind::DATA, 0, 75).0, 0x0500_004b);
        let id = MessageId(0x0304_b000);
        assert_eq!((id.kind(), id.source(), id.destination()), (kind::OPENACK, 75, 0));
    }
}
