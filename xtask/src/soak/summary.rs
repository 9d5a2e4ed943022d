//! A soak in one page.

use std::fmt;
use std::time::Duration;

use harness::report::Timing;
use serde::Serialize;

use super::state::{Leg, State, Terms};
use crate::report::grouped;
use crate::run::span;

/// What a soak has come to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// `pass`, `fail`; `unfinished` if it was stopped.
    pub verdict: &'static str,
    /// Blocks to lend and free.
    pub transactions_wanted: u64,
    /// Blocks lent and freed.
    pub transactions: u64,
    /// Boots.
    pub legs: usize,
    /// IMPORTs, with the block that stays in each leg.
    pub imports: u64,
    /// RELEASED that gave a block back.
    pub released: u64,
    /// Messages against the protocol: repeated, unknown, mismatched.
    pub violations: u64,
    /// Messages received.
    pub messages: u64,
    /// Transaction ids used.
    pub transaction_ids: u64,
    /// The first of them.
    pub first_transaction: u32,
    /// The one that would have come next.
    pub next_transaction: u32,
    /// Resets of the board, in the leg that did not pass as well.
    pub resets: u64,
    /// Where times in the machine come from.
    pub timing: Timing,
    /// Time in the machine.
    pub emulated_ms: u64,
    /// Time on the PC, over all commands.
    pub wall_ms: u64,
    /// Instructions of all Arm cores.
    pub arm_instructions: u64,
    /// Instructions of both VPU cores.
    pub vpu_instructions: u64,
    /// What was soaked.
    #[serde(flatten)]
    pub terms: Terms,
    /// The leg that did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Leg>,
}

impl Summary {
    /// Sums the legs up; the failed one is left out of the sums.
    pub fn of(state: &State, wanted: u64, failed: Option<Leg>) -> Self {
        let sum = |figure: fn(&Leg) -> u64| state.legs.iter().map(figure).sum::<u64>();
        let transactions = state.done();
        let verdict = match &failed {
            Some(_) => "fail",
            None if transactions < wanted => "unfinished",
            None => "pass",
        };
        Self {
            verdict,
            transactions_wanted: wanted,
            transactions,
            legs: state.legs.len(),
            imports: sum(|leg| leg.imports.into()),
            released: sum(|leg| leg.released.into()),
            violations: sum(|leg| leg.violations.into()),
            messages: sum(|leg| leg.messages.into()),
            transaction_ids: sum(Leg::ids),
            first_transaction: state.terms.first_transaction,
            next_transaction: state.next_transaction(),
            resets: state.legs.iter().chain(&failed).map(|leg| u64::from(leg.resets)).sum(),
            timing: Timing::Modelled,
            emulated_ms: sum(|leg| leg.emulated_ms),
            wall_ms: sum(|leg| leg.wall_ms),
            arm_instructions: sum(|leg| leg.arm_instructions),
            vpu_instructions: sum(|leg| leg.vpu_instructions),
            terms: state.terms.clone(),
            failed,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Terms { subject, .. } = &self.terms;
        writeln!(
            f,
            "soak: {} of {} import/free transactions, {}",
            grouped(self.transactions),
            grouped(self.transactions_wanted),
            self.verdict
        )?;
        writeln!(
            f,
            "  {} imports, {} released, {} violations, {} messages received",
            grouped(self.imports),
            grouped(self.released),
            self.violations,
            grouped(self.messages)
        )?;
        writeln!(
            f,
            "  {} transaction ids from {} on, the next would be {}",
            grouped(self.transaction_ids),
            grouped(self.first_transaction.into()),
            grouped(self.next_transaction.into())
        )?;
        writeln!(f, "  {} legs, each a boot with a seed of its own; {} resets", self.legs, self.resets)?;
        let wall = Duration::from_millis(self.wall_ms);
        let rate = self.transactions as f64 / wall.as_secs_f64().max(0.001);
        writeln!(
            f,
            "  {:.1} s emulated ({}), {} on this PC, {} a second",
            self.emulated_ms as f64 / 1000.0,
            self.timing.name(),
            span(wall),
            grouped(rate.round() as u64)
        )?;
        let billions = |count: u64| count as f64 / 1e9;
        writeln!(
            f,
            "  instructions: Arm {:.2} G, VPU {:.2} G",
            billions(self.arm_instructions),
            billions(self.vpu_instructions)
        )?;
        write!(
            f,
            "  image {}, firmware {} {} on board {}",
            subject.git, subject.firmware, subject.variant, subject.board
        )?;
        if let Some(leg) = &self.failed {
            let why = leg.failure.as_deref().unwrap_or_default();
            write!(f, "\n  leg {} (seed {}) did not pass: {why}", leg.number, leg.seed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::{leg, terms};
    use super::*;

    #[test]
    fn the_summary_adds_the_legs_up_and_is_pass_only_when_all_is_done() {
        let mut state = State::new(terms());
        state.legs = vec![leg(1, 1, 2004), leg(2, 2004, 4007)];
        let summary = Summary::of(&state, 2000, None);
        assert_eq!((summary.verdict, summary.imports, summary.transaction_ids), ("pass", 2002, 4006));
        let text = summary.to_string();
        assert!(text.contains("2 000 of 2 000 import/free transactions, pass"), "{text}");
        assert!(text.contains("3.0 s emulated (modelled), 5 s on this PC, 400 a second"), "{text}");
        assert_eq!(Summary::of(&state, 3000, None).verdict, "unfinished");
        let failed = Leg { resets: 1, failure: Some("fail (firmware): twice".into()), ..leg(3, 4007, 5000) };
        let failed = Summary::of(&state, 3000, Some(failed));
        assert_eq!((failed.verdict, failed.imports, failed.resets), ("fail", 2002, 1));
        assert!(failed.to_string().contains("leg 3 (seed 3) did not pass: fail (firmware): twice"));
    }
}
