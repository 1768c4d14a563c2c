//! What of an answer counts as a change. Pure.

use std::{collections::BTreeMap, str::from_utf8};

use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use crate::bom::without_bom;

/// How two answers are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compare {
    /// As JSON: neither spaces nor the order of fields make a change.
    Json,
    /// Byte by byte; the answer need not be JSON.
    Hash,
    /// These places of the JSON only (RFC 6901). A place that is not there differs from one that is
    /// null.
    At(Vec<String>),
}

/// An answer that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What there is to show, as JSON text: digits as they came, and text as a string if it is no
    /// JSON.
    pub text: String,
    /// Two answers with the same print are the same.
    pub print: String,
}

impl Compare {
    /// Compares at these places only.
    ///
    /// # Errors
    /// In words, if one is no JSON pointer.
    ///
    /// ```
    /// use tinysse_hub::poll::compare::Compare;
    /// let compare = Compare::at(["/current/temperature"]).unwrap();
    /// let print = |text: &str| compare.read(text.as_bytes()).unwrap().print;
    /// assert_eq!(print(r#"{"current":{"temperature":7},"at":1}"#), print(r#"{"at":2,"current":{"temperature":7}}"#));
    /// assert_ne!(print(r#"{"current":{"temperature":7}}"#), print(r#"{"current":{"temperature":8}}"#));
    /// assert!(Compare::at(["current"]).is_err());
    /// ```
    pub fn at<'a>(pointers: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let pointer = |text: &'a str| {
            // RFC 6901 §3: `~` occurs only before 0 and 1.
            let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
            let sound = (text.is_empty() || text.starts_with('/')) && escapes;
            if sound {
                Ok(text.to_owned())
            } else {
                Err(format!("`{text}` is none of json, hash and JSON pointers like /current/temperature"))
            }
        };
        pointers.into_iter().map(pointer).collect::<Result<_, _>>().map(Self::At)
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// In words, if it is no JSON and should be.
    pub fn read(&self, body: &[u8]) -> Result<Read, String> {
        let whole = body;
        let body = without_bom(body);
        let json = serde_json::from_slice::<Value>(body);
        let mut hash = Sha256::new();
        match (self, &json) {
            (Self::Hash, _) => hash.update(whole),
            (Self::Json | Self::At(_), Err(error)) => return Err(format!("no JSON: {error}")),
            (Self::Json, Ok(value)) => feed(&mut hash, value),
            (Self::At(pointers), Ok(value)) => {
                for pointer in pointers {
                    match value.pointer(pointer) {
                        Some(part) => feed(&mut hash, part),
                        None => hash.update(b"!"),
                    }
                }
            }
        }
        let print = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let text = match (json, from_utf8(body)) {
            (Ok(_), Ok(text)) => text.trim().to_owned(),
            (Ok(_), Err(_)) | (Err(_), _) => Value::from(String::from_utf8_lossy(body)).to_string(),
        };
        Ok(Read { text, print })
    }

    /// Returns what counts of a value that was [read](Self::read), as JSON with its digits: at one
    /// place the value there, or null; at several an object of those that are there, by pointer;
    /// else the whole.
    ///
    /// ```
    /// use tinysse_hub::poll::compare::Compare;
    /// let text = r#"{"current":{"temperature":7.10},"at":1}"#;
    /// let value = |pointers: &[&str]| Compare::at(pointers.iter().copied()).unwrap().value(text);
    /// assert_eq!(value(&["/current/temperature"]), "7.10");
    /// assert_eq!(value(&["/at", "/current", "/none"]), r#"{"/at":1,"/current":{"temperature":7.10}}"#);
    /// assert_eq!(value(&["/none"]), "null");
    /// assert_eq!(Compare::Json.value(text), text);
    /// ```
    #[must_use]
    pub fn value(&self, text: &str) -> String {
        let Self::At(pointers) = self else { return text.to_owned() };
        let part = |pointer: &String| place(text, pointer);
        if let [pointer] = pointers.as_slice() {
            return part(pointer).unwrap_or("null").to_owned();
        }
        let field = |pointer: &String| Some(format!("{}:{}", Value::from(pointer.as_str()), part(pointer)?));
        format!("{{{}}}", pointers.iter().filter_map(field).collect::<Vec<_>>().join(","))
    }
}

