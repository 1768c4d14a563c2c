//! The system calls, and nothing else: the load generator must cost less than what it loads.

use std::{io, os::fd::RawFd};

/// Connects without waiting; the socket is writable when it is done.
pub fn connect(port: u16) -> io::Result<RawFd> {
    // SAFETY: plain system calls on values of our own.
    unsafe {
        let fd = checked(libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0))?;
        let address = libc::sockaddr_in {
            sin_family: libc::AF_INET as u16,
            sin_port: port.to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
            sin_zero: [0; 8],
        };
        let size = size_of::<libc::sockaddr_in>() as u32;
        match checked(libc::connect(fd, (&raw const address).cast(), size)) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            Ok(_) | Err(_) => {}
        }
        let one: libc::c_int = 1;
        checked(libc::setsockopt(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, (&raw const one).cast(), 4))?;
        Ok(fd)
    }
}

/// What arrived; 0 at the end, `None` if there is nothing now.
pub fn read(fd: RawFd, into: &mut [u8]) -> io::Result<Option<usize>> {
    // SAFETY: the buffer has the length that is passed.
    later(unsafe { libc::recv(fd, into.as_mut_ptr().cast(), into.len(), 0) })
}

/// How much was taken; `None` if nothing can be now.
pub fn write(fd: RawFd, bytes: &[u8]) -> io::Result<Option<usize>> {
    // SAFETY: the buffer has the length that is passed.
    later(unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) })
}

pub fn close(fd: RawFd) {
    // SAFETY: it is ours and not used again.
    unsafe { libc::close(fd) };
}

/// Closes so that nothing of the connection is left, in the kernel neither.
pub fn reset(fd: RawFd) {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    // SAFETY: plain system calls on values of our own.
    unsafe {
        let size = size_of::<libc::linger>() as u32;
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_LINGER, (&raw const at_once).cast(), size);
    }
    close(fd);
}

/// A set of sockets that are waited for.
pub struct Poller {
    fd: RawFd,
    events: Vec<libc::epoll_event>,
}

impl Poller {
    pub fn new() -> io::Result<Self> {
        // SAFETY: a plain system call.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        Ok(Self { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; 1_024] })
    }

    pub fn add(&self, fd: RawFd, key: u64, writable: bool) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, key, writable)
    }

    /// Waits for reading only from now on.
    pub fn reading(&self, fd: RawFd, key: u64) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, key, false)
    }

    fn control(&self, what: libc::c_int, fd: RawFd, key: u64, writable: bool) -> io::Result<()> {
        let events = libc::EPOLLIN | if writable { libc::EPOLLOUT } else { 0 };
        let mut event = libc::epoll_event { events: events as u32, u64: key };
        // SAFETY: the event lives as long as the call.
        checked(unsafe { libc::epoll_ctl(self.fd, what, fd, &raw mut event) }).map(drop)
    }

    /// Returns the keys that are ready within this number of milliseconds.
    pub fn wait(&mut self, ms: i32) -> impl Iterator<Item = u64> + '_ {
        let room = self.events.len() as i32;
        // SAFETY: the buffer has the length that is passed.
        let n = unsafe { libc::epoll_wait(self.fd, self.events.as_mut_ptr(), room, ms) };
        self.events[..usize::try_from(n).unwrap_or(0)].iter().map(|event| event.u64)
    }
}

/// As many open files as may be.
pub fn raise_files() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain system calls on a value of our own.
    unsafe {
        checked(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit))?;
        limit.rlim_cur = limit.rlim_max;
        checked(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit))?;
    }
    Ok(limit.rlim_cur)
}

/// Keeps this process to one core.
pub fn pin(core: usize) -> io::Result<()> {
    // SAFETY: a set of our own, filled by the library's functions.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        checked(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)).map(drop)
    }
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn later(result: isize) -> io::Result<Option<usize>> {
    match usize::try_from(result) {
        Ok(n) => Ok(Some(n)),
        Err(_) => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            error => Err(error),
        },
    }
}
