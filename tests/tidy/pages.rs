//! The text files of the repository, and how a rule that is broken is reported.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A text file of the repository.
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn is(&self, endings: &[&str]) -> bool {
        Path::new(&self.path).extension().is_some_and(|ending| endings.iter().any(|known| ending == *known))
    }

    /// Lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// Returns how many lines hold code: not blank, no comment, and no unit test at the end of the
    /// file.
    pub(crate) fn code_lines(&self) -> usize {
        let code = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let comment = |line: &&str| !["//", "/*", "*"].iter().any(|start| line.starts_with(start));
        code.lines().map(str::trim).filter(|line| !line.is_empty()).filter(comment).count()
    }

    /// Returns lines with their numbers, without a comment at their end.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().map(|(number, line)| (number, line.split("//").next().unwrap_or(line)))
    }
}

/// Every text file that is tracked, or would be by the next `git add`; without git, every file
/// outside the folders of build products.
pub(crate) fn pages() -> Vec<Page> {
    let listed = Command::new("git").args(["ls-files", "-coz", "--exclude-standard"]).output();
    let paths: Vec<PathBuf> = match listed {
        Ok(listed) if listed.status.success() => {
            String::from_utf8_lossy(&listed.stdout).split_terminator('\0').map(PathBuf::from).collect()
        }
        Ok(_) | Err(_) => walk(Path::new(".")),
    };
    assert!(paths.len() > 20, "the files of the repository are found");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).ok()?; // deleted, or no text
        Some(Page { path: path.to_str()?.trim_start_matches("./").replace('\\', "/"), text })
    };
    paths.into_iter().filter_map(read).collect()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let built = ["target", "node_modules", "pkg", "dist", "wasm", ".git", "test-results", "playwright-report"];
    let inside = |entry: fs::DirEntry| {
        let path = entry.path();
        let skip = path.file_name().is_some_and(|name| built.iter().any(|known| name == *known));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !skip => walk(&path),
            Ok(kind) if kind.is_file() => vec![path],
            Ok(_) | Err(_) => vec![],
        }
    };
    fs::read_dir(folder).unwrap().filter_map(Result::ok).flat_map(inside).collect()
}

/// Returns the text of a file that must exist.
pub(crate) fn page(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path} belongs to the repository: {error}"))
}

/// Fails with the rule and the places that break it.
pub(crate) fn clean(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}
