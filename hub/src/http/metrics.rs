//! `GET /metrics`: the counters, and what is read from the parts of the server when it is asked
//! for.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use metrics::{counter, gauge};

use super::{Services, extract::Admin};
use crate::{engine::Health, hub::Waits, poll::Poll, stream::Lag};

/// For the holder of the admin key.
pub(super) async fn metrics_for_admin(from: State<Services>, _: Admin) -> Response {
    metrics(from).await
}

pub(super) async fn metrics(State(from): State<Services>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], render(&from)).into_response()
}

/// Returns the text for Prometheus.
#[must_use]
pub fn render(from: &Services) -> String {
    let (counts, (updates, bytes)) = from.streams.counts();
    let lag = from.streams.lag();
    let mut text = from.metrics.render(|| {
        counter!("tinysse_frames_total").absolute(counts.frames);
        counter!("tinysse_frames_replayed_total").absolute(counts.replayed);
        counter!("tinysse_replays_total", "result" => "hit").absolute(counts.hits);
        counter!("tinysse_replays_total", "result" => "miss").absolute(counts.misses);
        counter!("tinysse_updates_skipped_total").absolute(counts.skipped);
        counter!("tinysse_updates_coalesced_total").absolute(from.updates.coalesced());
        gauge!("tinysse_cursor_lag_max").set(lag.most as f64);
        for (bound, streams) in Lag::BOUNDS.iter().zip(lag.streams) {
            gauge!("tinysse_streams_behind", "more_than" => bound.to_string()).set(streams as f64);
        }
        counter!("tinysse_beats_total").absolute(counts.beats);
        for (gap, count) in &counts.resyncs {
            counter!("tinysse_resyncs_total", "gap" => gap.as_str()).absolute(*count);
        }
        counter!("tinysse_updates_passed_over_total").absolute(counts.passed_over);
        gauge!("tinysse_updates_owed").set(from.updates.owed().count() as f64);
        gauge!("tinysse_log_waiting").set(from.updates.waiting() as f64);
        gauge!("tinysse_log_writable").set(f64::from(u8::from(from.engine.health() == Health::Good)));
        gauge!("tinysse_log_updates").set(updates as f64);
        gauge!("tinysse_log_bytes").set(bytes as f64);
        from.pollers.polls().iter().for_each(|poll| poll_gauges(poll));
    });
    histogram(&mut text, &counts.waits);
    text
}

fn poll_gauges(poll: &Poll) {
    let (view, kind) = (poll.view(), poll.kind().to_owned());
    if let Some(age) = view.age_ms {
        gauge!("tinysse_poll_age_seconds", "type" => kind.clone()).set(age as f64 / 1_000.0);
    }
    gauge!("tinysse_poll_stale", "type" => kind.clone()).set(f64::from(u8::from(view.stale)));
    gauge!("tinysse_poll_active", "type" => kind.clone()).set(f64::from(u8::from(poll.works())));
    gauge!("tinysse_poll_failures_in_a_row", "type" => kind).set(f64::from(view.failures));
}

/// Written here, since it is counted in the hub, where that costs least.
///
/// Source: Prometheus, "Exposition formats", histograms.
fn histogram(text: &mut String, waits: &Waits) {
    const NAME: &str = "tinysse_publish_to_write_seconds";
    let seconds = |ms: u64| ms as f64 / 1_000.0;
    text.push_str(&format!(
        "# HELP {NAME} From publishing an update to writing it to a stream that was open, in whole milliseconds.\n\
         # TYPE {NAME} histogram\n"
    ));
    for (bound, count) in waits.below() {
        text.push_str(&format!("{NAME}_bucket{{le=\"{}\"}} {count}\n", seconds(bound)));
    }
    let (sum, count) = (seconds(waits.sum_ms()), waits.count());
    text.push_str(&format!("{NAME}_bucket{{le=\"+Inf\"}} {count}\n{NAME}_sum {sum}\n{NAME}_count {count}\n\n"));
}
