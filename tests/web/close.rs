//! After `close()` nothing calls back, whatever was under way and wherever it was called.

use std::{cell::RefCell, rc::Rc};

use js_sys::Function;
use tinysse::web::JsClient;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{self, number},
    support::{Calls, Probe, Provider, Run, options, rest, until},
};

/// Closed in this moment, it reported nothing more, and left nothing behind.
async fn stays_silent(run: &Run, probe: &Probe) {
    let said = (probe.statuses.count(), probe.resyncs.count(), probe.updates.count());
    probe.client.close();
    assert_eq!(page::timers(), 0, "a timer: {}", page::timers_set());
    assert_eq!(page::streams_open(), 0, "a stream");
    assert_eq!(page::listeners().length(), 0, "{}", page::json(&page::listeners()));
    // Everything that could wake it.
    for (target, kind) in
        [("window", "offline"), ("window", "online"), ("window", "pageshow"), ("document", "visibilitychange")]
    {
        page::fire(target, kind);
    }
    let connects = run.connects().await;
    for call in
        [JsClient::start, JsClient::resume, JsClient::reconnect, JsClient::pause, JsClient::stop, JsClient::close]
    {
        call(&probe.client);
    }
    run.update("projects", "{}").await;
    run.until_open(0).await;
    rest().await;
    assert_eq!(run.connects().await, connects);
    assert_eq!(said, (probe.statuses.count(), probe.resyncs.count(), probe.updates.count()));
    assert_eq!(probe.status(), "idle");
    assert_eq!(page::timers(), 0);
    assert_eq!(page::listeners().length(), 0);
}

#[wasm_bindgen_test]
async fn before_the_start() {
    let run = Run::new();
    let probe = Probe::new(&options(&run.url(""), &[]));
    stays_silent(&run, &probe).await;
    assert_eq!(run.connects().await, 0.0);
}

#[wasm_bindgen_test]
async fn while_the_token_is_pending() {
    let run = Run::new();
    let later = page::deferred();
    let promise = later.get(0);
    let provider = Provider::new(move |_| Ok(promise.clone()));
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    probe.client.start();
    assert_eq!(provider.aborted(), [false]);
    stays_silent(&run, &probe).await;
    assert_eq!(provider.aborted(), [true]);
    Function::from(later.get(1)).call1(&JsValue::UNDEFINED, &"t".into()).unwrap();
    rest().await;
    assert_eq!(run.connects().await, 0.0);
    assert_eq!(page::streams_open(), 0);
}

#[wasm_bindgen_test]
async fn while_connecting() {
    let run = Run::new();
    run.tell("answers?list=hang").await;
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.start();
    run.until("the stream", |stats| number(stats, "connects.length") == 1.0).await;
    stays_silent(&run, &probe).await;
}

#[wasm_bindgen_test]
async fn while_live() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    stays_silent(&run, &probe).await;
}

#[wasm_bindgen_test]
async fn while_waiting() {
    let run = Run::new();
    run.tell("answers?list=500").await;
    let probe = Probe::new(&options(&run.url(""), &[]));
    probe.client.start();
    until("a wait", || probe.snapshot("retryAt").as_f64().is_some()).await;
    stays_silent(&run, &probe).await;
    assert_eq!(run.connects().await, 1.0);
}

#[wasm_bindgen_test]
async fn while_the_browser_retries() {
    let run = Run::new();
    let probe = Probe::live(&run.url("&retry=600000"), &[]).await;
    run.tell("cut").await;
    probe.until_status("reconnecting").await;
    stays_silent(&run, &probe).await;
}

#[wasm_bindgen_test]
async fn while_paused() {
    let run = Run::new();
    let probe = Probe::live(&run.url(""), &[]).await;
    probe.client.pause();
    stays_silent(&run, &probe).await;
}

#[wasm_bindgen_test]
async fn when_failed() {
    let run = Run::new();
    run.tell("answers?list=404").await;
    let probe = Probe::new(&options(&run.url(""), &[("maxRefusals", 1.into())]));
    probe.client.start();
    probe.until_status("failed").await;
    stays_silent(&run, &probe).await;
}

/// A place for the client that its own callbacks close.
type Shelf = Rc<RefCell<Option<Rc<JsClient>>>>;

