//! The ceiling: a loop that does nothing but send what was published to every socket, at once and
//! one by one. No HTTP to speak of, no log, no rights, no replay; a reader that does not keep up is
//! cut.
//!
//! `raw PORT`

#[path = "../sys.rs"]
#[allow(dead_code)]
mod sys;

use std::{
    io::{self, Write},
    net::TcpListener,
    os::fd::{AsRawFd, IntoRawFd, RawFd},
};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn main() -> io::Result<()> {
    sys::raise_files()?;
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    let mut poller = sys::Poller::new()?;
    poller.add(listener.as_raw_fd(), u64::MAX, false)?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    let (mut streams, mut buffer): (Vec<RawFd>, _) = (Vec::new(), vec![0; 65_536]);
    loop {
        for key in poller.wait(-1).collect::<Vec<_>>() {
            if key == u64::MAX {
                while let Ok((socket, _)) = listener.accept() {
                    socket.set_nonblocking(true)?;
                    socket.set_nodelay(true)?;
                    let fd = socket.into_raw_fd();
                    poller.add(fd, fd as u64, false)?;
                }
                continue;
            }
            let fd = key as RawFd;
            match sys::read(fd, &mut buffer) {
                Ok(None) => {}
                Ok(Some(n)) if n > 0 => {
                    let request = &buffer[..n];
                    if request.starts_with(b"GET") {
                        sys::write(fd, HEAD.as_bytes())?;
                        streams.push(fd);
                    } else {
                        let body = request.windows(4).position(|four| four == b"\r\n\r\n").map_or(n, |at| at + 4);
                        let frame = frame(&request[body..]);
                        streams.retain(|stream| matches!(sys::write(*stream, &frame), Ok(Some(n)) if n == frame.len()));
                        sys::write(fd, OK.as_bytes())?;
                    }
                }
                Ok(Some(_)) | Err(_) => {
                    streams.retain(|stream| *stream != fd);
                    sys::close(fd);
                }
            }
        }
    }
}

fn frame(data: &[u8]) -> Vec<u8> {
    let event = [b"id: 1\nevent: bench\ndata: ", data, b"\n\n"].concat();
    [format!("{:x}\r\n", event.len()).as_bytes(), &event, b"\r\n"].concat()
}
