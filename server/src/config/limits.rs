//! The flags of how much one user or one address may have.

use super::{ConfigError, RawConfig, between};
use tinysse_hub::{
    http, serve, stream,
    values::{Rate, Span},
};

/// No cap is higher.
pub(super) const MOST: usize = 10_000_000;

/// Returns a rate; with `--dev` there is none unless it is given: a developer is one user with many
/// tabs, and tokens that last for seconds.
pub(super) fn rate(given: Option<Rate>, default: &str, dev: bool) -> Rate {
    given.or_else(|| default.parse().ok().filter(|_| !dev)).unwrap_or(Rate::OFF)
}

/// Sets the caps and rates of all parts. An address is an IPv4 address or the /64 of an IPv6
/// address.
pub(super) fn resolve(
    layer: &RawConfig,
    dev: bool,
    stream: &mut stream::Settings,
    http: &mut http::Settings,
    serve: &mut serve::Settings,
) -> Result<(), ConfigError> {
    let many = |name: &str, given: Option<usize>, default| between(name, given.unwrap_or(default), 1, MOST);
    let span = |name: &str, given: Option<Span>, default| {
        between(&format!("{name} (in milliseconds)"), given.map_or(default, Span::ms), 100, 3_600_000).map(Span::of_ms)
    };
    stream.max_streams = many("--max-streams", layer.max_streams, 10_000)?;
    stream.max_streams_user = many("--max-streams-user", layer.max_streams_user, if dev { MOST } else { 100 })?;
    stream.max_streams_address = many("--max-streams-address", layer.max_streams_address, 1_000)?;
    let fitting = stream.max_streams.saturating_add(1_000).min(MOST);
    serve.max_connections = many("--max-connections", layer.max_connections, fitting)?;
    serve.max_connections_address = many("--max-connections-address", layer.max_connections_address, 1_200)?;
    if !layer.trusted_proxy.is_empty() {
        http.trusted_proxies.clone_from(&layer.trusted_proxy);
    }
    serve.head_timeout = span("--head-timeout", layer.head_timeout, 60_000)?;
    http.request_timeout = span("--request-timeout", layer.request_timeout, 30_000)?;
    http.token_rate_address = rate(layer.token_rate_address, "1200/m", dev);
    http.connect_rate_address = rate(layer.connect_rate_address, "2400/m", dev);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const SECRET: &str = "--secret=0123456789abcdef0123456789abcdef";

    #[test]
    fn limits_are_there_unless_one_tries_things_out() {
        let limits = |args: &[&str]| Config::from_args(["tinysse-server"].iter().chain(args)).expect("complete").hub;
        let rate = |text: &str| text.parse::<tinysse_hub::values::Rate>().expect("a rate");
        let (strict, dev) = (limits(&[SECRET]), limits(&["--dev"]));
        assert_eq!(
            (strict.auth.token_rate, strict.stream.max_streams_user, strict.serve.max_connections),
            (rate("120/m"), 100, 11_000)
        );
        assert_eq!((dev.auth.token_rate, dev.http.connect_rate_address), (rate("off"), rate("off")));
        assert_eq!(limits(&["--dev", "--token-rate=3/s"]).auth.token_rate, rate("3/s"));
        let proxies = limits(&[SECRET, "--trusted-proxy=10.0.0.0/8,2001:db8::/32"]).http.trusted_proxies;
        assert_eq!(proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "2001:db8::/32"]);
    }
}
