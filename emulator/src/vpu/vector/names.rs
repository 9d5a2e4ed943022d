//! Vector instructions as text.

use super::instruction::{Class, NO_ADDEND, OperandB, Repeat, Slot, SlotKind, VectorInstruction};

const ARITHMETIC: [&str; 64] = [
    "mov",
    "bitplanes",
    "even",
    "odd",
    "interl",
    "interh",
    "brev",
    "ror",
    "shl",
    "shls",
    "lsr",
    "asr",
    "signshl",
    "op13",
    "signasl",
    "signasls",
    "and",
    "or",
    "eor",
    "bic",
    "count",
    "msb",
    "op22",
    "op23",
    "min",
    "max",
    "dist",
    "dists",
    "clip",
    "sign",
    "clips",
    "testmag",
    "add",
    "adds",
    "addc",
    "addsc",
    "sub",
    "subs",
    "subc",
    "subsc",
    "rsub",
    "rsubs",
    "rsubc",
    "rsubsc",
    "op44",
    "op45",
    "op46",
    "op47",
    "mull.ss",
    "mulls.ss",
    "mulm.ss",
    "mulms.ss",
    "mulhd.ss",
    "mulhd.su",
    "mulhd.us",
    "mulhd.uu",
    "mulhn.ss",
    "mulhn.su",
    "mulhn.us",
    "mulhn.uu",
    "mulht.ss",
    "mulht.su",
    "op62",
    "op63",
];

const MEMORY: [&str; 32] = [
    "ld",
    "lookupm",
    "lookupml",
    "mem03",
    "st",
    "indexwritem",
    "indexwriteml",
    "mem07",
    "memread",
    "memwrite",
    "mem10",
    "mem11",
    "mem12",
    "mem13",
    "mem14",
    "mem15",
    "mem16",
    "mem17",
    "mem18",
    "mem19",
    "mem20",
    "mem21",
    "mem22",
    "mem23",
    "getacc",
    "mem25",
    "mem26",
    "mem27",
    "mem28",
    "mem29",
    "mem30",
    "mem31",
];

const PREDICATES: [&str; 8] = ["", " ALL=0", " IFZ", " IFNZ", " IFN", " IFNN", " IFC", " IFNC"];

/// The instruction, in the manner of the public assemblers.
pub(in crate::vpu) fn text(instruction: &VectorInstruction) -> String {
    let (name, is_memory) = match instruction.class {
        Class::Memory(operation) => (MEMORY[usize::from(operation)], true),
        Class::Arithmetic(operation) => (ARITHMETIC[usize::from(operation)], false),
    };
    let width = match instruction.bytes {
        0 => "?".to_string(),
        bytes => (u32::from(bytes) * 8).to_string(),
    };
    let d = slot(&instruction.d);
    let a = slot(&instruction.a);
    let b = operand_b(&instruction.b, is_memory);
    let repeat = match instruction.repeat {
        Repeat::Times(1) => String::new(),
        Repeat::Times(count) => format!(" REP {count}"),
        Repeat::R0 => " REP r0".to_string(),
    };
    let flags = if instruction.set_flags { " SETF" } else { "" };
    let predicate = PREDICATES[usize::from(instruction.predicate & 7)];
    let modifier = modifier(instruction.modifier);
    format!("v{width}{name} {d}, {a}, {b}{repeat}{flags}{predicate}{modifier}")
}

fn slot(slot: &Slot) -> String {
    let increment = if slot.increment { "++" } else { "" };
    let star = if slot.star { "*" } else { "" };
    let addend = if slot.addend == NO_ADDEND { String::new() } else { format!("+r{}", slot.addend) };
    let letters = |bytes: u8| match bytes {
        1 => "",
        2 => "X",
        _ => "Y",
    };
    match slot.kind {
        SlotKind::Dash => format!("-{addend}"),
        SlotKind::Horizontal { bytes } => {
            format!("H{}({}{increment},{}){star}{addend}", letters(bytes), slot.row, slot.element)
        }
        SlotKind::Vertical { bytes } => {
            format!("V{}({},{}{increment}){star}{addend}", letters(bytes), slot.row, slot.element)
        }
    }
}

fn operand_b(b: &OperandB, is_memory: bool) -> String {
    let text = match b {
        OperandB::Slot(vector) => return slot(vector),
        OperandB::Immediate(value) => return format!("#{value}"),
        OperandB::Scalar { register, displacement: 0 } => format!("r{register}"),
        OperandB::Scalar { register, displacement } => format!("r{register}{displacement:+}"),
    };
    if is_memory { format!("({text})") } else { text }
}

fn modifier(bits: u8) -> String {
    const SCALAR: [&str; 8] = ["SUMU", "SUMS", "MAX2", "IMIN", "MAX4", "IMAX", "MAX6", "MAX"];
    const ACCUMULATOR: [(u8, &str); 6] =
        [(0x20, " ENA"), (0x10, " HIGH"), (0x08, " SIGN"), (0x04, " CLRA"), (0x02, " WBA"), (0x01, " SUB")];
    if bits & 0x40 != 0 {
        return format!(" {} r{}", SCALAR[usize::from(bits >> 3 & 7)], bits & 7);
    }
    ACCUMULATOR.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect()
}
