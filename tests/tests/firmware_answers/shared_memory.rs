//! Shared memory (chapter 8).

use tests::slave::{Rig, boot, bytes_of, kind, msgid, open};
use vchiq_mbox::platform::Window;

use super::{Link, OURS};

/// SMEM open and its version told; gives the firmware's port.
fn shared_memory(slave: &mut Link<'_>) -> u32 {
    slave.connect();
    let remote = slave.open(OURS, &open(b"SMEM", 1, 0));
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&[9, 1, 2])), bytes_of(&[0x8000_0009, 1, 2]));
    remote
}

/// Imports; gives the handle.
fn import(slave: &mut Link<'_>, remote: u32, address: u32, size: u32, kernel_id: u32) -> u32 {
    let mut request = bytes_of(&[8, 0x100 + kernel_id, 1, address, size, kernel_id, 1]);
    request.resize(60, 0);
    let answer = slave.ask(OURS, remote, &request);
    assert_eq!(answer.len(), 8);
    assert_eq!(answer[..4], bytes_of(&[0x100 + kernel_id]));
    u32::from_le_bytes(*answer[4..].first_chunk().expect("a word"))
}

#[test]
fn the_version_is_acknowledged_whatever_it_is() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = shared_memory(&mut slave);
    for version in [1, 3, 0, 2] {
        let answer = slave.ask(OURS, remote, &bytes_of(&[9, 7, version]));
        assert_eq!(answer, bytes_of(&[0x8000_0009, 7, version]));
    }
}

#[test]
fn any_import_of_the_right_length_is_taken() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, lendable, .. } = Rig::new(&mut board);
    let remote = shared_memory(&mut slave);
    let address = lendable.bus_address().0;
    let physical = address & 0x3fff_ffff;
    for (address, size) in [
        (address, 0),
        (address, 100),
        (address + 4, 4096),
        (physical, 4096),
        (physical | 0x4000_0000, 4096),
        (physical | 0x8000_0000, 4096),
    ] {
        let handle = import(&mut slave, remote, address, size, 7);
        let released = slave.ask(OURS, remote, &bytes_of(&[4, 2, handle, 0]));
        assert_eq!(released, bytes_of(&[0x8000_000b, address, size, 7, handle]));
    }
    let (first, second) =
        (import(&mut slave, remote, address, 4096, 1), import(&mut slave, remote, address, 4096, 2));
    assert_ne!(first, second, "the same memory twice");
    for (handle, kernel_id) in [(second, 2), (first, 1)] {
        let released = slave.ask(OURS, remote, &bytes_of(&[4, 2, handle, 0]));
        assert_eq!(released, bytes_of(&[0x8000_000b, address, 4096, kernel_id, handle]));
    }
}

#[test]
fn a_lock_does_not_hold_an_import() {
    for variant in ["", "_db"] {
        let Some(mut board) = boot(variant) else { return };
        let Rig { mut slave, mut property, lendable, .. } = Rig::new(&mut board);
        let remote = shared_memory(&mut slave);
        let address = lendable.bus_address().0;

        let handle = import(&mut slave, remote, address, 4096, 1);
        let mut tag =
            |slave: &Link<'_>, tag| property.ask(slave.board(), tag, &[handle], 1).map(|a| a.words[0]);
        assert_eq!(tag(&slave, 0x0003_000d), Some(address), "locked by the mailbox");
        let released = slave.ask(OURS, remote, &bytes_of(&[4, 2, handle, 0]));
        assert_eq!(released, bytes_of(&[0x8000_000b, address, 4096, 1, handle]));
        assert_eq!(tag(&slave, 0x0003_000e), Some(0), "unlocked afterwards");

        let handle = import(&mut slave, remote, address, 4096, 2);
        let locked = slave.ask(OURS, remote, &bytes_of(&[1, 3, handle, 0]));
        assert_eq!(locked, bytes_of(&[3, handle, address, address]));
        let released = slave.ask(OURS, remote, &bytes_of(&[4, 4, handle, 0]));
        assert_eq!(released, bytes_of(&[0x8000_000b, address, 4096, 2, handle]));
        let unlocked = slave.ask(OURS, remote, &bytes_of(&[2, 5, handle, 0]));
        assert_eq!(unlocked, bytes_of(&[5, u32::MAX]), "there is nothing to unlock");
    }
}

#[test]
fn handles_that_do_not_exist_and_wrong_lengths_are_logged() {
    const NOBODYS: u32 = 0xc000_0055;
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, lendable, host, .. } = Rig::new(&mut board);
    let remote = shared_memory(&mut slave);
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&[1, 2, NOBODYS, 0])), bytes_of(&[2, 0, 0, 0]));
    assert_eq!(slave.ask(OURS, remote, &bytes_of(&[2, 3, NOBODYS, 0])), bytes_of(&[3, u32::MAX]));
    let mut short = bytes_of(&[8, 5, 1, lendable.bus_address().0, 4096, 1, 1]);
    short.resize(56, 0);
    for silent in [bytes_of(&[4, 4, NOBODYS, 0]), short, bytes_of(&[13, 6, 0, 0])] {
        slave.send(msgid(kind::DATA, OURS, remote), &silent);
        slave.expect_silence();
    }
    let log = host.firmware_log();
    for said in [
        "sm_lock: no resource found for res_handle 3221225557",
        "sm_unlock: no resource found for res_handle 3221225557",
        "sm_free: no resource found for res_handle 3221225557",
        "sm_process_msg: incorrect message length 56 (expected=60)",
    ] {
        assert!(log.iter().any(|line| line.contains(said)), "{said}: {log:#?}");
    }
}
