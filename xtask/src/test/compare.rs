//! `compare` and `bisect` end to end, on copies of the release at hand, some of them broken on purpose.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use harness::report::{Report, Rung, Timing};
use serde_json::{Value, json};
use signal_hook::consts::SIGINT;

use super::context::Context;
use crate::firmware::{self, Cache, Variant};
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
    copies.compare_reports()?;
    copies.bisect()?;
    copies.refuse_what_cannot_be_searched()?;
    copies.end_a_search_that_cannot_write()?;
    copies.stop_a_search()?;
    fs::remove_dir_all(&copies.folder)?;
    compare_real_releases(context)
}

/// The release at hand and the newest other one of the cache, if there is one. Fetching a second suite is left to whoever
/// wants it: it costs more than all of this.
fn compare_real_releases(context: &Context) -> Result<()> {
    let own = firmware::at_hand(None)?;
    let others = Cache::open()?.releases()?;
    let other = others
        .into_iter()
        .rev()
        .find(|release| release.has(Variant::Start.start_file()) && release.identity() != own.identity());
    let Some(other) = other else {
        context.say(&format!(
            "two real releases: skipped, since {} is the only one in the cache (`cargo xtask firmware fetch --suite sid` \
             brings another)",
            own.name
        ));
        return Ok(());
    };
    let (own, other) = (own.name, other.name);
    let words = ["compare", &own, &other, "--json", "--seeds", "4", "--iterations", "50"];
    let finished = context.xtask(words)?.limit(context.left()).finish()?;
    let code = finished.status.and_then(|status| status.code());
    ensure!(matches!(code, Some(0 | 1)), "{own}, {other}: {code:?}\n{}", finished.stderr);
    let found: Value = serde_json::from_str(&finished.stdout).context("compare --json")?;
    ensure!(found["a"]["peer"] != found["b"]["peer"], "both sides are one build: {found:#}");
    ensure!(found["void"] == json!([]) && found["figures"] != json!([]), "no figures: {found:#}");
    ensure!((found["direction"] == "same") == (code == Some(0)), "{code:?}: {found:#}");
    context.say(&format!("two real releases, {own} and {other}: {}", found["conclusion"]));
    Ok(())
}

/// A firmware cache apart from the user's.
struct Copies<'a> {
    context: &'a Context,
    folder: PathBuf,
}

