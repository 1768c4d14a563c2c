//! The way between one node and Redis is cut, swallows everything, and heals; the other node goes
//! on. Nothing is lost or doubled.

use std::sync::Arc;

use reqwest::Client;

use crate::{
    cluster::metric,
    nodes::{Numbers, client, one_client_each, publish},
    redis::{Proxy, Redis, Way},
    support::until,
};

#[tokio::test]
async fn a_node_that_is_cut_off_keeps_its_streams_and_catches_up() {
    let Some(redis) = Redis::start().await else { return };
    let proxy = Proxy::start(&redis).await;
    let (cut, other) = tokio::join!(Redis::node_behind(&proxy, &[]), redis.node());
    let urls = vec![cut.url.clone(), other.url.clone()];
    let http = Client::new();
    let ready = async |url: &str, status: u16| {
        until("ready or not", || async { http.get(format!("{url}/readyz")).send().await.unwrap().status() == status })
            .await;
    };
    let last = 400;
    let clients: Vec<_> = urls.iter().map(|url| tokio::spawn(client(vec![url.clone()], last))).collect();
    one_client_each(&urls).await;
    let acked = Numbers::default();
    let publisher = tokio::spawn(publish(urls.clone(), 0..last, Arc::clone(&acked)));
    for way in [Way::Cut, Way::Hole, Way::Cut, Way::Hole] {
        let count = || acked.lock().unwrap().len();
        let before = count();
        until("some are out", || async { count() >= before + 20 }).await;
        proxy.set(way);
        ready(&urls[0], 503).await;
        ready(&urls[1], 200).await;
        let before = count();
        until("the other node takes updates", || async { count() >= before + 5 }).await;
        assert_eq!(metric(&urls[0], "tinysse_streams_open").await, 1.0);
        proxy.set(Way::Open);
        ready(&urls[0], 200).await;
    }
    publisher.await.unwrap();
    publish(urls.clone(), last..=last, Arc::clone(&acked)).await;
    for client in clients {
        assert_eq!(client.await.unwrap(), *acked.lock().unwrap());
    }
    assert_eq!(acked.lock().unwrap().len() as u64, last + 1);
    // The streams were open all the time.
    for url in &urls {
        assert_eq!(metric(url, "tinysse_streams_opened_total").await, 1.0);
    }
}