fn closing(shelf: &Shelf, when: impl Fn(&JsValue) -> bool + 'static) -> Calls {
    let shelf = shelf.clone();
    Calls::and(move |value| {
        if when(value) {
            let client = shelf.borrow().clone();
            client.unwrap().close();
        }
    })
}

#[wasm_bindgen_test]
async fn inside_a_status_callback() {
    for status in ["connecting", "open"] {
        let run = Run::new();
        let shelf = Shelf::default();
        let probe = Probe::new(&options(&run.url(""), &[]));
        shelf.replace(Some(probe.client.clone()));
        let calls = closing(&shelf, move |snapshot| page::text(snapshot, "status") == status);
        probe.client.on_status(Some(calls.function()));
        probe.client.start();
        until("the close", || calls.all("status").iter().any(|seen| seen == status)).await;
        assert_eq!(page::streams_open(), 0);
        stays_silent(&run, &probe).await;
        assert_eq!(calls.all("status").last().unwrap(), status);
        assert_eq!(probe.resyncs.count(), 0);
        shelf.take();
    }
}

#[wasm_bindgen_test]
async fn inside_a_subscriber() {
    let run = Run::new();
    let shelf = Shelf::default();
    let probe = Probe::new(&options(&run.url(""), &[]));
    let calls = closing(&shelf, |_| true);
    let behind = Calls::new();
    probe.client.subscribe(&"*".into(), calls.function()).unwrap();
    probe.client.subscribe(&"*".into(), behind.function()).unwrap();
    shelf.replace(Some(probe.client.clone()));
    probe.client.start();
    probe.until_greeted().await;
    // Three at once: the second and the third wait in the browser's queue when the first closes.
    let three: String =
        (1..=3).map(|seq| format!("id: a1.{seq}\nevent: tinysse.update\ndata: projects\ndata: {{}}\n\n")).collect();
    run.say(&three).await;
    until("an update", || calls.count() > 0).await;
    assert_eq!(page::streams_open(), 0);
    stays_silent(&run, &probe).await;
    assert_eq!((probe.updates.count(), calls.count(), behind.count()), (1, 1, 0));
    shelf.take();
}

#[wasm_bindgen_test]
async fn inside_a_resync_callback() {
    let run = Run::new();
    let shelf = Shelf::default();
    let probe = Probe::new(&options(&run.url(""), &[]));
    shelf.replace(Some(probe.client.clone()));
    let calls = closing(&shelf, |_| true);
    probe.client.on_resync(Some(calls.function()));
    probe.client.start();
    until("the resync", || calls.count() == 1).await;
    stays_silent(&run, &probe).await;
    shelf.take();
}

#[wasm_bindgen_test]
async fn inside_the_provider() {
    let run = Run::new();
    let shelf = Shelf::default();
    let inner = shelf.clone();
    let provider = Provider::new(move |_| {
        let client = inner.borrow().clone();
        client.unwrap().close();
        Ok("t".into())
    });
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    shelf.replace(Some(probe.client.clone()));
    probe.client.start();
    assert_eq!(provider.aborted(), [true]);
    stays_silent(&run, &probe).await;
    assert_eq!(run.connects().await, 0.0);
    assert_eq!(provider.reasons().len(), 1);
    shelf.take();
}

#[wasm_bindgen_test]
async fn inside_an_abort_listener_of_the_providers_signal() {
    let run = Run::new();
    let shelf = Shelf::default();
    let calls = closing(&shelf, |_| true);
    let provider = Provider::new(|_| Ok(crate::support::never()));
    let probe = Probe::new(&options(&run.url(""), &[("token", provider.function())]));
    shelf.replace(Some(probe.client.clone()));
    probe.client.start();
    let signal: web_signal::AbortSignal = page::read(&provider.asks.borrow()[0], "signal").into();
    signal.set_onabort(&calls.function());
    probe.client.reconnect();
    assert_eq!(calls.count(), 1);
    stays_silent(&run, &probe).await;
    shelf.take();
}

/// As much of an abort signal as this file needs.
mod web_signal {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        pub(super) type AbortSignal;
        #[wasm_bindgen(method, setter)]
        pub(super) fn set_onabort(this: &AbortSignal, call: &js_sys::Function);
    }
}
