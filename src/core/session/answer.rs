//! What the head of an answer comes to, for transports that see it.

use super::io::Loss;
use crate::core::wire::cut;

impl Loss {
    /// Judges the answer to a request for a stream: `None` if it is one. `wait` is its `Retry-After` in milliseconds, 0 without one.
    ///
    /// ```
    /// use tinysse::core::session::io::Loss;
    /// assert_eq!(Loss::of_answer(200, "Text/Event-Stream; charset=utf-8", 0), None);
    /// assert_eq!(Loss::of_answer(200, "text/html", 0), Some(Loss::Gone(200)));
    /// assert_eq!(Loss::of_answer(401, "application/problem+json", 0), Some(Loss::Unauthorized));
    /// assert_eq!(Loss::of_answer(503, "", 6_000), Some(Loss::Busy { status: 503, wait: 6_000 }));
    /// assert_eq!(Loss::of_answer(204, "", 0), Some(Loss::Gone(204)));
    /// ```
    ///
    /// Source: WHATWG HTML §9.2.3 for 204 and the content type; RFC 9110 §15.5.9 and §15.6, RFC 8470 §5.2 and RFC 6585 §4 for what may be
    /// tried again.
    #[must_use]
    pub fn of_answer(status: u16, content_type: &str, wait: u32) -> Option<Self> {
        match status {
            200 if is_event_stream(content_type) => None,
            401 => Some(Self::Unauthorized),
            408 | 425 | 429 | 500..=599 => Some(Self::Busy { status, wait }),
            0..=u16::MAX => Some(Self::Gone(status)),
        }
    }
}

/// "Essence", WHATWG MIME Sniffing §4: without parameters, whatever the case.
fn is_event_stream(content_type: &str) -> bool {
    let essence = cut(content_type, b';').map_or(content_type, |(essence, _)| essence);
    essence.trim_ascii().eq_ignore_ascii_case("text/event-stream")
}
