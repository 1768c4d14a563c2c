//! Redis loses one key and keeps another, or announces that it may: every client is notified of it,
//! and so is the operator.

use reqwest::Client;
use serde_json::json;
use tinysse::proto::wire::control::Gap;

use crate::{
    failover::{Router, Server, ready},
    faults::{follow, post},
    lifecycle::Child,
    support::body_of,
};

async fn node(server: &Server) -> Child {
    let flag = format!("--redis=redis://127.0.0.1:{}", server.port);
    Child::hub(&["--dev", "--log=info", "--beat=100ms", &flag]).await
}

async fn publish(node: &Child, kind: &str) -> String {
    let answer = post(&Client::new(), &node.url, "/publish", &json!({ "type": kind })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    body_of(answer).await["ids"][0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_log_that_is_lost_is_announced_on_all_nodes_and_publishing_goes_on() {
    let Some(server) = Server::start(&[]).await else { return };
    let (first, second) = tokio::join!(node(&server), node(&server));
    let mut streams: [_; 2] = tokio::join!(follow(&first.url, ""), follow(&second.url, "")).into();
    let mut cursor = String::new();
    for (round, keys) in
        [&["{tinysse}:log"][..], &["{tinysse}:meta"], &["{tinysse}:log", "{tinysse}:meta"]].iter().enumerate()
    {
        for _ in 0..3 {
            cursor = publish(&first, "before").await;
            for stream in &mut streams {
                assert_eq!(stream.update().await.event, "before");
            }
        }
        let deleted: usize = server.ask(&[&["DEL"], *keys].concat()).await;
        assert_eq!(deleted, keys.len(), "these are the keys");
        let mut behind = None;
        if round == 1 {
            // Nobody publishes, and a node that starts meanwhile begins no second one.
            drop(node(&server).await);
        } else {
            let id = publish(&second, "behind").await;
            assert!(id.ends_with(".1"), "{id}");
            behind = Some(id);
        }
        for stream in &mut streams {
            let (gap, at) = stream.resync_at().await;
            assert_eq!(gap, Gap::Epoch);
            // A node that got the update before it wrote the resync covers it by that: the client
            // refetches everything.
            if behind.as_deref().is_some_and(|id| at.text() != id) {
                assert_eq!(stream.update().await.event, "behind");
            }
        }
    }
    // A client that comes back, on a node that is started later.
    let third = node(&server).await;
    assert_eq!(follow(&third.url, &cursor).await.hello.gap, Gap::Epoch);
}

#[tokio::test]
async fn a_policy_that_evicts_the_log_is_named_at_the_start() {
    for (policy, named) in [("allkeys-lru", true), ("volatile-lru", false), ("noeviction", false)] {
        let Some(server) = Server::start(&["--maxmemory-policy", policy]).await else { return };
        let flag = format!("--redis=redis://127.0.0.1:{}", server.port);
        let node = Child::hub(&["--dev", "--log=warn", &flag]).await;
        ready(&node.url, 200).await;
        node.signal("-TERM").await;
        let (_, log) = node.end().await;
        assert_eq!(log.contains("maxmemory-policy") && log.contains(policy), named, "{log}");
    }
}

#[tokio::test]
async fn a_glitch_of_redis_repeats_no_revocation_that_is_known() {
    let Some(server) = Server::start(&[]).await else { return };
    let router = Router::start(&server).await;
    let (node, other) = tokio::join!(router.node(&[]), node(&server));
    let http = Client::new();
    let revoke = async |user: &str| {
        let answer = post(&http, &other.url, "/revoke", &json!({ "user": user })).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    let mut revoked = 0;
    for round in 0..3 {
        let mut stream = follow(&node.url, "").await;
        for number in 0..20 {
            revoke(&format!("user-{round}-{number}")).await;
        }
        revoke("ada").await;
        revoked += 21;
        assert_eq!(stream.bye().await, "revoked");
        if round == 1 {
            // As after a failover that took the last one back: all are read again.
            let last: Vec<(String, Vec<String>)> =
                server.ask(&["XREVRANGE", "{tinysse}:revoked", "+", "-", "COUNT", "1"]).await;
            let deleted: usize = server.ask(&["XDEL", "{tinysse}:revoked", &last[0].0]).await;
            assert_eq!(deleted, 1);
        }
        let before = router.accepted();
        let _: i64 = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        crate::support::until("all three connections are new", || async { router.accepted() >= before + 3 }).await;
        ready(&node.url, 200).await;
    }
    // What is published after the glitch arrives.
    let mut stream = follow(&node.url, "").await;
    revoke("ada").await;
    assert_eq!(stream.bye().await, "revoked");
    node.signal("-TERM").await;
    let (_, log) = node.end().await;
    let looked = log.lines().filter(|line| line.contains("tinysse::auth") && line.contains("closed=")).count();
    assert!((1..=revoked + 1).contains(&looked), "the streams were looked at {looked} times for {revoked}");
}
