//! The document's format, and nothing else: plain structs that serde reads and writes. Units stand in the names,
//! base SI throughout. The JSON Schema is generated from these types.

mod comparison;
mod energy;
mod manifest;
mod measurement;
mod work_proof;

pub use comparison::*;
pub use energy::*;
pub use manifest::*;
pub use measurement::*;
pub use work_proof::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run of rigbench. Every derived number can be computed again from the windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "rigbench result")]
pub struct Document {
    /// Version of this format: readers of 1.x read every 1.y.
    pub schema_version: String,
    /// When and how, and whether it counts.
    pub run: Run,
    /// The machine and the program. All data of the run follows from it and the user's seed.
    pub manifest: Manifest,
    /// One for each workload on each device.
    pub measurements: Vec<Measurement>,
    /// What a reader needs to check the run.
    pub proof: Proof,
}

/// When and how, and whether it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Random; tells one run from another.
    pub id: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC; null while the run is under way or if it was cut off.
    pub finished_at: Option<String>,
    /// How it measures.
    pub protocol: Protocol,
    /// `incomplete` if the run has not finished and no row of it was measured, else `invalid` if there is any reason below.
    pub verdict: Verdict,
    /// What makes it invalid or incomplete.
    pub reasons: Vec<String>,
}

/// Whether a figure counts. It never turns a measured number into null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Valid,
    /// Its reasons say what does.
    Invalid,
    /// Of a run, never of a row: it was interrupted, or is under way, and there is no figure yet.
    Incomplete,
}

/// How a run measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Protocol {
    /// `quick`, `default` or `publish`.
    pub mode: String,
    /// Blocks of each row, at least; rows of one device take turns.
    pub blocks: u64,
    /// Windows of each block, at least.
    pub windows: u64,
    /// Mean length of a window.
    pub window_seconds: f64,
    /// A block's windows end then, though a slow meter would need longer.
    pub block_longest_seconds: f64,
    /// Blocks are added until the figures' intervals are within this share of them.
    pub precision: f64,
    /// No block is added once a row's windows last so long.
    pub longest_seconds: f64,
    /// Nothing runs for so long before each block.
    pub rest_seconds: f64,
    /// What meters read at rest before the first row, and with `publish` after the last, is taken over so long.
    pub baseline_seconds: f64,
    /// Or over as long as a slow meter needs, but no longer than this.
    pub baseline_longest_seconds: f64,
    /// Meters are read no more often than this.
    pub least_poll_seconds: f64,
    /// Batches that stay in flight.
    pub batches_in_flight: u64,
    /// The warm-up is steady once slices of this length are alike.
    pub warm_up_slice_seconds: f64,
    /// The warm-up ends then, steady or not.
    pub warm_up_longest_seconds: f64,
}

/// What a reader needs to check the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// What the user chose the data with.
    pub user_seed: u32,
    /// SHA-256 of the manifest's canonical JSON (RFC 8785) and the user's seed (8 bytes, little-endian).
    pub seed_sha256: String,
    /// SHA-256 of this document's canonical JSON without this field.
    pub document_sha256: String,
}
