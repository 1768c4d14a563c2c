//! Tests of flags, environment and configuration files.

use super::*;
use tinysse_hub::auth::key::Key;

fn config(args: &[&str]) -> Result<Config, String> {
    let args = ["tinysse-server"].into_iter().chain(args.iter().copied());
    Config::from_args(args).map_err(|error| error.to_string())
}

fn complaint(args: &[&str]) -> String {
    config(args).expect_err("must be refused")
}

const SECRET: &str = "--secret=0123456789abcdef0123456789abcdef";

#[test]
fn the_first_error_tells_what_to_do() {
    assert!(complaint(&[]).contains("--secret"));
    assert!(complaint(&["--secret=short"]).contains("32 bytes"));
    assert!(complaint(&[SECRET, "--publish-key=short"]).contains("--publish-key"));
    assert!(complaint(&["--dev", "--listen=0.0.0.0:1"]).contains("loopback"));
    assert!(complaint(&["--dev", "--token-ttl=60"]).contains("60"));
    assert!(complaint(&["--dev", "--token-ttl=1ms"]).contains("--token-ttl"));
    assert!(complaint(&["--dev", "--pages=nowhere"]).contains("index.html"));
    assert!(complaint(&["--dev", "--log-max-count=0"]).contains("--log-max-count"));
    assert!(complaint(&["--dev", "--batch=a*b=1s"]).contains("--batch"));
    assert!(complaint(&["--dev", "--log=info,=x=y"]).contains("--log"));
    assert!(complaint(&["--dev", "--memory", "--data=x"]).contains("one of them"));
    assert!(complaint(&["--dev", "--memory", "--durability=sync"]).contains("--durability"));
    assert!(complaint(&["--dev", "--durability=often"]).contains("often"));
    assert!(complaint(&["--dev", "--nonsense"]).contains("--nonsense"));
}

#[test]
fn no_complaint_repeats_a_secret() {
    for args in [
        &["--secret=hush-hush"][..],
        &[SECRET, "--publish-key=hush-hush"],
        &["--dev", "--poll=a=ftp://me:hush-hush@x/"],
    ] {
        assert!(!complaint(args).contains("hush-hush"));
    }
    let config = config(&[SECRET, "--publish-key=hush-hush-hush-hush"]).expect("complete");
    assert!(!format!("{config:?}").contains("hush-hush") && !format!("{config:?}").contains("0123456789"));
}

#[test]
fn dev_needs_nothing_and_serve_is_the_default() {
    for args in [&["--dev"][..], &["serve", "--dev"], &["--dev=true"]] {
        let config = config(args).expect("complete");
        assert!(config.hub.http.dev && config.listen.ip().is_loopback());
        assert_eq!(config.hub.auth.publish_key.map(|key| key.expose().to_owned()).as_deref(), Some(DEV_PUBLISH_KEY));
        let hub = HubConfig { linger_ms: 150, ..HubConfig::default() };
        assert_eq!((config.hub.log, config.hub.auth.token_ttl), (hub, Span::of_ms(60_000)));
    }
    let config = config(&[SECRET, "--dev=false"]).expect("complete");
    assert!(!config.hub.http.dev && config.hub.auth.publish_key.is_none());
}

#[test]
fn the_end_is_quick_with_dev_unless_spans_are_given() {
    let ends = |args: &[&str]| {
        let config = config(args).expect("complete");
        (config.hub.stream.drain_window.ms(), config.hub.log.linger_ms, config.hub.serve.grace.ms())
    };
    assert_eq!(ends(&["--dev"]), (0, 150, 100));
    assert_eq!(ends(&["--dev", "--drain-window=3s", "--linger=2s"]), (3_000, 2_000, 100));
    assert_eq!(ends(&[SECRET]), (5_000, 5_000, 2_000));
}

