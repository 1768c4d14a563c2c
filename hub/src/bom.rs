//! The byte order mark that editors and libraries of some systems put before a text.

/// Returns the text behind a byte order mark of UTF-8, if there is one. Parsers of JSON may ignore
/// it (RFC 8259 §8.1).
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}
