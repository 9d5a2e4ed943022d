//! Four-character service names.

use core::fmt;

/// A service's name; the first character is the most significant byte (VCHIQ fact sheet 1.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub u32);

impl FourCc {
    /// From its four characters, as in `FourCc::new(*b"echo")`.
    pub const fn new(name: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(name))
    }

    /// Its four characters.
    pub const fn characters(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.characters().iter().try_for_each(|byte| write!(f, "{}", byte.escape_ascii()))
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{self}'")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for FourCc {
    fn format(&self, f: defmt::Formatter<'_>) {
        let [a, b, c, d] = self.characters();
        defmt::write!(f, "{=char}{=char}{=char}{=char}", a as char, b as char, c as char, d as char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_character_is_the_most_significant_byte() {
        assert_eq!(FourCc::new(*b"echo").0, 0x6563_686f);
        assert_eq!(FourCc::new(*b"SMEM").0, 0x534d_454d);
    }
}
