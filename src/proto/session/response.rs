//! How a stream failed, and how the head of a response is classified.

/// How a stream was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// Cut; the browser retries the same URL by itself.
    Retrying,
    /// Cut, or ended by the server; nobody retries but us.
    Dropped,
    /// A native stream that is closed: it was refused, and the browser hides the status.
    Refused,
    /// 401: the token is not valid, or no longer.
    Unauthorized,
    /// The request was redirected to something that is no stream, most likely a login page.
    Redirected,
    /// Any status that may change by waiting; try again after this many milliseconds.
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, in milliseconds; 0 without one.
        retry_after: u32,
    },
    /// An answer that waiting does not change: 204, 403, 404, 410, or another content type.
    Rejected {
        /// The HTTP status.
        status: u16,
    },
    /// A content security policy forbids the connection.
    BlockedByCsp,
    /// The browser cannot read the URL.
    InvalidUrl,
}

impl StreamError {
    /// Judges the answer to a request for a stream: `None` if it is one. `stream`: its content type
    /// is that of event streams, `redirected` that another address answered; `retry_after` is its
    /// `Retry-After` in milliseconds, 0 without one.
    ///
    /// ```
    /// use tinysse::proto::session::io::StreamError;
    /// assert_eq!(StreamError::from_response(200, true, false, 0), None);
    /// assert_eq!(StreamError::from_response(200, false, false, 0), Some(StreamError::Rejected { status: 200 }));
    /// assert_eq!(StreamError::from_response(401, false, false, 0), Some(StreamError::Unauthorized));
    /// assert_eq!(StreamError::from_response(200, false, true, 0), Some(StreamError::Redirected)); // a login page
    /// assert_eq!(StreamError::from_response(503, false, false, 6_000), Some(StreamError::Unavailable { status: 503, retry_after: 6_000 }));
    /// assert_eq!(StreamError::from_response(204, false, false, 0), Some(StreamError::Rejected { status: 204 }));
    /// assert_eq!(StreamError::from_response(418, false, false, 0), Some(StreamError::Unavailable { status: 418, retry_after: 0 }));
    /// ```
    ///
    /// Only answers that are known not to change by waiting are final. A proxy may answer anything
    /// else for a server that is restarted, so everything else is tried again.
    ///
    /// Source: WHATWG HTML §9.2.3 for 204 and the content type; RFC 9110 §15.5.4, §15.5.5 and
    /// §15.5.11 for 403, 404 and 410.
    #[must_use]
    pub fn from_response(status: u16, stream: bool, redirected: bool, retry_after: u32) -> Option<Self> {
        match status {
            200 if stream => None,
            401 => Some(Self::Unauthorized),
            200 | 300..=399 if redirected => Some(Self::Redirected),
            200..=299 | 403 | 404 | 410 => Some(Self::Rejected { status }),
            0..=u16::MAX => Some(Self::Unavailable { status, retry_after }),
        }
    }
}
