//! `rigbench validate`: what is refused, what is marked, and what nobody can see.

mod forgery;
mod honest;
mod junk;
mod kernels;
mod required;
mod roofs;
mod shares;
#[path = "../support/mod.rs"]
mod support;
#[path = "../energy/fake/sysfs.rs"]
mod sysfs;
mod verdicts;
mod versions;
