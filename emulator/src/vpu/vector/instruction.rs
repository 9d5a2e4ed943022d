//! Vector instructions, 48 and 80 bits, with their fields extracted.
//!
//! ```text
//! 48-bit  1111 0MWW WWWW Weee | ttty dddd ddtt tuaa | aaaa vIpp pFbb bbbb
//! 80-bit  1111 1MWW WWWW WRRR | tttt dddd ddtt ttaa | aaaa FItt ttbb bbbb
//!         | gggg ++hh hh++ mmmm | PPPS SSSS SSkk kk++
//! ```
//!
//! M: 0 memory, 1 arithmetic. Field positions: hermanhermitage/videocoreiv, and the public measurements named in
//! docs/vpu.md.

/// "No register" in a slot's addend field.
pub(super) const NO_ADDEND: u8 = 15;

/// Memory or arithmetic, with the number of the operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vpu) enum Class {
    /// 0..32.
    Memory(u8),
    /// 0..64.
    Arithmetic(u8),
}

/// How often an instruction repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vpu) enum Repeat {
    /// A fixed count: 1 to 64.
    Times(u8),
    /// As often as r0 says.
    R0,
}

/// Element width of the registers a slot names, or none at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vpu) enum SlotKind {
    /// H, HX, HY: sixteen elements of so many bytes along a row.
    Horizontal { bytes: u8 },
    /// V, VX, VY: the same element of sixteen rows.
    Vertical { bytes: u8 },
    /// "-".
    Dash,
}

/// One of the three operand slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vpu) struct Slot {
    pub(in crate::vpu) kind: SlotKind,
    /// First row, 0..64.
    pub(in crate::vpu) row: u8,
    /// First element within the row, counted in elements of the slot's width.
    pub(in crate::vpu) element: u8,
    /// Scalar register added to the element index (`+rN`), or `NO_ADDEND`. On the unused slot of a transfer it steps
    /// the address instead.
    pub(in crate::vpu) addend: u8,
    /// `++`: the next row (horizontal) or element (vertical) in each repetition.
    pub(in crate::vpu) increment: bool,
    /// `*`: without effect, as far as was measured.
    pub(in crate::vpu) star: bool,
}

/// The third operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vpu) enum OperandB {
    /// A vector.
    Slot(Slot),
    /// The same value in every lane.
    Immediate(i32),
    /// register + displacement in every lane, or as an address.
    Scalar { register: u8, displacement: i32 },
}

/// A decoded vector instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vpu) struct VectorInstruction {
    pub(in crate::vpu) class: Class,
    /// Width of the operation in bytes: 1, 2, 4; 0 where the encoding has no meaning.
    pub(in crate::vpu) bytes: u8,
    pub(in crate::vpu) repeat: Repeat,
    pub(in crate::vpu) d: Slot,
    pub(in crate::vpu) a: Slot,
    pub(in crate::vpu) b: OperandB,
    /// SETF: the lanes' flags follow the result.
    pub(in crate::vpu) set_flags: bool,
    /// Which lanes take part: 0 all, 1 none, 2 IFZ, 3 IFNZ, 4 IFN, 5 IFNN, 6 IFC, 7 IFNC.
    pub(in crate::vpu) predicate: u8,
    /// Accumulator or scalar result unit, seven bits.
    pub(in crate::vpu) modifier: u8,
}

/// Memory operations whose 80-bit form has a 16-bit displacement instead of a modifier.
const LOAD: u8 = 0;
const STORE: u8 = 4;

impl VectorInstruction {
    /// Decodes the instruction whose first halfword is 0xf000 or above.
    pub(in crate::vpu) fn decode(halfwords: &[u16; 5]) -> Self {
        let [first, second, third, fourth, fifth] = halfwords.map(u32::from);
        let (class, bytes) = class_and_width(first);
        if first & 0x800 == 0 {
            Self::decode_48(class, bytes, first & 7, second << 16 | third)
        } else {
            Self::decode_80(class, bytes, first & 7, second << 16 | third, fourth << 16 | fifth)
        }
    }

