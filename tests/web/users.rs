//! Whose connection it is: the user whom the application names, and the one whom a token names.

use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number, text},
    support::{Calls, Probe, Provider, Run, object, options, rest, until},
};

/// A provider of tokens for these users, one after the other.
fn tokens_for(users: &'static [&'static str]) -> Provider {
    Provider::new(move |number| Ok(object(&format!(r#"{{"token":"t{number}","user":"{}"}}"#, users[number]))))
}

/// An update was delivered, at `a1.1`.
async fn live(run: &Run, provider: &Provider, more: &[(&str, JsValue)]) -> Probe {
    let mut all = vec![("token", provider.function())];
    all.extend_from_slice(more);
    let probe = Probe::live(&run.url(""), &all).await;
    run.update("a", "{}").await;
    probe.until_updates(1).await;
    probe
}

#[wasm_bindgen_test]
async fn another_user_gets_a_stream_token_and_cursor_of_his_own() {
    let run = Run::new();
    let provider = tokens_for(&["ada", "bob"]);
    let probe = live(&run, &provider, &[]).await;
    assert_eq!(text(&probe.client.snapshot(), "user"), "ada");
    probe.client.set_user(Some("bob".into()));
    assert_eq!((page::streams_open(), text(&probe.client.snapshot(), "lastEventId")), (0, String::new()));
    assert_eq!((probe.status(), text(&probe.client.snapshot(), "user")), ("connecting".into(), "bob".into()));
    probe.until_greeted().await;
    run.until_open(1).await;
    let stats = run.stats().await;
    assert_eq!(text(&stats, "connects.1.token"), "t1");
    assert_eq!(page::read(&stats, "connects.1.lastEventId"), JsValue::NULL);
    assert_eq!(provider.reasons(), ["initial", "initial"]);
    assert_eq!(probe.resyncs.all("gap"), ["first", "first"]);
}

#[wasm_bindgen_test]
async fn the_user_of_the_token_named_by_the_application_keeps_the_stream() {
    let run = Run::new();
    let provider = tokens_for(&["ada"]);
    let probe = live(&run, &provider, &[]).await;
    probe.client.set_user(Some("ada".into()));
    probe.client.set_user(Some("ada".into()));
    rest().await;
    assert_eq!((probe.status(), page::streams_open()), ("open".into(), 1));
    assert_eq!(text(&probe.client.snapshot(), "lastEventId"), "a1.1");
    assert_eq!((run.connects().await, provider.reasons().len()), (1.0, 1));
}

#[wasm_bindgen_test]
async fn without_a_user_there_is_no_connection() {
    let run = Run::new();
    let provider = tokens_for(&["ada", "bob"]);
    let probe = live(&run, &provider, &[]).await;
    for nobody in [None, Some(String::new())] {
        probe.client.set_user(nobody);
        assert_eq!((probe.status(), page::streams_open(), page::timers()), ("idle".into(), 0, 0));
        assert_eq!(probe.snapshot("user"), JsValue::NULL);
    }
    page::show(true);
    probe.client.reconnect();
    probe.client.start();
    rest().await;
    assert_eq!((probe.status(), provider.reasons().len()), ("idle".into(), 1));
    run.until_open(0).await;
    probe.client.set_user(Some("bob".into()));
    probe.until_greeted().await;
    // A change of user is reported besides.
    let mut statuses = probe.statuses.all("status");
    statuses.dedup();
    assert_eq!(statuses, ["connecting", "open", "idle", "connecting", "open"]);
}

#[wasm_bindgen_test]
async fn a_token_for_another_user_than_the_named_one_is_refused() {
    let run = Run::new();
    let provider = tokens_for(&["bob", "bob"]);
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function()), ("user", "ada".into())]));
    probe.client.start();
    probe.until_status("failed").await;
    let snapshot = probe.client.snapshot();
    assert_eq!(text(&snapshot, "error.code"), "user");
    assert_eq!(page::read(&snapshot, "error.retryable"), JsValue::FALSE);
    assert_eq!((page::timers(), page::streams_open()), (0, 0));
    assert_eq!(run.connects().await, 0.0);
    // The user whose token it is signs in.
    probe.client.set_user(Some("bob".into()));
    probe.until_greeted().await;
    assert_eq!(provider.reasons(), ["initial", "initial"]);
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn a_user_who_signs_in_after_a_refused_provider_is_not_blocked() {
    let run = Run::new();
    let provider = Provider::new(|number| match number {
        0 => Err(page::failure("nobody is signed in", Some(401))),
        _ => Ok(object(r#"{"token":"t","user":"ada"}"#)),
    });
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    probe.client.start();
    probe.until_status("failed").await;
    probe.client.set_user(Some("ada".into()));
    assert_eq!((probe.status(), probe.snapshot("error")), ("connecting".into(), JsValue::NULL));
    probe.until_greeted().await;
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn the_token_of_another_user_begins_anew() {
    let run = Run::new();
    let provider = tokens_for(&["ada", "bob"]);
    let probe = live(&run, &provider, &[]).await;
    probe.client.reconnect();
    until("the other user", || text(&probe.client.snapshot(), "user") == "bob").await;
    probe.until_greeted().await;
    assert_eq!(page::read(&run.stats().await, "connects.1.lastEventId"), JsValue::NULL);
    assert_eq!(probe.resyncs.all("gap"), ["first", "first"]);
}

#[wasm_bindgen_test]
async fn a_stored_cursor_is_used_for_its_user_only() {
    for (user, cursor) in [("ada", "a1.1"), ("bob", "")] {
        let run = Run::new();
        run.update("a", "{}").await;
        let provider = Provider::new(move |_| Ok(object(&format!(r#"{{"token":"t","user":"{user}"}}"#))));
        let more = [("token", provider.function()), ("lastEventId", "a1.1".into()), ("cursorUser", "ada".into())];
        let probe = Probe::live(&run.url(""), &more).await;
        assert_eq!(text(&run.stats().await, "connects.0.lastEventId"), cursor, "{user}");
        drop(probe);
    }
}

#[wasm_bindgen_test]
async fn forgetting_ends_stream_token_and_cursor_at_once_until_there_is_a_reason_to_connect() {
    let run = Run::new();
    let provider = tokens_for(&["ada", "ada", "ada"]);
    let probe = live(&run, &provider, &[]).await;
    probe.client.forget();
    assert_eq!((probe.status(), page::streams_open(), page::timers()), ("idle".into(), 0, 0));
    assert_eq!((probe.snapshot("user"), text(&probe.client.snapshot(), "lastEventId")), (JsValue::NULL, String::new()));
    run.until_open(0).await;
    rest().await;
    assert_eq!((provider.reasons().len(), run.connects().await), (1, 1.0));
    probe.client.reconnect();
    probe.until_greeted().await;
    probe.client.forget();
    page::show(true);
    assert_eq!(probe.status(), "connecting", "the page is looked at again");
    probe.until_greeted().await;
    let stats = run.stats().await;
    assert_eq!(number(&stats, "connects.length"), 3.0);
    for (index, token) in [(1, "t1"), (2, "t2")] {
        assert_eq!(text(&stats, &format!("connects.{index}.token")), token);
        assert_eq!(page::read(&stats, &format!("connects.{index}.lastEventId")), JsValue::NULL);
    }
}

#[wasm_bindgen_test]
async fn what_was_never_started_or_was_stopped_is_not_started_by_a_user() {
    let run = Run::new();
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.forget();
    probe.client.set_user(Some("ada".into()));
    page::show(true);
    assert_eq!(probe.status(), "idle");
    probe.client.start();
    probe.until_greeted().await;
    probe.client.stop();
    probe.client.forget();
    probe.client.set_user(Some("bob".into()));
    page::show(true);
    rest().await;
    assert_eq!((probe.status(), run.connects().await), ("idle".into(), 1.0));
}

#[wasm_bindgen_test]
async fn a_subscriber_that_names_another_user_gets_no_more_of_the_first() {
    let run = Run::new();
    let provider = tokens_for(&["ada", "bob"]);
    let probe = std::rc::Rc::new(Probe::live(&run.url(""), &[("token", provider.function())]).await);
    let me = std::rc::Rc::downgrade(&probe);
    let calls = Calls::and(move |_| me.upgrade().unwrap().client.set_user(Some("bob".into())));
    let behind = Calls::new();
    probe.client.subscribe(&"*".into(), calls.function()).unwrap();
    probe.client.subscribe(&"*".into(), behind.function()).unwrap();
    let three: String =
        (1..=3).map(|seq| format!("id: a1.{seq}\nevent: tinysse.update\ndata: projects\ndata: {{}}\n\n")).collect();
    run.say(&three).await;
    until("the next stream", || text(&probe.client.snapshot(), "clientId") == "c2").await;
    rest().await;
    assert_eq!((probe.updates.count(), calls.count(), behind.count()), (1, 1, 0));
}
