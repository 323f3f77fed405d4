//! Tables and their digests: [`registry`] says what a table is, [`digest`] hashes one column by column.

pub mod digest;
pub mod registry;

pub use digest::{Digest, TableHasher, result_digest};
pub use registry::{Field, Kind, Schema, schema};
