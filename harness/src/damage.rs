//! Memory that was lent and is not what it must be.

use crate::{failure::Failure, verdict::Owner};

/// The first word that is not what it must be, of a [`crate::block::Block`] or a [`crate::stretch::Stretch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Damage {
    /// Byte offset from the start of what was lent; negative or past its size in a guard. Of a block it is the word's, of
    /// a stretch, which may begin anywhere, the byte's in it.
    pub(crate) offset: i32,
    /// The aligned word that it lies in.
    pub(crate) expected: u32,
    pub(crate) found: u32,
}

impl Damage {
    /// What a scenario says of a block; `when` it was looked at.
    pub(crate) fn failure(self, when: &str) -> Failure {
        let reason = format_args!("the block is changed {when}, at offset {}", self.offset);
        self.shown_in(Failure::fail(Owner::Firmware, reason))
    }

    /// Of what a transfer of so many bytes has moved, or of what lies beside it.
    pub(crate) fn in_transfer(self, bytes: usize) -> &'static str {
        if (0..bytes as i32).contains(&self.offset) { "came back changed" } else { "beside it changed" }
    }

    /// The failure, with what was found for its evidence.
    pub(crate) fn shown_in(self, failure: Failure) -> Failure {
        let Self { offset, expected, found } = self;
        failure.with("offset", offset as u32).with("expected", expected).with("found", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_told_from_what_it_guards() {
        let at = |offset| Damage { offset, expected: 1, found: 2 }.in_transfer(8);
        assert_eq!([0, 7].map(at), ["came back changed"; 2]);
        assert_eq!([-1, 8].map(at), ["beside it changed"; 2]);
    }
}
