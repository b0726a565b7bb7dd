//! Tests of single modules, each through what the module makes public.

mod device;
mod energy;
mod figures;
mod judged;
mod market;
mod measure;
mod read;
mod recorded;
mod sources;
mod stats;
mod tables;
mod text;
mod units;
