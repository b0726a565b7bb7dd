//! Mutations of every kind of input: results, market files, GGUF files, plugs' answers and kept choices of kernels. Whatever they
//! became, none makes rigbench panic, nor take more than a second or 500 MB.
//!
//! A test tries a few; `RIGBENCH_MUTATIONS=500` tries as many of each kind, and then time decides too (`scripts/soak.sh`).

mod bytes;
#[path = "../../runs/energy/fake/plug.rs"]
mod fake_plug;
mod gguf;
mod market;
mod plugs;
mod random;
mod results;
mod soak;
mod tree;
mod tuning;
