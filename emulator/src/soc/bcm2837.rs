//! The BCM2837: which device is where, and how they hang together.

use super::arm_control::ArmControl;
use super::arm_interrupts::ArmInterrupts;
use super::clocks::Clocks;
use super::codec_engine::CodecEngine;
use super::device::{Context, Device, Effects, Initiator, Rates};
use super::dma::{Dma, Dma15, DmaBus};
use super::gpio::Gpio;
use super::i2c::I2c;
use super::lines::{Lines, source};
use super::local_interrupts::LocalInterrupts;
use super::mailboxes::Mailboxes;
use super::mini_uart::MiniUart;
use super::multicore_sync::MulticoreSync;
use super::otp::Otp;
use super::pl011::Pl011;
use super::plain_storage::{self, PlainStorage};
use super::power::Power;
use super::random::Random;
use super::sd_card::SdCard;
use super::sdhost::{DATA_PORT, SdHost};
use super::small_blocks::RuleBlock;
use super::system_timer::SystemTimer;
use super::vpu_interrupts::VpuInterrupts;
use crate::arm::bus::{Lines as CoreLines, TimerLines};
use crate::board::Board;
use crate::card::Card;
use crate::machine::EventKind;
use crate::ram::Ram;

/// Bus address of the peripherals, as the VPU sees them.
const PERIPHERALS: u32 = 0x7e00_0000;
/// The same, as the Arm sees them: 16 MiB.
const ARM_PERIPHERALS: u64 = 0x3f00_0000;
const ARM_PERIPHERALS_END: u64 = 0x4000_0000;
/// The Arm-local block, which has one address for both.
const ARM_LOCAL: u64 = 0x4000_0000;
const ARM_LOCAL_END: u64 = 0x4000_1000;

/// An access from outside the SoC's devices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Virtual time, picoseconds since power-on.
    pub now_ps: u64,
    /// Who.
    pub by: Initiator,
    /// Address of the instruction, 0 if there is none.
    pub pc: u64,
}

/// The devices, each at its addresses.
struct Devices {
    multicore_sync: MulticoreSync,
    vpu_interrupts: [VpuInterrupts; 2],
    system_timer: SystemTimer,
    dma: Dma,
    bridges: RuleBlock,
    arm_control: ArmControl,
    arm_interrupts: ArmInterrupts,
    mailboxes: Mailboxes,
    power: Power,
    clocks: Clocks,
    random: Random,
    gpio: Gpio,
    pl011: Pl011,
    sdhost: SdHost,
    i2c: [I2c; 3],
    otp: Otp,
    temperature: RuleBlock,
    mini_uart: MiniUart,
    video_scaler: RuleBlock,
    v3d: RuleBlock,
    sdram_controller: RuleBlock,
    l2_cache: RuleBlock,
    l1_cache: RuleBlock,
    sdram_address_phy: RuleBlock,
    sdram_data_phy: RuleBlock,
    codec_engine: CodecEngine,
    local_interrupts: LocalInterrupts,
}

/// The chip less its processors.
pub struct Bcm2837 {
    devices: Devices,
    plain: PlainStorage,
    lines: Lines,
    effects: Effects,
    verbose: bool,
    arm_reset: ArmReset,
}

/// The Arm's reset, as the power manager and the ARM control block drive it together.
#[derive(Default)]
struct ArmReset {
    /// Level of the power manager's reset line when last looked at.
    released: bool,
    /// The state chosen when that line was last released.
    aarch64: bool,
    /// The cores can execute.
    running: bool,
}

impl Devices {
    fn new(board: &Board, card: Vec<u8>, seed: u64) -> Self {
        Self {
            multicore_sync: MulticoreSync::default(),
            vpu_interrupts: [VpuInterrupts::new(0), VpuInterrupts::new(1)],
            system_timer: SystemTimer::default(),
            dma: Dma::default(),
            bridges: RuleBlock::bridges(),
            arm_control: ArmControl::default(),
            arm_interrupts: ArmInterrupts::default(),
            mailboxes: Mailboxes::default(),
            power: Power::default(),
            clocks: Clocks::new(Rates { vpu_hz: board.vpu_hz, arm_hz: board.arm_hz }),
            random: Random::new(seed),
            gpio: Gpio::default(),
            pl011: Pl011::default(),
            sdhost: SdHost::new(SdCard::new(card)),
            i2c: [I2c::new(0), I2c::new(1), I2c::new(2)],
            otp: Otp::new(board.revision),
            temperature: RuleBlock::temperature(),
            mini_uart: MiniUart::default(),
            video_scaler: RuleBlock::video_scaler(),
            v3d: RuleBlock::v3d(),
            sdram_controller: RuleBlock::sdram_controller(),
            l2_cache: RuleBlock::l2_cache(),
            l1_cache: RuleBlock::l1_cache(),
            sdram_address_phy: RuleBlock::sdram_address_phy(),
            sdram_data_phy: RuleBlock::sdram_data_phy(),
            codec_engine: CodecEngine::default(),
            local_interrupts: LocalInterrupts::new(board.counter_hz),
        }
    }

