//! The query of `GET /events`, through all of the server's routes. Every answer is a stream or a
//! problem with a known code, and a token that is not good opens nothing. `TOKEN` in the query is
//! replaced by a good one.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Body,
    http::{Request, Uri},
};
use http_body::Body as _;
use serde_json::Value;
use tinysse::proto::{
    audience::Identity,
    wire::{
        control::Control,
        decode::{Decoder, Item},
    },
};
use tinysse_hub::app::App;
use tinysse_server::config::Config;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

struct Server {
    app: Arc<App>,
    routes: Router,
    runtime: Runtime,
}

static SERVER: LazyLock<Mutex<Server>> = LazyLock::new(|| {
    let config = Config::from_args(["tinysse-server", "--dev", "--memory", "--token-ttl=24h", "--log-max-count=4"]);
    let app = App::new(config.expect("complete")).expect("memory");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..6 {
            app.services.updates.notify("a").await.expect("published");
        }
    });
    Mutex::new(Server { routes: app.router(), app, runtime })
});

pub fn check(bytes: &[u8]) {
    let server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let token =
        server.app.services.auth.issue_for(Identity { user: "ada".into(), ..Identity::default() }, "").expect("a name");
    let template = String::from_utf8_lossy(bytes).replace("EPOCH", &server.app.services.streams.cursor().text());
    let query = template.replace("TOKEN", &token);
    // What is no address never gets here.
    let Ok(uri) = format!("/events?{query}").parse::<Uri>() else { return };
    let query = uri.query().unwrap_or_default().to_owned();
    let given = parameters(&query);
    let named = |name: &str| given.iter().filter(|(known, _)| known == name).collect::<Vec<_>>();
    let answer = async {
        let request = Request::get(uri).body(Body::empty()).expect("a request");
        let response = server.routes.clone().oneshot(request).await.expect("an answer");
        let status = response.status().as_u16();
        let kind = response.headers()["content-type"].to_str().expect("visible").to_owned();
        let mut body = response.into_body();
        let first = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let first = first.expect("a frame").expect("bytes").into_data().expect("data");
        (status, kind, first)
    };
    let (status, kind, first) = server.runtime.block_on(answer);
    assert_eq!(server.app.services.streams.count(), 0, "a dropped stream is gone");
    let text = String::from_utf8_lossy(&first);
    assert!(!text.contains(&token), "the answer shows the token: {text}");
    let names = ["token", "lastEventId", "types", "wire"];
    let twice = names.iter().any(|name| named(name).len() > 1);
    if status == 200 {
        assert_eq!(kind, "text/event-stream");
        assert!(!twice, "a parameter stands there twice: {query}");
        let [(_, shown)] = named("token")[..] else { panic!("opened without a token: {query}") };
        assert_eq!(*shown, token, "opened with another token");
        let mut hello = None;
        let mut keep = |item: Item| match item {
            Item::Frame(frame) if hello.is_none() => hello = Control::read(&frame),
            Item::Frame(_) | Item::Id(_) | Item::Retry(_) => {}
        };
        Decoder::new("", 1 << 20).feed(&first, &mut keep).expect("decodes");
        let Some(Control::Hello(hello)) = hello else { panic!("no hello: {text}") };
        assert!(!hello.head.follows(server.app.services.streams.cursor()) && !hello.after.follows(hello.head));
        return;
    }
    assert_eq!(kind, "application/problem+json", "{status}");
    let problem: Value = serde_json::from_slice(&first).expect("json");
    let code = problem["code"].as_str().expect("a code");
    let known =
        [(400, "bad_query"), (400, "bad_types"), (400, "bad_wire"), (401, "token_missing"), (401, "token_invalid")];
    assert!(known.contains(&(status, code)), "{status} {code}: {query}");
    if twice {
        assert_eq!(code, "bad_query", "{query}");
    }
}

/// The parameters of a query as a browser writes them (URL standard,
/// `application/x-www-form-urlencoded`), by hand.
fn parameters(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(name), unescaped(value))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let mut ahead = bytes.clone();
        match (byte, hex(ahead.next()), hex(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            (b'+', _, _) => out.push(b' '),
            (byte, _, _) => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
