//! The guard on the power manager and the clock manager: a store without the password is lost, and the password
//! does not read back (VPU fact sheet 5).

/// Goes into the top byte of every store.
const PASSWORD: u32 = 0x5a;

/// What a store to a guarded register stores; `None` if it lacks the password.
pub(super) fn strip(value: u32) -> Option<u32> {
    (value >> 24 == PASSWORD).then_some(value & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn only_the_lower_24_bits_of_a_guarded_store_are_kept() {
        assert_eq!(strip(0x5a12_3456), Some(0x12_3456));
        assert_eq!(strip(0x5b12_3456), None);
        assert_eq!(strip(0x0012_3456), None);
    }
}
