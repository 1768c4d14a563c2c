//! `/clients`, `/admin` and a guarded `/metrics`: for holders of the key only.

use reqwest::Method;
use serde_json::json;

use crate::support::{Server, Stream, body_of, refused};

const KEY: &str = "an-admin-key-of-the-tests";
const FLAG: &str = "--admin-key=an-admin-key-of-the-tests";
/// As a user, and in an update.
const HOSTILE: &str = "<img/onerror=alert(1)>";

const GUARDED: [&str; 3] = ["/clients", "/admin/now", "/metrics"];

#[tokio::test]
async fn without_a_key_there_is_nothing_to_guess_at() {
    let server = Server::start(&["--publish-key=a-publish-key-of-the-tests"]).await;
    for path in ["/clients", "/admin", "/admin/", "/admin/now", "/admin/page.js", "/metrics"] {
        refused(server.get(path), 404, "not_found").await;
        refused(server.get(path).bearer_auth(""), 404, "not_found").await;
        refused(server.get(path).bearer_auth("a-publish-key-of-the-tests"), 404, "not_found").await;
    }
    refused(server.post("/admin/publish", &json!({ "type": "a" })), 404, "not_found").await;
    server.stop().await;
}

#[tokio::test]
async fn the_key_opens_and_nothing_else_does() {
    let server = Server::dev(&[FLAG, "--metrics=admin"]).await;
    let token = server.log_in("ada", "admin", &[]).await.token().await;
    let stream = Stream::open(server.get("/events").bearer_auth(&token)).await;
    let wrong = [
        "",
        "an-admin-key-of-the-test",
        "an-admin-key-of-the-tests2",
        "AN-ADMIN-KEY-OF-THE-TESTS",
        "dev-publish-key",
        token.as_str(),
    ];
    let publish = |server: &Server| server.post("/admin/publish", &json!({ "type": "a" }));
    for path in GUARDED {
        refused(server.get(path), 401, "admin_key_required").await;
        refused(server.get(&format!("{path}?key={KEY}&token={KEY}")), 401, "admin_key_required").await;
        refused(server.get(path).header("cookie", format!("tinysse_session={KEY}")), 401, "admin_key_required").await;
        refused(server.get(path).basic_auth("admin", Some(KEY)), 401, "admin_key_required").await;
        for wrong in wrong {
            let problem = refused(server.get(path).bearer_auth(wrong), 401, "admin_key_required").await;
            assert!(!problem.to_string().contains(KEY));
        }
        let response = server.get(path).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
    refused(publish(&server), 401, "admin_key_required").await;
    refused(publish(&server).bearer_auth("dev-publish-key"), 401, "admin_key_required").await;
    assert_eq!(server.app.services.streams.cursor().seq, 0, "nothing was published");
    // Nor does it open what is for services and users.
    refused(server.post("/publish", &json!({ "type": "a" })).bearer_auth(KEY), 401, "unauthenticated").await;
    refused(server.get("/events").bearer_auth(KEY), 401, "token_invalid").await;
    let answer = publish(&server).bearer_auth(KEY).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), server.app.services.streams.cursor().seq), (200, 1));
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn clients_are_told_page_by_page() {
    let server = Server::dev(&[FLAG]).await;
    let ada = server.log_in("ada", "admin", &["ops", "dev.*"]).await;
    let bob = server.log_in("bob", "", &[]).await;
    let first = ada.stream("&types=projects,compute.*").await;
    let _second = Stream::open(server.get("/events").bearer_auth(bob.token().await)).await;
    let _third = ada.stream("").await;
    let page = async |query: &str| {
        let response = server.get(&format!("/clients{query}")).bearer_auth(KEY).send().await.unwrap();
        assert_eq!(response.status(), 200);
        body_of(response).await
    };
    let one = page("?limit=2").await;
    assert_eq!((one["total"].as_u64(), one["clients"].as_array().unwrap().len()), (Some(3), 2));
    let of_ada = &one["clients"][0];
    for (name, value) in [
        ("client", json!(first.hello.client)),
        ("user", json!("ada")),
        ("role", json!("admin")),
        ("channels", json!(["ops", "dev.*"])),
        ("types", json!(["projects", "compute.*"])),
        ("transport", json!("native")),
        ("address", json!("127.0.0.1")),
        ("cursor", json!(first.hello.after.text())),
        ("lag", json!(0)),
    ] {
        assert_eq!(of_ada[name], value, "{name}");
    }
    assert_eq!((&one["clients"][1]["transport"], &one["clients"][1]["types"]), (&json!("fetch"), &json!(null)));
    let two = page(&format!("?limit=2&after={}", one["next"])).await;
    assert_eq!((two["clients"].as_array().unwrap().len(), &two["next"]), (1, &json!(null)));
    assert_eq!(page("?user=bob").await["total"], 1);
    assert_eq!(page("?user=nobody").await["clients"], json!([]));
    for bad in ["?limit=-1", "?limit=1&limit=2", "?after=x", "?sort=user"] {
        refused(server.get(&format!("/clients{bad}")).bearer_auth(KEY), 400, "bad_query").await;
    }
    assert_eq!(
        page("?limit=1000000").await["clients"].as_array().unwrap().len(),
        3,
        "more than there may be are no error"
    );
}