#[test]
fn origins_are_exact() {
    let config = config(&["--dev", "--cors-origin=https://app.example,http://localhost:5173"]).expect("complete");
    assert_eq!(config.hub.http.cors_origins, ["https://app.example", "http://localhost:5173"]);
    for bad in [
        "*",
        "null",
        "https://*.example",
        "https://app.example/",
        "app.example",
        "ftp://x",
        "https://a@b",
        "https://a/b",
    ] {
        assert!(complaint(&["--dev", &format!("--cors-origin={bad}")]).contains("--cors-origin"), "{bad}");
    }
}

#[test]
fn polls_have_a_type_and_an_address() {
    let config = config(&["--dev", "--poll=progress=http://127.0.0.1:3000/state?a=b", "--poll=other=http://x"])
        .expect("complete");
    assert_eq!(config.hub.poll.targets.len(), 2);
    assert_eq!(
        (config.hub.poll.targets[0].kind.as_str(), config.hub.poll.targets[0].url.query()),
        ("progress", Some("a=b"))
    );
    for bad in ["http://x", "tinysse.x=http://x", "a b=http://x", "a=x", "a=ftp://x", "a=/path"] {
        assert!(complaint(&["--dev", "--poll", bad]).contains("--poll"), "{bad}");
    }
    assert!(complaint(&["--dev", "--poll=a=http://x", "--poll=a=http://y"]).contains("another"));
}

#[test]
fn the_log_is_durable_by_default() {
    let keep = |args: &[&str]| config(&[&["--dev"], args].concat()).expect("complete").hub.storage;
    let file = |folder: &str, durability| Storage::File { folder: folder.into(), durability };
    assert_eq!(keep(&[]), file("tinysse-data", Durability::Group));
    assert_eq!(keep(&["--data=x", "--durability=sync"]), file("x", Durability::Sync));
    assert_eq!(keep(&["--memory=false", "--durability=memory"]), file("tinysse-data", Durability::Memory));
    assert_eq!(keep(&["--memory"]), Storage::Memory);
    let redis = |args: &[&str]| match keep(args) {
        Storage::Redis(place) => (place.url.expose().to_owned(), place.prefix),
        other @ (Storage::Memory | Storage::File { .. }) => panic!("{other:?}"),
    };
    assert_eq!(redis(&["--redis=redis://x"]), ("redis://x".into(), "tinysse".into()));
    assert_eq!(redis(&["--redis=redis://x", "--redis-prefix=a"]).1, "a");
    assert!(complaint(&["--dev", "--redis=redis://x", "--durability=group"]).contains("Redis is set to"));
    assert!(complaint(&["--dev", "--redis=redis://:hush-hush@x", "--redis-prefix={"]).contains("--redis-prefix"));
    for (bad, word) in [
        ("--redis=postgres://:hush-hush@x", "--redis"),
        ("--redis=rediss://:hush-hush@x#insecure", "--redis"),
        ("--redis=redis://:hush-hush@x", "certificates"),
    ] {
        let error = complaint(&["--dev", bad, "--redis-ca=nowhere.pem"]);
        assert!(error.contains(word) && !error.contains("hush"), "{error}");
    }
    assert_eq!(
        cfg!(feature = "redis-tls"),
        !complaint(&["--dev", "--redis=rediss://x", "--redis-ca=nowhere.pem"]).contains("redis-tls")
    );
    // The nearer layer wins, whichever of the two it names.
    let layer = |data: Option<&str>, memory| RawConfig { data: data.map(Into::into), memory, ..RawConfig::default() };
    let over = |above: RawConfig, below: RawConfig| {
        let both = above.over(below);
        (both.data, both.memory)
    };
    assert_eq!(over(layer(None, Some(true)), layer(Some("x"), None)), (None, Some(true)));
    assert_eq!(over(layer(Some("x"), None), layer(None, Some(true))), (Some("x".into()), None));
}

