//! Services (chapter 5).

use tests::slave::{Rig, boot, bytes_of, kind, msgid, open};

use super::{OURS, assert_alive, assert_dead, data, echo};

#[test]
fn services_have_these_versions() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    slave.connect();
    let newest: u16 = 0x7fff;
    for (fourcc, version) in [
        (b"echo", 3),
        (b"func", 3),
        (b"fun2", 3),
        (b"SMEM", 1),
        (b"SMCT", 1),
        (b"GCMD", 1),
        (b"mmal", 16),
        (b"TVSV", 1),
        (b"TVNT", 1),
        (b"CECS", 1),
        (b"CECN", 1),
        (b"DISP", 1),
        (b"UPDH", 1),
        (b"AUDS", 3),
        (b"ILCS", 1),
        (b"KHAN", 1),
        (b"KHRN", 1),
        (b"KHHN", 1),
        (b"GPUS", 1),
    ] {
        slave.send(msgid(kind::OPEN, OURS, 0), &open(fourcc, newest, 0));
        let answer = slave.expect(kind::OPENACK);
        assert_eq!(answer.payload, [version, 0], "{}", fourcc.escape_ascii());
        slave.close(OURS, answer.port());
    }
    for fourcc in [b"WFCI", b"FSRV", b"CMA ", b"KEEP", b"none"] {
        slave.send(msgid(kind::OPEN, OURS, 0), &open(fourcc, newest, 0));
        assert_eq!(slave.expect(kind::CLOSE).msgid, msgid(kind::CLOSE, 0, OURS));
    }
}

#[test]
fn services_accept_clients_from_this_version_on() {
    for (fourcc, oldest) in [(b"echo", 2), (b"func", 2), (b"fun2", 2), (b"GCMD", 1), (b"mmal", 10)] {
        let Some(mut board) = boot("") else { return };
        let Rig { mut slave, .. } = Rig::new(&mut board);
        slave.connect();
        slave.send(msgid(kind::OPEN, OURS, 0), &open(fourcc, oldest - 1, 0));
        assert_eq!(slave.expect(kind::CLOSE).port(), 0, "refused");
        slave.open(OURS, &open(fourcc, oldest, 0));
    }
}

#[test]
fn opens_of_odd_lengths_and_several_clients_are_told_apart() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    slave.connect();
    slave.send(msgid(kind::OPEN, 2, 0), &open(b"GCMD", 1, 1)[..8]);
    assert_eq!(slave.expect(kind::CLOSE).msgid, msgid(kind::CLOSE, 0, 2), "too short");
    let first = slave.open(2, &[open(b"GCMD", 1, 1), vec![0; 8]].concat());
    let second = slave.open(3, &open(b"GCMD", 1, 1));
    assert_ne!(first, second);
    // The number 0 is a port like any other.
    assert_eq!(first, 0);
    assert_eq!(slave.ask(2, first, b"get_mem arm\0")[4..], *b"arm=128M\0");
    assert_eq!(slave.ask(3, second, b"get_mem arm\0")[4..], *b"arm=128M\0");
}

#[test]
fn messages_for_nobody_are_skipped_in_silence() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    let sync = bytes_of(&[3]);
    for (what, id) in [
        ("a port that nobody has", msgid(kind::DATA, OURS, 0xffe)),
        ("from a port that is not the client's", msgid(kind::DATA, 9, remote)),
        ("type 15", msgid(15, OURS, remote)),
        ("type 63", msgid(63, OURS, remote)),
        ("OPENACK", msgid(kind::OPENACK, OURS, remote)),
        ("a second CONNECT", msgid(kind::CONNECT, 0, 0)),
        ("CLOSE for nobody", msgid(kind::CLOSE, 9, 0)),
        ("REMOTE_USE", msgid(kind::REMOTE_USE, 0, 0)),
        ("REMOTE_RELEASE", msgid(kind::REMOTE_RELEASE, 0, 0)),
        ("REMOTE_USE_ACTIVE", msgid(kind::REMOTE_USE_ACTIVE, 0, 0)),
        ("RESUME", msgid(kind::RESUME, 0, 0)),
    ] {
        println!("{what}");
        slave.send(id, if id >> 24 == kind::DATA { &sync } else { &[] });
        slave.expect_silence();
        assert_alive(&mut slave, remote);
    }
}

#[test]
fn echo_says_what_is_wrong() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    for (request, answer) in [
        (&[][..], &b"message too short\0"[..]),
        (&[77], b"Unexpected message type\0"),
        (&[4, 0], b"Bad params size\0"),
        (&[3, 0x0009_0909], b"\0"),
        (&[2], b""),
        (&[5, 6, 7], &[5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0]),
    ] {
        assert_eq!(slave.ask(OURS, remote, &bytes_of(request)), answer, "{request:?}");
    }
    data(&mut slave, remote, &[1]);
    slave.expect_silence();
}

/// OPEN of `func` with a client id.
fn open_func(id: u8) -> Vec<u8> {
    let mut payload = open(b"func", 3, 3);
    payload[4] = id;
    payload
}

#[test]
fn func_listens_for_a_second_client_if_the_first_has_an_id() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    slave.connect();
    let nameless = slave.open(OURS, &open_func(0));
    slave.send(msgid(kind::OPEN, OURS + 1, 0), &open_func(0));
    assert_eq!(slave.expect(kind::CLOSE).msgid, msgid(kind::CLOSE, 0, OURS + 1), "no second");
    slave.close(OURS, nameless);

    let first = slave.open(OURS, &open_func(7));
    let second = slave.open(OURS + 1, &open_func(7));
    slave.send(msgid(kind::OPEN, OURS + 2, 0), &open_func(7));
    assert_eq!(slave.expect(kind::CLOSE).msgid, msgid(kind::CLOSE, 0, OURS + 2), "no third");
    slave.close(OURS + 1, second);
    slave.open(OURS + 1, &open_func(7));
    assert_eq!(slave.ask(OURS, first, b"abcdef"), b"abcdef");
}

#[test]
fn close_is_not_checked_for_its_sender() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    let remote = echo(&mut slave);
    slave.send(msgid(kind::CLOSE, 9, remote), &[]);
    assert_eq!(slave.expect(kind::CLOSE).msgid, msgid(kind::CLOSE, remote, OURS));
    assert_dead(&mut slave, remote);
}

#[test]
fn an_open_that_is_given_up_is_acknowledged_and_closed() {
    let Some(mut board) = boot("") else { return };
    let Rig { mut slave, .. } = Rig::new(&mut board);
    slave.connect();
    slave.send(msgid(kind::OPEN, OURS, 0), &open(b"echo", 3, 3));
    slave.send(msgid(kind::CLOSE, OURS, 0), &[]);
    let remote = slave.expect(kind::OPENACK).port();
    assert_eq!(slave.expect(kind::CLOSE).msgid, msgid(kind::CLOSE, remote, OURS));
}