    /// The memory map: runs `act` on the device at an address, with the offset into its block.
    fn at<T>(&mut self, address: u32, act: impl FnOnce(&mut dyn Device, u32) -> T) -> Option<T> {
        let mut channel_15;
        let device: &mut dyn Device = match address {
            0x7e00_0000..0x7e00_0100 => &mut self.multicore_sync,
            0x7e00_2000..0x7e00_2800 => &mut self.vpu_interrupts[0],
            0x7e00_2800..0x7e00_3000 => &mut self.vpu_interrupts[1],
            0x7e00_3000..0x7e00_3100 => &mut self.system_timer,
            0x7e00_7000..0x7e00_8000 => &mut self.dma,
            0x7e00_a000..0x7e00_a100 => &mut self.bridges,
            0x7e00_b200..0x7e00_b230 => &mut self.arm_interrupts,
            0x7e00_b000..0x7e00_b200 | 0x7e00_b430..0x7e00_b500 => &mut self.arm_control,
            0x7e00_b800..0x7e00_bc00 => &mut self.mailboxes,
            0x7e10_0000..0x7e10_1000 => &mut self.power,
            0x7e10_1000..0x7e10_4000 => &mut self.clocks,
            0x7e10_4000..0x7e10_4100 => &mut self.random,
            0x7e20_0000..0x7e20_0100 => &mut self.gpio,
            0x7e20_1000..0x7e20_2000 => &mut self.pl011,
            0x7e20_2000..0x7e20_2100 => &mut self.sdhost,
            0x7e20_5000..0x7e20_5100 => &mut self.i2c[0],
            0x7e20_f000..0x7e20_f100 => &mut self.otp,
            0x7e21_2000..0x7e21_2100 => &mut self.temperature,
            0x7e21_5000..0x7e21_5100 => &mut self.mini_uart,
            0x7e40_0000..0x7e40_8000 => &mut self.video_scaler,
            0x7e80_4000..0x7e80_4100 => &mut self.i2c[1],
            0x7e80_5000..0x7e80_5100 => &mut self.i2c[2],
            0x7ec0_0000..0x7ec0_1000 => &mut self.v3d,
            0x7ee0_0000..0x7ee0_1000 => &mut self.sdram_controller,
            0x7ee0_1000..0x7ee0_2000 => &mut self.l2_cache,
            0x7ee0_2000..0x7ee0_3000 => &mut self.l1_cache,
            0x7ee0_5000..0x7ee0_5100 => {
                channel_15 = Dma15(&mut self.dma);
                &mut channel_15
            }
            0x7ee0_6000..0x7ee0_7000 => &mut self.sdram_address_phy,
            0x7ee0_7000..0x7ee0_8000 => &mut self.sdram_data_phy,
            0x7f00_0000..0x8000_0000 => &mut self.codec_engine,
            0x4000_0000..0x4000_0100 => &mut self.local_interrupts,
            _ => return None,
        };
        let offset = address - device.block().base;
        Some(act(device, offset))
    }
}

impl Bcm2837 {
    /// As after power-on, with a card in the slot. `verbose` has every doorbell and mailbox word noted.
    pub fn new(board: &Board, card: Vec<u8>, seed: u64, verbose: bool) -> Self {
        Self {
            devices: Devices::new(board, card, seed),
            plain: PlainStorage::default(),
            lines: Lines::default(),
            effects: Effects::default(),
            verbose,
            arm_reset: ArmReset::default(),
        }
    }

    /// A watchdog reset: every device as after power-on, but for what the power manager keeps and the card, which
    /// `boot` looks at before it goes back into its slot.
    pub fn reset<T>(&mut self, board: &Board, seed: u64, boot: impl FnOnce(&Card) -> T) -> T {
        let power = self.devices.power.after_watchdog();
        let card = Card::from_image(self.devices.sdhost.take_card().into_image());
        let booted = boot(&card);
        self.devices = Devices { power, ..Devices::new(board, card.into_image(), seed) };
        self.plain.reset();
        self.lines = Lines::default();
        self.effects = Effects::default();
        self.arm_reset = ArmReset::default();
        booted
    }

