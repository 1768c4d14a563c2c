//! A server to poll, in this process: what it answers is set by the test, and what it was asked is
//! counted.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode},
    routing::get,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The server; gone when dropped.
pub struct Api {
    pub url: String,
    asked: Arc<Asked>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Asked {
    count: AtomicUsize,
    /// Questions that are being answered, and the most that ever were at once.
    now: AtomicUsize,
    most: AtomicUsize,
    last: Mutex<HeaderMap>,
    answer: Mutex<Answer>,
    go: tokio::sync::Notify,
}

#[derive(Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Vec<u8>,
    /// Nothing is answered until the next answer is set.
    pub hangs: bool,
}

impl Api {
    pub async fn start(answer: Answer) -> Self {
        let asked = Arc::new(Asked { answer: Mutex::new(answer), ..Asked::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/value?key=hush", listener.local_addr().unwrap());
        let routes = Router::new().route("/value", get(value)).with_state(Arc::clone(&asked));
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, asked, task }
    }

    pub fn set(&self, answer: Answer) {
        *self.asked.answer.lock().unwrap() = answer;
        self.asked.go.notify_waiters();
    }

    pub fn count(&self) -> usize {
        self.asked.count.load(Ordering::SeqCst)
    }

    /// Questions that are being answered.
    pub fn now(&self) -> usize {
        self.asked.now.load(Ordering::SeqCst)
    }

    /// The most questions that were there at once.
    pub fn most(&self) -> usize {
        self.asked.most.load(Ordering::SeqCst)
    }

    /// A header of the last question.
    pub fn header(&self, name: &str) -> Option<String> {
        self.asked.last.lock().unwrap().get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Answer {
    pub fn json(body: impl ToString) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/json")],
            body: body.to_string().into(),
            hangs: false,
        }
    }

    pub fn bytes(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::json("") }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::json("{}") }
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn hanging() -> Self {
        Self { hangs: true, ..Self::json("{}") }
    }

    /// RFC 9110 §13.1: a condition that holds is answered with 304.
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let same = |header: &str, condition: &str| {
            let ours = self.headers.iter().find(|(name, _)| *name == header);
            ours.is_some_and(|(_, value)| {
                asked.get(condition).is_some_and(|shown| shown.as_bytes() == value.as_bytes())
            })
        };
        if asked.contains_key("if-none-match") {
            same("etag", "if-none-match")
        } else {
            same("last-modified", "if-modified-since")
        }
    }
}

async fn value(State(asked): State<Arc<Asked>>, headers: HeaderMap) -> Response<Body> {
    asked.count.fetch_add(1, Ordering::SeqCst);
    let now = asked.now.fetch_add(1, Ordering::SeqCst) + 1;
    asked.most.fetch_max(now, Ordering::SeqCst);
    let _leaves = Leaves(Arc::clone(&asked));
    *asked.last.lock().unwrap() = headers.clone();
    let answer = loop {
        let set = asked.go.notified();
        let answer = asked.answer.lock().unwrap().clone();
        if !answer.hangs {
            break answer;
        }
        set.await;
    };
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
    if answer.status == 200 && answer.is_known(&headers) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    for (name, value) in answer.headers {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

struct Leaves(Arc<Asked>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}