/// Names fall as the builds get younger: what counts is the day of the build.
fn name(number: usize) -> String {
    format!("test-copy-{}", COPIES + 1 - number)
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

    /// Reports that were made for the comparison before, two of them changed by hand.
    fn compare_reports(&self) -> Result<()> {
        let text = |path: PathBuf| path.display().to_string();
        let made = text(paths::target().join(format!("report/compare/{}-1.json", name(1))));
        let step_less = self.changed_report(&made, "less.json", |report| {
            report.scenarios.iter_mut().for_each(|scenario| {
                scenario.latency.pop_first();
            });
        })?;
        let markdown = self.folder.join("compare.md");
        let tool = self.xtask(&["compare", &made, &step_less, "--json", "--markdown"])?.arg(&markdown);
        let found: Value = serde_json::from_str(&self.context.must_end_with(1, tool)?.stdout)?;
        ensure!(found["step_gaps"][0]["only_in"] == "A", "a step that B lacks is not told: {found:#}");
        let markdown = fs::read_to_string(markdown)?;
        let conclusion = found["conclusion"].as_str().context("a conclusion")?;
        ensure!(markdown.contains(conclusion), "{markdown}");
        let sampled = self.changed_report(&made, "sampled.json", |report| {
            report.plan.iter_mut().for_each(|plan| plan.samples = Some(100));
        })?;
        let tool = self.xtask(&["compare", &made, &sampled])?;
        let noted = self.context.must_pass(tool)?.stdout;
        ensure!(noted.contains("--samples"), "other --samples are not told:\n{noted}");
        Ok(())
    }

    fn changed_report(&self, made: &str, name: &str, change: impl FnOnce(&mut Report)) -> Result<String> {
        let mut report = report::read(Path::new(made))?;
        change(&mut report);
        let path = self.folder.join(name);
        fs::write(&path, serde_json::to_vec(&report)?)?;
        Ok(path.display().to_string())
    }

    /// Each ends with exit code 2 and words that say why.
    fn refuse_what_cannot_be_searched(&self) -> Result<()> {
        for (good, bad, scenario, words) in [
            (1, 1, "handshake", "GOOD and BAD are both"),
            (COPIES, 1, "handshake", "is not older than"),
            (1, 2, "handshake", "there is nothing to find"),
            (FIRST_BROKEN, COPIES, "handshake", "GOOD is not good, but bad"),
            // It needs the model.
            (1, 2, "offers", "GOOD cannot be judged"),
            // The firmware does not offer it.
            (1, 2, "sync", "sync absent"),
        ] {
            let tool = self.xtask(&["bisect", &name(good), &name(bad), scenario])?.args(ITERATIONS);
            let refused = self.context.must_end_with(2, tool)?;
            ensure!(refused.stderr.contains(words), "{words:?} is not in\n{}", refused.stderr);
        }
        Ok(())
    }

    /// What is wrong with the PC says nothing of a release. The one in the middle cannot have its report written.
    fn end_a_search_that_cannot_write(&self) -> Result<()> {
        let [good, middle, bad] = [FIRST_BROKEN - 2, FIRST_BROKEN - 1, FIRST_BROKEN].map(name);
        let in_the_way = paths::target().join(format!("report/bisect/{middle}-9.json"));
        fs::create_dir_all(&in_the_way)?;
        let tool = self.xtask(&["bisect", &good, &bad, "handshake", "--seed", "9"])?.args(ITERATIONS);
        let finished = self.context.must_end_with(2, tool);
        fs::remove_dir(&in_the_way)?;
        let finished = finished?;
        ensure!(finished.stderr.contains(&format!("{middle}-9.json")), "{}", finished.stderr);
        Ok(())
    }

    /// Ctrl-C while the first release runs.
    fn stop_a_search(&self) -> Result<()> {
        let program = env::current_exe().context("finding our own program")?;
        let timeout = ["--foreground", "--signal=INT", "--preserve-status", "3"];
        let tool = Tool::new("timeout").args(timeout).arg(program);
        let tool = tool.args(["bisect", &name(1), &name(COPIES), "handshake", "--json"]);
        let tool = tool.args(["--iterations", "10000000"]).env("XDG_CACHE_HOME", self.folder.join("cache"));
        let finished = self.context.must_end_with(128 + SIGINT, tool)?;
        let found: Value = serde_json::from_str(&finished.stdout).context("bisect --json, stopped")?;
        ensure!(found["complete"] == false, "{found:#}");
        Ok(())
    }

    fn bisect(&self) -> Result<()> {
        // Two neighbours, and every release judged by two runs.
        let (last_good, first_bad) = (name(FIRST_BROKEN - 1), name(FIRST_BROKEN));
        let pair = self.xtask(&["bisect", &last_good, &first_bad, "handshake", "--json", "--seeds", "2"])?;
        let found: Value = serde_json::from_str(&self.context.must_pass(pair.args(ITERATIONS))?.stdout)?;
        ensure!(found["first_bad"] == json!([first_bad]) && found["seeds"] == 2, "{found:#}");

        let bisect = |bad: usize| self.xtask(&["bisect", &name(1), &name(bad), "handshake", "--json"]);
        let finished = self.context.must_pass(bisect(COPIES)?.args(ITERATIONS))?;
        let found: Value = serde_json::from_str(&finished.stdout).context("bisect --json")?;
        ensure!(found["first_bad"] == json!([name(FIRST_BROKEN)]), "{found:#}");
        ensure!(found["last_good"] == name(FIRST_BROKEN - 1), "{found:#}");
        self.context.say(&format!("bisect: {}", found["conclusion"]));
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
