//! Replays what the fuzzer has found worth keeping, and what once went wrong.

use std::{fs, path::Path};

/// Plays every input of a target's corpus; gives their number.
fn replay(target: &str, entry: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let inputs = fs::read_dir(&folder).expect("the target has a corpus");
    inputs
        .map(|input| {
            let path = input.expect("the folder can be read").path();
            // Shown if the input fails.
            println!("{}", path.display());
            entry(&fs::read(&path).expect("the input can be read"));
        })
        .count()
}

#[test]
fn the_link_keeps_its_promises() {
    assert!(replay("link", fuzz_entries::link) >= 12);
}

#[test]
fn the_client_of_smem_keeps_its_promises() {
    assert!(replay("smem", fuzz_entries::smem) >= 12);
}

#[test]
fn the_client_of_mmal_keeps_its_promises() {
    assert!(replay("mmal", fuzz_entries::mmal) >= 12);
}

#[test]
fn property_calls_keep_their_promises() {
    assert!(replay("mailbox", fuzz_entries::mailbox) >= 12);
}

#[test]
fn answers_to_text_commands_keep_their_promises() {
    assert!(replay("gencmd", fuzz_entries::gencmd) >= 12);
}
