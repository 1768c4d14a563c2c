//! The settings as they count, for people: each under the name it has in the file, secrets hidden.

use std::fmt::Display;

use axum::http::Uri;

use super::Config;
use tinysse_hub::{
    auth::{self, KeySource, SessionRules},
    http,
    hub::{HubConfig, SlowRules, written},
    poll::{self, Target},
    publish::{self, backpressure::Backpressure},
    serve,
    settings::{Settings, Storage},
    stream,
    values::{Place, Rate, Secret, Span},
};

/// A setting's name and value.
pub type Shown = (&'static str, String);

const HIDDEN: &str = "[hidden]";
const NONE: &str = "-";

/// Whatever is added to the settings must be added here: nothing is left out by a `..`.
pub(super) fn shown(config: &Config) -> Vec<Shown> {
    let Config { listen, hub, otlp, log, warnings: _ } = config;
    let Settings { log: stored, storage, auth, stream, publish, poll, http, serve } = hub;
    let stream::Settings {
        spread_rate,
        slow: SlowRules { lag, rules },
        max_streams,
        max_streams_user,
        max_streams_address,
        max_age,
        end_with_token,
        stall_timeout,
        drain_window,
    } = stream;
    let publish::Settings { batch, waiting: Backpressure { count, bytes } } = publish;
    let poll::Settings { targets, lease } = poll;
    let http::Settings {
        cors_origins,
        trusted_proxies,
        request_timeout,
        token_rate_address,
        connect_rate_address,
        pages,
        metrics,
        admin: _,
        dev,
        hosts: _,
    } = http;
    let serve::Settings { max_connections, max_connections_address, head_timeout, grace: _, tls } = serve;
    let auth::Settings { issuer, token_ttl, session_ttl, publish_key, admin_key, token_rate, .. } = auth;
    let HubConfig { max_count, max_age_ms, max_bytes, beat_ms, retry_ms, linger_ms } = stored;
    let ms = |ms: u64| span(Span::of_ms(ms));
    let origins = cors_origins.iter().map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned());
    let mut out = vec![("listen", listen.to_string()), ("dev", dev.to_string())];
    out.extend(kept(storage));
    out.extend([
        ("publish-key", secret(publish_key.as_ref())),
        ("issuer", issuer.clone()),
        ("token-ttl", span(*token_ttl)),
        ("session-ttl", span(*session_ttl)),
        ("beat", ms((*beat_ms).into())),
        ("retry", ms((*retry_ms).into())),
        ("max-stream-age", span(*max_age)),
        ("linger", ms((*linger_ms).into())),
        ("end-with-token", end_with_token.to_string()),
        ("log-max-count", max_count.to_string()),
        ("log-max-age", ms(*max_age_ms)),
        ("log-max-bytes", max_bytes.to_string()),
        ("cors-origin", list(origins)),
        ("pages", maybe(pages.as_ref().map(|dir| dir.display()))),
        // Addresses may hold passwords.
        ("poll", list(targets.iter().map(polled))),
        ("poll-lease", span(*lease)),
        ("batch", list(batch.iter().map(|(pattern, window)| format!("{}={}", written(pattern), span(*window))))),
        ("slow", list(rules.iter().map(|(pattern, slow)| format!("{}={}", written(pattern), slow.as_str())))),
        ("slow-lag", lag.to_string()),
        ("publish-waiting", count.to_string()),
        ("publish-waiting-bytes", bytes.to_string()),
        ("spread-rate", spread_rate.to_string()),
        ("max-streams", max_streams.to_string()),
        ("stall-timeout", span(*stall_timeout)),
        ("drain-window", span(*drain_window)),
    ]);
    out.extend([
        ("admin-key", secret(admin_key.as_ref())),
        ("metrics", metrics.as_str().to_owned()),
        ("tls-cert", maybe(tls.as_ref().map(|tls| tls.cert.display()))),
        ("tls-key", maybe(tls.as_ref().map(|tls| tls.key.display()))),
    ]);
    out.extend(who(auth));
    out.extend([
        ("token-rate", rate(*token_rate)),
        ("token-rate-address", rate(*token_rate_address)),
        ("connect-rate-address", rate(*connect_rate_address)),
        ("max-streams-user", max_streams_user.to_string()),
        ("max-streams-address", max_streams_address.to_string()),
        ("max-connections", max_connections.to_string()),
        ("max-connections-address", max_connections_address.to_string()),
        ("trusted-proxy", list(trusted_proxies)),
        ("head-timeout", span(*head_timeout)),
        ("request-timeout", span(*request_timeout)),
    ]);
    out.push(("otlp", maybe(otlp.as_ref().map(collector))));
    out.push(("log", log.to_string()));
    out
}

