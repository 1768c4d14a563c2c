//! The line of the file that has a setting.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// The lines of a file's keys, counted from 1.
#[derive(Debug, Default)]
pub(super) struct Lines {
    keys: BTreeMap<String, usize>,
    polls: Vec<Poll>,
}

/// An entry of `poll`: its type, where it begins, and its keys if it is a table.
#[derive(Debug)]
struct Poll {
    kind: String,
    line: usize,
    keys: BTreeMap<String, usize>,
}

impl Lines {
    /// Those of a text; none if it is no TOML.
    pub(super) fn of(text: &str) -> Self {
        let Ok(table) = DeTable::parse(text) else { return Self::default() };
        let polls = match table.get_ref().get("poll").map(toml::Spanned::get_ref) {
            Some(DeValue::Array(entries)) => entries.iter().map(|entry| poll(text, entry)).collect(),
            Some(_) | None => Vec::new(),
        };
        Self { keys: keys(text, table.get_ref()), polls }
    }

    /// Whether the file has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The line of a key.
    pub(super) fn key(&self, key: &str) -> Option<usize> {
        self.keys.get(key).copied()
    }

    /// The line of a key of the poller of this type; of the poller, if it lacks the key. The last
    /// one counts: a type that is there twice is wrong where it is repeated.
    pub(super) fn poll(&self, kind: &str, key: &str) -> Option<usize> {
        let poll = self.polls.iter().rev().find(|poll| poll.kind == kind)?;
        Some(poll.keys.get(key).copied().unwrap_or(poll.line))
    }
}

/// The line of a byte.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn keys(text: &str, table: &DeTable<'_>) -> BTreeMap<String, usize> {
    table.iter().map(|(key, _)| (key.get_ref().to_string(), line_of(text, key.span().start))).collect()
}

fn poll(text: &str, entry: &toml::Spanned<DeValue<'_>>) -> Poll {
    let line = line_of(text, entry.span().start);
    let (table, short) = (entry.get_ref().as_table(), entry.get_ref().as_str());
    let kind = match table {
        Some(table) => table.get("type").and_then(|kind| kind.get_ref().as_str()),
        None => short.and_then(|text| text.split_once('=')).map(|(kind, _)| kind),
    };
    let keys = table.map(|table| keys(text, table)).unwrap_or_default();
    Poll { kind: kind.unwrap_or("?").to_owned(), line, keys }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found() {
        let lines = Lines::of(
            "# a file\ndev = true\n\nbeat = '3s'\n[[poll]]\ntype = 'a'\nurl = 'http://x'\nevery = 5\n[[poll]]\ntype = 'b'\n",
        );
        assert_eq!((lines.key("dev"), lines.key("beat"), lines.key("retry")), (Some(2), Some(4), None));
        assert_eq!(
            (lines.poll("a", "every"), lines.poll("b", "type"), lines.poll("c", "type")),
            (Some(8), Some(10), None)
        );
        assert_eq!(lines.poll("b", "url"), Some(9), "where the poller begins");
        assert!(lines.has("poll") && !lines.has("type"));
        let short = Lines::of("dev = true\npoll = [\n  'a=http://x',\n  'a=http://y',\n]\n");
        assert_eq!(short.poll("a", "type"), Some(4));
        assert!(!Lines::of("dev = \n").has("dev"));
    }
}
