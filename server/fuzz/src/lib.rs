//! What must hold whatever a stranger sends: of a token, a cursor, the body of `POST /publish`, the
//! query of `GET /events`.
//!
//! Each `check` takes any bytes and panics where something does not hold. libFuzzer calls them for
//! minutes, guided by coverage, and `cargo test` for a moment, with the committed corpus and seeded
//! changes of it (`tests/it/fuzz.rs`).

pub mod cursor;
pub mod publish;
pub mod query;
pub mod token;

/// Panics where something does not hold of these bytes.
pub type Check = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Check); 4] =
    [("cursor", cursor::check), ("publish", publish::check), ("query", query::check), ("token", token::check)];
