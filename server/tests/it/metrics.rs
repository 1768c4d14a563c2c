//! What `/metrics` reports of streams whose life is known.

use serde_json::json;
use tinysse::proto::wire::control::Gap;

use crate::support::{Server, Stream, until};

#[tokio::test]
async fn streams_are_counted_by_transport_and_by_how_they_ended() {
    let mut server = Server::dev(&[]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let (native, fetch) =
        (ada.stream("").await, Stream::open(server.get("/events").bearer_auth(ada.token().await)).await);
    for transport in ["native", "fetch"] {
        let series = |name: &str| format!("tinysse_streams_{name}{{transport=\"{transport}\"}}");
        assert_eq!(server.metric(&series("open")).await, 1.0);
        assert_eq!(server.metric(&series("opened_total")).await, 1.0);
    }
    drop(native);
    let ended =
        |transport, reason| format!("tinysse_streams_closed_total{{reason=\"{reason}\",transport=\"{transport}\"}}");
    until("left", || async { server.metric(&ended("native", "client")).await == 1.0 }).await;
    assert_eq!(server.metric("tinysse_streams_open{transport=\"native\"}").await, 0.0);
    drop(fetch);
    until("left", || async { server.metric(&ended("fetch", "client")).await == 1.0 }).await;
    let mut last = ada.stream("").await;
    drop(ada);
    server.begin_stop();
    assert_eq!(last.bye().await, "drain");
    let metrics = tinysse_hub::http::render_metrics(&server.app.services);
    assert_eq!(crate::support::metric(&metrics, &ended("native", "drain")), 1.0, "{metrics}");
    server.stop().await;
}

#[tokio::test]
async fn what_is_live_is_timed_and_what_is_replayed_is_not() {
    let server = Server::dev(&["--batch=thin=100ms"]).await;
    let ada = server.log_in("ada", "", &[]).await;
    let mut live = ada.stream("").await;
    let ids = server.publish(json!([{ "type": "a" }, { "type": "b" }])).await;
    live.types_until("b").await;
    let mut late = ada.stream(&format!("&lastEventId={}", ids[0])).await;
    assert_eq!((late.hello.gap, late.update().await.event.as_str()), (Gap::None, "b"));
    ada.stream("&lastEventId=dead.1").await;
    for (series, value) in [
        ("tinysse_frames_total", 3.0),
        ("tinysse_frames_replayed_total", 1.0),
        ("tinysse_publish_to_write_seconds_count", 2.0),
        ("tinysse_publish_to_write_seconds_bucket{le=\"+Inf\"}", 2.0),
        ("tinysse_replays_total{result=\"hit\"}", 1.0),
        ("tinysse_replays_total{result=\"miss\"}", 1.0),
        ("tinysse_cursor_lag_max", 0.0),
        ("tinysse_streams_behind{more_than=\"0\"}", 0.0),
    ] {
        assert_eq!(server.metric(series).await, value, "{series}");
    }
    // The first passes, the second waits for its window, the third takes its place.
    for _ in 0..3 {
        server.app.services.updates.notify("thin").await.unwrap();
    }
    assert_eq!(server.metric("tinysse_updates_coalesced_total").await, 1.0);
    server.stop().await;
}
