//! The counters that Prometheus reads. They are counted by label and know no other module. Every
//! label has few values: types past the first 64 are counted as `other`.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use metrics::{Counter, Gauge, counter, gauge, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// The transports of streams.
const TRANSPORTS: [&str; 2] = ["native", "fetch"];
/// The protocol of most connections.
const PLAIN: &str = "http/1.1";
/// Types that get a series of their own.
const MAX_TYPES: usize = 64;

/// The counters of one server. Not the process's global recorder: several servers may live in one
/// process.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    types: Mutex<BTreeSet<String>>,
    /// What every stream counts, looked up once: by transport, opened and open.
    streams: [(Counter, Gauge); 2],
    /// Connections that speak HTTP/1.1 without TLS.
    plain: Counter,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let (streams, plain) = with_local_recorder(&recorder, || {
            describe();
            let streams = TRANSPORTS.map(|transport| {
                (
                    counter!("tinysse_streams_opened_total", "transport" => transport),
                    gauge!("tinysse_streams_open", "transport" => transport),
                )
            });
            (streams, counter!("tinysse_connections_total", "protocol" => PLAIN))
        });
        Self { recorder, handle, types: Mutex::default(), streams, plain }
    }
}

impl Metrics {
    /// A stream opened.
    pub fn opened(&self, transport: &str) {
        let Some((opened, open)) = self.stream(transport) else { return };
        opened.increment(1);
        open.increment(1.0);
    }

    /// A stream ended: `client`, `drain`, `rotate`, `token`, `revoked`, `slow`, `cut`, `error`.
    pub fn closed(&self, reason: &'static str, transport: &'static str) {
        let Some((_, open)) = self.stream(transport) else { return };
        open.decrement(1.0);
        self.record(|| {
            counter!("tinysse_streams_closed_total", "reason" => reason, "transport" => transport).increment(1);
        });
    }

    /// A client was sent away with a time to come back.
    pub fn shed(&self, transport: &'static str) {
        self.record(|| counter!("tinysse_streams_shed_total", "transport" => transport).increment(1));
    }

    /// A connection speaks `http/1.1`, `https/1.1` or `h2`.
    pub fn connected(&self, protocol: &'static str) {
        if protocol == PLAIN {
            return self.plain.increment(1);
        }
        self.record(|| counter!("tinysse_connections_total", "protocol" => protocol).increment(1));
    }

    /// A connection never got so far as to speak HTTP.
    pub fn handshake_failed(&self) {
        self.record(|| counter!("tinysse_tls_failures_total").increment(1));
    }

    /// A connection was closed because its address has too many.
    pub fn too_many_connections(&self) {
        self.record(|| counter!("tinysse_connections_refused_total").increment(1));
    }

    /// An update went into the log.
    pub fn published(&self, kind: &str, receivers: usize) {
        let label = self.label(kind);
        self.record(|| {
            counter!("tinysse_updates_total", "type" => label).increment(1);
            counter!("tinysse_update_receivers_total").increment(receivers as u64);
        });
    }

    /// An update was refused.
    pub fn unpublished(&self, why: &'static str) {
        self.record(|| counter!("tinysse_updates_refused_total", "why" => why).increment(1));
    }

    /// A request was refused as unauthenticated or forbidden, or as one too many.
    pub fn refused(&self, code: &'static str) {
        self.record(|| counter!("tinysse_auth_failures_total", "code" => code).increment(1));
    }

    /// A poller had an answer, or none.
    pub fn polled(&self, kind: &str, outcome: &'static str) {
        let label = kind.to_owned();
        self.record(|| counter!("tinysse_polls_total", "type" => label, "outcome" => outcome).increment(1));
    }

    /// Returns the text for Prometheus, with what `current` sets on the [`metrics`] macros put in.
    #[must_use]
    pub fn render(&self, current: impl FnOnce()) -> String {
        self.record(current);
        self.handle.run_upkeep();
        self.handle.render()
    }