#[test]
fn flags_beat_the_file_and_the_file_beats_defaults() {
    let path = std::env::temp_dir().join(format!("tinysse-config-{}.toml", std::process::id()));
    let flag = format!("--config={}", path.display());
    std::fs::write(&path, "dev = true\ntoken-ttl = \"30s\"\nbeat = \"3s\"\npoll = [\"a=http://x\"]\n")
        .expect("written");
    let config = config(&[&flag, "--beat=4s"]).expect("complete");
    assert_eq!(
        (config.hub.auth.token_ttl.ms(), config.hub.log.beat_ms, config.hub.log.retry_ms),
        (30_000, 4_000, 2_500)
    );
    assert_eq!(config.hub.poll.targets.len(), 1);

    std::fs::write(&path, "dev = true\nsecret = \"hush-hush\"\ntoken-tll = \"30s\"\n").expect("written");
    let error = complaint(&[&flag]);
    assert!(error.contains("token-tll") && error.contains("token-ttl") && !error.contains("hush-hush"), "{error}");
    std::fs::write(&path, "secret = 12345\n").expect("written");
    assert!(complaint(&[&flag]).contains("--config"));
    std::fs::remove_file(&path).expect("removed");
    assert!(complaint(&[&flag]).contains("--config"));
}

#[test]
fn what_is_said_of_keys_sessions_and_rights_is_checked_at_the_start() {
    let pem = std::env::temp_dir().join(format!("tinysse-config-{}.pem", std::process::id()));
    let flag = format!("--token-key={}", pem.display());
    assert!(complaint(&[&flag]).contains("--token-key"));
    std::fs::write(&pem, "hush-hush").expect("written");
    assert!(complaint(&[&flag]).contains("--token-key") && !complaint(&[&flag]).contains("hush-hush"));
    std::fs::write(&pem, Key::generate().expose()).expect("written");
    let config = config(&[&flag, "--previous-secret=0123456789abcdef0123456789abcdef"]).expect("complete");
    assert_eq!(config.hub.auth.keys.len(), 2);
    assert!(!format!("{config:?}").contains("0123456789"));
    std::fs::remove_file(&pem).expect("removed");
    for (bad, named) in [
        ("--previous-secret=short", "--previous-secret"),
        ("--session-secret=short", "--session-secret"),
        ("--session-jwks=nowhere.json", "--session-jwks"),
        ("--session-jwks=ftp://x", "--session-jwks"),
        ("--session-cookie=a=b", "--session-cookie"),
        ("--directory=nowhere.toml", "--directory"),
        ("--directory=http://", "--directory"),
        ("--clock-skew=1h", "--clock-skew"),
        ("--token-rate=often", "--token-rate"),
        ("--trusted-proxy=everybody", "--trusted-proxy"),
        ("--max-streams-user=0", "--max-streams-user"),
        ("--head-timeout=1ms", "--head-timeout"),
    ] {
        assert!(complaint(&[SECRET, bad]).contains(named), "{bad}");
    }
}

#[test]
fn every_setting_is_shown_with_its_origin_and_no_secret() {
    let path = std::env::temp_dir().join(format!("tinysse-shown-{}.toml", std::process::id()));
    std::fs::write(&path, "token-ttl = \"30s\"\npublish-key = \"hush-hush-hush-hush\"\nbeat = \"7s\"\n")
        .expect("written");
    let flags = [
        &format!("--config={}", path.display()),
        SECRET,
        "--previous-secret=hush-hush-hush-hush-hush-hush-hush-hush",
        "--session-secret=hush-hush-hush-hush-hush-hush-hush-hush",
        "--admin-key=hush-hush-hush-hush",
        "--directory=http://me:hush-hush@rights.example/",
        "--poll=a=http://me:hush-hush@x/",
        "--batch=a.*=1500ms",
        "--data=.",
        "--beat=3m",
    ];
    let command = Command::from_args(["tinysse-server", "config", "check"].into_iter().chain(flags)).expect("complete");
    let Command::Check { config, origins } = command else { panic!("{command:?}") };
    let mut text = Vec::new();
    assert!(crate::check::run(&config, &origins, &mut text).expect("written"));
    let text = String::from_utf8(text).expect("utf-8");
    assert!(!text.contains("hush-hush") && !text.contains("0123456789"), "{text}");
    let (file, line) = (path.display().to_string(), |key: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{key} = ")))
            .unwrap_or_else(|| panic!("{key} in {text}"));
        line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")
    });
    for (key, shown) in [
        ("secret", "[hidden] # flag"),
        ("token-ttl", &*format!("30s # {file}:1")),
        ("publish-key", &*format!("[hidden] # {file}:2")),
        ("beat", "3m # flag"),
        ("batch", "a.*=1500ms # flag"),
        ("poll", "a=x (every 2s, timeout 5s, max-stale 6s, max-bytes 1048576) # flag"),
        ("token-rate", "120/m # default"),
        ("metrics", "admin # default"),
        ("directory", "at rights.example # flag"),
        ("session-jwks", "- # default"),
    ] {
        assert_eq!(line(key), shown, "{key}");
    }
    // No setting is forgotten. Where the log is kept, only one of the ways is shown; how often is
    // asked, with each poll.
    let arguments = <RawConfig as clap::Args>::augment_args(clap::Command::new(""));
    for key in arguments.get_arguments().filter_map(|arg| arg.get_long()) {
        let elsewhere = ["memory", "redis", "redis-prefix", "redis-ca", "poll-every", "poll-timeout"].contains(&key);
        assert_eq!(config.shown().iter().filter(|(shown, _)| *shown == key).count(), usize::from(!elsewhere), "{key}");
    }
    std::fs::remove_file(&path).expect("removed");
}

