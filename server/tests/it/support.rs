//! A server in this process, and clients for it. Waits end when their condition holds; the bound is
//! only there to fail.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tinysse::proto::wire::{
    Frame,
    control::{Control, Gap, Hello},
    decode::{Decoder, Item},
    id::EventId,
};
use tinysse_hub::{
    app::{App, Overrides},
    serve::bind,
};
use tinysse_reference as demo;
use tinysse_server::config::{Config, DEV_PUBLISH_KEY};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

pub const BOUND: Duration = Duration::from_secs(60);
pub const SECRET: &str = "a-secret-of-the-tests-that-has-32-bytes";

pub struct Server {
    pub url: String,
    pub app: Arc<App>,
    http: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// With `--dev`, on a free port.
    pub async fn dev(args: &[&str]) -> Self {
        Self::start(&[&["--dev", "--drain-window=100ms", "--linger=50ms"], args].concat()).await
    }

    pub async fn start(args: &[&str]) -> Self {
        Self::with(args, Overrides::default()).await
    }

    pub async fn with(args: &[&str], own: Overrides) -> Self {
        let secret = format!("--secret={SECRET}");
        let given = |name: &str| args.iter().any(|arg| arg.starts_with(name));
        let keep = match (given("--data"), given("--redis")) {
            (true, _) => Some("--durability=group"),
            (false, true) => None,
            (false, false) => Some("--memory"),
        };
        let fixed = ["tinysse-server", "--listen=127.0.0.1:0", &secret];
        let config = Config::from_args(fixed.iter().chain(&keep).chain(args)).unwrap();
        let listener = bind(config.listen).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = App::with(config, own).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (serving, routes) = (Arc::clone(&app), demo::routes(&app.services));
        let stop_or_dropped = async { drop(stopped.await) };
        let task = tokio::spawn(async move { serving.serve_with(routes, listener, stop_or_dropped).await });
        Self { url, app, http: Client::new(), stop: Some(stop), task }
    }

    pub fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Stops, and fails if that hangs.
    pub async fn stop(mut self) {
        if self.stop.is_some() {
            self.begin_stop();
        }
        timeout(BOUND, self.task).await.expect("the server stops").unwrap();
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).header("content-type", "application/json").body(body.to_string())
    }

    pub async fn log_in(&self, user: &str, role: &str, channels: &[&str]) -> User<'_> {
        let body = json!({ "user": user, "role": role, "channels": channels });
        let response = self.post("/auth/login", &body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        User { server: self, cookie }
    }

    pub fn publishing(&self, body: &Value) -> RequestBuilder {
        self.post("/publish", body).bearer_auth(DEV_PUBLISH_KEY)
    }

    /// Publishes; the ids.
    pub async fn publish(&self, body: Value) -> Vec<String> {
        let response = self.publishing(&body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        serde_json::from_value(body_of(response).await["ids"].take()).unwrap()
    }

    pub async fn revoke(&self, body: Value) -> u64 {
        let response = self.post("/revoke", &body).bearer_auth(DEV_PUBLISH_KEY).send().await.unwrap();
        assert_eq!(response.status(), 200);
        body_of(response).await["closed"].as_u64().unwrap()
    }

    /// Of `/metrics`, see [`metric`].
    pub async fn metric(&self, series: &str) -> f64 {
        metric(&self.get("/metrics").send().await.unwrap().text().await.unwrap(), series)
    }
}

pub struct User<'a> {
    server: &'a Server,
    pub cookie: String,
}

impl User<'_> {
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.server.get(path).header("cookie", &self.cookie)
    }

    pub fn send(&self, method: Method, path: &str, body: &Value) -> RequestBuilder {
        let request = self.server.request(method, path).header("cookie", &self.cookie);
        request.header("content-type", "application/json").body(body.to_string())
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.send(Method::POST, path, body)
    }

    pub async fn token(&self) -> String {
        let response = self.post("/auth/sse-token", &json!({})).send().await.unwrap();
        assert_eq!(response.status(), 200);
        body_of(response).await["token"].as_str().unwrap().to_owned()
    }

    /// Opens a stream with a fresh token and reads its hello. `query` begins with `&` or is empty.
    pub async fn stream(&self, query: &str) -> Stream {
        let path = format!("/events?token={}{query}", self.token().await);
        Stream::open(self.server.get(&path)).await
    }
}

pub struct Stream {
    response: Response,
    decoder: Decoder,
    frames: VecDeque<Frame>,
    pub retries: Vec<u32>,
    pub hello: Hello,
}

