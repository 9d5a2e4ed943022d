//! Instruction words for tests, from the public encoding tables.

pub(super) const NOP: u16 = 0x0001;
pub(super) const SLEEP: u16 = 0x0002;
pub(super) const EI: u16 = 0x0004;
pub(super) const DI: u16 = 0x0005;
pub(super) const RTI: u16 = 0x000a;
/// `b .`
pub(super) const LOOP: u16 = 0x1f00;

/// Condition codes.
pub(super) const EQ: u16 = 0;
pub(super) const NE: u16 = 1;
pub(super) const LO: u16 = 2;
pub(super) const ALWAYS: u16 = 14;

/// Numbers in the table of operations that all widths share.
pub(super) mod op {
    pub(in crate::vpu::tests) const MOV: u16 = 0;
    pub(in crate::vpu::tests) const CMN: u16 = 1;
    pub(in crate::vpu::tests) const ADD: u16 = 2;
    pub(in crate::vpu::tests) const CMP: u16 = 10;
    pub(in crate::vpu::tests) const BTEST: u16 = 12;
    pub(in crate::vpu::tests) const BREV: u16 = 29;
}

/// Three-operand instruction on registers; `code` has seven bits.
pub(super) fn three(code: u16, d: u16, a: u16, b: u16) -> [u16; 2] {
    three_if(ALWAYS, code, d, a, b)
}

/// The same under a condition.
pub(super) fn three_if(condition: u16, code: u16, d: u16, a: u16, b: u16) -> [u16; 2] {
    [0xc000 | code << 5 | d, a << 11 | condition << 7 | b]
}

/// The same with a six-bit immediate.
pub(super) fn three_immediate(code: u16, d: u16, a: u16, value: i16) -> [u16; 2] {
    [0xc000 | code << 5 | d, a << 11 | ALWAYS << 7 | 0x40 | (value as u16 & 0x3f)]
}

/// r0 = r1 `code` r2.
pub(super) fn on_registers(code: u16) -> [u16; 2] {
    three(code, 0, 1, 2)
}

/// 16-bit operation on two of r0..r15.
pub(super) fn short(code: u16, d: u16, b: u16) -> u16 {
    0x4000 | code << 8 | b << 4 | d
}

/// 32-bit load or store with a 12-bit offset; `kind` as in `ld st ldh sth ldb stb ldsh ldsb`.
pub(super) fn transfer(kind: u16, register: u16, base: u16, offset: i16) -> [u16; 2] {
    let offset = offset as u16 & 0xfff;
    [0xa200 | (offset >> 11) << 8 | kind << 5 | register, base << 11 | offset & 0x7ff]
}

pub(super) const LD: u16 = 0;
pub(super) const ST: u16 = 1;
pub(super) const LDH: u16 = 2;
pub(super) const STH: u16 = 3;
pub(super) const LDB: u16 = 4;
pub(super) const STB: u16 = 5;
pub(super) const LDSH: u16 = 6;
pub(super) const LDSB: u16 = 7;

/// What a 48-bit vector instruction needs.
#[derive(Clone, Copy)]
pub(super) struct Vector48 {
    /// First halfword, without the addend register in its low bits.
    pub(super) first: u16,
    pub(super) d: (u32, u32),
    pub(super) a: (u32, u32),
    pub(super) b: (u32, u32),
}

/// Three-bit slot types.
pub(super) const H: u32 = 0;
pub(super) const HX: u32 = 4;
pub(super) const HY: u32 = 6;
pub(super) const DASH: u32 = 7;

/// A 48-bit arithmetic instruction on horizontal registers, `(type, row)` each.
pub(super) fn vector(operation: u16, wide: bool, d: (u32, u32), a: (u32, u32), b: (u32, u32)) -> [u16; 3] {
    let first = 0xf400 | u16::from(wide) << 9 | operation << 3;
    Vector48 { first, d, a, b }.words()
}

impl Vector48 {
    pub(super) fn words(self) -> [u16; 3] {
        let Self { first, d, a, b } = self;
        let word = d.0 << 29 | d.1 << 22 | a.0 << 19 | a.1 << 12 | b.0 << 7 | b.1;
        [first, (word >> 16) as u16, word as u16]
    }
}

/// An 80-bit instruction that does the same as the 48-bit one with the same `first`, plus predicate and modifier.
pub(super) fn extended(
    first: u16,
    d: (u32, u32),
    a: (u32, u32),
    b: (u32, u32),
    set_flags: bool,
    predicate: u16,
    modifier: u16,
) -> [u16; 5] {
    let word = (d.0 * 2) << 28 | d.1 << 22 | (a.0 * 2) << 18 | a.1 << 12 | (b.0 * 2) << 6 | b.1;
    let word = word | u32::from(set_flags) << 11;
    // No addend register on any slot.
    let addends = 0xf3c0;
    [first | 0x800, (word >> 16) as u16, word as u16, addends, predicate << 13 | modifier << 6 | 0x3c]
}
