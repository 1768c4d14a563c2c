//! Where a stream is asked for.

use alloc::string::String;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    core::wire::{cut, names},
    web::options::Options,
};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = encodeURIComponent)]
    fn encode_uri_component(text: &str) -> String;
}

/// The stream's URL with these parameters besides the types; one without a value is left out.
pub(super) fn address(options: &Options, parameters: &[(&str, &str)]) -> String {
    let base = before(&options.url, b'#');
    let mut url = String::from(base);
    let mut join = if cut(base, b'?').is_some() { "&" } else { "?" };
    for (name, value) in [(names::Q_TYPES, options.types.join(",").as_str())].iter().chain(parameters) {
        if !value.is_empty() {
            url.push_str(join);
            url.push_str(name);
            url.push('=');
            url.push_str(&encode_uri_component(value));
            join = "&";
        }
    }
    url
}

/// The part of a text that stands before the first of a character.
pub(super) fn before(text: &str, end: u8) -> &str {
    cut(text, end).map_or(text, |(head, _)| head)
}
