//! Branches.

use crate::arm::decode::Reg;
use crate::arm::state::{At, State};

/// X30.
const LINK: Reg = 30;

/// Where a conditional branch goes.
#[inline(always)]
pub(super) fn when(at: At, is_taken: bool, offset: i64) -> u64 {
    at.pc.wrapping_add_signed(if is_taken { offset } else { 4 })
}

impl State {
    /// Leaves the return address in X30.
    #[inline(always)]
    pub(super) fn branch_link(&mut self, at: At, target: u64) -> u64 {
        self.set(LINK, at.pc.wrapping_add(4));
        target
    }
}
