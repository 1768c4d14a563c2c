//! Tests of handlers whose response is broadcast.

use reqwest::Method;
use serde_json::{Value, json};
use tinysse::proto::wire::control::Gap;

use crate::support::{Server, body_of, refused};

#[tokio::test]
async fn a_change_is_broadcast_and_a_failure_is_not() {
    let server = Server::dev(&[]).await;
    let (ada, bob) = (server.log_in("ada", "", &[]).await, server.log_in("bob", "", &[]).await);
    let mut stream = bob.stream("").await;

    let response = ada.post("/api/projects", &json!({ "name": " Hubble " })).header("x-tinysse-origin", "tab-1");
    let response = response.send().await.unwrap();
    assert_eq!(response.status(), 201);
    let cursor = response.headers()["tinysse-cursor"].to_str().unwrap().to_owned();
    let created = body_of(response).await;
    assert_eq!(created["broadcast"], json!(["projects"]));
    assert_eq!((&created["data"]["name"], &created["data"]["by"]), (&json!("Hubble"), &json!("ada")));
    assert!(created["data"]["updatedAt"].as_u64().unwrap() > 0);
    let frame = stream.update().await;
    assert_eq!((frame.event.as_str(), &frame.id), ("projects", &cursor));
    assert_eq!(serde_json::from_str::<Value>(&frame.data).unwrap()["origin"], "tab-1");

    let path = format!("/api/projects/{}", created["data"]["id"].as_str().unwrap());
    refused(ada.send(Method::PATCH, &path, &json!({ "name": "" })), 422, "bad_name").await;
    refused(ada.send(Method::PATCH, &path, &json!({ "name": "x".repeat(81) })), 422, "bad_name").await;
    refused(ada.send(Method::PATCH, &path, &json!({ "nam": "x" })), 400, "bad_json").await;
    refused(ada.send(Method::PATCH, "/api/projects/p999", &json!({ "name": "x" })), 404, "not_found").await;
    refused(ada.send(Method::DELETE, "/api/projects/x", &json!({})), 404, "not_found").await;
    refused(server.post("/api/projects", &json!({ "name": "x" })), 401, "unauthenticated").await;

    let renamed = ada.send(Method::PATCH, &path, &json!({ "name": "Kepler" })).send().await.unwrap();
    assert_eq!(body_of(renamed).await["data"]["name"], "Kepler");
    // The very next place in the log: none of the failures took one.
    let frame = stream.update().await;
    assert_eq!(frame.id.rsplit_once('.').unwrap().1, "2");
    assert_eq!(serde_json::from_str::<Value>(&frame.data).unwrap().get("origin"), None);
    let deleted = ada.send(Method::DELETE, &path, &json!({})).send().await.unwrap();
    assert_eq!(deleted.status(), 200);
    assert_eq!(stream.update().await.event, "projects");
    refused(ada.send(Method::DELETE, &path, &json!({})), 404, "not_found").await;
    server.stop().await;
}

#[tokio::test]
async fn an_answer_and_the_stream_from_its_place_miss_nothing() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    server.publish(json!({ "type": "projects" })).await;
    let response = ada.get("/api/projects").send().await.unwrap();
    let cursor = response.headers()["tinysse-cursor"].to_str().unwrap().to_owned();
    let listed = body_of(response).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 3);
    assert_eq!(listed.get("broadcast"), None);
    server.publish(json!({ "type": "later" })).await;
    let mut stream = ada.stream(&format!("&lastEventId={cursor}")).await;
    assert_eq!((stream.hello.gap, stream.update().await.event.as_str()), (Gap::None, "later"));
    server.stop().await;
}

#[tokio::test]
async fn instances_start_and_stop() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let created = body_of(ada.post("/api/compute", &json!({ "name": "gpu" })).send().await.unwrap()).await;
    assert_eq!((&created["data"]["state"], &created["broadcast"]), (&json!("stopped"), &json!(["compute"])));
    let path = format!("/api/compute/{}", created["data"]["id"].as_str().unwrap());
    let started = ada.send(Method::PATCH, &path, &json!({ "state": "running" })).send().await.unwrap();
    assert_eq!(body_of(started).await["data"]["state"], "running");
    let renamed = ada.send(Method::PATCH, &path, &json!({ "name": "gpu-2" })).send().await.unwrap();
    let renamed = body_of(renamed).await;
    assert_eq!((&renamed["data"]["name"], &renamed["data"]["state"]), (&json!("gpu-2"), &json!("running")));
    refused(ada.send(Method::PATCH, &path, &json!({ "state": "burning" })), 400, "bad_json").await;
    refused(ada.send(Method::PATCH, &path, &json!({})), 422, "nothing_to_change").await;
    assert_eq!(ada.send(Method::DELETE, &path, &json!({})).send().await.unwrap().status(), 200);
    let listed = body_of(ada.get("/api/compute").send().await.unwrap()).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    for n in 1..=4 {
        let frame = stream.update().await;
        assert_eq!((frame.event.as_str(), frame.id.rsplit_once('.').unwrap().1), ("compute", n.to_string().as_str()));
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_are_served_beside_the_api() {
    let dir = std::env::temp_dir().join(format!("tinysse-pages-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("assets")).unwrap();
    std::fs::write(dir.join("index.html"), "<!doctype html><title>live</title>").unwrap();
    std::fs::write(dir.join("assets/app.js"), "export {}").unwrap();
    let server = Server::dev(&["--pages", dir.to_str().unwrap()]).await;
    for (path, kind) in [("/", "text/html"), ("/projects/7", "text/html"), ("/assets/app.js", "text/javascript")] {
        let response = server.get(path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["cache-control"]),
            (200, &"no-cache".parse().unwrap())
        );
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
    refused(server.get("/api/nothing"), 404, "not_found").await;
    let outside = server.get("/..%2f..%2f..%2fetc%2fpasswd").send().await.unwrap().text().await.unwrap();
    assert!(!outside.contains("root:"));
    std::fs::remove_dir_all(&dir).unwrap();
    server.stop().await;
}
