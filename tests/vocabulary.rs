//! The vocabularies: JavaScript and TypeScript have the words and numbers that Rust has, in the
//! same order.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeMap, fs};

use tinysse::proto::{
    error::ErrorKind,
    session::io::{ConnectReason, Phase, TokenReason},
    wire::{
        control::{ControlFrame, Gap},
        kind::RESERVED,
        names::{H_WIRE, Parameter},
    },
};

const LISTS: &str = "js/model/vocabulary.ts";

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The strings between quotes, in order.
fn quoted(text: &str) -> Vec<String> {
    text.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The words of `export const NAME = ['a', 'b'] as const;`.
fn list(name: &str) -> Vec<String> {
    let text = read(LISTS);
    let (_, after) = text.split_once(&format!("export const {name} = [")).unwrap_or_else(|| panic!("{LISTS}: {name}"));
    quoted(after.split_once(']').expect("a list ends").0)
}

/// The numbers of `const NAME: type = 1;` (Rust) and `const NAME = 1;` (JavaScript), by their
/// names.
fn numbers(path: &str) -> BTreeMap<String, i64> {
    let constant = |line: &str| {
        let (head, value) = line.trim().strip_suffix(';')?.split_once(" = ")?;
        let name = head.rsplit_once("const ")?.1.split(':').next()?;
        Some((name.to_owned(), value.replace('_', "").parse().ok()?))
    };
    read(path).lines().filter_map(constant).collect()
}

/// The numbers of an object of JavaScript, `{ setUser: 17 }`, by names as constants have them:
/// `SET_USER`.
fn members(path: &str, object: &str) -> BTreeMap<String, i64> {
    let text = read(path);
    let (_, after) = text.split_once(&format!("const {object} = {{")).unwrap_or_else(|| panic!("{path}: {object}"));
    let shout = |name: &str| {
        let parts = name.chars().map(|c| if c.is_uppercase() { format!("_{c}") } else { c.to_uppercase().to_string() });
        parts.collect::<String>()
    };
    let pairs = after.split('}').next().unwrap_or_default().split(',');
    let pair = |pair: &str| pair.split_once(':').map(|(name, number)| (shout(name.trim()), number.trim().to_owned()));
    pairs.filter_map(pair).map(|(name, number)| (name, number.parse().expect("a number"))).collect()
}

#[test]
fn typescript_has_the_words_of_rust() {
    let control = ControlFrame::ALL.map(|frame| frame.as_str().strip_prefix(RESERVED).expect("reserved"));
    assert_eq!(list("CONTROL_FRAMES"), control);
    assert_eq!(list("GAPS"), Gap::ALL.map(Gap::as_str));
    assert_eq!(list("CONNECT_REASONS"), ConnectReason::ALL.map(ConnectReason::as_str));
    assert_eq!(list("TOKEN_REASONS"), TokenReason::ALL.map(TokenReason::as_str));
    assert_eq!(list("STATUSES"), Phase::ALL.map(Phase::as_str));
    assert_eq!(list("PARAMETERS"), Parameter::ALL.map(Parameter::as_str));
    let (mut words, mut kinds) = (list("CORE_ERROR_CODES"), ErrorKind::ALL.map(ErrorKind::as_str));
    words.sort();
    kinds.sort_unstable();
    assert_eq!(words, kinds);
}

#[test]
fn a_native_stream_listens_to_every_control_frame() {
    let page = read("src/web/bindings.js");
    let (_, after) = page.split_once("const EVENTS = ").expect("the list of events");
    let listed: Vec<_> = quoted(after.split_once(';').expect("it ends").0);
    for frame in ControlFrame::ALL {
        let word = frame.as_str().strip_prefix(RESERVED).expect("reserved");
        assert!(listed.iter().any(|listed| listed == word), "{word} is not listened to");
    }
    // Besides: `open`, `error`, `message`; no other reserved type.
    assert_eq!(listed.len(), 3 + ControlFrame::ALL.len(), "{listed:?}");
}

#[test]
fn the_page_names_parameters_and_headers_as_rust_does() {
    let page = read("src/web/bindings.js");
    let (_, call) = page.split_once("address({").expect("the parameters of a native stream");
    let call = call.split_once("})").expect("they end").0;
    let method = page.split_once("address(parameters)").expect("the method").1;
    let types = method.split_once("...parameters").expect("the parameters besides").0;
    for parameter in Parameter::ALL {
        let named = |text: &str| {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            text.split(|c| !word(c)).any(|part| part == parameter.as_str())
        };
        assert!(named(call) || named(types), "{} is not sent", parameter.as_str());
    }
    assert!(page.contains(&format!("'{H_WIRE}'")), "{H_WIRE} is looked for");
}

#[test]
fn page_and_wasm_have_the_same_numbers() {
    let mut rust = numbers("src/web/input.rs");
    rust.extend(numbers("src/web/driver.rs"));
    assert!(rust.len() > 30, "the tables are found: {rust:?}");
    let mut scripts = BTreeMap::new();
    let equip = "src/web/equip.js";
    let tables = [
        numbers("src/web/bindings.js"),
        numbers("src/web/fetch.js"),
        numbers(equip),
        members(equip, "WISHES"),
        members(equip, "CALLS"),
    ];
    for (name, number) in tables.into_iter().flatten() {
        if name == "ROOM" {
            continue; // bytes, and only there
        }
        assert_eq!(rust.get(&name), Some(&number), "{name} in src/web/*.js");
        scripts.insert(name, number);
    }
    let unknown: Vec<_> = rust.keys().filter(|name| !scripts.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "no script has {unknown:?}");
}

#[test]
fn typescript_lists_words_by_the_numbers_of_rust() {
    let rust = numbers("src/web/input.rs");
    let inputs = list("INPUTS");
    for (name, at) in [("TICK", 0), ("FRAME", 1), ("SET_USER", 17)] {
        assert_eq!(rust.get(name), Some(&at));
    }
    let shown = |name: &str| match name {
        "NO_TOKEN" => "token".to_owned(),
        "SET_USER" => "user".to_owned(),
        _ => name.to_lowercase(),
    };
    let text = read("src/web/input.rs");
    let table = |module: &str| {
        let (_, after) = text.split_once(&format!("mod {module} {{")).expect("the table");
        let names = after.split_once("\n}").expect("it ends").0.split("const ").skip(1);
        names.map(|rest| shown(rest.split(':').next().unwrap_or_default())).collect::<Vec<_>>()
    };
    assert_eq!(inputs, table("word"));
    assert_eq!(list("LOSSES"), table("lost"));
}
