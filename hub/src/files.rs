//! Files that hold secrets, names of users or what tokens are checked against: only their owner may
//! read and write them.

use std::{fs, io, path::Path};

/// Returns options that make such a file (mode 0600). The mode of a file that exists is its owner's
/// choice, and stays.
pub(crate) fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a folder for such files (mode 0700), with those above it, if it is missing.
///
/// # Errors
/// Errors of the system.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
