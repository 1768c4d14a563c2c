//! The token provider as an async closure: asked with its reason, refused, failed, and dropped when
//! nobody waits for it any more.

use std::{
    cell::{Cell, RefCell},
    error::Error as _,
    fmt,
    future::pending,
    rc::Rc,
    time::Duration,
};

use tinysse::{Builder, ErrorKind, Phase, SseClient, TokenAnswer, TokenAsk, TokenError, TokenReason};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    frontend::{builder, greeted, soon},
    page::{self, number, text},
    support::{Run, until},
};

/// Remembers each question, and answers `t0`, `t1`, ...
fn counting(builder: Builder) -> (SseClient, Rc<RefCell<Vec<TokenAsk>>>) {
    let asks = Rc::new(RefCell::new(Vec::new()));
    let list = asks.clone();
    let provider = move |ask: TokenAsk| {
        let number = list.borrow().len();
        list.borrow_mut().push(ask);
        async move { Ok(TokenAnswer::new(format!("t{number}")).expires_in(Duration::from_secs(60))) }
    };
    (builder.token(provider).build().unwrap(), asks)
}

#[wasm_bindgen_test]
async fn asked_with_its_reason() {
    let run = Run::new();
    page::hurry(20.0);
    run.tell("answers?list=401").await;
    let (client, asks) = counting(builder(&run.url("")));
    client.start();
    greeted(&client).await;
    client.reconnect();
    greeted(&client).await;
    let reasons: Vec<_> = asks.borrow().iter().map(|ask| ask.reason).collect();
    assert_eq!(reasons, [TokenReason::Initial, TokenReason::Rejected, TokenReason::Manual]);
    let aborted = asks.borrow().iter().any(|ask| ask.signal.as_ref().is_none_or(|signal| signal.aborted()));
    assert!(!aborted, "a question that was answered");
    let stats = run.stats().await;
    assert_eq!([0, 1, 2].map(|index| text(&stats, &format!("connects.{index}.token"))), ["t0", "t1", "t2"]);
}

/// What a provider does that asks the server: the status of a refusal, or the answer read as it
/// comes.
async fn fetch(at: &str) -> Result<TokenAnswer, TokenError> {
    let body = JsFuture::from(page::get(at, true)).await.map_err(|_| TokenError::message("no network"))?;
    let body = page::parse(&body.as_string().unwrap_or_default()).map_err(|_| TokenError::message("no JSON"))?;
    match text(&body, "code").as_str() {
        "" => serde_wasm_bindgen::from_value(body).map_err(TokenError::new),
        _ => Err(TokenError::status(401)),
    }
}

#[wasm_bindgen_test]
async fn a_real_endpoint_answers_and_then_refuses() {
    let run = Run::new();
    run.tell("tokens?list=ok,401").await;
    let at = run.at("/token");
    let client = builder(&run.url("")).token(async move |_| fetch(&at).await).build().unwrap();
    client.start();
    greeted(&client).await;
    assert_eq!(text(&run.stats().await, "connects.0.token"), "t1");
    let mut statuses = client.statuses();
    client.reconnect();
    let failed = async {
        loop {
            let status = statuses.next().await.unwrap();
            if status.phase == Phase::Failed {
                return status;
            }
        }
    };
    let error = soon("the failure", failed).await.error.unwrap();
    assert_eq!((error.kind(), error.status(), error.retryable()), (ErrorKind::Unauthorized, Some(401), false));
    assert_eq!(error.source().unwrap().to_string(), "no token: the endpoint answered 401");
    assert_eq!(number(&run.stats().await, "connects.length"), 1.0);
    assert_eq!(page::take_rejected().length(), 0, "a rejection that nobody handled");
}

#[derive(Debug)]
struct Layered(&'static str, Option<Box<Self>>);

impl fmt::Display for Layered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Layered {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.1.as_deref()?)
    }
}

#[wasm_bindgen_test]
async fn the_whole_chain_of_a_failure_is_told_and_it_is_asked_again() {
    let run = Run::new();
    page::hurry(20.0);
    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    let provider = move |_| {
        count.set(count.get() + 1);
        let first = count.get() == 1;
        async move {
            let inner = || Layered("connection reset", Some(Box::new(Layered("cable cut", None))));
            if first { Err(TokenError::new(inner())) } else { pending().await }
        }
    };
    let client = builder(&run.url("")).token(provider).build().unwrap();
    client.start();
    until("the second question", || asked.get() == 2).await;
    let error = client.status().error.unwrap();
    assert_eq!((error.kind(), error.retryable()), (ErrorKind::Token, true));
    let mut chain = vec![];
    let mut at = error.source();
    while let Some(cause) = at {
        chain.push(cause.to_string());
        at = cause.source();
    }
    assert_eq!(chain, ["no token", "connection reset", "cable cut"]);
    assert_eq!(run.connects().await, 0.0);
}

/// Reports when it is dropped.
struct Guard(Rc<Cell<u32>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// A provider that hangs: how often it was asked, and how many of its futures were dropped.
fn hanging(builder: Builder) -> (SseClient, Rc<Cell<u32>>, Rc<Cell<u32>>) {
    let (asked, dropped) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (count, gone) = (asked.clone(), dropped.clone());
    let provider = move |ask: TokenAsk| {
        let (count, guard) = (count.clone(), Guard(gone.clone()));
        async move {
            count.set(count.get() + 1);
            assert!(!ask.signal.is_some_and(|signal| signal.aborted()));
            let _held = guard;
            pending().await
        }
    };
    (builder.token(provider).build().unwrap(), asked, dropped)
}

#[wasm_bindgen_test]
async fn its_future_is_dropped_when_the_client_no_longer_waits() {
    let run = Run::new();
    let (client, asked, dropped) = hanging(builder(&run.url("")));
    client.start();
    until("the question", || asked.get() == 1).await;
    assert_eq!(dropped.get(), 0);
    client.reconnect();
    until("the next question", || asked.get() == 2).await;
    until("the first future is gone", || dropped.get() == 1).await;
    client.pause();
    until("the second future is gone", || dropped.get() == 2).await;
    client.resume();
    until("the third question", || asked.get() == 3).await;
    drop(client);
    until("the third future is gone", || dropped.get() == 3).await;
    assert_eq!(run.connects().await, 0.0);
    assert_eq!((page::take_rejected().length(), page::take_reported().length()), (0, 0));
}

#[wasm_bindgen_test]
async fn its_future_is_dropped_when_it_takes_too_long() {
    let run = Run::new();
    page::hurry(20.0);
    let (client, asked, dropped) = hanging(builder(&run.url("")).token_timeout(Duration::from_millis(500)));
    client.start();
    until("the second question", || asked.get() >= 2).await;
    assert!(dropped.get() >= 1);
    let error = client.status().error.unwrap();
    assert_eq!((error.kind(), error.retryable()), (ErrorKind::Token, true));
}

#[wasm_bindgen_test]
fn a_token_is_not_printed() {
    let answer = TokenAnswer::new("sesame").expires_in(Duration::from_secs(60));
    assert_eq!(format!("{answer:?}"), "TokenAnswer { expires_in: Some(60.0), .. }");
    let (client, _asks) = counting(builder("/events"));
    assert!(!format!("{client:?}").contains("sesame"));
}
