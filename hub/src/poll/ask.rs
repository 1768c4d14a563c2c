//! One question to another server over HTTP. Redirects are not followed: the headers may hold keys
//! that are meant for this server only.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use reqwest::{Client, Response, redirect};

use super::{
    Target,
    coding::{ACCEPTED, decode},
    poller::{Answer, Known},
};

/// A validator that is longer is not kept.
const MAX_VALIDATOR: usize = 1_024;

/// Whom to ask, and how.
#[derive(Debug)]
pub(super) struct Ask {
    http: Client,
    poll: Target,
}

impl Ask {
    pub(super) fn new(poll: Target) -> Self {
        let http = Client::builder().redirect(redirect::Policy::none()).timeout(poll.timeout.duration());
        Self { http: http.build().expect("a plain HTTP client"), poll }
    }

    /// Asks for the value, or for whether it is still the known one. The words of a failure never
    /// hold the address or a header.
    pub(super) async fn ask(&self, known: Option<&Known>) -> Answer {
        let mut request = self.http.get(self.poll.url.to_string());
        if !self.poll.headers.iter().any(|(name, _)| name == header::ACCEPT_ENCODING) {
            request = request.header(header::ACCEPT_ENCODING, ACCEPTED);
        }
        for (name, value) in &self.poll.headers {
            request = request.header(name, value);
        }
        let conditions =
            known.map(|known| [(header::IF_NONE_MATCH, &known.etag), (header::IF_MODIFIED_SINCE, &known.modified)]);
        for (name, value) in conditions.into_iter().flatten() {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        match request.send().await {
            Ok(response) if response.status() == StatusCode::NOT_MODIFIED => Answer::NotModified,
            Ok(response) if response.status().is_success() => self.read(response).await,
            Ok(response) => Answer::Failed {
                why: format!("status {}", response.status().as_u16()),
                retry_after_ms: text(response.headers(), &header::RETRY_AFTER).and_then(|text| retry_after(&text)),
            },
            Err(error) => failed(error),
        }
    }

    async fn read(&self, mut response: Response) -> Answer {
        let too_long = || Answer::failed(format!("the answer is longer than {} bytes", self.poll.max_bytes));
        let length = |bytes: usize| bytes <= self.poll.max_bytes;
        if response.content_length().is_some_and(|bytes| !usize::try_from(bytes).is_ok_and(length)) {
            return too_long();
        }
        let etag = text(response.headers(), &header::ETAG);
        let modified = text(response.headers(), &header::LAST_MODIFIED);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => {
                    return match decode(response.headers(), body, self.poll.max_bytes) {
                        Ok(body) => Answer::Body { body, etag, modified },
                        Err(why) => Answer::failed(why),
                    };
                }
                Ok(Some(chunk)) if length(body.len() + chunk.len()) => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return too_long(),
                Err(error) => return failed(error),
            }
        }
    }
}

fn failed(error: reqwest::Error) -> Answer {
    let error = error.without_url();
    Answer::failed(if error.is_timeout() { "no answer in time".to_owned() } else { error.to_string() })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (text.len() <= MAX_VALIDATOR).then(|| text.to_owned())
}

/// RFC 9110 §10.2.3: seconds, or a date. In milliseconds from now.
fn retry_after(text: &str) -> Option<u64> {
    let span = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A date that is over means: now.
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO),
    };
    Some(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("7"), Some(7_000));
        assert_eq!(retry_after("18446744073709551615"), Some(u64::MAX));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_600));
        assert!(retry_after(&date).is_some_and(|ms| (3_500_000..=3_600_000).contains(&ms)));
        assert_eq!((retry_after("soon"), retry_after("-1")), (None, None));
    }
}
