//! Which files `--pages` would show to everybody, though they are for the server only.

use std::path::{Path, PathBuf};

use super::{Config, ConfigError};
use tinysse_hub::{settings::Storage, values::Place};

/// The first file or directory of the settings that lies in the directory of `--pages`, as an
/// error.
pub(super) fn exposed(config: &Config, file: Option<&Path>) -> Option<ConfigError> {
    let pages = config.hub.http.pages.as_deref()?.canonicalize().ok()?;
    let data = match &config.hub.storage {
        Storage::File { folder, .. } => Some(folder.as_path()),
        Storage::Memory | Storage::Redis(_) => None,
    };
    let access = &config.hub.auth;
    let directory = match &access.directory {
        Some(Place::File(path)) => Some(path.as_path()),
        Some(Place::Url(_)) | None => None,
    };
    let keys = access.sources.files.iter().map(|path| ("--token-key", path.as_path()));
    let others = [
        ("--config", file),
        ("--data", data),
        ("--revocations", access.revocations.as_deref()),
        ("--directory", directory),
        ("--tls-key", config.hub.serve.tls.as_ref().map(|tls| tls.key.as_path())),
    ];
    let mut named = others.into_iter().filter_map(|(name, path)| Some((name, path?))).chain(keys);
    let (name, path) = named.find(|(_, path)| whole(path).starts_with(&pages))?;
    Some(ConfigError::Setting(format!(
        "{name}: {} lies in the directory of --pages, which is served to everybody; move it out",
        path.display()
    )))
}

/// The path without links, as far as it exists.
fn whole(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match found {
        Some((above, whole)) => whole.join(path.strip_prefix(above).unwrap_or(Path::new(""))),
        None => path,
    }
}
