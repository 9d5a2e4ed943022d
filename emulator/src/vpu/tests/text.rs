//! Disassembly.

use crate::vpu::{disassemble, is_known_instruction};

#[test]
fn every_class_has_its_length_and_text() {
    let expected: [(&[u16], u32, &str); 26] = [
        (&[0x0001], 2, "nop"),
        (&[0x005a], 2, "rts"),
        (&[0x03a2], 2, "stm r6-r8, lr, (--sp)"),
        (&[0x03ef], 2, "stm lr, (--sp)"),
        (&[0x0220], 2, "ldm r6, (sp++)"),
        (&[0x0423], 2, "ld r3, (sp+0x8)"),
        (&[0x0c12], 2, "ldb r2, (r1)"),
        (&[0x1799], 2, "add sp, sp, #0xfffffff0"),
        (&[0x1804], 2, "beq 0x00001008"),
        (&[0x1f00], 2, "b 0x00001000"),
        (&[0x4232], 2, "add r2, r2, r3"),
        (&[0x6014], 2, "mov r4, r4, #0x1"),
        (&[0x01c3], 2, "swi #0x3"),
        (&[0x8b13, 0x53fc], 4, "addcmpblt r3, #1, r4, 0x00000ff8"),
        (&[0x9080, 0x0010], 4, "bl 0x00001020"),
        (&[0xa202, 0x3b88], 4, "ld r2, (r7+0x388)"),
        (&[0xa520, 0x0f00], 4, "st r0, (r1++)"),
        (&[0xaa00, 0x0100], 4, "ld r0, (0x00001100)"),
        (&[0xc1a2, 0x104e], 4, "or.eq r2, r2, #0xe"),
        (&[0xc800, 0x0f02], 4, "fadd r0, r1, r2"),
        (&[0xcc22, 0x0010], 4, "mov r2, p16"),
        (&[0xe500, 0xfe20, 0xffff], 6, "lea r0, 0x00000e20"),
        (&[0xef04, 0xc31e, 0x0004], 6, "add r4, gp, #0x4c31e"),
        (&[0xf000, 0x0038, 0x0381], 6, "v8ld H(0,0), -, (r1)"),
        (&[0xf817, 0xc038, 0x0380, 0xf900, 0x0004], 10, "v32ld HY(0++,0), -+r4, (r1) REP r0"),
        (&[0xfc00, 0xe038, 0x0380, 0xf3c0, 0x1200], 10, "v16mov -, -, r0 SUMS r0"),
    ];
    for (code, length, text) in expected {
        assert_eq!(disassemble(0x1000, code), (length, text.to_string()), "{code:04x?}");
    }
}

#[test]
fn missing_halfwords_read_as_zero() {
    assert_eq!(disassemble(0, &[]), (2, "bkpt".to_string()));
    assert_eq!(disassemble(0, &[0xe000]).0, 6);
}

#[test]
fn unknown_words_are_told_from_known_ones() {
    assert!(is_known_instruction(&[0x0001]));
    assert!(!is_known_instruction(&[0xd000, 0]));
}