/// The value at a JSON pointer, as it was written. Of a name that occurs twice the last one counts,
/// as in [`Value::pointer`].
fn place<'a>(text: &'a str, pointer: &str) -> Option<&'a str> {
    let mut at = text;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        at = if at.starts_with('[') {
            let index = token.parse().ok().filter(|_| token == "0" || !token.starts_with(['0', '+']))?;
            serde_json::from_str::<Vec<&RawValue>>(at).ok()?.get::<usize>(index)?.get()
        } else {
            serde_json::from_str::<BTreeMap<String, &RawValue>>(at).ok()?.get(&token)?.get()
        };
    }
    Some(at)
}

/// Each value in a form that ends where it ends, fields by name.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Array(list) => {
            hash.update(b"[");
            list.iter().for_each(|one| feed(hash, one));
            hash.update(b"]");
        }
        Value::Object(fields) => {
            hash.update(b"{");
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, one) in fields {
                hash.update(Value::from(name.as_str()).to_string());
                feed(hash, one);
            }
            hash.update(b"}");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            hash.update(value.to_string());
            hash.update(b",");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(compare: &Compare, a: &str, b: &str) -> bool {
        let print = |text: &str| compare.read(text.as_bytes()).expect("read").print;
        print(a) == print(b)
    }

    #[test]
    fn as_json_neither_spaces_nor_order_count() {
        assert!(same(&Compare::Json, r#"{"a":[1,{"b":2,"c":3}]}"#, "{ \"a\": [1, {\"c\":3, \"b\":2}] }\n"));
        for (a, b) in [
            ("[1,2]", "[2,1]"),
            ("[1,[2]]", "[[1],2]"),
            ("[12]", "[1,2]"),
            (r#"["a","b"]"#, r#"["a,b"]"#),
            (r#"{"a":"b"}"#, r#"["a","b"]"#),
            ("1", "\"1\""),
            ("null", "{}"),
        ] {
            assert!(!same(&Compare::Json, a, b), "{a} {b}");
        }
    }

    #[test]
    fn at_places_only_these_count() {
        let compare = Compare::at(["/a/0", "/b~1c", ""]).expect("pointers");
        assert!(!same(&compare, "{}", "[]"), "the empty pointer is the whole");
        let compare = Compare::at(["/a/0", "/b~1c"]).expect("pointers");
        assert!(same(&compare, r#"{"a":[1,2],"b/c":3}"#, r#"{"a":[1,9],"b/c":3,"d":4}"#));
        assert!(!same(&compare, r#"{"a":[1],"b/c":3}"#, r#"{"a":[1],"b/c":4}"#));
        assert!(!same(&compare, r#"{"a":[null]}"#, r#"{"a":[]}"#));
        assert!(!same(&compare, r#"{"a":[1]}"#, r#"{"b/c":1}"#));
        assert!(Compare::at(["/a~2"]).is_err() && Compare::at(["/a~"]).is_err());
    }

    #[test]
    fn by_hash_every_byte_counts_and_it_need_not_be_json() {
        assert!(!same(&Compare::Hash, "{}", "{ }"));
        let read = |body: &[u8]| Compare::Hash.read(body).expect("read").text;
        assert_eq!(
            (read(b"a \"b\"\n"), read(b" 12345678901234567890123 ")),
            (r#""a \"b\"\n""#.into(), "12345678901234567890123".into())
        );
        assert_eq!(read(b"\xff"), "\"\u{fffd}\"");
        assert!(Compare::Json.read(b"<html>").is_err());
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_value() {
        for compare in [Compare::Json, Compare::Hash, Compare::at(["/a"]).expect("a pointer")] {
            let read = compare.read("\u{feff} {\"a\":1} ".as_bytes()).expect("read");
            assert_eq!(read.text, "{\"a\":1}", "{compare:?}");
        }
        assert!(same(&Compare::Json, "\u{feff}[1]", "[1]") && !same(&Compare::Hash, "\u{feff}[1]", "[1]"));
    }

    #[test]
    fn a_value_at_a_place_is_what_is_compared_there() {
        let text = r#"{"a":[1,{"b/c":2.50,"~":null}],"a":[12345678901234567890123,{"b/c":[ 2.50 ],"~":null}],"":0}"#;
        let json: Value = serde_json::from_str(text).expect("JSON");
        for pointer in [
            "",
            "/",
            "/a",
            "/a/0",
            "/a/1/b~1c",
            "/a/1/b~1c/0",
            "/a/1/~0",
            "/a/2",
            "/a/00",
            "/a/+0",
            "/a/-",
            "/a/1/x",
            "/a/0/0",
            "/b",
        ] {
            let part = place(text, pointer).map(|part| serde_json::from_str::<Value>(part).expect("JSON"));
            assert_eq!(part.as_ref(), json.pointer(pointer), "{pointer}");
        }
        assert_eq!(place(text, "/a/0"), Some("12345678901234567890123"));
    }
}
