//! A real Redis for the tests of several nodes, and a way to it that can be cut.

use std::{net::SocketAddr, path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    process::{self, Command},
    sync::watch,
    task::JoinHandle,
};

use crate::{faults::Folder, lifecycle::Child, support::until};

/// A Redis of its own that syncs every write, on a Unix socket.
pub struct Redis {
    pub folder: Folder,
    pub process: process::Child,
}

impl Redis {
    /// `None`, loudly, if there is no Redis here.
    pub async fn start() -> Option<Self> {
        let folder = Folder::new();
        std::fs::create_dir_all(&folder.0).unwrap();
        let process = Self::launch(&folder).await;
        if process.is_none() {
            eprintln!("SKIPPED: redis-server is not installed; several nodes are not tested");
        }
        Some(Self { process: process?, folder })
    }

    pub async fn launch(folder: &Folder) -> Option<process::Child> {
        let socket = folder.0.join("socket");
        let _ = std::fs::remove_file(&socket);
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        command.arg("--unixsocket").arg(&socket).current_dir(&folder.0).kill_on_drop(true);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        until("Redis listens", || async { tokio::net::UnixStream::connect(&socket).await.is_ok() }).await;
        Some(process)
    }

    pub fn flag(&self) -> String {
        format!("--redis=redis+unix://{}", self.folder.0.join("socket").display())
    }

    pub async fn signal(&self, name: &str) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }

    pub async fn node(&self) -> Child {
        self.node_with(&[]).await
    }

    pub async fn node_with(&self, more: &[&str]) -> Child {
        Child::reference(&[&["--dev", "--log=warn", "--beat=100ms", &self.flag()], more].concat()).await
    }

    /// A node whose way to Redis is the proxy.
    pub async fn node_behind(proxy: &Proxy, more: &[&str]) -> Child {
        let flag = format!("--redis=redis://{}", proxy.address);
        Child::hub(&[&["--dev", "--log=warn", "--beat=100ms", &flag], more].concat()).await
    }
}

/// The way between one node and Redis.
pub struct Proxy {
    pub address: SocketAddr,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

/// How the way is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Connections are closed, and new ones at once.
    Cut,
    /// Connections are open, and nothing arrives: what was sent waits until the way is open again.
    Hole,
}

impl Proxy {
    pub async fn start(redis: &Redis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, socket) = (listener.local_addr().unwrap(), redis.folder.0.join("socket"));
        let way = watch::Sender::new(Way::Open);
        let seen = way.subscribe();
        let task = tokio::spawn(async move {
            loop {
                let (from, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(from, socket.clone(), seen.clone()));
            }
        });
        Self { address, way, task }
    }

    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(node: tokio::net::TcpStream, socket: PathBuf, mut way: watch::Receiver<Way>) {
    if passable(&mut way).await == Way::Cut {
        return;
    }
    let Ok(redis) = UnixStream::connect(socket).await else { return };
    let ((from_node, to_node), (from_redis, to_redis)) = (node.into_split(), redis.into_split());
    // Whichever ends first ends both.
    tokio::select! {
        () = pump(from_node, to_redis, way.clone()) => {}
        () = pump(from_redis, to_node, way) => {}
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut way: watch::Receiver<Way>) {
    let (mut buffer, mut cut) = (vec![0; 16 * 1024], way.clone());
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read.unwrap_or(0),
            _ = cut.wait_for(|way| *way == Way::Cut) => 0,
        };
        if read == 0 || passable(&mut way).await == Way::Cut || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn passable(way: &mut watch::Receiver<Way>) -> Way {
    way.wait_for(|way| *way != Way::Hole).await.map_or(Way::Cut, |way| *way)
}
