//! What blocks and messages are filled with.

/// A word for each place, different for each seed: a word that moved, stayed from an earlier block or was written
/// by somebody else does not match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pattern {
    key: u32,
}

impl Pattern {
    /// The pattern of a seed.
    pub const fn new(seed: u64) -> Self {
        // The finaliser of SplitMix64: every bit of the seed reaches every bit of the key.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self { key: (z ^ (z >> 31)) as u32 }
    }

    /// The word at a place. Cheap: one multiplication by an odd number, so that places never share a word.
    pub const fn word(self, place: usize) -> u32 {
        (place as u32 ^ self.key).wrapping_mul(0x9e37_79b1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_word_of_its_own() {
        let mut words: Vec<u32> = (0..4096).map(|place| Pattern::new(1).word(place)).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 4096);
    }

    #[test]
    fn seeds_next_to_each_other_share_no_word_at_a_place() {
        for seed in 0..1000 {
            let (one, next) = (Pattern::new(seed), Pattern::new(seed + 1));
            assert_eq!((0..64).filter(|place| one.word(*place) == next.word(*place)).count(), 0);
        }
    }
}
