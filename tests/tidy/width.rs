//! The rule for the width of prose: comments of Rust end at 100 columns, lines of documents at 120.
//!
//! Code, tables and a single word or link that is longer are left as they are.

use crate::pages::{Page, clean, pages};

const COMMENT: usize = 100;
const DOCUMENT: usize = 120;

/// Returns the lines of prose that are wider than `most`. `text` returns a line without its marks;
/// nothing for lines that are no prose.
fn wide<'page>(page: &'page Page, most: usize, text: impl Fn(&'page str) -> Option<&'page str>) -> Vec<String> {
    let mut is_code = false;
    let mut broken = Vec::new();
    for (number, line) in page.lines() {
        let Some(prose) = text(line).map(str::trim) else {
            is_code = false;
            continue;
        };
        if prose.starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let is_table = prose.starts_with('|') || prose.starts_with('#') || prose.starts_with('<');
        let is_one_span = prose.starts_with('`') && prose.ends_with('`') || !prose.contains(' ');
        if !is_code && !is_table && !is_one_span && line.chars().count() > most {
            broken.push(format!("{}:{number}", page.path));
        }
    }
    broken
}

fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']))
}

#[test]
fn comments_end_at_100_columns_and_documents_at_120() {
    let broken: Vec<_> = pages()
        .iter()
        .flat_map(|page| match page.path.rsplit('.').next() {
            Some("rs") => wide(page, COMMENT, comment),
            Some("md") => wide(page, DOCUMENT, Some),
            _ => Vec::new(),
        })
        .collect();
    clean("Prose is at most 100 columns wide in comments and 120 in documents: wrap it.", &broken);
}

#[test]
fn wide_lines_are_found() {
    let wrong = "word ".repeat(21);
    let text = format!("// {wrong}\n// ```\n// {wrong}\n// ```\n//! | {wrong}\nlet a = 1; // {wrong}\n");
    let page = Page { path: "a.rs".to_owned(), text };
    assert_eq!(wide(&page, COMMENT, comment), ["a.rs:1"]);
}
