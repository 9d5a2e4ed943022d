//! Commands by text (chapter 9).

use tests::slave::{Property, Rig, boot, bytes_of, kind, open};
use vchiq_mbox::platform::{MailboxRegisters, Window};

use super::{Link, OURS};

/// A command through the mailbox; gives the answer's bytes, code and text.
fn command_by_mailbox<M: MailboxRegisters, W: Window>(
    property: &mut Property<'_, M, W>,
    slave: &Link<'_>,
    command: &str,
) -> Vec<u8> {
    let mut value = [bytes_of(&[0]), command.as_bytes().to_vec()].concat();
    value.resize(1024, 0);
    let words = value.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    let answer = property.ask(slave.board(), 0x0003_0080, &words.collect::<Vec<_>>(), 256);
    let answer = answer.expect("the tag is known");
    assert_eq!(answer.length, 4, "the length that it tells, whatever the text");
    let bytes = bytes_of(&answer.words);
    let end = 4 + bytes[4..].iter().position(|byte| *byte == 0).expect("a NUL");
    bytes[..=end].to_vec()
}

#[test]
fn commands_are_answered_both_ways() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, mut property, .. } = Rig::new(&mut board);
    let commands = [
        ("measure_clock arm\0", 0, "frequency(48)=1200000000\0"),
        ("get_mem arm\0", 0, "arm=128M\0"),
        ("fly\0", u32::MAX, "error=1 error_msg=\"Command not registered\"\0"),
        ("\0", u32::MAX, "error=1 error_msg=\"Command not registered\"\0"),
    ];
    let expected = commands.map(|(_, code, text)| [bytes_of(&[code]), text.as_bytes().to_vec()].concat());
    for ((command, ..), expected) in commands.iter().zip(&expected) {
        assert_eq!(command_by_mailbox(&mut property, &slave, command), *expected, "{command:?}");
    }
    slave.connect();
    let remote = slave.open(OURS, &open(b"GCMD", 1, 1));
    for ((command, ..), expected) in commands.iter().zip(&expected) {
        assert_eq!(slave.ask(OURS, remote, command.as_bytes()), *expected, "{command:?}");
    }
}

#[test]
fn answers_to_the_mailbox_may_reach_an_open_service_too() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, mut property, .. } = Rig::new(&mut board);
    slave.connect();
    slave.open(OURS, &open(b"GCMD", 1, 1));
    for command in ["get_mem arm\0", "fly\0"] {
        let answer = command_by_mailbox(&mut property, &slave, command);
        let unasked = slave.expect(kind::DATA);
        assert_eq!(unasked.payload, answer, "{command:?}");
        slave.release(&unasked);
    }
}
