//! Sequences of instructions that the Cortex-A53 of a Pi 3 may get wrong.
//!
//! Erratum 835769 (Arm's errata notice for the Cortex-A53, revisions up to r0p4): a 64-bit multiply-accumulate directly
//! behind a load, store or prefetch may come to a wrong sum. The compiler is asked to put a NOP between
//! ([`crate::toolchain`]); this looks whether it did, everywhere, as hand-written assembler and library code that was
//! compiled elsewhere are not its business. The linker mends the other one (843419, `boot/build.rs`).

use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionKind};

/// Addresses of the multiply-accumulates that follow a memory access, in the executable sections of an ELF file.
///
/// # Errors
/// If it is no ELF file.
pub fn erratum_835769(elf: &[u8]) -> Result<Vec<u64>> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let mut found = Vec::new();
    for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
        let code = section.data().context("a section lies outside the file")?;
        found.extend(sequences(code).map(|offset| section.address() + offset));
    }
    Ok(found)
}

/// Offsets of the second instruction of each sequence, in bytes.
fn sequences(code: &[u8]) -> impl Iterator<Item = u64> {
    let words =
        code.chunks_exact(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let pairs = words.clone().zip(words.skip(1)).zip(1u64..);
    pairs.filter(|((first, second), _)| accesses_memory(*first) && accumulates(*second)).map(|(_, at)| 4 * at)
}

/// Loads, stores and prefetches: bits 27 and 25 of the word are 1 and 0 (Arm ARM, C4.1).
fn accesses_memory(word: u32) -> bool {
    word & 0x0A00_0000 == 0x0800_0000
}

/// MADD, MSUB, SMADDL, SMSUBL, UMADDL and UMSUBL with a 64-bit result and something to add to (Ra is not XZR).
fn accumulates(word: u32) -> bool {
    let three_sources = word & 0xFF00_0000 == 0x9B00_0000;
    let adds = matches!((word >> 21) & 7, 0b000 | 0b001 | 0b101);
    let addend = (word >> 10) & 31;
    three_sources && adds && addend != 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const LDR_X9_SP: u32 = 0xF940_13E9;
    const STRB_WZR_SP: u32 = 0x3900_ABFF;
    const LDP_X11_X12: u32 = 0xA944_B3EB;
    const NOP: u32 = 0xD503_201F;
    /// `madd x9, x8, x25, x22`
    const MADD: u32 = 0x9B19_5909;
    /// `umaddl x10, w8, w10, x9`
    const UMADDL: u32 = 0x9BAA_250A;
    /// `mul x9, x8, x25`: a MADD that adds nothing.
    const MUL: u32 = 0x9B19_7D09;
    /// `umulh x9, x8, x25`
    const UMULH: u32 = 0x9BD9_7D09;
    /// `madd w9, w8, w25, w22`
    const MADD_32: u32 = 0x1B19_5909;

    fn found(words: &[u32]) -> Vec<u64> {
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        sequences(&code).collect()
    }

    #[test]
    fn a_multiply_accumulate_directly_behind_a_memory_access_is_found() {
        for access in [LDR_X9_SP, STRB_WZR_SP, LDP_X11_X12] {
            for multiply in [MADD, UMADDL] {
                assert_eq!(found(&[NOP, access, multiply]), [8], "{access:#x} {multiply:#x}");
            }
        }
    }

    #[test]
    fn what_the_erratum_does_not_name_is_passed_over() {
        for multiply in [MUL, UMULH, MADD_32] {
            assert_eq!(found(&[LDR_X9_SP, multiply]), [0; 0], "{multiply:#x}");
        }
        assert_eq!(found(&[LDR_X9_SP, NOP, MADD]), [0; 0]);
        assert_eq!(found(&[MADD, MADD]), [0; 0]);
    }
}
