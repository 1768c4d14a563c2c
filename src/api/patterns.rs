//! What may be asked for: one pattern, or a list of them.

use std::{format, string::String, vec, vec::Vec};

use js_sys::Array;
use wasm_bindgen::JsValue;

use super::error::Error;
use crate::proto::registry::Pattern;

/// A type (`"projects"`), the types below a prefix (`"compute.*"`), all (`"*"`), or a list of
/// these: `["projects", "compute.*"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// # Errors
    /// Names the invalid pattern.
    pub(super) fn to_js(&self) -> Result<JsValue, Error> {
        match self.0.iter().find(|pattern| Pattern::parse(pattern).is_none()) {
            Some(wrong) => Err(Error::option(format!("`{wrong}` is no type, `prefix.*` or `*`"))),
            None => Ok(self.0.iter().map(JsValue::from).collect::<Array>().into()),
        }
    }
}

impl From<&str> for Patterns {
    fn from(one: &str) -> Self {
        Self(vec![one.into()])
    }
}

impl From<String> for Patterns {
    fn from(one: String) -> Self {
        Self(vec![one])
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Patterns {
    fn from(list: [S; N]) -> Self {
        Self(list.into_iter().map(Into::into).collect())
    }
}

impl<S: Into<String>> From<Vec<S>> for Patterns {
    fn from(list: Vec<S>) -> Self {
        Self(list.into_iter().map(Into::into).collect())
    }
}

impl<S: Clone + Into<String>> From<&[S]> for Patterns {
    fn from(list: &[S]) -> Self {
        Self(list.iter().cloned().map(Into::into).collect())
    }
}
