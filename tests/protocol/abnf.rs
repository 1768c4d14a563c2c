//! A matcher for ABNF (RFC 5234, with the case-sensitive strings of RFC 7405), for octets.
//!
//! It follows every alternative, so a grammar is matched as it is written, whatever the order of
//! its alternatives. Absent here: prose values (`<...>`), sequences of numbers (`%d13.10`), and
//! incremental alternatives (`=/`).

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    str::Chars,
};

/// The rules of a grammar, by name.
#[derive(Debug, Default)]
pub(crate) struct Grammar(BTreeMap<String, Node>);

#[derive(Debug)]
enum Node {
    Either(Vec<Self>),
    Each(Vec<Self>),
    Repeat(usize, usize, Box<Self>),
    Rule(String),
    Text { bytes: Vec<u8>, cased: bool },
    Range(u8, u8),
}

impl Grammar {
    /// Reads rules. A line that begins with a space continues the rule before it.
    ///
    /// # Panics
    /// If the text is not ABNF, or if a rule uses one that is not defined.
    pub(crate) fn read(text: &str) -> Self {
        let mut rules: Vec<String> = Vec::new();
        for line in text.lines().map(without_comment).filter(|line| !line.trim().is_empty()) {
            match rules.last_mut() {
                Some(rule) if line.starts_with(' ') => rule.push_str(line),
                Some(_) | None => rules.push(line.to_owned()),
            }
        }
        let mut grammar = Self::default();
        for rule in &rules {
            let (name, definition) = rule.split_once('=').expect("name = definition");
            let mut reader = Reader(definition.chars().peekable());
            let node = reader.either();
            assert_eq!(reader.0.next(), None, "{rule}");
            assert!(grammar.0.insert(name.trim().to_owned(), node).is_none(), "{name} is defined twice");
        }
        // RFC 5234, appendix B.1.
        let core = [
            ("LF", Node::Range(b'\n', b'\n')),
            ("DIGIT", Node::Range(b'0', b'9')),
            ("ALPHA", Node::Either(vec![Node::Range(b'A', b'Z'), Node::Range(b'a', b'z')])),
        ];
        grammar.0.extend(core.map(|(name, node)| (name.to_owned(), node)));
        let missing: Vec<_> =
            grammar.0.values().flat_map(Node::uses).filter(|name| !grammar.0.contains_key(*name)).collect();
        assert!(missing.is_empty(), "not defined: {missing:?}");
        grammar
    }

    /// Returns true if the rule matches all of these bytes.
    ///
    /// # Panics
    /// If there is no such rule.
    pub(crate) fn matches(&self, rule: &str, bytes: &[u8]) -> bool {
        self.ends(&self.0[rule], bytes, 0).contains(&bytes.len())
    }

    /// Returns the alternatives of a rule that consists of strings.
    ///
    /// # Panics
    /// If it does not.
    pub(crate) fn words(&self, rule: &str) -> Vec<String> {
        let Node::Either(words) = &self.0[rule] else { panic!("{rule} has no alternatives") };
        let word = |node: &Node| match node {
            Node::Text { bytes, .. } => String::from_utf8(bytes.clone()).expect("UTF-8"),
            Node::Either(_) | Node::Each(_) | Node::Repeat(..) | Node::Rule(_) | Node::Range(..) => {
                panic!("{rule}: {node:?} is no string")
            }
        };
        words.iter().map(word).collect()
    }

    /// Returns all positions at which a match that begins at `at` may end.
    fn ends(&self, node: &Node, bytes: &[u8], at: usize) -> BTreeSet<usize> {
        match node {
            Node::Rule(name) => self.ends(&self.0[name], bytes, at),
            Node::Either(nodes) => nodes.iter().flat_map(|node| self.ends(node, bytes, at)).collect(),
            Node::Each(nodes) => {
                nodes.iter().fold(BTreeSet::from([at]), |starts, node| self.step(node, bytes, &starts))
            }
            Node::Repeat(least, most, node) => {
                let (mut ends, mut starts) = (BTreeSet::new(), BTreeSet::from([at]));
                for count in 0..=*most {
                    if count >= *least {
                        starts.retain(|start| ends.insert(*start));
                    }
                    if starts.is_empty() {
                        break;
                    }
                    starts = self.step(node, bytes, &starts);
                }
                ends
            }
            Node::Text { bytes: text, cased } => {
                let found = bytes.get(at..at + text.len());
                let same =
                    found.is_some_and(|found| if *cased { found == text } else { found.eq_ignore_ascii_case(text) });
                same.then_some(at + text.len()).into_iter().collect()
            }
            Node::Range(low, high) => {
                bytes.get(at).filter(|byte| (low..=high).contains(byte)).map(|_| at + 1).into_iter().collect()
            }
        }
    }

