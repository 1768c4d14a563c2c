//! The rules of the house, as tests: each names the lines that break it and what to do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod first_sentence;
mod graph;
mod pages;
mod prose;
mod types;
mod width;

use std::fs;

use pages::{clean, page, pages};

const LONGEST: usize = 350;

#[test]
fn a_file_is_one_concept_and_short() {
    let long = pages().into_iter().filter(|page| page.is(&["rs", "js", "ts", "tsx", "mjs"]));
    let long = long.filter(|page| !page.path.ends_with("/tests.rs"));
    let long = long.map(|page| (page.code_lines(), page.path)).filter(|(lines, _)| *lines > LONGEST);
    let broken: Vec<_> = long.map(|(lines, path)| format!("{path}: {lines} lines of code")).collect();
    clean(&format!("A file has at most {LONGEST} lines of code: find the second concept."), &broken);
}

#[test]
fn core_is_told_and_never_asks() {
    let foreign = [
        "std::time",
        "std::net",
        "std::fs",
        "std::thread",
        "std::env",
        "std::io",
        "crate::web",
        "wasm_bindgen",
        "web_sys",
        "js_sys",
        "gloo",
        "serde",
        "console_error",
        "print!",
        "println!",
        "eprintln!",
        "unsafe",
        "thread_local!",
        "static mut",
    ];
    let mut broken = Vec::new();
    for page in pages().iter().filter(|page| page.path.starts_with("src/proto/")) {
        for (number, line) in page.code() {
            broken.extend(
                foreign
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{number}: {word}", page.path)),
            );
        }
    }
    clean(
        "src/proto has no clock, socket, browser, logger or unsafe code: time and bytes come in, decisions go out.",
        &broken,
    );
}

#[test]
fn whatever_changes_the_state_is_in_step_rs() {
    let mut broken = Vec::new();
    for page in pages().iter().filter(|page| page.path.starts_with("src/proto/") && !page.path.contains("session/step"))
    {
        for (number, line) in page.code() {
            let assigns = line.split_once(".state =").is_some_and(|(_, value)| !value.starts_with('='));
            if assigns || line.contains(".state=") || line.contains("&mut self.state") {
                broken.push(format!("{}:{number}: {}", page.path, line.trim()));
            }
        }
    }
    clean("Every transition of the session is in src/proto/session/step.rs or the folder beside it.", &broken);
    assert!(page("src/proto/session/step.rs").contains("self.state ="), "the rule looks at the right file");
}

#[test]
fn nothing_is_left_undone_or_skipped() {
    // Written in two halves, so that this file does not break its own rule.
    let anywhere = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("HACK", ":")];
    let rust = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("#[ig", "nore")];
    let script = [
        concat!(".on", "ly("),
        concat!("it.sk", "ip("),
        concat!("test.sk", "ip("),
        concat!("describe.sk", "ip("),
        concat!(".fix", "me("),
        concat!(".to", "do("),
    ];
    let mut broken = Vec::new();
    for page in pages() {
        let words: &[&str] = if page.is(&["rs"]) {
            &rust
        } else if page.is(&["ts", "tsx", "mjs", "js"]) {
            &script
        } else {
            continue;
        };
        for (number, line) in page.lines() {
            let found = words.iter().chain(&anywhere).filter(|word| line.contains(**word));
            broken.extend(found.map(|word| format!("{}:{number}: {word}", page.path)));
        }
    }
    clean("What is committed is done, and every test runs.", &broken);
}

/// The `version` below `name = "…"` in a lock file.
fn locked(lock: &str, package: &str) -> Option<String> {
    let (_, after) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(after.split_once('"')?.0.to_owned())
}

/// The glue generator refuses a wasm of another version of wasm-bindgen than its own.
#[test]
fn one_version_of_wasm_bindgen() {
    let [ours, tools] =
        ["Cargo.lock", "tools/Cargo.lock"].map(|path| locked(&page(path).replace("\r\n", "\n"), "wasm-bindgen"));
    assert!(ours.is_some(), "Cargo.lock has wasm-bindgen");
    assert_eq!(ours, tools, "wasm-bindgen: Cargo.lock and tools/Cargo.lock must agree; change both `=` pins together");
    let pin = format!("version = \"={}\"", ours.unwrap());
    for (path, package) in [("Cargo.toml", "wasm-bindgen ="), ("tools/Cargo.toml", "wasm-bindgen-cli =")] {
        let text = page(path);
        let line = text.lines().find(|line| line.starts_with(package));
        assert!(line.is_some_and(|line| line.contains(&pin)), "{path} pins it as {pin}: {line:?}");
    }
}

