//! Tests of single modules, each through what the module makes public.

mod figures;
mod judged;
mod market;
mod read;
mod recorded;
mod tables;
mod text;
mod units;