    /// Where an Arm access that is not RAM goes; `None` if nothing answers there.
    pub fn arm_bus_address(&self, physical: u64) -> Option<u32> {
        match physical {
            ARM_PERIPHERALS..ARM_PERIPHERALS_END => Some(PERIPHERALS + (physical - ARM_PERIPHERALS) as u32),
            ARM_LOCAL..ARM_LOCAL_END => Some(physical as u32),
            _ => None,
        }
    }

    /// Interrupt controller of a VPU core.
    pub fn vpu_interrupts(&self, core: u8) -> &VpuInterrupts {
        &self.devices.vpu_interrupts[usize::from(core & 1)]
    }

    /// True if an enabled interrupt of a VPU core is asserted.
    pub fn vpu_interrupt_pending(&self, core: u8) -> bool {
        self.vpu_interrupts(core).is_pending(&self.lines)
    }

    /// Hands the most urgent interrupt to a VPU core.
    pub fn acknowledge_vpu_interrupt(&mut self, core: u8) -> Option<u8> {
        self.devices.vpu_interrupts[usize::from(core & 1)].acknowledge(&self.lines)
    }

    /// The two lines into an Arm core.
    pub fn arm_core_lines(&self, core: u8) -> CoreLines {
        self.devices.local_interrupts.core_lines(core)
    }

    /// Outputs of an Arm core's generic timers.
    pub fn set_arm_timers(&mut self, core: u8, timers: TimerLines) {
        self.devices.local_interrupts.set_timers(core, timers);
        self.lines.touch();
    }

    /// Level of the line by which mailbox 1 and doorbells 2 and 3 interrupt the VPU.
    pub fn arm_calls_vpu(&self) -> bool {
        self.lines.shared() & 1 << source::ARM != 0
    }

    /// Level of doorbell 0.
    pub fn bell_0(&self) -> bool {
        self.devices.mailboxes.bell_0()
    }

    /// True if the Arm left reset in AArch64.
    pub fn arm_starts_in_aarch64(&self) -> bool {
        self.arm_reset.aarch64
    }

    /// True once after something that may change what interrupts a core.
    pub fn take_line_change(&mut self) -> bool {
        self.lines.take_changed()
    }

    /// What the devices have asked for since the last call.
    pub fn effects(&mut self) -> &mut Effects {
        &mut self.effects
    }

    /// Registers that nobody models, with their names.
    pub fn plain(&self) -> &PlainStorage {
        &self.plain
    }

    /// The SD card as it now is.
    pub fn card(&self) -> &SdCard {
        self.devices.sdhost.card()
    }

    /// `BLOCK_REGISTER` of an address.
    pub fn register_name(&mut self, address: u32) -> String {
        let with_device = self.devices.at(address, |device, offset| device.block().register_name(offset));
        with_device.unwrap_or_else(|| match plain_storage::block_at(address) {
            Some(block) => block.register_name(address - block.base),
            None => format!("{address:#010x}"),
        })
    }

    /// A load of a word.
    pub fn read(&mut self, ram: &mut Ram, address: u32, origin: Origin) -> u32 {
        let value = match self.access(address, origin, |device, offset, context| device.read(offset, context))
        {
            Some(value) => value,
            None => {
                self.account(address, None, origin);
                self.plain.read(address)
            }
        };
        self.settle(ram, origin);
        value
    }

    /// A store of a word.
    pub fn write(&mut self, ram: &mut Ram, address: u32, value: u32, origin: Origin) {
        let handled =
            self.access(address, origin, |device, offset, context| device.write(offset, value, context));
        if handled.is_none() {
            self.account(address, Some(value), origin);
            self.plain.write(address, value);
        }
        self.settle(ram, origin);
    }

    /// What a register that is narrower than a word keeps of its other bytes: the last word stored or read.
    pub fn merge(&mut self, ram: &mut Ram, address: u32, mask: u32, value: u32, origin: Origin) -> u32 {
        if mask == u32::MAX { value } else { self.read(ram, address, origin) & !mask | value & mask }
    }

    /// When a device wants to act next.
    pub fn next_event(&self) -> Option<u64> {
        let Devices { system_timer, power, sdhost, .. } = &self.devices;
        let timed = [system_timer.next_event(), power.next_event(), sdhost.next_event()];
        timed.into_iter().flatten().min()
    }

