//! The list of all scenarios.

use crate::{
    board::Board,
    failure::Failure,
    session::{Counts, Session},
};

/// Makes of a list of scenarios and their modules: [`Kind`], its descriptions, and the call of the right one.
macro_rules! catalogue {
    ($($(#[$doc:meta])* $kind:ident => $module:ident,)+) => {
        /// Which scenario.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
        }

        impl Kind {
            /// Every scenario, in the order in which a run of all runs them.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The scenario's description.
            pub const fn scenario(self) -> &'static Scenario {
                match self {
                    $(Self::$kind => &super::$module::DESCRIPTION,)+
                }
            }
        }

        /// Runs a scenario.
        pub(super) fn run<B: Board>(
            session: &mut Session<'_, B>,
            kind: Kind,
            counts: &mut Counts,
        ) -> Result<(), Failure> {
            match kind {
                $(Kind::$kind => super::$module::run(session, counts),)+
            }
        }
    };
}

catalogue! {
    /// The ladder from a powered board to an open SMEM service.
    BringUp => bring_up,
    /// Pings of the echo service.
    Echo => echo,
    /// import → use → free → released.
    Handshake => handshake,
    /// VCHIQ_INIT on a link that is up.
    SecondInit => second_init,
    /// PAUSE and RESUME from our side.
    Pause => pause,
    /// Bulk transfers both ways.
    Bulk => bulk,
    /// Blocks of every small size and alignment.
    Fun2 => fun2,
    /// The script of the service `func`.
    Func => func,
    /// What VideoCore asks of us.
    Offers => offers,
    /// OPEN with versions that suit and with versions that do not.
    Versions => versions,
    /// Padding at every room.
    Padding => padding,
    /// VideoCore stopped by its quotas.
    Quotas => quotas,
    /// Slot queues that wrap.
    Wrap => wrap,
    /// Every service that firmware is known to offer.
    Services => services,
    /// The sync slots.
    Sync => sync,
    /// Commands by both ways.
    Gencmd => gencmd,
    /// CLOSE that crosses something else.
    CloseRaces => close_races,
    /// A client of SMEM that never says its version.
    VersionOne => version_one,
    /// Blocks of VideoCore's heap.
    Heap => heap,
    /// Transaction ids past every width.
    Ids => ids,
    /// Imports that are given up.
    Abandon => abandon,
    /// The firmware's list of its resources.
    Walk => walk,
    /// Memory that the firmware asks for.
    VcMem => vc_mem,
    /// FREE of a buffer that is locked.
    FreeWhileLocked => free_while_locked,
    /// Every alias, alignment and odd sizes.
    AliasMatrix => alias_matrix,
    /// Components move a picture between imports.
    UseByMmal => use_by_mmal,
    /// FREE of a buffer that a component has.
    FreeInFlight => free_in_flight,
    /// FREE directly behind a buffer.
    FreeBehindBuffer => free_behind_buffer,
    /// Two components have one buffer.
    TwoHolders => two_holders,
    /// Components that hand one memory on.
    SharedPayload => shared_payload,
    /// Memory that is not ours.
    NotOurs => not_ours,
    /// FREE of handles that nobody has.
    BadHandles => bad_handles,
    /// The first OPEN soon after the firmware's start.
    BootRace => boot_race,
    /// Many buffers at once, and answers that cannot be sent.
    Pipeline => pipeline,
    /// Three services on one link.
    Interleave => interleave,
    /// Streams stopped with buffers out.
    StopStreaming => stop_streaming,
    /// Both directions full.
    BothFull => both_full,
    /// What stays behind.
    Leak => leak,
    /// A receiver that forgets messages.
    ReceiverKeeps => receiver_keeps,
    /// A camera's frames, without a camera.
    Soak => soak,
    /// A receiver that leaves the claimed bit set.
    ReceiverLeavesClaimed => receiver_leaves_claimed,
    /// A sender that publishes before it stores.
    SenderPublishesFirst => sender_publishes_first,
    /// CLOSE of the SMEM service under imports.
    CloseWithImports => close_with_imports,
}

