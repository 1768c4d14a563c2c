//! How many streams may be open: in all, of a user, from an address.

use super::{
    client_ip::RateKey,
    quota::{Permit, Quota},
    settings::Settings,
};

/// The bounds of open streams.
#[derive(Debug)]
pub(super) struct Admission {
    max: usize,
    of_user: Quota<String>,
    of_site: Quota<RateKey>,
}

/// The share of a stream, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    _of_user: Permit<String>,
    _of_site: Permit<RateKey>,
}

impl Admission {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            max: settings.max_streams,
            of_user: Quota::new(settings.max_streams_user),
            of_site: Quota::new(settings.max_streams_address),
        }
    }

    /// Returns the share of one more stream beside the `open` ones, or `None` if it would be one
    /// too many.
    pub(super) fn admit(&self, open: usize, user: &str, site: Option<RateKey>) -> Option<Share> {
        if open >= self.max {
            return None;
        }
        Some(Share { _of_user: self.of_user.take(Some(user.to_owned()))?, _of_site: self.of_site.take(site)? })
    }
}
