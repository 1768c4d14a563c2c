//! The publishers: each keeps one connection and sends the next update when the last one was
//! answered.

use std::{io, os::fd::RawFd};

use crate::{
    mark,
    sys::{self, Poller},
};
use std::time::Instant;

/// How a server is published to.
pub struct Target {
    pub port: u16,
    /// `POST /path`.
    pub line: String,
    pub headers: Vec<String>,
    /// `@` is replaced by the mark.
    pub body: String,
}

pub struct Publisher {
    fd: RawFd,
    answer: Vec<u8>,
    pub busy: bool,
}

impl Publisher {
    pub fn new(poller: &Poller, key: u64, target: &Target) -> io::Result<Self> {
        let fd = sys::connect(target.port)?;
        poller.add(fd, key, false)?;
        Ok(Self { fd, answer: Vec::new(), busy: false })
    }

    pub fn send(&mut self, target: &Target, since: Instant, number: u32) -> io::Result<()> {
        let body = target.body.replace('@', &mark::write(since, number));
        let headers: String = target.headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!(
            "{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            target.line,
            target.port,
            body.len()
        );
        // The socket is empty: what was sent before was answered. A connection that is still being
        // made takes it a moment later.
        for _ in 0..1_000 {
            match sys::write(self.fd, request.as_bytes()) {
                Ok(Some(n)) if n == request.len() => {
                    self.busy = true;
                    return Ok(());
                }
                Ok(None) => std::thread::sleep(std::time::Duration::from_millis(1)),
                Ok(Some(_)) => return Err(io::Error::other("an update that does not fit")),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the server takes no update"))
    }

    /// Takes what arrived; not busy any more when the answer is whole.
    pub fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4_096];
        let Some(n) = sys::read(self.fd, &mut buffer)? else { return Ok(()) };
        if n == 0 {
            return Err(io::Error::other("the server closed the publisher's connection"));
        }
        self.answer.extend_from_slice(&buffer[..n]);
        let Some(head) = self.answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(()) };
        let text = String::from_utf8_lossy(&self.answer[..head]).to_ascii_lowercase();
        if !text.starts_with("http/1.1 2") {
            return Err(io::Error::other(String::from_utf8_lossy(&self.answer).into_owned()));
        }
        let long = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if self.answer.len() >= head + 4 + long.unwrap_or(0) {
            self.answer.clear();
            self.busy = false;
        }
        Ok(())
    }
}
