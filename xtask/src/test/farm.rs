//! Many boards by labgrid: its Python, the recipes for CI, and a run that labgrid drives on an emulated board.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::context::Context;
use super::tools;
use crate::paths;
use crate::shell::Tool;

/// Exact versions, for the farm itself and for what checks it.
const REQUIREMENTS: [&str; 2] = ["requirements.txt", "requirements-check.txt"];
/// In the virtual environment: the requirements it was made for.
const STAMP: &str = "made-for.txt";
/// Time for the downloads.
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// Recipes, and the schema of each that check-jsonschema brings along.
const RECIPES: [(&str, &str); 2] =
    [("docs/ci/github.yml", "vendor.github-workflows"), ("docs/ci/gitlab.yml", "vendor.gitlab-ci")];

/// The Python is formatted, linted and typed, the recipes are what their CI expects, the strategy keeps its order, and
/// labgrid drives an emulated board through power cycles, changed cards and failures.
pub fn labgrid_drives_a_board(context: &Context) -> Result<()> {
    let venv = Venv::at_hand(context)?;
    for check in [&["ruff", "format", "--check", "."][..], &["ruff", "check", "."], &["mypy", "."]] {
        context.must_pass(venv.tool(check[0]).args(&check[1..]).folder(farm()))?;
    }
    for (recipe, schema) in RECIPES {
        let recipe = paths::workspace().join(recipe);
        let check = venv.tool("check-jsonschema").args(["--builtin-schema", schema]).arg(recipe);
        context.must_pass(check)?;
    }
    let xtask = std::env::current_exe().context("finding our own program")?;
    let checks = venv.tool("pytest").args(["-q", "checks"]).folder(farm()).env("XTASK", xtask);
    let said = context.must_pass(checks)?.stdout;
    context.say(said.lines().last().unwrap_or_default());
    Ok(())
}

fn farm() -> PathBuf {
    paths::workspace().join("farm")
}

/// A virtual environment below target: nothing is installed into the system's Python.
struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// The one of an earlier run if it was made for the same requirements, else a new one.
    fn at_hand(context: &Context) -> Result<Self> {
        let folder = paths::target().join("farm-venv");
        let mut wanted = String::new();
        for name in REQUIREMENTS {
            let path = farm().join(name);
            wanted += &fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        }
        let venv = Self { folder };
        let stamp = venv.folder.join(STAMP);
        let is_made = fs::read_to_string(&stamp).is_ok_and(|made_for| made_for == wanted);
        // The interpreter that it was made with may be gone.
        if is_made && venv.tool("python").arg("--version").works() {
            return Ok(venv);
        }
        venv.make(context)?;
        fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))?;
        Ok(venv)
    }

    fn make(&self, context: &Context) -> Result<()> {
        tools::provide_python_venv()?;
        let place = self.folder.display();
        eprintln!("Installing labgrid from PyPI into {place}, to drive a board as a farm does.");
        context.must_pass(Tool::new("python3").args(["-m", "venv", "--clear"]).arg(&self.folder))?;
        let mut pip = self.tool("pip").args(["install", "--quiet", "--disable-pip-version-check"]);
        for name in REQUIREMENTS {
            pip = pip.arg("--requirement").arg(farm().join(name));
        }
        pip.limit(context.left().min(INSTALL_LIMIT)).read().map(drop)
    }

    fn tool(&self, name: impl AsRef<Path>) -> Tool {
        Tool::new(self.folder.join("bin").join(name))
    }
}
