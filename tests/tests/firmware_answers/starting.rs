//! Starting, and what lies in slot zero (chapters 2 to 4).

use std::time::Duration;

use harness::{Board, Host, Parts};
use tests::slave::{Property, Rig, VCHIQ_INIT, boot, bytes_of, kind, lay_out, msgid, open, read};
use vchiq_mbox::{
    link::{OpenRequest, Vchiq},
    platform::{MailboxRegisters, Window},
    slot::Layout,
    wire::FourCc,
};

use super::{OURS, REFUSED, WHILE, assert_alive, echo, pass};

#[test]
fn slot_zero_is_checked_by_the_firmware() {
    // Offset, word, and the version word afterwards where it was accepted.
    let cases = [
        ("magic", 0x000, 0x4948_4356, None),
        ("version 2", 0x004, 0x0002_0002, None),
        ("version 3", 0x004, 0x0003_0003, Some(0x0003_0003)),
        ("version 7", 0x004, 0x0003_0007, Some(0x0003_0007)),
        ("version 9", 0x004, 0x0003_0009, Some(0x0003_0008)),
        ("oldest version 9", 0x004, 0x0009_0009, None),
        ("size of slot zero", 0x008, 1284, None),
        ("size of a slot", 0x00c, 8192, None),
        ("slots", 0x010, 64, None),
        ("slots of a side", 0x014, 32, None),
        ("no fragments pool", 0x01c, 0, Some(0x0003_0008)),
        ("VideoCore initialised", 0x020, 1, None),
        ("the Arm not initialised", 0x194, 0, Some(0x0003_0008)),
        ("VideoCore's last slot before its first", 0x028, 1, Some(0x0003_0008)),
        ("the Arm's first slot behind its last", 0x198, 65, Some(0x0003_0008)),
    ];
    for (what, offset, word, accepted) in cases {
        let Some(mut board) = boot("") else { return };
        let Parts { platform, mailbox, slots, property, .. } = board.parts();
        let mut property = Property::new(mailbox, property);
        let mut ask = || property.ask(platform, VCHIQ_INIT, &[slots.bus_address().0], 1).map(|a| a.words[0]);
        lay_out(slots);
        slots.store(offset, word);
        let answer = if accepted.is_some() { 0 } else { REFUSED };
        assert_eq!(ask(), Some(answer), "{what}");
        if let Some(versions) = accepted {
            assert_eq!((slots.load(0x020), slots.load(0x004)), (1, versions), "{what}");
        } else {
            lay_out(slots);
            assert_eq!((ask(), slots.load(0x020)), (Some(0), 1), "a good one after {what}");
        }
    }
}

#[test]
fn slot_zero_may_have_any_alias_but_must_be_aligned() {
    for (address, answer) in [
        (0x0400_0000, 0),
        (0x4400_0000, 0),
        (0x8400_0000, 0),
        (0xc400_0000, 0),
        (0xc400_0010, REFUSED),
        (0xc400_0800, REFUSED),
    ] {
        let Some(mut board) = boot("") else { return };
        let Parts { platform, mailbox, slots, property, .. } = board.parts();
        lay_out(slots);
        let found = Property::new(mailbox, property).ask(platform, VCHIQ_INIT, &[address], 1);
        assert_eq!(found.map(|a| a.words), Some(vec![answer]), "{address:#x}");
        assert_eq!(slots.load(0x020), u32::from(answer == 0), "{address:#x}");
    }
}

#[test]
fn the_answer_to_vchiq_init_comes_before_connect() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    assert_eq!(slave.window().load(0x03c), 0, "tx_pos of VideoCore when it answers");
    assert_eq!(slave.expect(kind::CONNECT).payload, [], "and its CONNECT does not wait for ours");
    // Nor does it wait for ours before it serves.
    slave.send(msgid(kind::OPEN, OURS, 0), &open(b"echo", 3, 3));
    assert_eq!(slave.expect(kind::OPENACK).payload, [3, 0]);
}

#[test]
fn the_old_mailbox_channel_still_starts_the_link() {
    let Some(mut board) = boot("") else { return };
    let Parts { clock, mailbox, slots, .. } = board.parts();
    lay_out(slots);
    mailbox.write(slots.bus_address().0 | 3);
    pass(clock, WHILE);
    assert_eq!((slots.load(0x020), slots.load(0x03c)), (1, 8), "initialised, and CONNECT sent");
    assert!(!mailbox.can_read(), "no answer");
}

#[test]
fn any_number_of_slots_and_older_versions_work() {
    for (version, total) in [(8, 33), (8, 80), (8, 128), (7, 65), (3, 65)] {
        let Some(mut board) = boot("") else { return };
        let Parts { platform, mailbox, slots, property, .. } = board.parts();
        let layout = Layout::new(total).expect("a layout");
        let mut link = Vchiq::prepare_with(platform, slots, layout).expect("a window");
        slots.store(0x004, 3 << 16 | version);
        let answer =
            Property::new(mailbox, property).ask(link.platform(), VCHIQ_INIT, &[slots.bus_address().0], 1);
        assert_eq!(answer.map(|answer| answer.words), Some(vec![0]));
        let soon = link.deadline(Duration::from_millis(500));
        link.connect(soon).expect("a connection");
        assert_eq!(link.version(), Some(version as u16));
        let echo = link.open(OpenRequest::new(FourCc::new(*b"echo"), 3, 3), soon).expect("echo");
        let mut ping = bytes_of(&[5]);
        ping.resize(4000, 7);
        // Every slot is used more than once.
        for _ in 0..2 * total {
            let soon = link.deadline(Duration::from_millis(500));
            link.send(echo, &[&ping], soon).expect("room");
            assert_eq!(link.receive(echo, soon).expect("an echo").size(), ping.len());
        }
    }
}

#[test]
fn the_firmware_rings_only_when_asked() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, host, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    assert_alive(&mut slave, remote);
    let (fired, rings) = (slave.window().load(0x1a8), host.doorbell_interrupts());
    assert_eq!((fired, rings), (1, 0), "it fires our trigger, and does not ring");
    slave.window().store(0x1a4, 1);
    for _ in 0..3 {
        assert_alive(&mut slave, remote);
        pass(slave.board(), WHILE);
    }
    assert!(host.doorbell_interrupts() >= 3, "{} rings", host.doorbell_interrupts());
    assert_eq!(slave.window().load(0x1a4), 1, "armed stays as it is");
}

#[test]
fn the_firmware_does_not_use_the_words_behind_the_halves() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    assert_alive(&mut slave, remote);
    assert!(read(slave.window(), 0x308, 0x200).iter().all(|byte| *byte == 0));
    // It still holds the message when it answers.
    slave.expect_silence();
    let (header, id) = (slave.window().load(0x178), slave.window().load(0x17c));
    assert_eq!(id, msgid(kind::DATA, OURS, remote), "the msgid that it parsed last");
    assert_eq!(slave.window().load((header - slave.window().bus_address().0) as usize), id);
}
