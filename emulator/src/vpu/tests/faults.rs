//! What the core refuses to guess at.

use super::encode::*;
use super::*;

#[test]
fn an_unknown_instruction_stops_the_core_where_it_is() {
    let mut rig = Rig::new(&[NOP, 0xd123, 0x4567, NOP]);
    let run = rig.core.run(&mut rig.bus, 10);
    let Outcome::Fault(fault) = run.outcome else { panic!("{run:?}") };
    assert_eq!(run.executed, 1);
    assert_eq!((fault.pc, fault.kind), (CODE + 2, FaultKind::UnknownInstruction));
    assert_eq!(fault.to_string(), "unknown instruction at 0x00001002 (Core0): d123 4567 ; .unknown");
    assert!(!rig.core.is_running());
    let again = rig.core.run(&mut rig.bus, 10);
    assert_eq!((again.executed, again.outcome), (0, run.outcome));
}

#[test]
fn unknown_encodings_of_every_class_are_refused() {
    let unknown: [&[u16]; 12] = [
        &[0x000b],
        &[0x00c0],
        &[0x0180],
        &[0xa000, 0x0720],
        &[0xa600, 0x0000],
        &[0xac00, 0x0000],
        &[0xa500, 0x0f01],
        &[0xb800, 0x0000],
        &[0xc720, 0x0700],
        &[0xc000, 0x0720],
        &[0xcc40, 0x0000],
        &[0xe400, 0x0000, 0x0000],
    ];
    for code in unknown {
        assert_eq!(Rig::new(code).fault(), FaultKind::UnknownInstruction, "{code:04x?}");
    }
}

#[test]
fn known_encodings_of_unknown_effect_are_refused() {
    let unsupported: [&[u16]; 6] = [
        // user
        &[0x0003],
        // ld r1, (r1++)
        &[0xa501, 1 << 11 | ALWAYS << 7],
        // A list with sr and pc.
        &[0x0267],
        // stm with sp in the list.
        &[0x02e2],
        // b pc
        &[0x005f],
        // mov r0, p3
        &[0xcc20, 3],
    ];
    for code in unsupported {
        assert_eq!(Rig::new(code).fault(), FaultKind::UnsupportedInstruction, "{code:04x?}");
    }
}

#[test]
fn an_unsupported_vector_instruction_is_shown_in_full() {
    // v16 operation 63 is known; a memory operation 10 is not.
    let mut rig = Rig::new(&[0xf940, 0xe038, 0x0380, 0xf3c0, 0x0000]);
    let Outcome::Fault(fault) = rig.core.run(&mut rig.bus, 1).outcome else { panic!("no fault") };
    assert_eq!(
        fault.to_string(),
        "instruction without known effect at 0x00001000 (Core0): f940 e038 0380 f3c0 0000 ; v8mem10 -, -, (r0)"
    );
}

#[test]
fn execution_outside_ram_stops_the_core() {
    for address in [0x7e00_0000, 0x6000_0000] {
        let mut rig = Rig::new(&[]);
        rig.core.set_pc(address);
        assert_eq!(rig.fault(), FaultKind::FetchOutsideRam);
    }
}

#[test]
fn a_jump_table_or_a_stack_in_a_device_is_refused() {
    let mut rig = Rig::new(&[0x0081]).with(1, DEVICE);
    assert_eq!(rig.fault(), FaultKind::UnsupportedInstruction);
    let mut rig = Rig::new(&[0x0280]).with(SP, DEVICE);
    assert_eq!(rig.fault(), FaultKind::UnsupportedInstruction);
}

#[test]
fn no_sequence_of_words_brings_the_emulator_down() {
    // xorshift: the same words in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u32
    };
    let mut rig = Rig::new(&[]);
    rig.bus.vector_base = DATA;
    for round in 0..200_000 {
        let mut code: [u16; 5] = std::array::from_fn(|_| random() as u16);
        if round % 4 == 0 {
            code[0] |= 0xf000;
        }
        rig.write_code(CODE, &code);
        for register in 0..31 {
            rig.set(register, if random() % 4 == 0 { random() } else { random() % 64 });
        }
        rig.core.set_pc(CODE);
        let run = rig.core.run(&mut rig.bus, 1);
        if let Outcome::Fault(fault) = run.outcome {
            assert!(!fault.to_string().is_empty());
            rig.core.start(CODE);
        }
    }
}
