//! Redis over TLS, with certificates of its own. The feature `redis-tls` has these tests.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::{tests::until, *};
use crate::{
    engine::{
        Durability,
        conformance::{RecordingSink, WIDE, one, wait},
    },
    values::Secret,
};

/// A Redis that speaks TLS only, as `localhost`.
struct Server {
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Server {
    /// `None`, loudly, if there is no Redis here, or one without TLS.
    fn start() -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("tinysse-redis-tls-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("made");
        let ca = authority(&folder, "ca.pem");
        authority(&folder, "other.pem");
        let key = KeyPair::generate().expect("a key");
        let name = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = name.signed_by(&key, &ca).expect("signed");
        fs::write(folder.join("cert.pem"), certificate.pem()).expect("written");
        fs::write(folder.join("key.pem"), key.serialize_pem()).expect("written");
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its number").port();
        let process = launch(&folder, port)?;
        Some(Self { folder, port, process })
    }

    fn place(&self, scheme: &str, host: &str, ca: &str) -> Place {
        let url = Secret::from(format!("{scheme}://:hush-hush@{host}:{}", self.port));
        let ca = (scheme == "rediss").then(|| self.folder.join(ca));
        Place { url, prefix: "x".to_owned(), ca }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn authority(folder: &Path, file: &str) -> Issuer<'static, KeyPair> {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(folder.join(file), params.self_signed(&key).expect("signed").pem()).expect("written");
    Issuer::new(params, key)
}

fn launch(folder: &Path, port: u16) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.current_dir(folder).args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
    command.args(["--requirepass", "hush-hush", "--tls-auth-clients", "no", "--tls-port", &port.to_string()]);
    for (flag, file) in
        [("--tls-cert-file", "cert.pem"), ("--tls-key-file", "key.pem"), ("--tls-ca-cert-file", "ca.pem")]
    {
        command.arg(flag).arg(folder.join(file));
    }
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok();
    for _ in 0..1_000 {
        let runs = process.as_mut().is_some_and(|process| process.try_wait().is_ok_and(|ended| ended.is_none()));
        if !runs {
            eprintln!("SKIPPED: no redis-server with TLS is installed; rediss:// is not tested");
            return None;
        }
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return process;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("redis-server does not listen");
}

fn open(place: Place) -> Result<(Redis, Arc<RecordingSink>), OpenError> {
    place.check().expect("sound");
    let sink = Arc::new(RecordingSink::default());
    Redis::open(place, WIDE, Clock::start(), Epoch(1), Arc::clone(&sink) as Arc<dyn Sink>).map(|redis| (redis, sink))
}

#[test]
fn it_is_spoken_to_if_its_certificate_is_good_and_else_the_start_says_why() {
    let Some(mut server) = Server::start() else { return };
    for (place, why) in [
        (server.place("rediss", "localhost", "other.pem"), "certificate"),
        (server.place("rediss", "127.0.0.1", "ca.pem"), "not valid for name"),
        (server.place("redis", "localhost", ""), "redis"),
    ] {
        let error = open(place).expect_err("refused").to_string();
        assert!(error.contains(why) && !error.contains("hush"), "{error}");
    }
    let missing = server.place("rediss", "localhost", "missing.pem").check().expect_err("no file");
    assert!(missing.contains("missing.pem"), "{missing}");
    let (engine, sink) = open(server.place("rediss", "localhost", "ca.pem")).expect("opened");
    assert_eq!(wait(engine.append(one(1))).map(|done| (done.first, done.reached)), Ok((1, Durability::Group)));
    assert!(engine.link().client().get_connection().is_ok(), "blocking questions too");
    server.process.kill().expect("killed");
    server.process.wait().expect("gone");
    until("it is away", || matches!(engine.health(), Health::Away(_)));
    server.process = launch(&server.folder, server.port).expect("started");
    until("it is back", || engine.health() == Health::Good);
    assert_eq!(wait(engine.append(one(2))).map(|done| done.first), Ok(2));
    assert_eq!(sink.fresh(), [1, 2]);
}
