//! Result documents: what is read and refused, what validate finds, what report, compare and advise make of them.

mod advise;
mod canonical;
mod compare;
mod corpus;
mod economics;
mod house;
#[cfg(target_os = "linux")]
mod mutations;
mod published;
mod report;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod unit;
mod validate;
