//! The head of a response whose body comes in chunks until the connection ends.

use std::time::SystemTime;

use axum::http::response::Parts;

use super::write_buffer::WriteBuffer;

/// All of it but the date, so that it can be made once for many.
#[derive(Debug)]
pub(crate) struct Head(Vec<u8>);

impl Head {
    /// The head of a response that has these parts.
    pub(crate) fn of(parts: &Parts) -> Self {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(format!("HTTP/1.1 {}\r\n", parts.status).as_bytes());
        for (name, value) in &parts.headers {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"transfer-encoding: chunked\r\nconnection: close\r\ndate: ");
        Self(out)
    }

    /// As it is sent now, for what follows to be joined to.
    pub(super) fn now(&self) -> WriteBuffer {
        // With capacity for a hello.
        let mut out = Vec::with_capacity(self.0.len() + 512);
        out.extend_from_slice(&self.0);
        out.extend_from_slice(httpdate::fmt_http_date(SystemTime::now()).as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        WriteBuffer::behind(out)
    }
}
