//! The model in place of the VPU cores.

use super::{ArmSide, EventKind, Machine};
use crate::model::VideoCore;
use crate::model::board::Board;
use crate::soc::device::Initiator;

impl Machine {
    /// Powers the Arm with a model to serve it.
    pub(super) fn start_model(&mut self, mut model: Box<VideoCore>) {
        model.power_on(&mut self.model_board());
        self.model = Some(model);
        self.arm_released = true;
        self.system.note(self.origin(Initiator::Vpu(0)), EventKind::ArmReleased);
        if self.config.arm == ArmSide::Emulated {
            self.start_arm();
        }
    }

    /// When the model acts next by itself.
    pub(super) fn next_model_event(&self) -> Option<u64> {
        self.model.as_ref().and_then(|model| model.next_due()).map(|due| due.max(self.now_ps + 1))
    }

    /// Lets the model look at its doorbells and mailbox, and do what is due.
    pub(super) fn run_model(&mut self) {
        let is_due = |model: &VideoCore| model.next_due().is_some_and(|due| due <= self.now_ps);
        if !self.model.as_ref().is_some_and(|model| is_due(model) || self.system.soc.arm_calls_vpu()) {
            return;
        }
        let Some(mut model) = self.model.take() else { return };
        model.run(&mut self.model_board());
        self.model = Some(model);
        self.system.running = self.outside(Initiator::Vpu(0));
        let origin = self.origin(Initiator::Vpu(0));
        self.system.collect_effects(origin, 0);
    }

    fn model_board(&mut self) -> Board<'_> {
        Board { ram: &mut self.system.ram, soc: &mut self.system.soc, now_ps: self.now_ps }
    }
}
