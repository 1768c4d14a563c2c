//! Who has which rights now. A token names a user and a generation; the rights are asked for anew
//! whenever a stream opens, and again when they may have changed. So a token never carries rights
//! into a time in which they are gone.
//!
//! *Invariant:* what can't be answered is not granted: an open waits, a live stream keeps what it
//! has.

mod file;
mod service;

use std::{fmt, future::Future, pin::Pin};

use serde::Deserialize;
use tinysse::proto::registry::Pattern;

use super::jwt::Claims;

pub use crate::hub::Rights;
pub use file::RightsFile;
pub use service::RightsService;

/// Why there are no rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The user is unknown or locked out, or the token's generation is over.
    Gone,
    /// The rights are unknown at the moment.
    Unavailable,
}

/// An answer that takes its time.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Rights, Denied>> + Send + 'a>>;

/// Knows the rights of all users.
///
/// ```
/// use tinysse_hub::auth::{directory::{Answer, Denied, Directory, Rights}, jwt::Claims};
///
/// #[derive(Debug)]
/// struct OnlyAda;
/// impl Directory for OnlyAda {
///     fn rights<'a>(&'a self, claims: &'a Claims) -> Answer<'a> {
///         let rights = Rights { identity: claims.identity(), types: None };
///         Box::pin(async move { if claims.sub == "ada" { Ok(rights) } else { Err(Denied::Gone) } })
///     }
/// }
/// ```
pub trait Directory: fmt::Debug + Send + Sync {
    /// The rights of the user whom `claims` name, now. The claims are good: only what they are
    /// worth is asked.
    fn rights<'a>(&'a self, claims: &'a Claims) -> Answer<'a>;

    /// Rises when it turns out that earlier answers may be wrong; then all open streams are judged
    /// anew.
    fn version(&self) -> u64 {
        0
    }

    /// Looks whether anything changed; called from time to time. `forced` if a service reported a
    /// change, or may have done so while this node was cut off: then nothing that is remembered may
    /// be answered any more, not even what is being asked for now.
    ///
    /// # Errors
    /// In words: what changed can't be read, and what was known before stays in force.
    fn refresh(&self, forced: bool) -> Result<(), String> {
        let _ = forced;
        Ok(())
    }
}

/// Everybody has the rights that their session gave them.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsClaimed;

impl Directory for AsClaimed {
    fn rights<'a>(&'a self, claims: &'a Claims) -> Answer<'a> {
        Box::pin(async move { Ok(Rights { identity: claims.identity(), types: None }) })
    }
}

/// A pattern of types as it is written in files and answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct TypePattern(Pattern);

impl TryFrom<String> for TypePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Pattern::parse(&text).map(Self).ok_or_else(|| format!("`{text}` is no type, `prefix.*` or `*`"))
    }
}

fn patterns(types: &[TypePattern]) -> Vec<Pattern> {
    types.iter().map(|pattern| pattern.0.clone()).collect()
}