#[test]
fn nothing_names_a_machine_or_a_mirror() {
    let folders = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("C:", "\\Users"),
    ];
    let mut broken = Vec::new();
    for page in pages() {
        let lock = page.path.ends_with("package-lock.json");
        for (number, line) in page.lines() {
            // A folder of a machine begins a path; inside a longer one it is a folder of that name
            // elsewhere.
            let begins = |word: &str| {
                line.match_indices(word).any(|(at, _)| {
                    let before = line.get(..at).and_then(|head| head.chars().next_back());
                    !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '*' | '}'))
                })
            };
            let resolved = lock && line.trim_start().starts_with("\"resolved\": \"http");
            let mirror = page.path.ends_with(".npmrc") && line.contains("registry=")
                || line.contains(concat!("replace-", "with"));
            if folders.iter().any(|word| begins(word)) || resolved || mirror {
                broken.push(format!("{}:{number}: {}", page.path, line.trim().chars().take(120).collect::<String>()));
            }
        }
    }
    clean("No file names a folder of somebody's machine, or the host that packages came from.", &broken);
}

/// Fenced blocks with their language and their first line's number.
fn blocks(markdown: &str) -> Vec<(usize, &str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, Vec<&str>)> = None;
    for (number, line) in (1..).zip(markdown.lines()) {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((number, language.trim(), Vec::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, _, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    blocks
}

/// A block that begins with `// examples/…` is a piece of that file, indentation and empty lines
/// apart.
#[test]
fn documents_show_code_that_exists() {
    let squeeze =
        |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let mut broken = Vec::new();
    let documents: Vec<_> = pages().into_iter().filter(|page| page.is(&["md"])).collect();
    let all = documents.iter().flat_map(|page| blocks(&page.text).into_iter().map(|block| (&page.path, block)));
    for (document, (number, language, lines)) in all {
        let Some(path) = lines.first().and_then(|line| line.strip_prefix("// ")).map(str::trim) else { continue };
        if !["ts", "tsx", "rust"].contains(&language) || path.contains(' ') || !path.contains('/') {
            continue;
        }
        let piece = squeeze(&lines.get(1..).unwrap_or_default().join("\n"));
        match fs::read_to_string(path) {
            Ok(file) if squeeze(&file).contains(&piece) => {}
            Ok(_) => broken.push(format!("{document}:{number}: not in {path} (any more)")),
            Err(error) => broken.push(format!("{document}:{number}: {path}: {error}")),
        }
    }
    clean("What a document shows of a file is in that file.", &broken);
}

#[test]
fn one_version_everywhere() {
    let cargo = page("Cargo.toml");
    let section = cargo.split_once("[workspace.package]").expect("Cargo.toml has [workspace.package]").1;
    let version =
        section.lines().find_map(|line| line.strip_prefix("version = ")).expect("it has a version").trim_matches('"');
    for member in ["Cargo.toml", "hub/Cargo.toml", "server/Cargo.toml"] {
        assert!(page(member).contains("version.workspace = true"), "{member} takes its version from the workspace");
    }
    let package = page("pkg-template/package.json");
    let told =
        package.lines().find_map(|line| line.trim().strip_prefix("\"version\": ")).expect("pkg-template has a version");
    let told = told.trim_matches([',', '"']);
    assert!(
        told == version || told == "0.0.0",
        "pkg-template/package.json says {told}: 0.0.0 (the build fills it in) or {version}"
    );
    let changes = page("CHANGELOG.md");
    let heading = changes.lines().filter(|line| line.starts_with("## ")).any(|line| {
        line.trim_start_matches(['#', ' ', '[', 'v'])
            .strip_prefix(version)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([']', ' ']))
    });
    assert!(heading, "CHANGELOG.md has a heading `## {version}`");
}

/// A path in backticks that begins with a folder of the repository is a promise.
#[test]
fn architecture_names_files_that_exist() {
    let folders = ["src/", "js/", "hub/", "server/", "examples/", "tests/", "wasm/", "docs/", "benches/", "deploy/"];
    let mut broken = Vec::new();
    for (number, line) in (1..).zip(page("ARCHITECTURE.md").lines()) {
        for name in
            line.split('`').skip(1).step_by(2).filter(|name| folders.iter().any(|folder| name.starts_with(folder)))
        {
            if !std::path::Path::new(name).exists() {
                broken.push(format!("ARCHITECTURE.md:{number}: {name}"));
            }
        }
    }
    clean("ARCHITECTURE.md names files that exist.", &broken);
}