fn polled(
    Target { kind, url, every, timeout, max_stale, max_bytes, compare: _, send_value: _, audience: _, headers: _ }: &Target,
) -> String {
    let (host, every, timeout, max_stale) =
        (url.host().unwrap_or_default(), span(*every), span(*timeout), span(*max_stale));
    format!("{kind}={host} (every {every}, timeout {timeout}, max-stale {max_stale}, max-bytes {max_bytes})")
}

fn collector(place: &Secret) -> String {
    let uri = place.expose().parse::<Uri>().ok();
    format!("at {}", uri.as_ref().and_then(Uri::host).unwrap_or_default())
}

fn kept(storage: &Storage) -> Vec<Shown> {
    match storage {
        Storage::Memory => vec![("memory", "true".to_owned())],
        Storage::File { folder, durability } => {
            vec![("data", folder.display().to_string()), ("durability", durability.as_str().to_owned())]
        }
        // The address may hold a password.
        Storage::Redis(place) => vec![
            ("redis", HIDDEN.to_owned()),
            ("redis-prefix", place.prefix.clone()),
            ("redis-ca", maybe(place.ca.as_ref().map(|file| file.display()))),
        ],
    }
}

fn who(settings: &auth::Settings) -> Vec<Shown> {
    let auth::Settings {
        keys: _,
        sources: KeySource { files, secrets },
        skew,
        single_use,
        sessions,
        directory,
        directory_key,
        directory_ttl,
        revocations,
        reload_every,
        issuer: _,
        token_ttl: _,
        session_ttl: _,
        publish_key: _,
        admin_key: _,
        token_rate: _,
    } = settings;
    let SessionRules { secret: of_app, jwks, own: _, issuer, audience, cookie } = sessions;
    vec![
        ("secret", secret(secrets.first())),
        ("previous-secret", list(secrets.iter().skip(1).map(|_| HIDDEN))),
        ("token-key", list(files.iter().map(|file| file.display()))),
        ("clock-skew", span(*skew)),
        ("single-use", single_use.to_string()),
        ("session-secret", secret(of_app.as_ref())),
        ("session-jwks", place(jwks.as_ref())),
        ("session-issuer", issuer.clone()),
        ("session-audience", audience.clone()),
        ("session-cookie", cookie.clone()),
        ("directory", place(directory.as_ref())),
        ("directory-key", secret(directory_key.as_ref())),
        ("directory-ttl", span(*directory_ttl)),
        ("revocations", maybe(revocations.as_ref().map(|file| file.display()))),
        ("reload-every", span(*reload_every)),
    ]
}

fn secret(secret: Option<&Secret>) -> String {
    maybe(secret.map(|_| HIDDEN))
}

fn place(place: Option<&Place>) -> String {
    maybe(place.map(|place| match place {
        Place::File(path) => path.display().to_string(),
        Place::Url(url) => format!("at {}", url.host().unwrap_or_default()),
    }))
}

fn maybe(value: Option<impl Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

fn list(values: impl IntoIterator<Item = impl Display>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    if values.is_empty() { NONE.to_owned() } else { values.join(",") }
}

/// In the largest unit that it is whole in, as one would write it.
fn span(span: Span) -> String {
    let ms = span.ms();
    let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let whole = units.into_iter().find(|(unit, _)| ms > 0 && ms.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
}

fn rate(Rate(rate): Rate) -> String {
    rate.map_or_else(|| "off".to_owned(), |(count, per)| format!("{count}/{}", span(per).trim_start_matches('1')))
}