    fn stream(&self, transport: &str) -> Option<&(Counter, Gauge)> {
        let known = TRANSPORTS.iter().position(|known| *known == transport)?;
        self.streams.get(known)
    }

    fn record<T>(&self, what: impl FnOnce() -> T) -> T {
        with_local_recorder(&self.recorder, what)
    }

    fn label(&self, kind: &str) -> String {
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        if types.contains(kind) {
            return kind.to_owned();
        }
        if types.len() >= MAX_TYPES {
            return "other".to_owned();
        }
        types.insert(kind.to_owned());
        kind.to_owned()
    }
}

fn describe() {
    use metrics::{describe_counter, describe_gauge};
    describe_gauge!("tinysse_streams_open", "Streams that are open, by transport.");
    describe_counter!("tinysse_streams_opened_total", "Streams that were opened, by transport.");
    describe_counter!("tinysse_streams_closed_total", "Streams that ended, by reason and transport.");
    describe_counter!("tinysse_streams_shed_total", "Clients sent away with a time to come back, by transport.");
    describe_counter!("tinysse_connections_total", "Connections, by protocol.");
    describe_counter!("tinysse_tls_failures_total", "Connections that did not get through TLS.");
    describe_gauge!("tinysse_cursor_lag_max", "Updates that the slowest stream is behind the log.");
    describe_gauge!("tinysse_streams_behind", "Streams that wait for more than so many updates.");
    describe_counter!("tinysse_frames_replayed_total", "Frames that were older than the stream they were given to.");
    describe_counter!("tinysse_replays_total", "Streams that showed a cursor: hit if they went on there, miss if not.");
    describe_counter!("tinysse_updates_skipped_total", "Places of the log that slow streams were moved over.");
    describe_counter!("tinysse_updates_coalesced_total", "Updates that a later one of their window replaced.");
    describe_counter!("tinysse_connections_refused_total", "Connections closed because their address has too many.");
    describe_counter!("tinysse_updates_total", "Updates taken into the log, by type.");
    describe_counter!("tinysse_update_receivers_total", "Streams that updates were live for.");
    describe_counter!("tinysse_updates_refused_total", "Updates refused.");
    describe_counter!(
        "tinysse_auth_failures_total",
        "Requests refused as unauthenticated, forbidden or too many, by code."
    );
    describe_counter!("tinysse_frames_total", "Frames of updates given to streams.");
    describe_counter!("tinysse_beats_total", "Beats given to silent streams.");
    describe_counter!("tinysse_resyncs_total", "Clients told that they missed something, by gap.");
    describe_counter!("tinysse_updates_passed_over_total", "Updates that slow readers did without, as --slow says.");
    describe_gauge!("tinysse_updates_owed", "Types and audiences whose change the log did not take yet.");
    describe_gauge!("tinysse_log_waiting", "Places of --publish-waiting that are taken by what waits for the log.");
    describe_gauge!("tinysse_log_writable", "1 if the last write of the log succeeded, else 0.");
    describe_gauge!("tinysse_log_updates", "Updates kept for replay.");
    describe_gauge!("tinysse_log_bytes", "Bytes of the updates kept for replay.");
    describe_gauge!("tinysse_poll_age_seconds", "Time since a poller's last good answer, by type.");
    describe_gauge!("tinysse_poll_failures_in_a_row", "A poller's failures since its last good answer, by type.");
    describe_gauge!("tinysse_poll_stale", "1 if a polled value is missing or older than it may be, else 0.");
    describe_gauge!("tinysse_poll_active", "1 if this node polls now, else 0: nobody looks, or another node polls.");
    describe_counter!("tinysse_polls_total", "Polls by type and outcome: changed, unchanged, not_modified, failed.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded() {
        let metrics = Metrics::default();
        for n in 0..1_000 {
            metrics.published(&format!("type{n}"), 1);
        }
        let text = metrics.handle.render();
        assert_eq!(text.lines().filter(|line| line.starts_with("tinysse_updates_total{")).count(), MAX_TYPES + 1);
        assert!(text.contains("tinysse_updates_total{type=\"other\"} 936"), "{text}");
    }
}
