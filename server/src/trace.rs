//! Spans of requests, for a collector of OpenTelemetry: method, path and status, with the log's
//! lines meanwhile.
//!
//! Only paths leave the server, as in the log: the query of a stream holds a token.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use crate::{config::Config, http::SPANS};

/// What sends spans away.
#[derive(Debug)]
pub struct Spans(SdkTracerProvider);

impl Spans {
    /// To the collector that is configured, if there is one. Outside of the runtime: the sender
    /// waits on a thread of its own, and what comes too fast for it is dropped.
    ///
    /// # Errors
    /// Nothing can be sent to that address.
    pub fn start(config: &Config) -> Result<Option<Self>, ExporterBuildError> {
        let Some(place) = &config.otlp else { return Ok(None) };
        let exporter = SpanExporter::builder().with_http().with_endpoint(place.expose()).build()?;
        let resource = Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).build();
        Ok(Some(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())))
    }

    /// For the registry, beside the layer of the log and with the same targets. The sender's own
    /// requests are not among them, or there would be no end.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self, log: &Targets) -> impl Layer<S> + use<S> {
        let tracer = self.0.tracer(env!("CARGO_PKG_NAME"));
        let ours = log.iter().filter(|(target, _)| target.starts_with("tinysse"));
        let default = log.default_level().unwrap_or(tracing::level_filters::LevelFilter::OFF);
        let ours =
            Targets::new().with_target("tinysse", default).with_targets(ours).with_target(SPANS, tracing::Level::INFO);
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours)
    }

    /// Sends what waits, and ends. Outside of the runtime.
    pub fn stop(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(target: "tinysse::server", %error, "spans were not sent");
        }
    }
}
