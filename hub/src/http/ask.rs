//! The query of `GET /events`.

use std::borrow::Cow;

use tinysse::proto::{
    registry::Pattern,
    wire::names::{Parameter, WIRE_NATIVE},
};

use crate::{error::Problem, hub::input};

/// The parameters; the names are those of `tinysse::proto::wire::names`. No `Debug`: it holds a
/// token.
#[derive(Default)]
pub(super) struct Ask<'a> {
    pub(super) token: Option<Cow<'a, str>>,
    pub(super) last_event_id: Option<Cow<'a, str>>,
    /// `None` for everything.
    pub(super) types: Option<Vec<Pattern>>,
    /// The reader can't name the events it listens to.
    pub(super) folded: bool,
}

impl<'a> Ask<'a> {
    /// Reads a query (URL standard, 5.1); what it has besides is not ours.
    ///
    /// # Errors
    /// 400 `bad_query`, `bad_wire` or `bad_types`. None quotes the query: it may hold a token.
    pub(super) fn read(query: &'a str) -> Result<Self, Problem> {
        let (mut ask, mut types, mut wire) = (Self::default(), None, None);
        for (name, value) in query.split('&').filter_map(pair) {
            let Some(parameter) = Parameter::parse(&name) else { continue };
            let place = match parameter {
                Parameter::Token => &mut ask.token,
                Parameter::LastEventId => &mut ask.last_event_id,
                Parameter::Types => &mut types,
                Parameter::Wire => &mut wire,
            };
            if place.replace(value).is_some() {
                return Err(Problem::bad_request("bad_query", "each parameter once"));
            }
        }
        ask.folded = match wire.as_deref() {
            None | Some("") => false,
            Some(WIRE_NATIVE) => true,
            Some(_) => return Err(Problem::bad_request("bad_wire", "`wire` is `native`, or left out")),
        };
        ask.types = types.filter(|text| !text.is_empty()).map(|text| input::types(&text)).transpose()?;
        Ok(ask)
    }
}

/// A parameter (URL standard, 5.1). Most have nothing to decode.
fn pair(text: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if [b'%', b'+'].iter().any(|byte| text.as_bytes().contains(byte)) {
        return form_urlencoded::parse(text.as_bytes()).next();
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    Some((name.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::{input::MAX_TYPES, *};

    #[test]
    fn each_parameter_once_and_others_are_not_ours() {
        let code = |query: &str| Ask::read(query).err().map(|problem| problem.code);
        let ask = Ask::read("utm=x&token=a%2Bb+c&lastEventId=&types=a,b.*&wire=native").unwrap_or_default();
        assert_eq!((ask.token.as_deref(), ask.last_event_id.as_deref()), (Some("a+b c"), Some("")));
        assert_eq!((ask.types.map(|types| types.len()), ask.folded), (Some(2), true));
        assert!(code("").is_none() && code("types=&wire=").is_none());
        for name in ["token", "lastEventId", "types", "wire"] {
            assert_eq!(code(&format!("{name}=&x=1&{name}=")), Some("bad_query"));
        }
        assert_eq!((code("wire=Native"), code("types=a,,b")), (Some("bad_wire"), Some("bad_types")));
        assert_eq!(code(&format!("types={}a", "a,".repeat(MAX_TYPES))), Some("bad_types"));
        assert_eq!(code(&format!("types={}a", "a,".repeat(MAX_TYPES - 1))), None);
    }
}
