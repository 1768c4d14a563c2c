//! Whose connection it is, for frontends in Rust.

use std::{cell::Cell, rc::Rc};

use tinysse::{ErrorKind, Phase, SseClient, TokenAnswer};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    frontend::{builder, greeted, soon},
    page::{self, text},
    support::{Run, rest, until},
};

/// A live client of this user, and how often its provider was asked.
async fn live(run: &Run, user: &str) -> (SseClient, Rc<Cell<u32>>) {
    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    let provider = move |_| {
        count.set(count.get() + 1);
        let token = format!("t{}", count.get());
        async move { Ok(TokenAnswer::new(token)) }
    };
    let client = builder(&run.url("")).user(user).token(provider).build().unwrap();
    client.start();
    greeted(&client).await;
    (client, asked)
}

fn user(client: &SseClient) -> Option<String> {
    client.snapshot().user
}

#[wasm_bindgen_test]
async fn another_user_gets_a_stream_and_a_token_of_his_own_and_no_update_of_the_first() {
    let run = Run::new();
    let (client, asked) = live(&run, "ada").await;
    assert_eq!(user(&client).as_deref(), Some("ada"));
    let mut updates = client.subscribe::<()>("*").unwrap();
    run.update("a", "{}").await;
    until("the update", || client.snapshot().events == 1).await;
    client.set_user(Some("ada"));
    assert_eq!(client.status().phase, Phase::Open);
    client.set_user(Some("bob"));
    assert_eq!((client.status().phase, user(&client).as_deref()), (Phase::Connecting, Some("bob")));
    greeted(&client).await;
    run.until_open(1).await;
    run.update("b", "{}").await;
    assert_eq!(soon("an update", updates.next()).await.unwrap().unwrap().kind, "b");
    let stats = run.stats().await;
    assert_eq!(
        (text(&stats, "connects.1.token"), text(&stats, "connects.1.lastEventId")),
        ("t2".into(), String::new())
    );
    assert_eq!(asked.get(), 2);
}

#[wasm_bindgen_test]
async fn without_a_user_it_is_idle_until_one_signs_in() {
    let run = Run::new();
    let (client, asked) = live(&run, "ada").await;
    client.set_user(None);
    assert_eq!((client.status().phase, user(&client), page::streams_open()), (Phase::Idle, None, 0));
    client.reconnect();
    rest().await;
    assert_eq!((client.status().phase, asked.get()), (Phase::Idle, 1));
    client.set_user(Some("bob"));
    greeted(&client).await;
    assert_eq!(run.connects().await, 2.0);
}

#[wasm_bindgen_test]
async fn forgetting_ends_the_stream_at_once_and_drops_what_is_not_read() {
    let run = Run::new();
    let (client, asked) = live(&run, "ada").await;
    let mut updates = client.subscribe::<()>("*").unwrap();
    run.update("a", "{}").await;
    until("the update", || client.snapshot().events == 1).await;
    client.forget();
    let snapshot = client.snapshot();
    assert_eq!((client.status().phase, page::streams_open(), snapshot.last_event_id.as_str()), (Phase::Idle, 0, ""));
    run.until_open(0).await;
    rest().await;
    assert_eq!(asked.get(), 1);
    client.reconnect();
    greeted(&client).await;
    run.update("b", "{}").await;
    assert_eq!(soon("an update", updates.next()).await.unwrap().unwrap().kind, "b");
    assert_eq!(text(&run.stats().await, "connects.1.lastEventId"), "");
}

#[wasm_bindgen_test]
async fn a_token_for_another_user_is_an_error_of_its_kind() {
    // `{"sub":"bob"}`, between a header and a signature that nobody reads here.
    let token = async |_| Ok(TokenAnswer::new("e30.eyJzdWIiOiJib2IifQ.c2ln"));
    let run = Run::new();
    let client = builder(&run.url("")).user("ada").token(token).build().unwrap();
    client.start();
    until("the failure", || client.status().phase == Phase::Failed).await;
    let error = client.status().error.unwrap();
    assert_eq!((error.kind(), error.retryable()), (ErrorKind::User, false));
    assert_eq!(run.connects().await, 0.0);
    client.set_user(Some("bob"));
    greeted(&client).await;
    assert_eq!((user(&client).as_deref(), run.connects().await), (Some("bob"), 1.0));
}