    /// Lets every device whose time has come act.
    pub fn advance(&mut self, ram: &mut Ram, now_ps: u64) {
        let Self { devices, lines, effects, verbose, .. } = self;
        let Devices { system_timer, power, sdhost, .. } = devices;
        let by = Initiator::External;
        let mut context = Context { now_ps, by, lines, effects, verbose: *verbose };
        let timed: [&mut dyn Device; 3] = [system_timer, power, sdhost];
        for device in timed {
            if device.next_event().is_some_and(|due| due <= now_ps) {
                device.tick(&mut context);
            }
        }
        effects.reschedule = true;
        self.settle(ram, Origin { now_ps, by, pc: 0 });
    }

    /// What has to follow an access: DMA goes on, and the ARMC's output reaches the cores.
    fn settle(&mut self, ram: &mut Ram, origin: Origin) {
        if self.devices.dma.is_busy() {
            let mut dma = std::mem::take(&mut self.devices.dma);
            dma.run(&mut DmaMaster { soc: self, ram, now_ps: origin.now_ps });
            self.devices.dma = dma;
            let Self { devices, lines, effects, verbose, .. } = self;
            let by = Initiator::Dma;
            devices.dma.drive_lines(&mut Context {
                now_ps: origin.now_ps,
                by,
                lines,
                effects,
                verbose: *verbose,
            });
        }
        self.propagate();
    }

    fn propagate(&mut self) {
        let Self { devices, lines, effects, arm_reset, .. } = self;
        let irq = devices.arm_interrupts.irq(lines);
        let fiq = devices.arm_interrupts.fiq(lines);
        devices.local_interrupts.set_gpu(irq, fiq);

        let released = devices.power.processor_runs();
        if released && !arm_reset.released {
            arm_reset.aarch64 = devices.arm_control.selects_aarch64();
        }
        arm_reset.released = released;
        let running = released && devices.arm_control.bridge_is_open();
        if running != arm_reset.running {
            arm_reset.running = running;
            effects.arm_running = Some(running);
        }
    }

    fn account(&mut self, address: u32, written: Option<u32>, origin: Origin) {
        let declared = self
            .devices
            .at(address, |device, offset| device.block().is_storage(offset))
            .or_else(|| plain_storage::block_at(address).map(|block| block.is_storage(address - block.base)));
        if declared == Some(true) {
            return;
        }
        if self.plain.count(address, written.is_some(), origin.by, origin.pc) {
            let register = self.register_name(address);
            self.effects.events.push(EventKind::Unmodelled { register, address, written });
        }
    }

    fn access<T>(
        &mut self,
        address: u32,
        origin: Origin,
        act: impl FnOnce(&mut dyn Device, u32, &mut Context<'_>) -> Option<T>,
    ) -> Option<T> {
        let Self { devices, lines, effects, verbose, .. } = self;
        let mut context = Context { now_ps: origin.now_ps, by: origin.by, lines, effects, verbose: *verbose };
        devices.at(address, |device, offset| act(device, offset, &mut context)).flatten()
    }
}

/// The DMA engine's side of the bus.
struct DmaMaster<'a> {
    soc: &'a mut Bcm2837,
    ram: &'a mut Ram,
    now_ps: u64,
}

impl DmaMaster<'_> {
    fn is_register(address: u32) -> bool {
        address >> 24 == PERIPHERALS >> 24
    }

    fn origin(&self) -> Origin {
        Origin { now_ps: self.now_ps, by: Initiator::Dma, pc: 0 }
    }
}

