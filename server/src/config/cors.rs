//! The origins that `--cors-origin` lists, in the one form in which browsers send them.
//!
//! Origins are compared byte by byte. What no browser ever sends is refused with the form that it
//! would send, instead of being taken and never matching.

use axum::http::HeaderValue;
use url::Url;

use super::{ConfigError, wrong};

/// Schemes that have no origin, or whose pages are not where requests come from.
const NEVER: [&str; 9] = ["about", "blob", "data", "file", "ftp", "javascript", "view-source", "ws", "wss"];

/// Checks a serialized origin (HTML, 7.1.1): `https://app.example`, `http://localhost:5173`,
/// `capacitor://localhost`, `chrome-extension://ID`.
///
/// # Errors
/// [`ConfigError::Setting`] with what to write instead.
pub(super) fn origin(text: &str) -> Result<HeaderValue, ConfigError> {
    // The part before an `@` may be a password.
    let shown = if text.contains('@') { String::new() } else { format!(" `{}`", text.escape_debug()) };
    let refused = |why: String| wrong(format!("--cors-origin{shown}: {why}"));
    match canonical(text) {
        Err(why) => refused(why),
        Ok(origin) if origin != text => refused(format!("browsers send it as `{origin}`; write that")),
        Ok(origin) => HeaderValue::try_from(origin).or_else(|_| refused("not a header".to_owned())),
    }
}

/// The origin as browsers send it, without whatever surrounds it; or why the text has none.
fn canonical(text: &str) -> Result<String, String> {
    match text {
        "*" => return Err("`*` would let every page read with its visitors' cookies; list each origin".to_owned()),
        "null" => {
            return Err(
                "every sandboxed frame and every local file has the origin `null`; it is never allowed".to_owned()
            );
        }
        _ => {}
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("an origin is SCHEME://HOST or SCHEME://HOST:PORT, like https://app.example".to_owned());
    };
    if text.contains('*') {
        return Err("there are no wildcards; list each origin".to_owned());
    }
    if NEVER.iter().any(|never| scheme.eq_ignore_ascii_case(never)) {
        return Err(format!("no page has an origin of the scheme `{}`", scheme.escape_debug()));
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err("it names no host".to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("not an origin: {error}"))?;
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else { return Err("it names no host".to_owned()) };
    // The scheme's own port is left out.
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{}://{host}{port}", url.scheme()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_and_web_views_send_is_taken() {
        for text in [
            "https://app.example",
            "http://localhost:5173",
            "https://app.example:8443",
            "http://127.0.0.1:8080",
            "http://[::1]:5173",
            "https://xn--bcher-kva.example",
            "http://tauri.localhost",
            "https://localhost",
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "app://localhost",
            "app://obsidian.md",
            "app://-",
            "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            "moz-extension://3f1e6c0a-6f3b-4f7e-9b59-0f3c1f0e8b2a",
            // Safari keeps the case of a scheme that is not special.
            "safari-web-extension://E1B2C3D4-0000-4000-8000-ABCDEF012345",
            "vscode-webview://0abc1def",
        ] {
            assert_eq!(origin(text).map_err(|error| error.to_string()), Ok(HeaderValue::from_static(text)));
        }
    }

    #[test]
    fn what_can_never_match_is_refused_with_what_to_write() {
        let said = |text: &str| origin(text).expect_err(text).to_string();
        for (text, instead) in [
            ("https://app.example/", "`https://app.example`"),
            ("https://app.example/path", "`https://app.example`"),
            ("https://app.example?a", "`https://app.example`"),
            ("https://app.example#a", "`https://app.example`"),
            ("https://App.example", "`https://app.example`"),
            ("HTTPS://app.example", "`https://app.example`"),
            ("https://app.example:443", "`https://app.example`"),
            ("http://app.example:80", "`http://app.example`"),
            ("http://app.example:", "`http://app.example`"),
            ("http://app.example:08080", "`http://app.example:8080`"),
            ("https://me@app.example", "`https://app.example`"),
            ("https://me:hush@app.example", "`https://app.example`"),
            ("https://bücher.example", "`https://xn--bcher-kva.example`"),
            ("http://127.1", "`http://127.0.0.1`"),
            ("http://[0:0::1]", "`http://[::1]`"),
            ("http://%61.example", "`http://a.example`"),
            ("capacitor://localhost/", "`capacitor://localhost`"),
            ("Capacitor://localhost", "`capacitor://localhost`"),
            ("chrome-extension://abc/popup.html", "`chrome-extension://abc`"),
            ("capacitor://me@localhost", "`capacitor://localhost`"),
        ] {
            assert!(
                said(text).contains(&format!("send it as {instead}")) && !said(text).contains("hush"),
                "{}",
                said(text)
            );
        }
        for (text, why) in [
            ("*", "every page"),
            ("null", "sandboxed"),
            ("app.example", "SCHEME://HOST"),
            ("localhost:5173", "SCHEME://HOST"),
            ("https:app.example", "SCHEME://HOST"),
            ("", "SCHEME://HOST"),
            ("https://*.example", "wildcards"),
            ("*://app.example", "wildcards"),
            ("chrome-extension://*", "wildcards"),
            ("file://", "no page"),
            ("file:///index.html", "no page"),
            ("ftp://x", "no page"),
            ("wss://app.example", "no page"),
            ("https://", "no host"),
            ("https:///app.example", "no host"),
            ("capacitor://", "no host"),
            ("https://a b", "not an origin"),
            ("https://app.example:99999", "not an origin"),
            ("1http://x", "not an origin"),
            ("https://a.example https://b.example", "not an origin"),
        ] {
            assert!(said(text).contains(why), "{text}: {}", said(text));
        }
    }
}
