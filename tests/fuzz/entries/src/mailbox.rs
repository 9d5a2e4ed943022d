//! Property calls against a VideoCore that answers what it likes.

use std::{cell::RefCell, rc::Rc};

use vchiq_mbox::{
    BusAddress, Deadline, Mailbox, MailboxRegisters, Window,
    property::{
        ArmMemory, BoardSerial, ClockId, FirmwareHash, FirmwareRevision, FirmwareVariant, LockMemory,
        MeasuredClockRate, MemoryHandle, Temperature, Throttled, VchiqInit,
    },
};

use crate::{board::Board, script::Script};

/// Bytes of the property buffer.
const BUFFER: usize = 256;
/// The reply that is right: the buffer's address and the channel.
const RIGHT: u32 = 0xc010_0000 | 8;

/// Registers and buffer, both VideoCore's; clones share them.
#[derive(Clone)]
pub(crate) struct Firmware<'a> {
    script: Rc<RefCell<Script<'a>>>,
    buffer: Board,
}

impl<'a> Firmware<'a> {
    pub(crate) fn new(script: Rc<RefCell<Script<'a>>>, buffer: Board) -> Self {
        Self { script, buffer }
    }
}

impl MailboxRegisters for Firmware<'_> {
    fn can_read(&self) -> bool {
        self.script.borrow_mut().byte() & 7 != 0
    }

    fn read(&mut self) -> u32 {
        let mut script = self.script.borrow_mut();
        match script.byte() & 3 {
            0 => script.word(),
            _ => RIGHT,
        }
    }

    fn can_write(&self) -> bool {
        self.script.borrow_mut().byte() & 0x1f != 0x1f
    }

    /// Answers: the frame as it should be, then words anywhere.
    fn write(&mut self, _: u32) {
        let mut script = self.script.borrow_mut();
        let shape = script.byte();
        if shape & 1 == 0 {
            self.buffer.poke(4, 0x8000_0000);
            self.buffer.poke(16, 0x8000_0000 | u32::from(script.byte()));
        }
        for _ in 0..shape >> 4 {
            let place = usize::from(script.byte()) % (self.buffer.len() / 4) * 4;
            self.buffer.poke(place, script.word());
        }
        if shape & 2 != 0 {
            self.buffer.glitch(script.byte() & 15, script.word());
        }
    }
}

/// Plays a script.
pub fn mailbox(input: &[u8]) {
    let script = Rc::new(RefCell::new(Script::new(input)));
    let board = Board::new(BUFFER);
    let firmware = Firmware::new(script.clone(), board.clone());
    let Ok(mut mailbox) = Mailbox::new(firmware, board.clone()) else {
        panic!("an aligned buffer of the right size is refused");
    };
    assert_eq!(board.bus_address(), BusAddress(0xc010_0000));
    loop {
        let Some(step) = script.borrow_mut().step() else {
            return;
        };
        let soon = Deadline::after(&board, std::time::Duration::from_micros(20));
        match step % 12 {
            0 => drop(mailbox.call::<FirmwareRevision>(&board, (), soon)),
            1 => drop(mailbox.call::<FirmwareVariant>(&board, (), soon)),
            2 => drop(mailbox.call::<FirmwareHash>(&board, (), soon)),
            3 => drop(mailbox.call::<BoardSerial>(&board, (), soon)),
            4 => drop(mailbox.call::<ArmMemory>(&board, (), soon)),
            5 => drop(mailbox.call::<Temperature>(&board, (), soon)),
            6 => drop(mailbox.call::<Throttled>(&board, (), soon)),
            7 => drop(mailbox.call::<MeasuredClockRate>(&board, ClockId::Arm, soon)),
            8 => drop(mailbox.call::<VchiqInit>(&board, BusAddress(0xc000_0000), soon)),
            9 => drop(mailbox.call::<LockMemory>(&board, MemoryHandle(7), soon)),
            _ => {
                let mut out = [0; 512];
                let room = usize::from(step) * 2;
                if let Ok(line) = mailbox.command_line(&board, &mut out[..room], soon) {
                    assert!(line.len() <= room && line.last() != Some(&0), "a command line of other bytes");
                }
            }
        }
    }
}
