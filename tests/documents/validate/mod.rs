//! `rigbench validate`: what is refused, what is marked, and what nobody can see.

mod ceilings;
mod disguises;
#[path = "../../runs/energy/fake/draw.rs"]
mod draw;
mod forgers;
mod forgery;
pub mod honest;
mod junk;
mod kernels;
mod novelties;
mod required;
mod rules;
mod shares;
#[path = "../../runs/energy/fake/sysfs.rs"]
mod sysfs;
mod verdicts;
mod versions;
