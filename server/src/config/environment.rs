//! Names in the environment that look like settings but are not.
//!
//! A setting under a mistyped name would be ignored, and the server would run without it. What is
//! close to a setting is an error; what is not is warned about only, since the environment may be
//! shared with other programs.

use clap::Args;

use super::{ConfigError, RawConfig, wrong};

/// What all names begin with.
const PREFIX: &str = "TINYSSE_";
/// Names like this are set by Kubernetes, in every container, for a service that is called
/// `tinysse`.
const FOREIGN: [&str; 3] = ["SERVICE_HOST", "SERVICE_PORT", "PORT"];

/// Looks at the names of all variables; answers what to warn about.
///
/// # Errors
/// [`ConfigError::Setting`] names the setting that was probably meant.
pub(super) fn check(names: impl IntoIterator<Item = String>) -> Result<Vec<String>, ConfigError> {
    let arguments = RawConfig::augment_args(clap::Command::new(""));
    let known = arguments.get_arguments().filter_map(|arg| Some(arg.get_env()?.to_str()?.to_owned()));
    let known: Vec<_> = known.chain([super::command::CONFIG.to_owned()]).collect();
    let mut unknown: Vec<_> =
        names.into_iter().filter(|name| name.starts_with(PREFIX) && !known.contains(name)).collect();
    unknown.retain(|name| !FOREIGN.iter().any(|part| name.trim_start_matches(PREFIX).contains(part)));
    unknown.sort();
    let mut warnings = Vec::new();
    for name in unknown {
        // One edit in a short name, two in a longer one.
        let near = known.iter().map(|known| (distance(&name, known), known)).min();
        if let Some((edits, meant)) = near
            && edits <= 1 + usize::from(meant.len() > PREFIX.len() + 5)
        {
            return wrong(format!("{name} is no setting; did you mean {meant}?"));
        }
        warnings.push(format!("{name} is no setting of tinysse-server; it is ignored"));
    }
    Ok(warnings)
}

/// Letters to insert, remove, replace or swap with their neighbours to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str) -> Result<Vec<String>, String> {
        check(["PATH".to_owned(), "TINYSSE_SECRET".to_owned(), "TINYSSE_CONFIG".to_owned(), name.to_owned()])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn distances() {
        for (one, other, edits) in
            [("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("abcd", "bcda", 2)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (edits, edits), "{one} {other}");
        }
    }

    #[test]
    fn a_mistyped_setting_is_named_and_foreign_names_are_left_alone() {
        for (name, meant) in [
            ("TINYSSE_TOKEN_TLL", "TINYSSE_TOKEN_TTL"),
            ("TINYSSE_TOKENTTL", "TINYSSE_TOKEN_TTL"),
            ("TINYSSE_MAX_STREAM", "TINYSSE_MAX_STREAMS"),
            ("TINYSSE_SECRETS", "TINYSSE_SECRET"),
            ("TINYSSE_DVE", "TINYSSE_DEV"),
            ("TINYSSE_CONFIGS", "TINYSSE_CONFIG"),
        ] {
            assert_eq!(checked(name), Err(format!("{name} is no setting; did you mean {meant}?")));
        }
        for name in ["TINYSSE_URL", "TINYSSE_FLOOD", "TINYSSE_SERVER", "TINYSSE_"] {
            assert_eq!(checked(name), Ok(vec![format!("{name} is no setting of tinysse-server; it is ignored")]));
        }
        for name in [
            "TINYSSE_SERVICE_HOST",
            "TINYSSE_PORT",
            "TINYSSE_PORT_8080_TCP_ADDR",
            "TINYSSE_A_SERVICE_PORT_HTTP",
            "HOME",
        ] {
            assert_eq!(checked(name), Ok(vec![]), "{name}");
        }
    }
}
