//! The rule for the first sentence of a source file: it names what the file holds.

use crate::pages::{Page, clean, pages};

/// Sentences that begin so refer to something that the reader has not seen yet.
const POINTING: [&str; 7] = ["It", "They", "This", "These", "Those", "Here", "Same"];
/// A sentence with fewer words names nothing.
const FEWEST_WORDS: usize = 3;

/// Returns the comment at the beginning of a file, without its marks.
fn opening(page: &Page) -> String {
    let lines = page.text.lines().skip_while(|line| line.starts_with("#!/"));
    if page.is(&["rs"]) {
        let lines = lines.map_while(|line| line.strip_prefix("//!"));
        return lines.map(str::trim).collect::<Vec<_>>().join("\n");
    }
    let mut lines = lines.peekable();
    if lines.peek().is_some_and(|line| line.starts_with("/**")) {
        let block = page.text.split("*/").next().unwrap_or_default();
        let clean = |line: &str| line.trim_start_matches(['/', '*', ' ']).to_owned();
        return block.lines().map(clean).collect::<Vec<_>>().join("\n");
    }
    let lines = lines.map_while(|line| line.strip_prefix("//"));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Returns what is wrong with the first sentence of an opening comment.
fn wrong(opening: &str) -> Option<&'static str> {
    let paragraph = opening.trim().split("\n\n").next().unwrap_or_default().replace('\n', " ");
    if paragraph.is_empty() {
        return Some("no comment");
    }
    let Some(end) = paragraph.find(". ").or_else(|| paragraph.ends_with('.').then(|| paragraph.len() - 1)) else {
        return Some("no sentence that ends with a period");
    };
    let words: Vec<_> = paragraph[..end].split_whitespace().collect();
    if words.len() < FEWEST_WORDS {
        return Some("a sentence that names nothing");
    }
    let word = |at: usize| words[at].trim_end_matches([',', ':']);
    let points = POINTING.contains(&word(0)) || (word(0), word(1)) == ("The", "same");
    points.then_some("a sentence that points elsewhere")
}

#[test]
fn a_file_begins_with_what_it_holds() {
    let sources =
        pages().into_iter().filter(|page| page.is(&["rs", "ts", "tsx", "mjs"]) && !page.path.ends_with(".d.ts"));
    let broken: Vec<_> =
        sources.filter_map(|page| wrong(&opening(&page)).map(|what| format!("{}: {what}", page.path))).collect();
    clean("A file begins with a comment whose first sentence names what the file holds.", &broken);
}

#[test]
fn sentences_are_judged() {
    assert_eq!(wrong("The wheel of deadlines.\nMore."), None);
    assert_eq!(wrong("A list\nof words, e.g. these.\n\nMore"), None);
    assert_eq!(wrong(""), Some("no comment"));
    assert_eq!(wrong("The wheel"), Some("no sentence that ends with a period"));
    assert_eq!(wrong("Some tests."), Some("a sentence that names nothing"));
    assert_eq!(wrong("The same, for tabs."), Some("a sentence that points elsewhere"));
    assert_eq!(wrong("It holds the wheel."), Some("a sentence that points elsewhere"));
}
