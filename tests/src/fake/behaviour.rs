//! How the fake VideoCore behaves.

/// What it does with IMPORT.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Import {
    /// Answers with a handle.
    #[default]
    Accept,
    /// Answers with handle 0.
    Refuse,
    /// Does not answer.
    Silent,
}

/// What it does about RELEASED.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Released {
    /// Sends it once after FREE.
    #[default]
    Once,
    /// Never sends it.
    Never,
    /// Sends it twice.
    Twice,
    /// Sends it with an address a page too high.
    WrongAddress,
    /// Sends it right after the import, before FREE.
    BeforeFree,
}

/// What the lock tag answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lock {
    /// The imported address.
    #[default]
    Imported,
    /// An address a page too high.
    Elsewhere,
    /// 0: failed.
    Fails,
}

/// What the echo service does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Echo {
    /// Gives back what it got.
    #[default]
    Whole,
    /// Flips a bit of the last byte.
    Flipped,
    /// Says nothing.
    Silent,
}

/// The whole script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Behaviour {
    /// Answer to the firmware revision tag.
    pub revision: u32,
    /// Answer to the firmware variant tag.
    pub variant: u32,
    /// Text of `cmdline.txt`; `None` if the tag is not answered.
    pub command_line: Option<String>,
    /// Text of the answer to every command by mailbox; `None` if the tag is not answered.
    pub command_answer: Option<Vec<u8>>,
    /// Throttle word.
    pub throttled: u32,
    /// It answers property messages at all.
    pub mailbox: bool,
    /// It takes slot zero up.
    pub vchiq: bool,
    /// It sends CONNECT.
    pub connect: bool,
    /// It has the echo service.
    pub echo_service: bool,
    /// It has the SMEM service.
    pub smem_service: bool,
    /// So many OPENs are refused before any is taken: services that start late.
    pub early_refusals: u32,
    /// It acknowledges CLIENT_VERSION.
    pub version_ack: bool,
    /// What it does with IMPORT.
    pub import: Import,
    /// What it does about RELEASED.
    pub released: Released,
    /// What the lock tag answers.
    pub lock: Lock,
    /// What the echo service does.
    pub echo: Echo,
    /// It writes a word into each imported block.
    pub scribbles_inside: bool,
    /// It writes a word just past each imported block.
    pub scribbles_past: bool,
    /// The first answer of a service passes its slot's end.
    pub breaks_protocol: bool,
    /// The Arm stops for good when it asks this tag, in every life.
    pub wedges_at: Option<u32>,
    /// The property mailbox stays silent once the board has been reset.
    pub mute_after_reset: bool,
    /// Imports that go by the book before `import`, `released`, `lock` and the scribbling apply.
    pub good_imports: u32,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            revision: 1_661_522_596,
            variant: 1,
            command_line: Some("coherent_pool=1M harness.iterations=12".to_owned()),
            command_answer: None,
            throttled: 0,
            mailbox: true,
            vchiq: true,
            connect: true,
            echo_service: true,
            smem_service: true,
            early_refusals: 0,
            version_ack: true,
            import: Import::default(),
            released: Released::default(),
            lock: Lock::default(),
            echo: Echo::default(),
            scribbles_inside: false,
            scribbles_past: false,
            breaks_protocol: false,
            wedges_at: None,
            mute_after_reset: false,
            good_imports: 0,
        }
    }
}
