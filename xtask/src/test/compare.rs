//! `compare` and `bisect` end to end, on copies of the release at hand, some of them broken on purpose.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use harness::report::{Rung, Timing};
use serde_json::Value;

use super::context::Context;
use crate::firmware::Variant;
use crate::shell::Tool;
use crate::{paths, report};

/// Copies, each built a month after the one before.
const COPIES: usize = 6;
/// From this one on, a client is refused.
const FIRST_BROKEN: usize = 4;
/// The name of the shared-memory service as the firmware's code loads it, least significant byte first.
const SERVICE_NAME: &[u8] = b"MEMS";
/// A name that nobody asks for.
const OTHER_NAME: &[u8] = b"MEMX";
const MONTHS: [&[u8]; COPIES] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun"];
const ITERATIONS: [&str; 2] = ["--iterations", "50"];

/// Equal releases are equal, different ones are told apart, and the first broken one of six is found.
pub fn finds_what_changed(context: &Context) -> Result<()> {
    let folder = paths::target().join("test-compare");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let copies = Copies { context, folder };
    copies.make()?;
    copies.compare_releases()?;
    copies.refuse_measured_against_modelled()?;
    copies.bisect()?;
    fs::remove_dir_all(&copies.folder)?;
    Ok(())
}

/// A firmware cache apart from the user's.
struct Copies<'a> {
    context: &'a Context,
    folder: PathBuf,
}

fn name(number: usize) -> String {
    format!("test-copy-{number}")
}

impl Copies<'_> {
    fn xtask(&self, words: &[&str]) -> Result<Tool> {
        Ok(self.context.xtask([])?.args(words).env("XDG_CACHE_HOME", self.folder.join("cache")))
    }

    fn make(&self) -> Result<()> {
        let original = self.context.firmware()?;
        for number in 1..=COPIES {
            let folder = self.folder.join("boot").join(number.to_string());
            fs::create_dir_all(&folder)?;
            for file in ["bootcode.bin", "fixup.dat", "fixup_db.dat"] {
                fs::copy(original.join(file), folder.join(file)).with_context(|| file.to_owned())?;
            }
            for variant in [Variant::Start, Variant::StartDb] {
                let content = fs::read(original.join(variant.start_file()))?;
                let changed = changed(content, number).with_context(|| variant.name())?;
                fs::write(folder.join(variant.start_file()), changed)?;
            }
            let folder = folder.display().to_string();
            self.context.must_pass(self.xtask(&["firmware", "add", &folder, "--name", &name(number)])?)?;
        }
        Ok(())
    }

    /// What `compare` says of two sides, as its object and its exit code.
    fn compare(&self, code: i32, a: &str, b: &str) -> Result<Value> {
        let tool = self.xtask(&["compare", a, b, "--json", "--seeds", "3"])?.args(ITERATIONS);
        let finished = self.context.must_end_with(code, tool)?;
        let found: Value = serde_json::from_str(&finished.stdout).context("compare --json")?;
        self.context.say(&format!("{a}, {b}: {}", found["conclusion"]));
        Ok(found)
    }

    fn compare_releases(&self) -> Result<()> {
        let same = self.compare(0, &name(1), &name(2))?;
        ensure!(same["direction"] == "same", "a release and its copy differ: {same:#}");
        let longer = self.compare(1, &name(1), &format!("{}:start_db", name(1)))?;
        let moved = longer["figures"].as_array().context("figures")?;
        let moved = moved.iter().any(|figure| {
            figure["what"] == "vpu_instructions"
                && figure["relevant"] == true
                && figure["shift_percent"].as_f64().is_some_and(|shift| shift > 0.0)
        });
        ensure!(moved, "start_db, which asserts more, takes no more instructions: {longer:#}");
        let broken = self.compare(1, &name(1), &name(FIRST_BROKEN))?;
        ensure!(broken["direction"] == "worse", "a missing service is no regression: {broken:#}");
        let verdicts = broken["verdicts"].to_string();
        ensure!(verdicts.contains("no SMEM service"), "the reason is not told: {broken:#}");
        Ok(())
    }

    /// A report of a run before, called a board's.
    fn refuse_measured_against_modelled(&self) -> Result<()> {
        let modelled = paths::target().join(format!("report/compare/{}-1.json", name(1)));
        let mut run = report::read(&modelled)?;
        (run.rung, run.timing) = (Rung::Board, Timing::Measured);
        let measured = self.folder.join("measured.json");
        fs::write(&measured, serde_json::to_vec(&run)?)?;
        let text = |path: &Path| path.display().to_string();
        let tool = self.xtask(&["compare", &text(&modelled), &text(&measured)])?;
        let refused = self.context.must_end_with(2, tool)?;
        ensure!(refused.stderr.contains("never compared"), "{}", refused.stderr);
        Ok(())
    }

    fn bisect(&self) -> Result<()> {
        let bisect = |bad: usize| self.xtask(&["bisect", &name(1), &name(bad), "handshake", "--json"]);
        let finished = self.context.must_pass(bisect(COPIES)?.args(ITERATIONS))?;
        let found: Value = serde_json::from_str(&finished.stdout).context("bisect --json")?;
        ensure!(found["first_bad"] == serde_json::json!([name(FIRST_BROKEN)]), "{found:#}");
        ensure!(found["last_good"] == name(FIRST_BROKEN - 1), "{found:#}");
        self.context.say(&format!("bisect: {}", found["conclusion"]));
        let refused = self.context.must_end_with(2, bisect(FIRST_BROKEN - 1)?.args(ITERATIONS))?;
        ensure!(refused.stderr.contains("nothing to find"), "{}", refused.stderr);
        Ok(())
    }
}

/// The file of a release with another build day and, in the later ones, without the service's name.
fn changed(mut content: Vec<u8>, number: usize) -> Result<Vec<u8>> {
    let key = b"VC_BUILD_ID_TIME: ";
    let at = places(&content, key).into_iter().map(|at| at + key.len());
    // The other string of this key is the time of day, which begins with a digit.
    let day = at.into_iter().find(|at| content.get(*at).is_some_and(u8::is_ascii_alphabetic));
    let day = day.context("the file carries no build day")?;
    let month = MONTHS.get(number - 1).context("a month for each copy")?;
    content[day..day + month.len()].copy_from_slice(month);
    if number >= FIRST_BROKEN {
        let found = places(&content, SERVICE_NAME);
        ensure!(!found.is_empty(), "the service's name is not in the file");
        for at in found {
            content[at..at + OTHER_NAME.len()].copy_from_slice(OTHER_NAME);
        }
    }
    Ok(content)
}

/// Where `wanted` begins.
fn places(content: &[u8], wanted: &[u8]) -> Vec<usize> {
    content.windows(wanted.len()).enumerate().filter(|(_, part)| *part == wanted).map(|(at, _)| at).collect()
}
