//! The pollers against an API in this process: what they ask, when they ask, and what of the answer
//! counts.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    api::{Answer, Api},
    support::{File, Server, User, body_of, refused, until},
};

/// A server with one poller of type `a`.
async fn polling(name: &str, api: &Api, more: &str) -> (Server, File) {
    let text = format!("[[poll]]\ntype = 'a'\nurl = '{}'\n{more}\n", api.url);
    let file = File::new(&format!("{name}.toml"), &text);
    (Server::dev(&[&format!("--config={}", file.path())]).await, file)
}

async fn value(user: &User<'_>) -> Value {
    body_of(user.get("/api/polls/a").send().await.unwrap()).await
}

async fn polls(server: &Server, outcome: &str) -> f64 {
    server.metric(&format!("tinysse_polls_total{{type=\"a\",outcome=\"{outcome}\"}}")).await
}

#[tokio::test]
async fn what_did_not_change_is_asked_for_with_a_condition_and_answered_with_304() {
    let tagged =
        |body| Answer::json(body).with("etag", "\"one\"").with("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    let api = Api::start(tagged(json!({ "n": 1 }))).await;
    let (server, _file) = polling("304", &api, "every = '20ms'\nheaders = { 'x-key' = 'open-sesame' }").await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("&types=a").await;
    assert_eq!(stream.update().await.event, "a");
    until("304s", || async { polls(&server, "not_modified").await >= 3.0 }).await;
    assert_eq!(api.header("if-none-match").as_deref(), Some("\"one\""));
    assert_eq!(api.header("if-modified-since").as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(api.header("x-key").as_deref(), Some("open-sesame"));
    assert_eq!((polls(&server, "changed").await, polls(&server, "unchanged").await), (1.0, 0.0));
    assert_eq!(value(&ada).await["data"], json!({ "n": 1 }));
    // Only a date.
    api.set(Answer::json(json!({ "n": 2 })).with("last-modified", "Mon, 07 Nov 1994 08:49:37 GMT"));
    assert_eq!(stream.update().await.event, "a");
    let before = polls(&server, "not_modified").await;
    until("304s", || async { polls(&server, "not_modified").await > before }).await;
    assert_eq!(api.header("if-none-match"), None);
    // No validators any more, and the same value in other words: not published.
    api.set(Answer::json("{ \"n\" : 2 }"));
    until("unchanged", || async { polls(&server, "unchanged").await >= 2.0 }).await;
    assert_eq!((api.header("if-none-match"), api.header("if-modified-since")), (None, None));
    assert_eq!(server.metric("tinysse_updates_total{type=\"a\"}").await, 2.0);
    server.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_while_nobody_may_see_it() {
    let api = Api::start(Answer::json(1)).await;
    let (server, _file) = polling("idle", &api, "every = '10ms'\naudience = ['role:crew', 'user:eve']").await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "crew", &[]).await);
    // One who may not see it, and one who may and did not ask for it.
    let other = ada.stream("").await;
    let blind = bob.stream("&types=b").await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(api.count(), 0);
    assert_eq!(server.metric("tinysse_poll_active{type=\"a\"}").await, 0.0);
    let mut stream = bob.stream("&types=a").await;
    assert_eq!(stream.update().await.event, "a");
    assert_eq!(server.metric("tinysse_poll_active{type=\"a\"}").await, 1.0);
    assert_eq!(value(&bob).await["data"], 1);
    // A client that would not get its updates does not get the value, or know of it.
    refused(ada.get("/api/polls/a"), 404, "not_found").await;
    drop(stream);
    until("nobody looks", || async { server.metric("tinysse_poll_active{type=\"a\"}").await == 0.0 }).await;
    // What was asked already may still be answered.
    sleep(Duration::from_millis(50)).await;
    let asked = api.count();
    sleep(Duration::from_millis(150)).await;
    assert_eq!(api.count(), asked);
    // What changed meanwhile is sent to the next that comes, at once.
    api.set(Answer::json(2));
    let mut stream = bob.stream("&types=a").await;
    assert_eq!(stream.update().await.event, "a");
    assert_eq!(value(&bob).await["data"], 2);
    drop((other, blind));
    server.stop().await;
}

#[tokio::test]
async fn the_first_who_comes_makes_it_ask_at_once_and_the_rhythm_holds_for_the_next() {
    let api = Api::start(Answer::json(1)).await;
    let (server, _file) = polling("at-once", &api, "every = '1h'").await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    assert_eq!(stream.update().await.event, "a");
    for _ in 0..5 {
        drop(stream);
        until("nobody looks", || async { server.metric("tinysse_poll_active{type=\"a\"}").await == 0.0 }).await;
        stream = ada.stream("").await;
        until("somebody looks", || async { server.metric("tinysse_poll_active{type=\"a\"}").await == 1.0 }).await;
    }
    assert_eq!(api.count(), 1, "reloading a page is no way to make it ask more often");
    server.stop().await;
}

#[tokio::test]
async fn at_pointers_only_what_stands_there_is_news_and_the_whole_is_served() {
    let api = Api::start(Answer::json(json!({ "current": { "t": 7 }, "at": 1 }))).await;
    let (server, _file) = polling("pointer", &api, "every = '20ms'\ncompare = ['/current/t']").await;
    let ada = server.log_in("ada", "", &[]).await;
    let ada = &ada;
    let mut stream = ada.stream("").await;
    assert_eq!(stream.update().await.event, "a");
    api.set(Answer::json(json!({ "current": { "t": 7 }, "at": 2 })));
    until("the whole", || async { value(ada).await["data"]["at"] == 2 }).await;
    api.set(Answer::json(json!({ "current": { "t": 8 }, "at": 3 })));
    assert_eq!(stream.update().await.event, "a");
    assert_eq!(value(ada).await["data"]["at"], 3);
    assert_eq!(server.metric("tinysse_updates_total{type=\"a\"}").await, 2.0);
    server.stop().await;
}

#[tokio::test]
async fn who_sends_the_poller_away_is_left_alone() {
    let api = Api::start(Answer::status(503).with("retry-after", "3600")).await;
    let (server, _file) = polling("away", &api, "every = '10ms'").await;
    let ada = server.log_in("ada", "", &[]).await;
    let _stream = ada.stream("").await;
    until("failed", || async { polls(&server, "failed").await == 1.0 }).await;
    sleep(Duration::from_millis(300)).await;
    assert_eq!(api.count(), 1);
    server.stop().await;
}

#[tokio::test]
async fn an_answer_too_long_too_late_or_elsewhere_is_a_failure_and_the_value_goes_on() {
    let api = Api::start(Answer::json("\"good\"")).await;
    let rules = "every = '20ms'\nmax-bytes = 100\ntimeout = '200ms'\nmax-stale = '1h'\ncompare = 'hash'";
    let (server, _file) = polling("limits", &api, rules).await;
    let ada = server.log_in("ada", "", &[]).await;
    let ada = &ada;
    let mut stream = ada.stream("").await;
    assert_eq!(stream.update().await.event, "a");
    for bad in [
        Answer::json(format!("\"{}\"", "x".repeat(100))),
        Answer::hanging(),
        Answer::status(302).with("location", "/value"),
        Answer::status(404),
    ] {
        let before = polls(&server, "failed").await;
        api.set(bad);
        until("failed", || async { polls(&server, "failed").await > before }).await;
        let shown = value(ada).await;
        assert_eq!((&shown["data"], &shown["stale"]), (&json!("good"), &json!(false)));
        api.set(Answer::json("\"good\""));
        until("recovered", || async { server.metric("tinysse_poll_failures_in_a_row{type=\"a\"}").await == 0.0 }).await;
    }
    // By hash every byte counts, and text is a value too.
    api.set(Answer::json("not JSON"));
    assert_eq!(stream.update().await.event, "a");
    assert_eq!(value(ada).await["data"], "not JSON");
    assert_eq!(server.metric("tinysse_updates_total{type=\"a\"}").await, 2.0);
    server.stop().await;
}