    fn decode_48(class: Class, bytes: u8, shared_addend: u32, word: u32) -> Self {
        let vertical = field(word, 28, 1);
        let slot = |kind: u32, coordinate: u32, has_addend: u32| {
            let code = if kind == 7 { 14 } else { kind * 2 + vertical };
            let addend = if has_addend != 0 { shared_addend } else { u32::from(NO_ADDEND) };
            Slot::new(code, coordinate, None, addend, 0)
        };
        let d = slot(field(word, 29, 3), field(word, 22, 6), field(word, 11, 1));
        let a = slot(field(word, 19, 3), field(word, 12, 6), field(word, 18, 1));
        let bit6 = field(word, 6, 1);
        let last = field(word, 0, 6);
        let is_memory = matches!(class, Class::Memory(_));

        let mut instruction = Self {
            class,
            bytes,
            repeat: Repeat::Times(1),
            d,
            a,
            b: OperandB::Immediate(0),
            set_flags: false,
            predicate: 0,
            modifier: 0,
        };
        if field(word, 10, 1) != 0 {
            instruction.b = OperandB::Immediate(sign_extend(last, 6));
            instruction.predicate = field(word, 7, 3) as u8;
            instruction.set_flags = bit6 != 0;
        } else if field(word, 7, 3) == 7 {
            instruction.b = OperandB::Scalar { register: last as u8, displacement: 0 };
            instruction.set_flags = bit6 != 0 && !is_memory;
        } else {
            instruction.b = OperandB::Slot(slot(field(word, 7, 3), last, bit6));
        }
        instruction
    }

    fn decode_80(class: Class, bytes: u8, repeat: u32, word: u32, extra: u32) -> Self {
        let d =
            Slot::new(field(word, 28, 4), field(word, 22, 6), None, field(extra, 28, 4), field(extra, 26, 2));
        let fine = Some(field(extra, 16, 4));
        let a =
            Slot::new(field(word, 18, 4), field(word, 12, 6), fine, field(extra, 22, 4), field(extra, 20, 2));
        let repeat = if repeat == 7 { Repeat::R0 } else { Repeat::Times(1 << repeat) };
        let addend = field(extra, 2, 4);
        let step = field(extra, 0, 2);

        let mut modifier = field(extra, 6, 7);
        let b = if field(word, 10, 1) != 0 {
            let value = field(extra, 0, 6) << 10 | field(word, 0, 10);
            OperandB::Immediate(sign_extend(value, 16))
        } else if field(word, 6, 4) < 14 {
            OperandB::Slot(Slot::new(field(word, 6, 4), field(word, 0, 6), None, addend, step))
        } else {
            let low = step << 7 | field(word, 0, 7);
            let displacement = if matches!(class, Class::Memory(LOAD | STORE)) {
                let wide = modifier << 9 | low;
                modifier = 0;
                sign_extend(wide, 16)
            } else {
                sign_extend(low, 9)
            };
            OperandB::Scalar { register: addend as u8, displacement }
        };
        Self {
            class,
            bytes,
            repeat,
            d,
            a,
            b,
            set_flags: field(word, 11, 1) != 0,
            predicate: field(extra, 13, 3) as u8,
            modifier: modifier as u8,
        }
    }
}

impl Slot {
    /// `code`: the four-bit type. `coordinate`: six bits. `fine`: the four extra bits of slot A in the long form, which
    /// hold the low part of the element index there. `step`: increment and star.
    fn new(code: u32, coordinate: u32, fine: Option<u32>, addend: u32, step: u32) -> Self {
        // How far right the type itself places the window: H in steps of 16 elements of a byte, HX 16 of a halfword.
        let (bytes, band) = match code >> 1 {
            band @ 0..=3 => (1, band),
            band @ 4..=5 => (2, band - 4),
            6 => (4, 0),
            _ => (0, 0),
        };
        let is_vertical = code & 1 != 0;
        let (row, low) = match (is_vertical, fine) {
            (true, None) => (coordinate & 0x30, coordinate & 15),
            (_, fine) => (coordinate, fine.unwrap_or(0)),
        };
        let kind = match (bytes, is_vertical) {
            (0, _) => SlotKind::Dash,
            (bytes, false) => SlotKind::Horizontal { bytes },
            (bytes, true) => SlotKind::Vertical { bytes },
        };
        Self {
            kind,
            row: row as u8,
            element: (band * 16 + low) as u8,
            addend: addend as u8,
            increment: step & 2 != 0,
            star: step & 1 != 0,
        }
    }
}

fn class_and_width(first: u32) -> (Class, u8) {
    if first & 0x400 == 0 {
        const WIDTHS: [u8; 4] = [1, 2, 4, 0];
        (Class::Memory(field(first, 5, 5) as u8), WIDTHS[field(first, 3, 2) as usize])
    } else {
        (Class::Arithmetic(field(first, 3, 6) as u8), if first & 0x200 == 0 { 2 } else { 4 })
    }
}

fn field(word: u32, low: u32, count: u32) -> u32 {
    (word >> low) & ((1 << count) - 1)
}

fn sign_extend(value: u32, bits: u32) -> i32 {
    let shift = 32 - bits;
    ((value << shift) as i32) >> shift
}
