//! Our core, running the same program at EL0 under its own page tables.

use emulator::arm::{Core, Outcome, RamBus, Register};

use crate::image::{CODE, DATA, Image};

/// Translation table, and the code at EL3 and EL1.
const TABLE: u32 = 0x3000_0000;
const START: u32 = 0x3000_1000;
const VECTORS: u32 = 0x3000_2000;
/// The second GiB of virtual addresses shows the same RAM to EL1 alone.
const PRIVILEGED: u64 = 1 << 30;

const ERET: u32 = 0xd69f_03e0;
const WFI: u32 = 0xd503_207f;
/// Instructions before a program is given up.
const PATIENCE: u32 = 10_000_000;

pub(crate) struct Machine {
    bus: RamBus,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { bus: RamBus::new() }
    }

    /// Runs the image until its first system call; its data then.
    pub(crate) fn run(&mut self, image: &Image) -> Result<Vec<u8>, String> {
        let ram = &mut self.bus.ram;
        ram.write_bytes(CODE as u32, &image.code);
        ram.write_bytes(DATA as u32, &image.data);
        // 1 GiB blocks, Normal memory, accessed: one for EL0, one for EL1 only.
        ram.write64(TABLE, 1 << 10 | 3 << 8 | 1 << 6 | 1);
        ram.write64(TABLE + 8, 1 << 10 | 3 << 8 | 1);
        ram.write32(START, ERET);
        ram.write32(VECTORS + 0x400, WFI);
        let mut core = Core::new(0);
        core.reset(u64::from(START));
        for (register, value) in [
            (Register::SCR_EL3, 1 << 10 | 1),
            (Register::HCR_EL2, 1 << 31),
            (Register::SPSR_EL3, 0),
            (Register::ELR_EL3, CODE),
            (Register::MAIR_EL1, 0xff),
            (Register::TTBR0_EL1, u64::from(TABLE)),
            (Register::TCR_EL1, 25 | 1 << 23),
            (Register::VBAR_EL1, PRIVILEGED + u64::from(VECTORS)),
            // MMU, stack alignment at EL0, DC ZVA.
            (Register::SCTLR_EL1, 0x00c5_0838 | 1 << 14 | 1),
        ] {
            core.set_system_register(register, value);
        }
        let run = core.run(&mut self.bus, PATIENCE);
        let syndrome = core.system_register(Register::ESR_EL1);
        let is_system_call = run.outcome == Outcome::WaitForInterrupt && syndrome == 0x5600_0000;
        if !is_system_call {
            let (elr, far) = (Register::ELR_EL1, Register::FAR_EL1);
            return Err(format!(
                "our core: {:?}, ESR {syndrome:#x}, ELR {:#x}, FAR {:#x}",
                run.outcome,
                core.system_register(elr),
                core.system_register(far),
            ));
        }
        let mut data = vec![0; image.data.len()];
        self.bus.ram.read_bytes(DATA as u32, &mut data);
        Ok(data)
    }
}
