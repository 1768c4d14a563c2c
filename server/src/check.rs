//! `tinysse-server config check`: what would count, where it comes from, and whether the places
//! that it names can be used. Nothing is started, nothing outside of this machine is asked.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use tinysse_hub::{descriptors::Descriptors, settings::Storage};

use crate::config::{Config, Origins};

/// Prints the settings, one a line; returns false if a place can't be used. Errors of the settings
/// themselves were printed before.
///
/// # Errors
/// As writing fails.
pub fn run(config: &Config, origins: &Origins, output: &mut impl Write) -> io::Result<bool> {
    let shown = config.shown();
    let width = |(key, value): &(&str, String)| key.len() + value.chars().count();
    let widest = shown.iter().map(width).filter(|width| *width < 60).max().unwrap_or(0);
    for setting in &shown {
        let ((key, value), room) = (setting, widest.saturating_sub(width(setting)));
        writeln!(output, "{key} = {value}{:room$}  # {}", "", origins.of(key))?;
    }
    for warning in
        config.warnings.iter().cloned().chain(Descriptors::raise().shortage(config.hub.serve.max_connections))
    {
        writeln!(output, "warning: {warning}")?;
    }
    let wrong = places(config);
    for (key, why) in &wrong {
        writeln!(output, "error: --{key} ({}): {why}", origins.of(key))?;
    }
    Ok(wrong.is_empty())
}

/// The places that can't be used. Files that are only read were read with the settings.
fn places(config: &Config) -> Vec<(&'static str, String)> {
    let data = match &config.hub.storage {
        Storage::File { folder, .. } => Some(("data", folder.as_path(), writable(folder))),
        Storage::Memory | Storage::Redis(_) => None,
    };
    let revocations = config.hub.auth.revocations.as_deref().map(|path| ("revocations", path, file(path)));
    let tried = data.into_iter().chain(revocations);
    tried.filter_map(|(key, path, tried)| Some((key, format!("{}: {}", path.display(), tried.err()?)))).collect()
}

/// The server would make the folder if it is missing; then the nearest one above it must take it.
fn writable(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    let there = there.into_iter().find(|above| above.exists()).unwrap_or(Path::new("."));
    if !there.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is no directory", there.display())));
    }
    let probe = there.join(format!(".tinysse-check-{}", std::process::id()));
    File::create_new(&probe)?;
    fs::remove_file(probe)
}

fn file(path: &Path) -> io::Result<()> {
    if path.exists() {
        File::options().append(true).open(path).map(drop)
    } else {
        writable(path.parent().unwrap_or(Path::new(".")))
    }
}
