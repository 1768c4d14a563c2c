//! A thousand clients come and go, and leave nothing: no allocation, no JavaScript value, no
//! listener, timer or stream.

use std::cell::RefCell;

use js_sys::{Function, Promise, Reflect, WebAssembly};
use tinysse::web::JsClient;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    heap,
    page::{self, text},
    support::{Run, never, options, rest},
};

/// What there is of everything that could leak. All of it counts exactly what is alive.
#[derive(Debug, PartialEq)]
struct Left {
    allocations: usize,
    values: u32,
    listeners: u32,
    timers: u32,
    streams: u32,
    memory: u32,
}

impl Left {
    fn now() -> Self {
        let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
        Self {
            allocations: heap::live(),
            values: wasm_bindgen::externref_heap_live_count(),
            listeners: page::listeners().length(),
            timers: page::timers(),
            streams: page::streams_open(),
            memory: Reflect::get(&memory.buffer(), &"byteLength".into()).unwrap().as_f64().unwrap() as u32,
        }
    }
}

/// After a warm-up, N more rounds leave exactly as much as there was.
pub(crate) async fn leaves_nothing(rounds: u32, round: impl AsyncFn()) {
    // Enough to fill what is bounded: the ring of the last inputs.
    for _ in 0..rounds / 4 {
        round().await;
    }
    rest().await;
    let before = Left::now();
    for _ in 0..rounds {
        round().await;
    }
    rest().await;
    assert_eq!(Left::now(), before, "after {rounds} rounds");
}

/// A promise of the next status that is `status`, and the function that receives it.
fn status(client: &JsClient, status: &'static str) -> (Promise, Closure<dyn FnMut(JsValue)>) {
    let resolve = RefCell::new(None);
    let promise = Promise::new(&mut |done, _| {
        resolve.replace(Some(done));
    });
    let resolve = resolve.into_inner().unwrap();
    let heard = Closure::new(move |snapshot: JsValue| {
        if text(&snapshot, "status") == status {
            resolve.call0(&JsValue::UNDEFINED).unwrap();
        }
    });
    client.on_status(Some(heard.as_ref().clone().unchecked_into()));
    (promise, heard)
}

#[wasm_bindgen_test]
async fn opened_and_closed() {
    let run = Run::new();
    let provider = Closure::<dyn FnMut(JsValue) -> JsValue>::new(|_| "t".into());
    let call = Function::from(never());
    let options = options(&run.url(""), &[("token", provider.as_ref().clone())]);
    leaves_nothing(1_000, async || {
        let client = JsClient::new(&options).unwrap();
        client.subscribe(&"*".into(), call.clone()).unwrap();
        let (open, _heard) = status(&client, "open");
        client.start();
        JsFuture::from(open).await.unwrap();
        client.close();
    })
    .await;
    run.until_open(0).await;
}

#[wasm_bindgen_test]
async fn opened_and_dropped_without_a_close() {
    let run = Run::new();
    let options = options(&run.url(""), &[]);
    leaves_nothing(200, async || {
        let client = JsClient::new(&options).unwrap();
        let (open, _heard) = status(&client, "open");
        client.start();
        JsFuture::from(open).await.unwrap();
    })
    .await;
    run.until_open(0).await;
}

#[wasm_bindgen_test]
async fn closed_at_once() {
    let run = Run::new();
    let options = options(&run.url(""), &[]);
    leaves_nothing(1_000, async || {
        let client = JsClient::new(&options).unwrap();
        client.start();
        client.close();
    })
    .await;
    run.until_open(0).await;
}

#[wasm_bindgen_test]
async fn one_client_stopped_and_started() {
    let run = Run::new();
    let client = JsClient::new(&options(&run.url(""), &[])).unwrap();
    leaves_nothing(200, async || {
        let (open, _heard) = status(&client, "open");
        client.start();
        JsFuture::from(open).await.unwrap();
        client.stop();
    })
    .await;
    client.close();
    run.until_open(0).await;
    assert_eq!(page::listeners().length(), 0);
}

#[wasm_bindgen_test]
async fn subscribed_and_unsubscribed() {
    let run = Run::new();
    let client = JsClient::new(&options(&run.url(""), &[])).unwrap();
    let call = Function::from(never());
    leaves_nothing(1_000, async || {
        let id = client.subscribe(&"projects".into(), call.clone()).unwrap();
        assert!(client.unsubscribe(id));
    })
    .await;
    client.close();
}

#[wasm_bindgen_test]
async fn closed_while_a_provider_hangs() {
    let run = Run::new();
    let provider = Closure::<dyn FnMut(JsValue) -> JsValue>::new(|_| never());
    let options = options(&run.url(""), &[("token", provider.as_ref().clone())]);
    leaves_nothing(1_000, async || {
        let client = JsClient::new(&options).unwrap();
        client.start();
        client.close();
        // The question's end is a chain of promises.
        for _ in 0..4 {
            JsFuture::from(Promise::resolve(&JsValue::NULL)).await.unwrap();
        }
    })
    .await;
    assert_eq!(run.connects().await, 0.0);
}
