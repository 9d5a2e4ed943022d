//! Pause, quotas, and headers that cannot be (chapters 3 and 7).

use tests::slave::{Rig, boot, bytes_of, kind, msgid, open};
use vchiq_mbox::platform::Window;

use super::{OURS, WHILE, assert_alive, assert_dead, data, echo};

#[test]
fn pause_twice_and_resume_twice_are_harmless() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    slave.send(msgid(kind::PAUSE, 0, 0), &[]);
    assert_eq!(slave.expect(kind::PAUSE).payload, []);
    for kind in [kind::PAUSE, kind::RESUME, kind::RESUME] {
        slave.send(msgid(kind, 0, 0), &[]);
        slave.expect_silence();
    }
    assert_alive(&mut slave, remote);
}

#[test]
fn data_while_paused_stops_the_firmware() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    slave.send(msgid(kind::PAUSE, 0, 0), &[]);
    assert_eq!(slave.expect(kind::PAUSE).payload, []);
    data(&mut slave, remote, &[3]);
    slave.expect_silence();
    slave.send(msgid(kind::RESUME, 0, 0), &[]);
    slave.expect_silence();
    assert_dead(&mut slave, remote);
    assert_eq!((slave.window().load(0x030), slave.window().load(0x034)), (0, 1), "trigger: not armed, fired");
}

#[test]
fn unreleased_messages_stop_the_whole_firmware() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    let mut ping = bytes_of(&[5]);
    ping.resize(4000, 7);
    let mut held = Vec::new();
    for _ in 0..20 {
        slave.send(msgid(kind::DATA, OURS, remote), &ping);
        held.extend(slave.next(WHILE));
    }
    assert_eq!(held.len(), 15, "echoes of a slot each, none of them released");
    slave.send(msgid(kind::OPEN, 2, 0), &open(b"GCMD", 1, 1));
    slave.expect_silence();
    let mut answers = Vec::new();
    for message in held {
        slave.release(&message);
        if let Some(answer) = slave.next(WHILE) {
            answers.push(answer.kind());
            if answer.kind() == kind::DATA {
                slave.release(&answer);
            }
        }
    }
    while let Some(answer) = slave.next(WHILE) {
        answers.push(answer.kind());
        if answer.kind() == kind::DATA {
            slave.release(&answer);
        }
    }
    assert_eq!(answers, [kind::DATA, kind::DATA, kind::DATA, kind::DATA, kind::DATA, kind::OPENACK]);
}

#[test]
fn a_size_that_passes_the_slot_halts_the_firmware() {
    for variant in ["", "_db"] {
        for size in [4089, 5000] {
            let Some(mut board) = boot(variant) else { return };
            let Rig { mut slave, host, .. } = Rig::new(&mut board);
            let remote = echo(&mut slave);
            slave.send_claiming(msgid(kind::DATA, OURS, remote), &bytes_of(&[3]), size);
            slave.expect_silence();
            assert_dead(&mut slave, remote);
            let log = host.firmware_log();
            let said = format!("size {size:x} too big for slot");
            assert!(log.iter().any(|line| line.ends_with(&said)), "{log:#?}");
            assert!(log.iter().any(|line| line.ends_with("vcos_abort: Halting")), "{log:#?}");
        }
    }
}

#[test]
fn a_size_of_all_ones_counts_as_eight_bytes() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    // What follows the header is read as one of PADDING.
    slave.send_claiming(msgid(kind::DATA, OURS, remote), &bytes_of(&[3, 0]), u32::MAX);
    let answer = slave.expect(kind::DATA);
    slave.release(&answer);
    assert_alive(&mut slave, remote);
}
