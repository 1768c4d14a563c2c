//! What the head of an answer comes to, for transports that see it.

use super::io::Loss;

impl Loss {
    /// Judges the answer to a request for a stream: `None` if it is one. `stream` says that its content type is that of
    /// event streams, `redirected` that another address answered; `wait` is its `Retry-After` in milliseconds, 0 without one.
    ///
    /// ```
    /// use tinysse::proto::session::io::Loss;
    /// assert_eq!(Loss::of_answer(200, true, false, 0), None);
    /// assert_eq!(Loss::of_answer(200, false, false, 0), Some(Loss::Gone(200)));
    /// assert_eq!(Loss::of_answer(401, false, false, 0), Some(Loss::Unauthorized));
    /// assert_eq!(Loss::of_answer(200, false, true, 0), Some(Loss::Redirected)); // a login page
    /// assert_eq!(Loss::of_answer(503, false, false, 6_000), Some(Loss::Busy { status: 503, wait: 6_000 }));
    /// assert_eq!(Loss::of_answer(204, false, false, 0), Some(Loss::Gone(204)));
    /// assert_eq!(Loss::of_answer(418, false, false, 0), Some(Loss::Busy { status: 418, wait: 0 }));
    /// ```
    ///
    /// Only answers that are known not to change by waiting are final. A proxy may answer anything else for a server that is
    /// restarted, so everything else is tried again.
    ///
    /// Source: WHATWG HTML §9.2.3 for 204 and the content type; RFC 9110 §15.5.4, §15.5.5 and §15.5.11 for 403, 404 and 410.
    #[must_use]
    pub fn of_answer(status: u16, stream: bool, redirected: bool, wait: u32) -> Option<Self> {
        match status {
            200 if stream => None,
            401 => Some(Self::Unauthorized),
            200 | 300..=399 if redirected => Some(Self::Redirected),
            200..=299 | 403 | 404 | 410 => Some(Self::Gone(status)),
            0..=u16::MAX => Some(Self::Busy { status, wait }),
        }
    }
}
