//! The file of settings. An error message names the key and never quotes the value, which may be a
//! secret.

use std::{ops::Range, path::Path};

use super::{ConfigError, RawConfig, lines::line_of, wrong};

/// Reads a layer of settings.
///
/// # Errors
/// [`ConfigError::Setting`] names the file and, where known, line and key.
pub(super) fn read(path: &Path) -> Result<RawConfig, ConfigError> {
    let name = path.display();
    let text = std::fs::read_to_string(path).or_else(|error| wrong(format!("--config {name}: {error}")))?;
    // Only the message: the parser's full text quotes the line, which may hold a secret.
    toml::from_str(&text).or_else(|error: toml::de::Error| {
        let line = error.span().map(|span| format!(":{}", line_of(&text, span.start))).unwrap_or_default();
        wrong(format!("--config {name}{line}: {}{}", key_at(&text, error.span()), error.message()))
    })
}

/// The key of the line where reading ended, if there is one.
fn key_at(text: &str, span: Option<Range<usize>>) -> String {
    let before = span.and_then(|span| text.get(..span.start)).unwrap_or_default();
    let key = before.rsplit('\n').next().unwrap_or_default().split_once('=').map(|(key, _)| key.trim());
    let plain = |key: &&str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    key.filter(plain).map(|key| format!("{key}: ")).unwrap_or_default()
}
