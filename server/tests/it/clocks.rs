//! Clocks that are ahead, behind or set anew, by injection. What orders logins and revocations is
//! no clock.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use tinysse::proto::audience::Identity;
use tinysse_hub::{app::Overrides, clock::Clock};

use crate::{
    redis::Redis,
    support::{Server, Stream, User, refused, until},
};

const DEV: [&str; 3] = ["--dev", "--drain-window=100ms", "--linger=50ms"];

/// A server whose time of day is shifted by as many milliseconds as the number holds.
async fn server(args: &[&str], ms: i64) -> (Server, &'static AtomicI64) {
    let shift: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(ms)));
    let own = Overrides { clock: Some(Clock::shifted(shift)), ..Overrides::default() };
    (Server::with(&[&DEV[..], args].concat(), own).await, shift)
}

/// The session opens a stream.
async fn opens(user: &User<'_>) -> Stream {
    assert_eq!(user.get("/auth/me").send().await.unwrap().status(), 200);
    user.stream("").await
}

#[tokio::test]
async fn thousands_of_logins_within_a_moment_are_all_good() {
    let (server, _) = server(&[], 0).await;
    let mut last = String::new();
    for _ in 0..10_000 {
        last = server.app.services.auth.log_in(Identity { user: "ada".into(), ..Identity::default() });
    }
    let answer = server.post("/auth/sse-token", &json!({})).bearer_auth(&last).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let token = crate::support::body_of(answer).await["token"].as_str().unwrap().to_owned();
    Stream::open(server.get("/events").bearer_auth(&token)).await;
    // Tokens for the users of an app that knows them by itself.
    for _ in 0..10_000 {
        last = server.app.services.auth.issue_for(Identity { user: "bob".into(), ..Identity::default() }, "").unwrap();
    }
    let mut stream = Stream::open(server.get("/events").bearer_auth(&last)).await;
    // All of them come before a revocation, and a login behind it is good.
    server.revoke(json!({ "user": "bob" })).await;
    assert_eq!(stream.bye().await, "revoked");
    refused(server.get("/events").bearer_auth(&last), 401, "token_revoked").await;
    let again = server.app.services.auth.issue_for(Identity { user: "bob".into(), ..Identity::default() }, "").unwrap();
    Stream::open(server.get("/events").bearer_auth(&again)).await;
    server.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_ends_no_login() {
    let (server, shift) = server(&[], 0).await;
    let before = server.log_in("ada", "", &[]).await;
    let token = before.token().await;
    shift.store(-30_000, Ordering::Relaxed);
    let mut streams = [
        opens(&before).await,
        Stream::open(server.get("/events").bearer_auth(&token)).await,
        opens(&server.log_in("ada", "", &[]).await).await,
    ];
    // And no revocation is lost by it.
    assert_eq!(server.revoke(json!({ "user": "ada" })).await, 3);
    for stream in &mut streams {
        assert_eq!(stream.bye().await, "revoked");
    }
    refused(before.get("/auth/me"), 401, "unauthenticated").await;
    refused(server.get("/events").bearer_auth(&token), 401, "token_revoked").await;
    opens(&server.log_in("ada", "", &[]).await).await;
    server.stop().await;
}

#[tokio::test]
async fn a_revocation_by_a_node_ahead_ends_no_later_login_on_any_node() {
    let Some(redis) = Redis::start().await else { return };
    let flag = redis.flag();
    let ((ahead, _), (right, _)) = (server(&[&flag], 60_000).await, server(&[&flag], 0).await);
    let old = right.log_in("ada", "", &[]).await;
    let mut stream = opens(&old).await;
    ahead.revoke(json!({ "user": "ada" })).await;
    assert_eq!(stream.bye().await, "revoked");
    let new = right.log_in("ada", "", &[]).await;
    opens(&new).await;
    refused(old.get("/auth/me"), 401, "unauthenticated").await;
    // The login holds on the other node, and one there holds here.
    let there = ahead.log_in("ada", "", &[]).await;
    for (server, user) in [(&ahead, &new), (&right, &there), (&ahead, &there)] {
        let me = server.get("/auth/me").header("cookie", &user.cookie).send().await.unwrap();
        assert_eq!(me.status(), 200);
    }
    // And all of them end with the next revocation, which is made where the clock is behind.
    right.revoke(json!({ "user": "ada" })).await;
    for user in [&new, &there] {
        refused(right.get("/auth/me").header("cookie", &user.cookie), 401, "unauthenticated").await;
        until("the other node knows", || async {
            ahead.get("/auth/me").header("cookie", &user.cookie).send().await.unwrap().status() == 401
        })
        .await;
    }
    // A node that starts afterwards agrees.
    let (later, _) = server(&[&flag], 0).await;
    refused(later.get("/auth/me").header("cookie", &there.cookie), 401, "unauthenticated").await;
    let last = later.log_in("ada", "", &[]).await;
    opens(&last).await;
    for server in [ahead, right, later] {
        server.stop().await;
    }
}
