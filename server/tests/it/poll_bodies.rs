//! Bodies as servers, libraries and editors send them: compressed without being asked, behind a
//! byte order mark; and updates of pollers that carry a value.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use reqwest::Method;
use serde_json::{Value, json};
use tinysse_server::config::DEV_PUBLISH_KEY;

use crate::{
    api::{Answer, Api},
    support::{File, Server, Stream, body_of, until},
};

const BOM: &str = "\u{feff}";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn polling(name: &str, api: &Api, more: &str) -> (Server, File) {
    let text = format!("[[poll]]\ntype = 'a'\nurl = '{}'\nevery = '20ms'\n{more}\n", api.url);
    let file = File::new(&format!("{name}.toml"), &text);
    (Server::dev(&[&format!("--config={}", file.path())]).await, file)
}

async fn data(stream: &mut Stream) -> Value {
    let frame = stream.update().await;
    assert_eq!(frame.event, "a");
    serde_json::from_str::<Value>(&frame.data).unwrap()["data"].take()
}

#[tokio::test]
async fn a_poller_reads_what_servers_send_unasked() {
    let api = Api::start(Answer::bytes(format!("{BOM}{{\"n\":1}}"))).await;
    let (server, _file) = polling("unasked", &api, "").await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    assert_eq!(data(&mut stream).await, Value::Null);
    let value = async || body_of(ada.get("/api/polls/a").send().await.unwrap()).await;
    assert_eq!(value().await["data"], json!({ "n": 1 }));
    assert_eq!(api.header("accept-encoding").as_deref(), Some("gzip, deflate"));
    api.set(Answer::bytes(gzip(&format!("{BOM}{{\"n\":2}}"))).with("content-encoding", "gzip"));
    data(&mut stream).await;
    assert_eq!(value().await["data"], json!({ "n": 2 }));
    // The bound is of what comes out.
    api.set(Answer::bytes(gzip(&" ".repeat(2 << 20))).with("content-encoding", "gzip"));
    let failed = "tinysse_polls_total{type=\"a\",outcome=\"failed\"}";
    until("failed", || async { server.metric(failed).await >= 1.0 }).await;
    api.set(Answer::bytes("?").with("content-encoding", "br"));
    until("failed", || async { server.metric(failed).await >= 2.0 }).await;
    assert_eq!(value().await["data"], json!({ "n": 2 }));
    server.stop().await;
}

#[tokio::test]
async fn an_update_of_a_poller_carries_the_compared_value_if_asked() {
    let answer = |temperature: &str, at: u32| {
        Answer::bytes(format!("{{\"at\":{at},\"current\":{{\"temperature\":{temperature},\"wind\":3}}}}"))
    };
    let api = Api::start(answer("7.50", 1)).await;
    let more = "send = 'value'\ncompare = '/current/temperature'\nmax-stale = '300ms'";
    let (server, _file) = polling("send", &api, more).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let frame = stream.update().await;
    assert!(frame.data.contains("\"data\":7.50"), "digits as they came: {}", frame.data);
    api.set(answer("8", 2));
    assert_eq!(data(&mut stream).await, json!(8));
    // That it grew stale is news of no value.
    api.set(Answer::status(500));
    assert_eq!(data(&mut stream).await, Value::Null);
    api.set(answer("8", 3));
    assert_eq!(data(&mut stream).await, json!(8));
    server.stop().await;
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_ignored() {
    let server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut stream = ada.stream("").await;
    let json = |path: &str, body: String| {
        server.request(Method::POST, path).header("content-type", "application/json").body(body)
    };
    for text in [r#"{"type":"a","data":1}"#, r#" [{"type":"a","data":1}]"#] {
        let response = json("/publish", format!("{BOM}{text}")).bearer_auth(DEV_PUBLISH_KEY).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(data(&mut stream).await, json!(1));
    }
    let project = json("/api/projects", format!("{BOM}{}", json!({ "name": "Hubble" }))).header("cookie", &ada.cookie);
    assert_eq!(project.send().await.unwrap().status(), 201);
    let revoke = json("/revoke", format!("{BOM}{}", json!({ "user": "eve" }))).bearer_auth(DEV_PUBLISH_KEY);
    assert_eq!(revoke.send().await.unwrap().status(), 200);
    let login = json("/auth/login", format!("{BOM}{}", json!({ "user": "bob" })));
    assert_eq!(login.send().await.unwrap().status(), 200);
    // Anywhere else it is an error, as are two of them.
    for text in [format!("{BOM}{BOM}{{}}"), format!("{{}}{BOM}")] {
        assert_eq!(json("/auth/login", text).send().await.unwrap().status(), 400);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_byte_order_mark_before_the_settings_is_ignored() {
    let rights = File::new("bom-rights.toml", &format!("{BOM}[users.ada]\nchannels = ['ops']\n"));
    let file = File::new("bom.toml", &format!("{BOM}directory = '{}'\n", rights.path()));
    let server = Server::dev(&[&format!("--config={}", file.path())]).await;
    let ada = server.log_in("ada", "", &["ops"]).await;
    let mut stream = ada.stream("").await;
    server.publish(json!({ "type": "a", "to": "channel:ops", "data": 1 })).await;
    assert_eq!(data(&mut stream).await, json!(1));
    server.stop().await;
}
