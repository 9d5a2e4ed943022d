//! Commands by text, over slots and mailbox.

use super::*;
use crate::{
    Mailbox,
    error::{Error, Misuse, Owner, Step},
    gencmd::{Answer, GCMD, Gencmd, GencmdError, value_of},
    mailbox::MailboxError,
    testing::{FakeMailbox, MailboxBehaviour, golden_bytes},
};

fn golden(name: &str) -> Vec<u8> {
    golden_bytes(match name {
        "measure_clock" => include_str!("../../../tests/data/gencmd/measure_clock.hex"),
        "measure_clock_answer" => include_str!("../../../tests/data/gencmd/measure_clock_answer.hex"),
        _ => include_str!("../../../tests/data/gencmd/unknown_answer.hex"),
    })
}

/// A client whose service behaves so.
fn client(behaviour: Behaviour) -> (Link, FakeBoard, Gencmd) {
    let (mut link, board) = connected();
    let mut service = FakeService::new(*b"GCMD", 40, behaviour);
    service.versions = (1, 0);
    board.peer().services.push(service);
    let deadline = soon(&link);
    let client = Gencmd::open(&mut link, deadline).unwrap();
    (link, board, client)
}

fn answering(answer: Vec<u8>) -> Behaviour {
    Behaviour::Script(Box::new(move |_| vec![answer.clone()]))
}

fn ask(link: &mut Link, client: &mut Gencmd, command: &str) -> Result<(i32, String), GencmdError> {
    let deadline = soon(link);
    let mut buffer = [0; 256];
    client.ask(link, command, &mut buffer, deadline).map(|Answer { code, text, .. }| (code, text.to_owned()))
}

#[test]
fn a_command_and_its_answer_have_their_golden_bytes() {
    let (mut link, board, mut client) = client(answering(golden("measure_clock_answer")));
    let answer = ask(&mut link, &mut client, "measure_clock arm").unwrap();
    assert_eq!(answer, (0, "frequency(45)=600000000".to_owned()));
    let sent = board.peer().received.last().unwrap().payload.clone();
    assert_eq!(sent, golden("measure_clock"));
    let deadline = soon(&link);
    client.close(&mut link, deadline).unwrap();
    assert_eq!(link.counters().received, link.counters().released);
}

#[test]
fn a_failed_command_has_its_code_and_text() {
    let (mut link, _, mut client) = client(answering(golden("unknown_answer")));
    let (code, text) = ask(&mut link, &mut client, "nonsense").unwrap();
    assert_eq!(code, -1);
    assert_eq!(value_of(&text, "error"), Some("1 error_msg=\"Command not registered"));
}

#[test]
fn text_ends_at_its_nul_at_the_message_s_end_or_where_it_is_no_text() {
    for (bytes, text) in
        [(&b"\0\0\0\0ab\0cd"[..], "ab"), (b"\0\0\0\0ab", "ab"), (b"\0\0\0\0a\xffb", "a"), (&[0; 4], "")]
    {
        let (mut link, _, mut client) = client(answering(bytes.to_vec()));
        assert_eq!(ask(&mut link, &mut client, "version").unwrap(), (0, text.to_owned()));
    }
}

#[test]
fn values_are_found_by_name_at_the_start_of_a_line() {
    let text = "throttled=0x50000\ncommands=\"vcos, ap_output\"\n";
    assert_eq!(value_of(text, "throttled"), Some("0x50000"));
    assert_eq!(value_of(text, "commands"), Some("vcos, ap_output"));
    assert_eq!(value_of(text, "command"), None);
}

#[test]
fn answers_without_a_code_or_too_long_are_errors() {
    let (mut link, _, mut first) = client(answering(vec![0; 3]));
    let error = ask(&mut link, &mut first, "version").unwrap_err();
    assert_eq!((error, error.owner()), (GencmdError::AnswerTooShort { size: 3 }, Owner::Firmware));
    let (mut link, _, mut second) = client(answering(vec![0; 300]));
    let error = ask(&mut link, &mut second, "version").unwrap_err();
    assert_eq!((error, error.owner()), (GencmdError::AnswerTooLong { size: 300, room: 256 }, Owner::Harness));
    assert_eq!(link.counters().received, link.counters().released, "every slot let go");
}

#[test]
fn commands_that_are_none_are_not_sent() {
    let (mut link, board, mut client) = client(Behaviour::Sink);
    let before = board.peer().received.len();
    assert_eq!(ask(&mut link, &mut client, ""), Err(GencmdError::NoText));
    assert_eq!(ask(&mut link, &mut client, "a\0b"), Err(GencmdError::NoText));
    let long = "x".repeat(512);
    assert_eq!(ask(&mut link, &mut client, &long), Err(GencmdError::CommandTooLong { size: 512 }));
    board.run_peer();
    assert_eq!(board.peer().received.len(), before);
}

/// Without a number, a late answer would be taken for the next command's.
#[test]
fn a_late_answer_is_not_taken_for_the_next_command_s() {
    let mut commands = 0;
    let (mut link, board, mut client) = client(Behaviour::Script(Box::new(move |_| {
        commands += 1;
        if commands == 1 { Vec::new() } else { vec![b"\0\0\0\0second\0".to_vec()] }
    })));
    let error = ask(&mut link, &mut client, "first").unwrap_err();
    assert_eq!(error, Error::Timeout { step: Step::Receive }.into());
    board.peer().queue_data(*b"GCMD", b"\0\0\0\0first\0");
    board.run_peer();
    assert_eq!(ask(&mut link, &mut client, "second").unwrap(), (0, "second".to_owned()));
    assert_eq!(link.counters().received, link.counters().released);
}

