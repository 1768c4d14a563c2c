//! Engines of other crates: the one of `examples/lines.rs`.

use std::{cell::Cell, path::PathBuf, sync::Arc};

use tinysse::proto::{audience::Identity, wire::control::Gap};
use tinysse_hub::{
    engine::conformance::{Open, conforms},
    hub::Update,
    settings::Settings,
};
use tokio::net::TcpListener;

use crate::support::Stream;

#[allow(dead_code)]
#[path = "../../examples/lines.rs"]
mod example;

/// A file of a test, removed when the test ends.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("tinysse-{}-{name}", std::process::id())));
        std::fs::write(&file.0, "").unwrap();
        file
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[test]
fn an_engine_of_another_crate_conforms() {
    let logs = Cell::new(0);
    let make = || -> Box<Open> {
        logs.set(logs.get() + 1);
        let file = File::new(&format!("lines-{}.txt", logs.get()));
        Box::new(move |bounds, fresh, sink| Arc::new(example::Lines::open(&file.0, bounds, fresh, sink).unwrap()))
    };
    conforms(make, true);
}

#[tokio::test]
async fn what_it_keeps_is_replayed_after_a_restart_and_what_it_lacks_is_announced() {
    let file = File::new("lines-hub.txt");
    let start = async || {
        let mut settings = Settings::in_memory("x".repeat(32).into());
        (settings.log.max_count, settings.log.max_bytes) = (3, 4_096);
        let hub = example::hub(file.0.clone(), settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let (served, routes) = (hub.clone(), hub.router());
        tokio::spawn(async move { served.serve(listener, routes, std::future::pending()).await });
        (hub, url)
    };
    let (hub, _) = start().await;
    let mut ids = Vec::new();
    for n in 0..500 {
        let update = Update { data: Some(n.to_string()), ..Update::new("a") };
        ids.push(hub.publish(update).await.unwrap().expect("no window").text());
    }
    hub.close().await;
    assert!(hub.notify("a").await.is_err(), "closed");
    // Half a line, as a crash leaves it: no client was notified of it.
    let text = std::fs::read_to_string(&file.0).unwrap();
    assert!(text.len() < 4 * 4_096, "{} bytes: what no longer fits goes while it runs", text.len());
    std::fs::write(&file.0, format!("{text}{{\"receipt\":null,\"rec")).unwrap();
    let (hub, url) = start().await;
    let open = async |cursor: &str| {
        let token = hub.token(Identity { user: "ada".into(), ..Identity::default() }).await.unwrap();
        let token = serde_json::to_value(token).unwrap()["token"].as_str().unwrap().to_owned();
        Stream::open(reqwest::Client::new().get(&url).bearer_auth(token).header("last-event-id", cursor)).await
    };
    let mut kept = open(&ids[497]).await;
    assert_eq!(
        (kept.hello.gap, kept.update().await.id, kept.update().await.id),
        (Gap::None, ids[498].clone(), ids[499].clone())
    );
    assert_eq!(open(&ids[495]).await.hello.gap, Gap::Trimmed);
    hub.notify("b").await.unwrap();
    assert_eq!(kept.update().await.id, ids[499].replace(".500", ".501"));
}