impl DmaBus for DmaMaster<'_> {
    fn is_ready(&self, address: u32) -> bool {
        address & !3 != DATA_PORT || self.soc.devices.sdhost.has_data()
    }

    fn load(&mut self, address: u32, bytes: u32) -> u32 {
        let origin = self.origin();
        match (Self::is_register(address), bytes) {
            (true, _) => self.soc.read(self.ram, address & !3, origin) >> (8 * (address & 3)),
            (false, 4) => self.ram.read32(address),
            (false, _) => u32::from(self.ram.read8(address)),
        }
    }

    fn store(&mut self, address: u32, bytes: u32, value: u32) {
        let origin = self.origin();
        match (Self::is_register(address), bytes) {
            (true, _) => self.soc.write(self.ram, address & !3, value, origin),
            (false, 4) => self.ram.write32(address, value),
            (false, _) => self.ram.write8(address, value as u8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VPU: Origin = Origin { now_ps: 0, by: Initiator::Vpu(0), pc: 0xcec0_1000 };
    const ARM: Origin = Origin { now_ps: 0, by: Initiator::Arm(0), pc: 0x8_0000 };

    fn soc() -> (Bcm2837, Ram) {
        (Bcm2837::new(&Board::PI_3B, vec![0; 1 << 20], 0, true), Ram::new())
    }

    #[test]
    fn a_bell_from_the_vpu_reaches_core_0_through_both_controllers() {
        let (mut soc, mut ram) = soc();
        soc.write(&mut ram, 0x7e00_b218, 1 << 2, ARM);
        assert!(!soc.arm_core_lines(0).irq);
        soc.write(&mut ram, 0x7e00_b940, 0, VPU);
        assert!(soc.arm_core_lines(0).irq && soc.bell_0());
        let bell = soc.arm_bus_address(0x3f00_b840).expect("a peripheral");
        assert_eq!(soc.read(&mut ram, bell, ARM), 4);
        assert!(!soc.arm_core_lines(0).irq);
    }

    #[test]
    fn the_arm_runs_once_powered_mapped_and_connected_in_the_state_chosen_at_its_reset() {
        let (mut soc, mut ram) = soc();
        let mut store = |soc: &mut Bcm2837, address, value| {
            soc.write(&mut ram, address, value, VPU);
            std::mem::take(soc.effects()).arm_running
        };
        assert_eq!(store(&mut soc, 0x7e10_0110, 0x5a00_007f), None);
        assert_eq!(store(&mut soc, 0x7e10_0110, 0x5a00_0000), None);
        assert_eq!(store(&mut soc, 0x7e00_b440, 0x200), None);
        assert_eq!(store(&mut soc, 0x7e00_b000, 0x200), None);
        assert_eq!(store(&mut soc, 0x7e00_b100, 0x600), None);
        assert_eq!(store(&mut soc, 0x7e10_0110, 0x5a00_007f), None);
        assert_eq!(store(&mut soc, 0x7e00_b000, 0xfc5b), None);
        assert_eq!(store(&mut soc, 0x7e00_b440, 0), Some(true));
        assert!(soc.arm_starts_in_aarch64());
        assert_eq!(store(&mut soc, 0x7e10_0110, 0x5a00_003f), Some(false));
    }

    #[test]
    fn what_nobody_models_is_storage_and_reported_once_by_name() {
        let (mut soc, mut ram) = soc();
        soc.write(&mut ram, 0x7e00_3040, 5, VPU);
        assert_eq!(soc.read(&mut ram, 0x7e00_3040, ARM), 5);
        let events: Vec<_> = soc.effects().events.drain(..).collect();
        let expected =
            EventKind::Unmodelled { register: "ST+0x40".into(), address: 0x7e00_3040, written: Some(5) };
        assert_eq!(events, [expected]);
        let usage = soc.plain().unmodelled().next().expect("counted").1;
        assert_eq!((usage.reads, usage.writes, usage.first_pc), (1, 1, 0xcec0_1000));
    }

    #[test]
    fn declared_storage_is_not_reported() {
        let (mut soc, mut ram) = soc();
        soc.write(&mut ram, 0x7e00_9008, 0xfc, VPU);
        soc.write(&mut ram, 0x7ee0_000c, 1, VPU);
        assert_eq!(soc.read(&mut ram, 0x7ee0_000c, VPU), 1);
        assert_eq!(soc.plain().unmodelled().count(), 0);
    }

    #[test]
    fn every_device_sits_where_its_block_says() {
        let (mut soc, _) = soc();
        for page in (0x7e00_0000u32..0x7f00_0000).step_by(0x100) {
            let inside = soc.devices.at(page, |device, offset| offset < device.block().size);
            assert_ne!(inside, Some(false), "{page:#x}");
        }
    }

    #[test]
    fn dma_reads_a_card_block_into_ram() {
        let (mut soc, mut ram) = {
            let mut card = vec![0; 1 << 20];
            card[512] = 0xab;
            (Bcm2837::new(&Board::PI_3B, card, 0, false), Ram::new())
        };
        for (index, word) in [0x10, DATA_PORT, 0xc000_2000, 512, 0, 0].into_iter().enumerate() {
            ram.write32(0x1000 + 4 * index as u32, word);
        }
        soc.write(&mut ram, 0x7e00_7604, 0xc000_1000, VPU);
        soc.write(&mut ram, 0x7e00_7600, 1, VPU);
        assert_eq!(ram.read8(0x2000), 0);
        soc.write(&mut ram, 0x7e20_2004, 1, VPU);
        soc.write(&mut ram, 0x7e20_2000, 0x8000 | 0x40 | 17, VPU);
        let due = soc.next_event().expect("the block is on its way");
        soc.advance(&mut ram, due);
        assert_eq!(ram.read8(0x2000), 0xab);
        assert_eq!(soc.read(&mut ram, 0x7e00_7600, VPU) & 2, 2);
    }
}