impl Stream {
    pub async fn open(request: RequestBuilder) -> Self {
        let mut stream = Self::raw(request).await;
        let frame = stream.next().await.expect("a hello");
        let Some(Control::Hello(hello)) = Control::read(&frame) else { panic!("first came {frame:?}") };
        assert_eq!(frame.id, hello.after.text());
        stream.hello = hello;
        stream
    }

    /// A stream that may begin without a hello.
    pub async fn raw(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let none = EventId::parse("0.0").unwrap();
        let hello = Hello { client: String::new(), after: none, head: none, beat: 0, gap: Gap::None, retry: 0 };
        Self { response, decoder: Decoder::new("", 1 << 22), frames: VecDeque::new(), retries: Vec::new(), hello }
    }

    /// The next frame; `None` at the end of the stream, however it ends.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let chunk = timeout(BOUND, self.response.chunk()).await.expect("a frame or an end");
            let chunk = chunk.ok().flatten()?;
            let (frames, retries) = (&mut self.frames, &mut self.retries);
            self.decoder
                .feed(&chunk, &mut |item| match item {
                    Item::Frame(frame) => frames.push_back(frame),
                    Item::Id(_) => {}
                    Item::Retry(ms) => retries.push(ms),
                })
                .unwrap();
        }
    }

    /// The next update that is no beat.
    pub async fn update(&mut self) -> Frame {
        let read = async {
            loop {
                let frame = self.next().await.expect("an update");
                if frame.event != "tinysse.beat" {
                    assert!(!frame.event.starts_with("tinysse."), "{frame:?}");
                    return frame;
                }
            }
        };
        timeout(BOUND, read).await.expect("an update among the beats")
    }

    /// The types of the updates up to and with `last`.
    pub async fn types_until(&mut self, last: &str) -> Vec<String> {
        let mut types = Vec::new();
        loop {
            types.push(self.update().await.event);
            if types.last().unwrap() == last {
                return types;
            }
        }
    }

    /// Reads on to the resync; its gap.
    pub async fn resync(&mut self) -> Gap {
        self.resync_at().await.0
    }

    /// Reads on to the resync. Returns its gap, and the id of the last update that it covers.
    pub async fn resync_at(&mut self) -> (Gap, EventId) {
        let read = async {
            loop {
                let frame = self.next().await.expect("a resync");
                if let Some(Control::Resync(resync)) = Control::read(&frame) {
                    return (resync.gap, resync.at);
                }
            }
        };
        timeout(BOUND, read).await.expect("a resync among the beats")
    }

    /// Reads on to the bye, and to the end behind it.
    pub async fn bye(&mut self) -> String {
        let read = async {
            loop {
                let frame = self.next().await.expect("a bye");
                if let Some(Control::Bye(bye)) = Control::read(&frame) {
                    assert_eq!(self.next().await, None, "the stream ends behind the bye");
                    return bye.reason.as_str().to_owned();
                }
            }
        };
        timeout(BOUND, read).await.expect("a bye among the beats")
    }
}

/// A file of this test, gone when it ends.
pub struct File(pub std::path::PathBuf);

impl File {
    pub fn new(name: &str, text: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("tinysse-{}-{name}", std::process::id())));
        file.write(text);
        file
    }

    /// As a careful writer does it: never half a file.
    pub fn write(&self, text: &str) {
        let next = self.0.with_extension("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(next, &self.0).unwrap();
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// The sum of the series of this name that have these labels, and perhaps others; 0 if there are no
/// such series.
pub fn metric(text: &str, series: &str) -> f64 {
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels: Vec<_> = labels.strip_suffix('}').unwrap().split(',').filter(|label| !label.is_empty()).collect();
    let values = text.lines().filter_map(|line| {
        let (has, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        let has = if has.is_empty() { "" } else { has.strip_prefix('{')?.strip_suffix('}')? };
        labels.iter().all(|label| has.split(',').any(|one| one == *label)).then(|| value.parse::<f64>().unwrap())
    });
    values.sum()
}

pub async fn body_of(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// Sends, and expects a problem of this status and code.
pub async fn refused(request: RequestBuilder, status: u16, code: &str) -> Value {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), status, "{code}");
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{code}");
    assert_eq!(response.headers().contains_key("www-authenticate"), status == 401, "{code}");
    let problem = body_of(response).await;
    assert_eq!((problem["code"].as_str(), problem["status"].as_u64()), (Some(code), Some(u64::from(status))));
    problem
}

/// Waits until `condition` holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let wait = async {
        while !condition().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(BOUND, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}