/// Wherever they are shown to the one who looks for a bug.
#[test]
fn settings_are_printed_without_passwords_of_addresses() {
    let args = [
        "",
        "--redis=redis://me:hush-hush@x/",
        "--otlp=http://me:hush-hush@x/v1/traces",
        "--directory=http://me:hush-hush@x/",
        "--session-jwks=http://me:hush-hush@x/",
        "--poll=a=http://me:hush-hush@x/",
        "--admin-key=hush-hush-hush-hush",
    ];
    let matches = <RawConfig as clap::Args>::augment_args(clap::Command::new("")).get_matches_from(args);
    let layer = <RawConfig as clap::FromArgMatches>::from_arg_matches(&matches).expect("complete");
    assert!(!format!("{layer:?}").contains("hush-hush"), "{layer:?}");
}

#[test]
fn who_gave_a_wrong_setting_is_named() {
    let path = std::env::temp_dir().join(format!("tinysse-blame-{}.toml", std::process::id()));
    let flag = format!("--config={}", path.display());
    std::fs::write(&path, "dev = true\npublish-key = \"x\"\nlog-max-count = 0\n").expect("written");
    let error = Config::from_args(["tinysse-server", &flag]).expect_err("too few");
    assert!(
        matches!(&error, ConfigError::Given { key, origin: Origin::File(_), .. } if key == "log-max-count"),
        "{error:?}"
    );
    assert!(error.to_string().ends_with(&format!("(from: {}:3)", path.display())), "{error}");
    let error = Config::from_args(["tinysse-server", &flag, "--log-max-count=0"]).expect_err("too few");
    assert!(matches!(&error, ConfigError::Given { origin: Origin::Flag, .. }), "{error:?}");
    std::fs::write(&path, "dev = true\ntoken-ttl = 5\n").expect("written");
    let place = format!("--config {}:2: token-ttl: ", path.display());
    assert!(complaint(&[&flag]).starts_with(&place), "{}", complaint(&[&flag]));
    std::fs::write(&path, "dev = true\n\nbeat = '3s\n").expect("written");
    assert!(complaint(&[&flag]).contains(&format!("{}:3: ", path.display())), "{}", complaint(&[&flag]));
    std::fs::write(&path, "dev = true\n[[poll]]\ntype = 'a'\nurl = 'http://x'\nevery = '1ms'\n").expect("written");
    assert!(complaint(&[&flag]).ends_with(&format!("(from: {}:5)", path.display())), "{}", complaint(&[&flag]));
    assert!(complaint(&["--dev", "--poll=a=ftp://x"]).ends_with("(from: flag)"));
    std::fs::remove_file(&path).expect("removed");
}

