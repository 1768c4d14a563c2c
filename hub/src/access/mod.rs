//! Who may hold a stream: tokens that open one, rights while it is open, and revocations that end
//! it, on all nodes.

mod cluster;
mod issue;
mod rights;

pub use cluster::Cluster;
pub(crate) use cluster::unrevoked;
pub use issue::{Issuer, Token};
pub use rights::{Judged, LiveRights, RightsError, RightsVersion};