#[test]
fn an_answer_to_no_command_is_found_out_and_the_service_opened_anew() {
    let (mut link, board, mut client) = client(answering(b"\0\0\0\0right\0".to_vec()));
    board.peer().queue_data(*b"GCMD", b"\0\0\0\0wrong\0");
    board.run_peer();
    assert_eq!(ask(&mut link, &mut client, "version"), Err(GencmdError::Unasked { size: 10 }));
    assert_eq!(ask(&mut link, &mut client, "version").unwrap(), (0, "right".to_owned()));
}

#[test]
fn firmware_without_the_service_refuses() {
    let (mut link, _) = connected();
    let deadline = soon(&link);
    let error = Gencmd::open(&mut link, deadline).unwrap_err();
    assert_eq!(error, Error::Refused { fourcc: GCMD.fourcc }.into());
}

#[test]
fn a_service_that_will_not_close_stays_a_timeout() {
    let (mut link, board, mut client) = client(Behaviour::Sink);
    assert!(ask(&mut link, &mut client, "first").is_err());
    board.peer().ignores_close = true;
    let error = ask(&mut link, &mut client, "second").unwrap_err();
    assert_eq!(error, Error::Timeout { step: Step::Close }.into());
    // The handle is stale from then on; the service is opened again on another port.
    assert!(!matches!(
        ask(&mut link, &mut client, "third"),
        Err(GencmdError::Link(Error::Misuse(Misuse::StaleHandle { .. })))
    ));
}

fn mailbox(behaviour: MailboxBehaviour) -> (Mailbox<FakeMailbox, FakeMailbox>, FakeMailbox, FakeBoard) {
    let fake = FakeMailbox::new(2048, behaviour);
    (Mailbox::new(fake.clone(), fake.clone()).unwrap(), fake, FakeBoard::new(4096))
}

#[test]
fn the_mailbox_answers_where_it_knows_the_tag() {
    let words = vec![0, u32::from_le_bytes(*b"vers"), u32::from_le_bytes(*b"ion\0")];
    let (mut mailbox, fake, board) = mailbox(MailboxBehaviour::Answer { words, bytes: 1024 });
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    let mut buffer = [0; 1024];
    let answer = mailbox.gencmd(&board, "measure_clock arm", &mut buffer, deadline).unwrap();
    assert_eq!(answer, Answer { code: 0, text: "version", bytes: b"version" });
    // 1024 bytes of value, as the published client declares (gencmd fact sheet 2).
    assert_eq!(fake.buffer_words(4), [1048, 0x8000_0000, 0x0003_0080, 1024]);
}

/// Firmware of 2022: the tag's length is that of the code alone.
#[test]
fn the_mailbox_s_text_is_read_whatever_length_the_firmware_says() {
    for bytes in [4, 9, 1024, 2000] {
        let words = vec![7, u32::from_le_bytes(*b"arm="), u32::from_le_bytes(*b"128M"), 0];
        let (mut mailbox, _, board) = mailbox(MailboxBehaviour::Answer { words, bytes });
        let deadline = Deadline::after(&board, Duration::from_millis(1));
        let mut buffer = [0; 1024];
        let answer = mailbox.gencmd(&board, "get_mem arm", &mut buffer, deadline).unwrap();
        assert_eq!((answer.code, answer.text), (7, "arm=128M"), "{bytes} bytes");
    }
}

#[test]
fn the_mailbox_s_text_keeps_what_is_no_text_for_who_wants_it_and_ends_with_its_room() {
    let mut words = vec![0; 1];
    words.extend([u32::from_le_bytes(*b"a\xffbc"); 255]);
    let (mut mailbox, _, board) = mailbox(MailboxBehaviour::Answer { words, bytes: 4 });
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    let mut buffer = [0; 1024];
    let answer = mailbox.gencmd(&board, "version", &mut buffer, deadline).unwrap();
    assert_eq!((answer.text, answer.bytes.len()), ("a", 1020));
    assert!(answer.bytes.starts_with(b"a\xffbca"));
}

#[test]
fn old_firmware_does_not_know_the_tag() {
    let (mut mailbox, _, board) = mailbox(MailboxBehaviour::UnknownTag);
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    let mut buffer = [0; 1024];
    let error = mailbox.gencmd(&board, "version", &mut buffer, deadline).unwrap_err();
    assert_eq!(error, MailboxError::NotAnswered { tag: 0x0003_0080, status: 0 });
}

#[test]
fn a_command_that_is_still_there_is_no_answer() {
    let (mut mailbox, _, board) = mailbox(MailboxBehaviour::ClaimOnly { bytes: 1024 });
    let deadline = Deadline::after(&board, Duration::from_millis(1));
    let mut buffer = [0; 1024];
    let error = mailbox.gencmd(&board, "version", &mut buffer, deadline).unwrap_err();
    assert_eq!(error, MailboxError::NotAnswered { tag: 0x0003_0080, status: 0x8000_0400 });
}