#[test]
fn a_place_that_can_not_be_used_is_found_before_the_start() {
    let file = std::env::temp_dir().join(format!("tinysse-place-{}", std::process::id()));
    std::fs::write(&file, "no folder").expect("written");
    let data = format!("--data={}", file.join("deeper").display());
    let command = Command::from_args(["tinysse-server", "config", "check", "--dev", &data]).expect("complete");
    let Command::Check { config, origins } = command else { panic!("{command:?}") };
    let mut text = Vec::new();
    assert!(!crate::check::run(&config, &origins, &mut text).expect("written"));
    let text = String::from_utf8(text).expect("utf-8");
    assert!(text.lines().last().is_some_and(|line| line.starts_with("error: --data (flag): ")), "{text}");
    std::fs::remove_file(&file).expect("removed");
}

#[test]
fn spans_go_to_an_address_if_they_can() {
    let otlp = |text: &str| {
        config(&["--dev", "--otlp", text]).map(|config| config.otlp.map(|place| place.expose().to_owned()))
    };
    let place = "http://127.0.0.1:4318/v1/traces";
    if cfg!(feature = "otlp") {
        assert_eq!(otlp(place), Ok(Some(place.to_owned())));
    } else {
        assert!(otlp(place).expect_err("not built").contains("--features otlp"));
    }
    for bad in ["ftp://me:hush-hush@x/", "/v1/traces", "127.0.0.1:4318"] {
        let error = otlp(bad).expect_err(bad);
        assert!(error.contains("--otlp") && !error.contains("hush-hush"), "{error}");
    }
}

#[test]
fn what_does_nothing_or_cannot_work_is_said() {
    let warned =
        |flags: &[&str]| config(&[&["--dev", "--memory"], flags].concat()).expect("complete").warnings.join("; ");
    assert_eq!(warned(&[]), "");
    for (flags, word) in [
        (["--redis-prefix=a"].as_slice(), "--redis-prefix does nothing without --redis"),
        (&["--redis-ca=a.pem"], "--redis-ca does nothing without --redis"),
        (&["--directory-key=a"], "--directory-key does nothing without an address"),
        (&["--directory-ttl=5s"], "--directory-ttl does nothing without an address"),
        (&["--max-streams=500", "--max-connections=100"], "--max-connections 100 allows fewer"),
    ] {
        assert!(warned(flags).contains(word), "{}", warned(flags));
    }
    for (flags, word) in [
        (["--max-streams=0"].as_slice(), "--max-streams is 0; it must be 1"),
        (&["--stall-timeout=50ms"], "--stall-timeout"),
        (&["--drain-window=2h"], "--drain-window"),
        (&["--session-ttl=5s", "--token-ttl=60s"], "--session-ttl"),
    ] {
        assert!(complaint(&[&["--dev"], flags].concat()).contains(word), "{flags:?}");
    }
}

#[test]
fn pages_show_nothing_that_is_the_servers() {
    let pages = std::env::temp_dir().join(format!("tinysse-exposed-{}", std::process::id()));
    std::fs::create_dir_all(pages.join("inner")).expect("made");
    let file = |name: &str, text: &str| std::fs::write(pages.join(name), text).expect("written");
    file("index.html", "");
    file("rights.toml", "");
    file("key.pem", Key::generate().expose());
    file("tinysse.toml", "dev = true\nmemory = true\n");
    let (shown, at) = (format!("--pages={}", pages.display()), |flag: &str, name: &str| {
        format!("--{flag}={}", pages.join(name).display())
    });
    assert!(config(&["--dev", "--memory", &shown]).is_ok());
    for (flag, name) in [
        ("data", "data"),
        ("data", "inner/../data"),
        ("revocations", "inner/revoked"),
        ("directory", "rights.toml"),
        ("token-key", "key.pem"),
        ("config", "tinysse.toml"),
    ] {
        let memory = if flag == "data" { "--memory=false" } else { "--memory" };
        let error = complaint(&["--dev", memory, &shown, &at(flag, name)]);
        assert!(error.starts_with(&format!("--{flag}: ")) && error.contains("--pages"), "{error}");
    }
    std::fs::remove_dir_all(&pages).expect("removed");
}