impl Kind {
    /// As the command line and the report spell it.
    pub const fn name(self) -> &'static str {
        self.scenario().name
    }

    /// The scenarios that a word of the command line stands for: a scenario, a group, or `all`.
    pub fn named(word: &str) -> impl Iterator<Item = Self> + '_ {
        let chosen = move |kind: &Self| {
            let scenario = kind.scenario();
            word == ALL || word == scenario.name || word == scenario.group.name()
        };
        Self::ALL.iter().copied().filter(chosen)
    }
}

/// Stands for every scenario.
pub const ALL: &str = "all";

/// Scenarios that belong together; the name of a group stands for all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// What a run without wishes runs.
    Basics,
    /// Rules of the link.
    Transport,
    /// Requests of the SMEM service.
    Smem,
    /// The life of a lent buffer, and its edges.
    Lifecycle,
    /// Failures that people met in the field.
    Replay,
    /// What may leave the firmware unable to go on.
    Hostile,
}

impl Group {
    /// Every group, in the order of the catalogue.
    pub const ALL: [Self; 6] =
        [Self::Basics, Self::Transport, Self::Smem, Self::Lifecycle, Self::Replay, Self::Hostile];

    /// As the command line spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basics => "basics",
            Self::Transport => "transport",
            Self::Smem => "smem",
            Self::Lifecycle => "lifecycle",
            Self::Replay => "replay",
            Self::Hostile => "hostile",
        }
    }

    /// What its scenarios have in common.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Basics => "what a run without wishes runs",
            Self::Transport => "rules of the mailbox and of the link",
            Self::Smem => "requests of the SMEM service, and its versions",
            Self::Lifecycle => "the life of a lent buffer, and its edges",
            Self::Replay => "what people met in the field, played again",
            Self::Hostile => "what may leave the firmware unable to go on",
        }
    }
}

/// What has to be on the other side, which decides the rungs a scenario runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Any VideoCore: firmware or model.
    VideoCore,
    /// Real firmware: the model does not know the service.
    Firmware,
    /// The model: firmware does not do it by itself.
    Model,
}

impl Needs {
    /// The rungs it can pass on, for people.
    pub const fn rungs(self) -> &'static str {
        match self {
            Self::VideoCore => "native, emulated, emulated --peer model, board",
            Self::Firmware => "native, emulated, board",
            Self::Model => "emulated --peer model",
        }
    }
}

/// A scenario, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// As the command line and the report spell it.
    pub name: &'static str,
    /// Where it belongs.
    pub group: Group,
    /// What has to be on the other side.
    pub needs: Needs,
    /// What a pass proves.
    pub proves: &'static str,
    /// Who asked for it: threads where people met the failure.
    pub asked_by: &'static str,
    /// Its steps, in order.
    pub steps: &'static [&'static str],
    /// When it has passed.
    pub passes_when: &'static str,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_scenarios_or_groups_have_one_name() {
        let scenarios = Kind::ALL.iter().map(|kind| kind.name());
        let names: Vec<&str> = scenarios.chain(Group::ALL.map(Group::name)).chain([ALL]).collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }

    #[test]
    fn a_word_stands_for_a_scenario_a_group_or_all_of_them() {
        assert!(Kind::named("echo").eq([Kind::Echo]));
        assert!(Kind::named("basics").eq([Kind::BringUp, Kind::Echo, Kind::Handshake]));
        assert!(Kind::named("all").eq(Kind::ALL.iter().copied()));
        assert_eq!(Kind::named("ech").count(), 0);
        for group in Group::ALL {
            assert_ne!(Kind::named(group.name()).count(), 0, "{group:?} is empty");
        }
    }

    #[test]
    fn a_description_leaves_nothing_open() {
        for kind in Kind::ALL {
            let Scenario { name, proves, asked_by, steps, passes_when, .. } = kind.scenario();
            assert!(!steps.is_empty(), "{name}");
            for text in [proves, asked_by, passes_when] {
                assert!(text.len() > 10, "{name}: {text:?}");
            }
        }
    }
}
