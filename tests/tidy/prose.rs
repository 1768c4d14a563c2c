//! The language of comments and documents: plain technical English, one term for one thing.

use crate::pages::{Page, clean, pages};

/// Words that comments and documents do without, and what to write instead.
///
/// Each was a metaphor for something that has a name in the field, or a turn of phrase that names
/// nobody in particular.
const WORDS: [(&[&str], &str); 12] = [
    (&["hear", "hears", "heard", "hearing"], "receive, be notified, observe"),
    (&["say", "says", "said", "saying"], "report, send, return, state, document"),
    (&["tell", "tells", "told", "telling"], "notify, report, pass, distinguish"),
    (&["stand", "stands", "stood", "standing"], "is, lies, is stored, is documented"),
    (&["room", "rooms"], "module, folder, capacity, buffer"),
    (&["lane", "lanes"], "socket, stream path"),
    (&["ear", "ears"], "subscriber, listener, reader"),
    (&["whoever", "whomever"], "callers, clients, operators"),
    (&["somebody", "someone's", "nobody's", "everybody's", "somebody's"], "a client, a user, another process"),
    (&["so many", "so long as", "so much"], "N, the number of, while"),
    (&["of ours", "of theirs"], "our, current, the client's"),
    (&["is none", "are none"], "is invalid, does not exist"),
];

/// A comment or a paragraph, with the number of its line.
type Line = (usize, String);

/// Returns the lines of prose: comments of code, and documents without code.
fn prose(page: &Page) -> Vec<Line> {
    if page.is(&["md"]) {
        return document(page);
    }
    if page.is(&["rs", "ts", "tsx", "js", "mjs", "mts", "css"]) {
        return comments(page, "//");
    }
    if page.is(&["toml", "yml", "yaml", "sh", "conf", "service"]) { comments(page, "#") } else { Vec::new() }
}

/// Returns the comments of a file, with line comments after `mark`, and block comments as
/// JavaScript has them.
fn comments(page: &Page, mark: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let (mut block, mut fence) = (false, false);
    for (number, line) in page.lines() {
        let trimmed = line.trim_start();
        let text = if block || trimmed.starts_with("/*") {
            block = !line.contains("*/");
            Some(trimmed)
        } else if let Some(text) = trimmed.strip_prefix(mark) {
            Some(text)
        } else {
            // Behind code; in a string, `//` follows a colon.
            line.find(&format!(" {mark} ")).and_then(|at| line.get(at + mark.len() + 2..))
        };
        let Some(text) = text else { continue };
        if text.trim_start_matches(['/', '!', '*', ' ']).starts_with("```") {
            fence = !fence;
        } else if !fence {
            found.push((number, text.to_owned()));
        }
    }
    found
}

/// Returns the lines of a document that are no code.
fn document(page: &Page) -> Vec<Line> {
    let mut fence = false;
    let mut found = Vec::new();
    for (number, line) in page.lines() {
        if line.trim_start().starts_with("```") {
            fence = !fence;
        } else if !fence {
            found.push((number, line.to_owned()));
        }
    }
    found
}

/// Returns the words of a line in small letters, without what is quoted as code, and with a space
/// around each.
fn words(line: &str) -> String {
    let plain: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let parts = plain.split(|c: char| !(c.is_alphabetic() || c == '\''));
    format!(" {} ", parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase())
}

/// Returns what is wrong with a line, if anything is.
fn wrong(line: &str) -> Vec<String> {
    // "If there is none" is plain English; "that is none" is not.
    let text = words(line).replace(" there is none ", " ").replace(" there are none ", " ");
    let found = WORDS.iter().flat_map(|(words, instead)| words.iter().map(move |word| (*word, *instead)));
    let found = found.filter(|(word, _)| text.contains(&format!(" {word} ")));
    found.map(|(word, instead)| format!("`{word}`: {instead}")).collect()
}

#[test]
fn comments_and_documents_use_plain_terms() {
    let mut broken = Vec::new();
    for page in pages().iter().filter(|page| !page.path.starts_with("tests/tidy/prose")) {
        for (number, line) in prose(page) {
            broken.extend(wrong(&line).into_iter().map(|what| format!("{}:{number}: {what}", page.path)));
        }
    }
    clean("Comments and documents use the field's terms: no metaphors, no one in particular.", &broken);
}

#[test]
fn what_is_looked_at_is_prose() {
    let page = |path: &str, text: &str| Page { path: path.to_owned(), text: text.to_owned() };
    let lines = |page: &Page| prose(page).into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    let rust = "//! a\nlet url = \"http://b\";\ncall(); // c\n/// ```\n/// let d;\n/// ```\n";
    assert_eq!(lines(&page("a.rs", rust)), [1, 3]);
    assert_eq!(lines(&page("a.ts", "/** a\n * b\n */\nconst c = 1;\n/* d */ e();\n")), [1, 2, 3, 5]);
    assert_eq!(lines(&page("a.md", "a\n```sh\nb\n```\nc\n")), [1, 5]);
    assert_eq!(
        wrong("The hub says `told` so much, and understands"),
        ["`says`: report, send, return, state, document", "`so much`: N, the number of, while"]
    );
    assert!(wrong("A standalone classroom; `hear` is code").is_empty());
}
