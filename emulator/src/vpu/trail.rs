//! Where execution came from, for the diagnosis of a fault.

/// Branches kept.
const LENGTH: usize = 64;

/// The last branches that led from one page of code to another. Branches within a page are not kept: noting them would
/// cost every instruction.
pub(super) struct Trail {
    branches: [(u32, u32); LENGTH],
    /// All branches so far.
    count: usize,
}

impl Trail {
    pub(super) fn new() -> Self {
        Self { branches: [(0, 0); LENGTH], count: 0 }
    }

    /// Notes a branch by the instruction at `from`.
    #[inline]
    pub(super) fn note(&mut self, from: u32, to: u32) {
        self.branches[self.count % LENGTH] = (from, to);
        self.count += 1;
    }

    /// The branches, oldest first.
    pub(super) fn branches(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (self.count.saturating_sub(LENGTH)..self.count).map(|index| self.branches[index % LENGTH])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_trail_keeps_the_newest_branches_in_order() {
        let mut trail = Trail::new();
        for number in 0..100 {
            trail.note(number, number + 1);
        }
        let branches: Vec<_> = trail.branches().collect();
        assert_eq!((branches.len(), branches[0], branches[63]), (64, (36, 37), (99, 100)));
    }
}