#[tokio::test]
async fn the_page_is_static_strict_and_never_markup() {
    let server = Server::dev(&[FLAG]).await;
    let hostile = server.log_in(HOSTILE, HOSTILE, &[HOSTILE]).await;
    let _stream = hostile.stream("").await;
    let typed = server.post("/admin/publish", &json!({ "type": HOSTILE })).bearer_auth(KEY);
    refused(typed, 400, "bad_type").await;
    let update = json!({ "type": "a", "data": HOSTILE, "key": HOSTILE, "to": format!("user:{HOSTILE}") });
    let answer = server.post("/admin/publish", &update).bearer_auth(KEY).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let moved = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let moved = moved.get(format!("{}/admin", server.url)).send().await.unwrap();
    assert_eq!((moved.status().as_u16(), moved.headers()["location"].to_str().unwrap()), (308, "/admin/"));
    for (path, kind) in [
        ("/admin/", "text/html; charset=utf-8"),
        ("/admin/page.js", "text/javascript; charset=utf-8"),
        ("/admin/table.js", "text/javascript; charset=utf-8"),
        ("/admin/page.css", "text/css; charset=utf-8"),
        ("/admin/icon.svg", "image/svg+xml"),
        ("/admin/now", "application/json"),
    ] {
        let response = server.get(path).bearer_auth(KEY).send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["content-type"], kind);
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in
            ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
        {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        let text = response.text().await.unwrap();
        assert_eq!(text.contains(HOSTILE), path == "/admin/now", "what users write is in data only: {path}");
        if path == "/admin/" {
            assert!(!text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick"), "{text}");
            assert!(text.split("<script").skip(1).all(|script| script.contains("src=\"page.js\"></script>")), "{text}");
            assert!(!text.contains("//"), "nothing is loaded from elsewhere: {text}");
        }
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!text.contains(sink), "{sink} in {path}");
        }
    }
    let now = body_of(server.get("/admin/now").bearer_auth(KEY).send().await.unwrap()).await;
    assert_eq!((&now["tail"][0]["to"][0], &now["types"][0]["type"]), (&json!(format!("user:{HOSTILE}")), &json!("a")));
    assert_eq!((now["streams"].as_u64(), &now["log"][0]), (Some(1), &json!(1)));
}

#[tokio::test]
async fn no_other_page_reads_it_and_the_tail_is_bounded() {
    let server = Server::dev(&[FLAG, "--cors-origin=https://app.example"]).await;
    let long = "x".repeat(5_000);
    server.publish(json!([{ "type": "a", "data": long }, { "type": "b" }])).await;
    for _ in 0..150 {
        server.app.services.updates.notify("c").await.unwrap();
    }
    server.publish(json!({ "type": "long", "data": long })).await;
    let response =
        server.get("/admin/now").bearer_auth(KEY).header("origin", "https://evil.example").send().await.unwrap();
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let now = body_of(response).await;
    assert_eq!(now["tail"].as_array().unwrap().len(), 100);
    let newest = &now["tail"][0];
    assert_eq!((&newest["type"], &newest["cut"]), (&json!("long"), &json!(true)));
    assert!(newest["data"].as_str().unwrap().len() <= 1_024);
    let types: Vec<_> = now["types"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["type"].as_str().unwrap(), one["updates"].as_u64().unwrap()))
        .collect();
    assert_eq!(types, [("long", 1), ("c", 150), ("b", 1), ("a", 1)]);
    let publish = server.request(Method::POST, "/admin/publish").bearer_auth(KEY).body(r#"{"type":"a"}"#);
    refused(publish.header("content-type", "text/plain"), 415, "unsupported_media_type").await;
}

#[tokio::test]
async fn metrics_are_open_where_one_tries_things_out_and_where_somebody_says_so() {
    for (flags, status) in
        [(&["--dev"][..], 200), (&["--metrics=open"], 200), (&["--dev", "--metrics=off"], 404), (&[FLAG], 401)]
    {
        let server = Server::start(flags).await;
        assert_eq!(server.get("/metrics").send().await.unwrap().status(), status, "{flags:?}");
        server.stop().await;
    }
}
