//! The standard rule by rule: streams made by hand, and their meaning when the last event id was
//! `0` before them.

use super::{Said, event};

/// Every stream with its meaning.
pub(crate) fn vectors() -> Vec<(&'static [u8], Vec<Said>)> {
    let message = |data| vec![event("message", "0", data)];
    vec![
        (b"", vec![]),
        (b"\n\n\n", vec![]),
        // line ends
        (b"data: a\n\n", message("a")),
        (b"data: a\r\r", message("a")),
        (b"data: a\r\n\r\n", message("a")),
        (b"data: a\r\n\r", message("a")),
        (b"data: a\n\r", message("a")),
        (b"data: a\r\n\ndata: b\r\r\n", vec![event("message", "0", "a"), event("message", "0", "b")]),
        ("data: a\u{85}\u{2028}\u{b}\u{c}b\n\n".as_bytes(), message("a\u{85}\u{2028}\u{b}\u{c}b")),
        // the byte order mark: one, at the beginning only
        ("\u{feff}data: a\n\n".as_bytes(), message("a")),
        ("\u{feff}\u{feff}data: a\n\n".as_bytes(), vec![]),
        ("\n\u{feff}data: a\n\n".as_bytes(), vec![]),
        ("data: \u{feff}a\n\n".as_bytes(), message("\u{feff}a")),
        ("\u{feff}\ndata: a\n\n".as_bytes(), message("a")),
        (b"\xef\xbbdata: a\n\n", vec![]),
        // the unfinished is discarded
        (b"data: a", vec![]),
        (b"data: a\n", vec![]),
        (b"data: a\nid: 9\n", vec![]),
        // fields, colons and spaces
        (b"data\n\n", message("")),
        (b"data:\n\n", message("")),
        (b"data\ndata\n\n", message("\n")),
        (b"data:\ndata: \ndata:x\n\n", message("\n\nx")),
        (b"data:  a \n\n", message(" a ")),
        (b"data:\ta\n\n", message("\ta")),
        (b"data:a:b: c\n\n", message("a:b: c")),
        (b"data : a\nDATA: a\n data: a\nxdata: a\ndatax: a\n\n", vec![]),
        (b": comment\n:\n::\ndata: a\n:data: b\n\n", message("a")),
        (b"unknown: 1\n__proto__: 2\nconstructor\n\n", vec![]),
        // types
        (b"event: x\ndata: a\n\n", vec![event("x", "0", "a")]),
        (b"event: x\nevent: y\ndata: a\n\n", vec![event("y", "0", "a")]),
        (b"event: x\nevent\ndata: a\n\n", message("a")),
        (b"event: x\n\ndata: a\n\n", message("a")),
        (b"event: __proto__\ndata\n\n", vec![event("__proto__", "0", "")]),
        (b"event: a\0b\ndata: c\0d\n\n", vec![event("a\0b", "0", "c\0d")]),
        // ids: inherited, emptied, refused with NUL, moved without data
        (b"id: 1\ndata: a\n\ndata: b\n\n", vec![event("message", "1", "a"), event("message", "1", "b")]),
        (b"id: 1\ndata: a\n\nid\ndata: b\n\n", vec![event("message", "1", "a"), event("message", "", "b")]),
        (b"id: 1\nid: 2\ndata: a\n\n", vec![event("message", "2", "a")]),
        (b"id: 1\0\ndata: a\n\n", message("a")),
        (b"id: 1\nid: \0\ndata: a\n\n", vec![event("message", "1", "a")]),
        (b"id: 7\n\ndata: a\n\n", vec![Said::Id("7".into()), event("message", "7", "a")]),
        (b"id: 7\nevent: x\n\n\n", vec![Said::Id("7".into())]),
        (b"id\n\n", vec![Said::Id(String::new())]),
        ("id: \u{e9}\u{1f600}\ndata\n\n".as_bytes(), vec![event("message", "\u{e9}\u{1f600}", "")]),
        // the reconnection time: digits only, of any length
        (b"retry: 12\n", vec![Said::Retry(12)]),
        (b"retry:007\n", vec![Said::Retry(7)]),
        (b"retry: 0\n", vec![Said::Retry(0)]),
        (b"retry\nretry:\nretry: +5\nretry: -5\nretry: 1.5\nretry: 5 \nretry:  5\nretry: 0x5\n", vec![]),
        ("retry: \u{661}\n".as_bytes(), vec![]),
        (b"retry: 4294967295\n", vec![Said::Retry(u32::MAX)]),
        (b"retry: 4294967296\n", vec![Said::Retry(u32::MAX)]),
        (b"retry: 99999999999999999999999999\n", vec![Said::Retry(u32::MAX)]),
        (b"retry: 00000000000000000000000005\n", vec![Said::Retry(5)]),
        // invalid UTF-8 is replaced, one mark for each maximal part, and breaks nothing else
        (b"data: \xff\n\n", message("\u{fffd}")),
        (b"data: \xe2\x82\n\n", message("\u{fffd}")),
        (b"data: \xe2\x82\xac\n\n", message("\u{20ac}")),
        (b"data: \xf0\x9f\x98\r\rdata: b\n\n", vec![event("message", "0", "\u{fffd}"), event("message", "0", "b")]),
        (b"data: \xc0\x80\xed\xa0\x80\n\n", message("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}")),
        (b"da\xffta: a\n\xe2\x82:\n\n", vec![]),
        (b"event: \xc3\nid: \x80\ndata\n\n", vec![event("\u{fffd}", "\u{fffd}", "")]),
        (b"retry: 5\xff\n", vec![]),
    ]
}
