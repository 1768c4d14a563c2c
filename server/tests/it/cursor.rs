//! `GET /cursor`: where the log is.

use reqwest::Response;
use serde_json::json;
use tinysse_server::config::DEV_PUBLISH_KEY;

use crate::support::{Server, body_of, refused};

/// What it answers, in the header as in the body.
async fn cursor(answer: Response) -> String {
    assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    let header = answer.headers()["tinysse-cursor"].to_str().unwrap().to_owned();
    assert_eq!(body_of(answer).await, json!({ "cursor": header }));
    header
}

#[tokio::test]
async fn users_and_services_learn_where_the_log_is_and_a_stream_from_there_misses_nothing() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let first = server.publish(json!({ "type": "a" })).await;
    let place = cursor(ada.get("/cursor").send().await.unwrap()).await;
    assert_eq!(place, first[0]);
    assert_eq!(cursor(server.get("/cursor").bearer_auth(DEV_PUBLISH_KEY).send().await.unwrap()).await, place);
    assert_eq!(ada.get("/api/projects").send().await.unwrap().headers()["tinysse-cursor"], *place);
    let second = server.publish(json!({ "type": "b" })).await;
    let mut stream = ada.stream(&format!("&lastEventId={place}")).await;
    assert_eq!(stream.update().await.id, second[0]);
    // How much is published must not be disclosed.
    refused(server.get("/cursor"), 401, "unauthenticated").await;
    refused(server.get("/cursor").bearer_auth("guessed"), 401, "unauthenticated").await;
    refused(server.post("/cursor", &json!({})), 405, "method_not_allowed").await;
    server.stop().await;
}
