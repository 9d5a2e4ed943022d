//! An empty folder for one test.

use std::fs;
use std::path::PathBuf;

/// Gone at the end of the test.
#[derive(Debug)]
pub struct Scratch {
    /// Where it is.
    pub path: PathBuf,
}

impl Scratch {
    /// A new one; `test` makes its name another than that of tests beside it.
    pub fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("xtask-unit-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self { path }
    }

    /// Writes a file, making the folders above it.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("is below the folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    /// The content of a file, as text.
    pub fn read(&self, name: &str) -> String {
        let content = fs::read(self.path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        String::from_utf8_lossy(&content).into_owned()
    }

    /// Names of everything in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).expect("the folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
