//! Several nodes on one Redis, all of them real processes: a node is killed, Redis is killed and
//! stopped, and nothing is lost or doubled.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use reqwest::Client;
use serde_json::{Value, json};
use tinysse::proto::wire::{control::Gap, id::EventId};
use tokio::{
    task::JoinSet,
    time::{Duration, sleep},
};

use crate::{
    faults::{follow, post},
    redis::Redis,
    support::{metric, until},
};

pub type Numbers = Arc<Mutex<BTreeMap<u64, String>>>;

/// Publishes each number until some node takes it; the key makes a repeated attempt harmless.
pub async fn publish(urls: Vec<String>, numbers: impl Iterator<Item = u64>, acked: Numbers) {
    let http = Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    for number in numbers {
        for attempt in number.. {
            let url = &urls[attempt as usize % urls.len()];
            let request = post(&http, url, "/publish", &json!({ "type": "n", "data": number }));
            let answer = request.header("idempotency-key", number.to_string()).send().await;
            if let Ok(answer) = answer
                && answer.status() == 200
                && let Ok(text) = answer.text().await
            {
                let body: Value = serde_json::from_str(&text).unwrap();
                acked.lock().unwrap().insert(number, body["ids"][0].as_str().unwrap().to_owned());
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// One client: reads up to `last`, on the next node whenever a stream ends, and never receives a
/// gap.
pub async fn client(mut urls: Vec<String>, last: u64) -> BTreeMap<u64, String> {
    let mut seen = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let mut stream = follow(&urls[0], &cursor).await;
        assert_eq!(stream.hello.gap, if cursor.is_empty() { Gap::First } else { Gap::None });
        cursor = stream.hello.after.text();
        while let Some(frame) = stream.next().await {
            let (before, id) = (EventId::parse(&cursor).unwrap(), EventId::parse(&frame.id).unwrap());
            assert_ne!(frame.event, "tinysse.resync");
            cursor = frame.id.clone();
            if frame.event == "n" {
                assert!(id.epoch == before.epoch && id.seq > before.seq, "{id} came behind {before}");
                let data: Value = serde_json::from_str(&frame.data).unwrap();
                let number = data["data"].as_u64().unwrap();
                assert_eq!(seen.insert(number, frame.id), None, "{number} came twice");
                if number == last {
                    return seen;
                }
            }
        }
        urls.rotate_left(1);
    }
}

/// Waits until each node has its client, which is not sent what was published before.
pub async fn one_client_each(urls: &[String]) {
    let there = async || {
        let mut open = 0;
        for url in urls {
            let text = Client::new().get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
            open += usize::from(metric(&text, "tinysse_streams_open") == 1.0);
        }
        open == urls.len()
    };
    until("all clients are there", there).await;
}

#[tokio::test]
async fn one_of_three_nodes_is_killed_and_nobody_misses_anything() {
    let Some(redis) = Redis::start().await else { return };
    let (first, second, third) = tokio::join!(redis.node(), redis.node(), redis.node());
    let urls = [&first, &second, &third].map(|node| node.url.clone());
    let last = 300;
    let mut clients = JoinSet::new();
    for turn in 0..3 {
        let mut urls = urls.to_vec();
        urls.rotate_left(turn);
        clients.spawn(client(urls, last));
    }
    one_client_each(&urls).await;
    let acked = Numbers::default();
    let mut publishers = JoinSet::new();
    for turn in 0..3 {
        publishers.spawn(publish(urls.to_vec(), (0..last).filter(move |n| n % 3 == turn), Arc::clone(&acked)));
    }
    until("a third is out", || async { acked.lock().unwrap().len() >= 100 }).await;
    first.signal("-KILL").await;
    first.end().await;
    publishers.join_all().await;
    publish(urls[1..].to_vec(), last..=last, Arc::clone(&acked)).await;
    for seen in clients.join_all().await {
        assert_eq!(seen, *acked.lock().unwrap());
    }
    assert_eq!(acked.lock().unwrap().len() as u64, last + 1);
}

#[tokio::test]
async fn a_client_that_is_ahead_of_its_new_node_waits_for_it_and_refetches_nothing() {
    let Some(redis) = Redis::start().await else { return };
    let (first, second) = tokio::join!(redis.node(), redis.node());
    let http = Client::new();
    let publish = async || {
        let answer = post(&http, &first.url, "/publish", &json!({ "type": "n" })).send().await.unwrap();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        EventId::parse(body["ids"][0].as_str().unwrap()).unwrap()
    };
    let id = publish().await;
    // As if the other node had delivered the next update already.
    let next = EventId { seq: id.seq + 1, ..id };
    let cursor = next.text();
    let (stream, published) = tokio::join!(follow(&second.url, &cursor), async {
        sleep(Duration::from_millis(200)).await;
        publish().await
    });
    assert_eq!((published, stream.hello.gap), (next, Gap::None));
    // An id that no update has is answered all the same.
    let never = EventId { seq: id.seq + 1_000, ..id };
    assert_eq!(follow(&second.url, &never.text()).await.hello.gap, Gap::Unknown);
}

#[tokio::test]
async fn a_redis_that_stops_or_dies_makes_nodes_unready_and_loses_nothing() {
    let Some(mut redis) = Redis::start().await else { return };
    let (first, second) = tokio::join!(redis.node(), redis.node());
    let urls = vec![first.url.clone(), second.url.clone()];
    let http = Client::new();
    let ready = async |status: u16| {
        until("ready or not", || async {
            let mut all = true;
            for url in &urls {
                all &= http.get(format!("{url}/readyz")).send().await.unwrap().status() == status;
            }
            all
        })
        .await;
    };
    let last = 200;
    let clients: Vec<_> = urls.iter().map(|url| tokio::spawn(client(vec![url.clone()], last))).collect();
    one_client_each(&urls).await;
    let acked = Numbers::default();
    let publisher = tokio::spawn(publish(urls.clone(), 0..last, Arc::clone(&acked)));
    for (round, stopped) in [true, false, true].into_iter().enumerate() {
        until("some are out", || async { acked.lock().unwrap().len() >= 30 * (round + 1) }).await;
        redis.signal(if stopped { "-STOP" } else { "-KILL" }).await;
        ready(503).await;
        if stopped {
            redis.signal("-CONT").await;
        } else {
            redis.process.wait().await.unwrap();
            redis.process = Redis::launch(&redis.folder).await.unwrap();
        }
        ready(200).await;
    }
    publisher.await.unwrap();
    publish(urls.clone(), last..=last, Arc::clone(&acked)).await;
    for client in clients {
        assert_eq!(client.await.unwrap(), *acked.lock().unwrap());
    }
    // The streams were open all the time.
    for url in &urls {
        let text = http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
        assert_eq!(metric(&text, "tinysse_streams_opened_total"), 1.0, "{text}");
    }
}
