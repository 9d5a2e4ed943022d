//! The verbs that boot many times, run by this program as a person would run them.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::context::Context;
use crate::paths;

/// Two legs of 35 000: the transaction ids pass 65 535 and 131 071. The second command goes on where the first ended,
/// and one with other terms is refused. Then the ids pass their own end.
pub fn soak(context: &Context) -> Result<()> {
    let folder = paths::target().join("test-soak");
    let soak = |options: &[&str]| -> Result<_> {
        Ok(context.xtask(["soak", "--json", "--folder"])?.arg(&folder).args(options))
    };
    context.must_pass(soak(&["--transactions", "35000", "--leg", "35000", "--fresh"])?)?;
    let first = read(&folder.join("report.json"))?;
    context.must_pass(soak(&["--transactions", "70000", "--leg", "35000"])?)?;
    let report = read(&folder.join("report.json"))?;
    context.say(&check(&report, 70_000, 2)?);
    ensure!(
        number(&report, "wall_ms")? > number(&first, "wall_ms")?,
        "the first leg is not counted: {report:#}"
    );
    let goes_on = number(&first, "next_transaction")? < number(&report, "next_transaction")?;
    ensure!(goes_on, "the ids do not go on over the legs: {report:#}");
    ensure!(number(&report, "transaction_ids")? > 131_071, "too few ids: {report:#}");

    let refused = context.must_end_with(2, soak(&["--transactions", "70000", "--seed", "2"])?)?;
    ensure!(
        refused.stderr.contains("--fresh"),
        "another seed is refused without a way out: {}",
        refused.stderr
    );

    context.must_pass(soak(&["--transactions", "100", "--fresh", "--first-transaction", "2147483632"])?)?;
    let report = read(&folder.join("report.json"))?;
    context.say(&check(&report, 100, 1)?);
    ensure!(number(&report, "next_transaction")? < 1000, "the ids do not start over: {report:#}");
    Ok(())
}

fn check(report: &Value, transactions: u64, legs: u64) -> Result<String> {
    let (imports, released) = (number(report, "imports")?, number(report, "released")?);
    let expected = imports == transactions + legs
        && released == imports
        && number(report, "legs")? == legs
        && number(report, "violations")? == 0
        && report["verdict"] == "pass";
    ensure!(expected, "not as it should be: {report:#}");
    let (ids, first) = (number(report, "transaction_ids")?, number(report, "first_transaction")?);
    Ok(format!("{imports} imports, as many released; {ids} transaction ids from {first} on"))
}

/// Each delay with two seeds.
pub fn boots(context: &Context) -> Result<()> {
    let path = paths::target().join("report/test-boots.json");
    context.must_pass(context.xtask(["boots", "--count", "8", "--report"])?.arg(&path))?;
    let report = read(&path)?;
    ensure!(number(&report, "passed")? == 8, "not all passed: {report:#}");
    let delays = report["delays"].as_array().context("the report has no delays")?;
    for (delay, at_least) in delays.iter().zip([0, 1000, 10_000, 100_000]) {
        ensure!(
            number(delay, "boots")? == 2 && number(delay, "with_mmal")? == 2,
            "not as it should be: {report:#}"
        );
        ensure!(number(delay, "opened_us_first")? >= at_least, "opened too early: {report:#}");
    }
    ensure!(delays.len() == 4, "a delay is missing: {report:#}");
    context.say("8 of 8 boots");
    Ok(())
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

fn number(value: &Value, name: &str) -> Result<u64> {
    value[name].as_u64().with_context(|| format!("no number {name} in {value:#}"))
}
