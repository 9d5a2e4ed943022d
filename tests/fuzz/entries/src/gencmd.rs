//! Text commands against a firmware that answers late, twice, anything or nothing; over the service and by mailbox.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use vchiq_mbox::{
    Deadline, Mailbox, Vchiq, Window,
    gencmd::{Answer, Gencmd, GencmdError, MAX_COMMAND, value_of},
    slot::Layout,
    testing::{Behaviour, FakeBoard, FakeService},
};

use crate::{board::Board, mailbox::Firmware, script::Script};

/// Bytes of the property buffer: text and the words around it.
const MAILBOX_BUFFER: usize = 1100;

/// The service and its client.
struct Caller {
    link: Vchiq<FakeBoard, FakeBoard>,
    board: FakeBoard,
    client: Gencmd,
    requests: Rc<RefCell<Vec<Vec<u8>>>>,
    /// It answers each command as soon as it comes.
    prompt: Rc<Cell<bool>>,
    /// Each command has been answered at most once so far, by its own text.
    honest: bool,
    commands: u32,
    /// OPENs that had come when a command was last answered late.
    opens: usize,
}

/// Plays a script.
pub fn gencmd(input: &[u8]) {
    let mut script = Script::new(input);
    if script.byte() & 7 == 0 {
        return by_mailbox(script);
    }
    let Some(mut caller) = Caller::new() else { return };
    while let Some(step) = script.step() {
        caller.play(step, &mut script);
    }
}

impl Caller {
    fn new() -> Option<Self> {
        let board = FakeBoard::new(Layout::LINUX_WINDOW);
        let mut link = Vchiq::prepare(board.clone(), board.clone()).ok()?;
        board.start_peer();
        let deadline = link.deadline(Duration::from_millis(50));
        link.connect(deadline).ok()?;
        let (requests, prompt) = (Rc::default(), Rc::new(Cell::new(true)));
        board.peer().services.push(service(&requests, &prompt));
        let client = Gencmd::open(&mut link, deadline).ok()?;
        Some(Self { link, board, client, requests, prompt, honest: true, commands: 0, opens: 1 })
    }

    fn play(&mut self, step: u8, script: &mut Script) {
        match step % 10 {
            0..=2 => self.ask(script),
            3 => self.answer_late(),
            4 => self.say_anything(script),
            5 => drop(self.requests.borrow_mut().pop()),
            6 => self.board.peer().close_at(0),
            7 => self.board.peer().stuck = script.byte() & 1 == 0,
            8 => self.prompt.set(script.byte() & 1 == 0),
            _ => drop(self.link.poll()),
        }
    }

    fn ask(&mut self, script: &mut Script) {
        self.commands += 1;
        let command = match script.byte() % 8 {
            0 => String::new(),
            1 => "with a \0".to_owned(),
            2 => "x".repeat(500 + usize::from(script.byte() % 16)),
            _ => format!("command {}", self.commands),
        };
        let mut buffer = vec![0; usize::from(script.byte()) * 8];
        let deadline = self.link.deadline(Duration::from_micros(1500));
        match self.client.ask(&mut self.link, &command, &mut buffer, deadline) {
            Ok(answer) => {
                check(&answer);
                assert!(!self.honest || answer.text == command, "the answer to another command");
            }
            Err(GencmdError::Unasked { .. }) => assert!(!self.honest, "an answer to nothing"),
            Err(GencmdError::CommandTooLong { size }) => assert!(size > MAX_COMMAND),
            Err(GencmdError::NoText) => assert!(command.is_empty() || command.contains('\0')),
            Err(_) => {}
        }
    }

    /// The oldest command that has not been answered, if its client is still there: a service forgets what a client
    /// had asked when it closes.
    fn answer_late(&mut self) {
        let opens = self.board.peer().received_of(2).len();
        if std::mem::replace(&mut self.opens, opens) != opens {
            self.requests.borrow_mut().clear();
        }
        let mut requests = self.requests.borrow_mut();
        if !requests.is_empty() {
            let command = requests.remove(0);
            self.board.peer().queue_from(0, &reply(&command));
        }
    }

    fn say_anything(&mut self, script: &mut Script) {
        self.honest = false;
        let bytes: Vec<u8> = (0..script.byte() % 32).map(|_| script.byte()).collect();
        self.board.peer().queue_from(0, &bytes);
    }
}

/// A service that answers a command by its own text.
fn service(requests: &Rc<RefCell<Vec<Vec<u8>>>>, prompt: &Rc<Cell<bool>>) -> FakeService {
    let (requests, prompt) = (Rc::clone(requests), Rc::clone(prompt));
    let behaviour = Behaviour::Script(Box::new(move |message| {
        let (end, command) = message.split_last().expect("a command has at least its NUL");
        assert!(
            *end == 0 && !command.contains(&0) && command.len() <= MAX_COMMAND,
            "a command of other bytes"
        );
        if prompt.get() {
            return vec![reply(command)];
        }
        requests.borrow_mut().push(command.to_vec());
        Vec::new()
    }));
    let mut service = FakeService::new(*b"GCMD", 60, behaviour);
    service.versions = (1, 1);
    service
}

fn reply(command: &[u8]) -> Vec<u8> {
    [&[0; 4], command].concat()
}

/// What holds whatever the firmware says.
fn check(answer: &Answer<'_>) {
    let Answer { text, bytes, .. } = answer;
    assert!(bytes.starts_with(text.as_bytes()) && !bytes.contains(&0), "text that is not in the answer");
    if let Some(value) = value_of(text, "a") {
        assert!(text.contains(value) && !value.contains('\n'));
    }
}

fn by_mailbox(script: Script<'_>) {
    let script = Rc::new(RefCell::new(script));
    let board = Board::new(MAILBOX_BUFFER);
    let firmware = Firmware::new(script.clone(), board.clone());
    let Ok(mut mailbox) = Mailbox::new(firmware, board.clone()) else {
        panic!("an aligned buffer of the right size is refused");
    };
    assert_eq!(board.len(), MAILBOX_BUFFER);
    while let Some(step) = { script.borrow_mut().step() } {
        let soon = Deadline::after(&board, Duration::from_micros(20));
        let mut out = vec![0; usize::from(step) * 8];
        if let Ok(answer) = mailbox.gencmd(&board, "get_mem gpu", &mut out, soon) {
            check(&answer);
        }
    }
}
