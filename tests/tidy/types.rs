//! The rule for types: the methods of a type are in one `impl`, so that its file is its boundary.

use std::collections::BTreeMap;

use crate::pages::{Page, clean, pages};

/// Types that may have several, with the reason.
const EXCEPTIONS: [(&str, &str); 2] = [
    // The transitions of the state are one concept that does not fit into one file. They are in the
    // module `session`, to which the fields are private; what could be separated from the state is
    // in types of its own (`Retries`, `Watchdog`, `Server`, `Cursor`, `User`).
    ("src", "Session"),
    // One block is exported to JavaScript by `#[wasm_bindgen]`, the other one is not.
    ("src", "JsClient"),
];

/// Returns the types with methods of their own in this file: the name with its arguments, once for
/// each `impl`.
fn impls(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let heads = code.lines().filter_map(|line| line.strip_prefix("impl"));
    let heads = heads.map(|rest| if rest.starts_with('<') { after_angles(rest) } else { rest });
    let heads = heads.filter_map(|rest| rest.trim_end().strip_suffix('{')).map(str::trim);
    heads
        .filter(|head| !head.contains(" for "))
        .map(|head| head.split(" where ").next().unwrap_or(head).to_owned())
        .collect()
}

/// Returns what follows the balanced angles at the beginning.
fn after_angles(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[at + 1..];
        }
    }
    text
}

/// Returns true if this file defines the type.
fn defines(page: &Page, name: &str) -> bool {
    ["struct", "enum", "union"].iter().any(|word| {
        page.text.lines().any(|line| {
            let rest = line.trim_start_matches("pub").trim_start();
            let rest = if rest.starts_with('(') { rest.split_once(") ").map_or(rest, |(_, rest)| rest) } else { rest };
            rest.strip_prefix(&format!("{word} {name}"))
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
        })
    })
}

#[test]
fn the_methods_of_a_type_are_in_one_impl() {
    let pages: Vec<_> = pages().into_iter().filter(|page| page.is(&["rs"])).collect();
    let rooms = ["src/", "hub/src/", "server/src/", "wasm/", "examples/"];
    let mut broken = Vec::new();
    for room in rooms {
        let inside: Vec<_> = pages.iter().filter(|page| page.path.starts_with(room)).collect();
        // Blocks by type, in files that do not define it and in the file that does.
        let mut blocks: BTreeMap<String, Vec<&Page>> = BTreeMap::new();
        for page in inside.iter().filter(|page| !page.path.ends_with("tests.rs")) {
            for name in impls(&page.text) {
                blocks.entry(name).or_default().push(page);
            }
        }
        let room = room.trim_end_matches('/').trim_end_matches("/src");
        for (name, files) in blocks {
            let bare = name.split('<').next().unwrap_or(&name);
            if EXCEPTIONS.contains(&(room, bare)) {
                continue;
            }
            // Types of the same name in different modules are different types.
            let strangers = files.iter().filter(|page| !defines(page, bare));
            broken
                .extend(strangers.map(|page| format!("{}: `impl {name}` outside of the file of the type", page.path)));
            let mut seen = Vec::new();
            for page in &files {
                if seen.contains(&&page.path) {
                    broken.push(format!("{}: a second `impl {name}`", page.path));
                }
                seen.push(&page.path);
            }
        }
    }
    clean("The methods of a type are in one `impl`, in its file: give the type parts of its own.", &broken);
}

#[test]
fn blocks_are_found() {
    let text = "impl<T: Into<u8>> Held<T> {\n}\nimpl Held<u8> {\n}\nimpl Drop for Held<u8> {\n}\n#[cfg(test)]\nmod tests {\nimpl X {\n";
    assert_eq!(impls(text), ["Held<T>", "Held<u8>"]);
}