    fn step(&self, node: &Node, bytes: &[u8], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        starts.iter().flat_map(|start| self.ends(node, bytes, *start)).collect()
    }
}

impl Node {
    /// Returns the names of the rules that it uses.
    fn uses(&self) -> Vec<&String> {
        match self {
            Self::Rule(name) => vec![name],
            Self::Either(nodes) | Self::Each(nodes) => nodes.iter().flat_map(Self::uses).collect(),
            Self::Repeat(_, _, node) => node.uses(),
            Self::Text { .. } | Self::Range(..) => vec![],
        }
    }
}

struct Reader<'a>(Peekable<Chars<'a>>);

impl Reader<'_> {
    fn either(&mut self) -> Node {
        let mut nodes = vec![self.each()];
        while self.takes('/') {
            nodes.push(self.each());
        }
        if nodes.len() == 1 { nodes.remove(0) } else { Node::Either(nodes) }
    }

    fn each(&mut self) -> Node {
        let mut nodes = Vec::new();
        while let Some(node) = self.repeat() {
            nodes.push(node);
        }
        assert!(!nodes.is_empty(), "an alternative is empty");
        if nodes.len() == 1 { nodes.remove(0) } else { Node::Each(nodes) }
    }

    fn repeat(&mut self) -> Option<Node> {
        self.spaces();
        let least = self.digits(10);
        let bounds = if self.takes('*') {
            Some((least.unwrap_or(0), self.digits(10).unwrap_or(usize::MAX - 1)))
        } else {
            least.map(|count| (count, count))
        };
        let element = self.element();
        match bounds {
            None => element,
            Some((least, most)) => Some(Node::Repeat(least, most, Box::new(element.expect("something to repeat")))),
        }
    }

    fn element(&mut self) -> Option<Node> {
        match *self.0.peek()? {
            '(' => Some(self.group(')')),
            '[' => Some(Node::Repeat(0, 1, Box::new(self.group(']')))),
            '"' => Some(self.text(false)),
            '%' => {
                self.0.next();
                match self.0.next() {
                    Some('s') => Some(self.text(true)),
                    Some('x') => {
                        let low = self.digits(16).expect("a number");
                        let high = if self.takes('-') { self.digits(16).expect("a number") } else { low };
                        let byte = |number: usize| u8::try_from(number).expect("an octet");
                        Some(Node::Range(byte(low), byte(high)))
                    }
                    other => panic!("%{other:?}"),
                }
            }
            letter if letter.is_ascii_alphabetic() => {
                let mut name = String::new();
                while let Some(char) = self.0.next_if(|char| char.is_ascii_alphanumeric() || *char == '-') {
                    name.push(char);
                }
                Some(Node::Rule(name))
            }
            _ => None,
        }
    }

    fn group(&mut self, end: char) -> Node {
        self.0.next();
        let node = self.either();
        assert!(self.takes(end), "a group ends with {end}");
        node
    }

    fn text(&mut self, cased: bool) -> Node {
        assert_eq!(self.0.next(), Some('"'));
        let bytes: String = self.0.by_ref().take_while(|char| *char != '"').collect();
        Node::Text { bytes: bytes.into_bytes(), cased }
    }

    fn digits(&mut self, radix: u32) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.0.peek().and_then(|char| char.to_digit(radix)) {
            self.0.next();
            number = Some(number.unwrap_or(0) * radix as usize + digit as usize);
        }
        number
    }

    fn takes(&mut self, char: char) -> bool {
        if matches!(char, '/' | ')' | ']') {
            self.spaces();
        }
        self.0.next_if_eq(&char).is_some()
    }

    fn spaces(&mut self) {
        while self.0.next_if_eq(&' ').is_some() {}
    }
}

/// Returns the line up to a `;` that is not in a string.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let comment = line.char_indices().find(|(_, char)| {
        quoted ^= *char == '"';
        *char == ';' && !quoted
    });
    comment.map_or(line, |(at, _)| &line[..at])
}
