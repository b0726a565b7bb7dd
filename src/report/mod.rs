//! Reports: a document becomes tables, and tables become text.

mod advice;
mod compare;
mod devices;
mod fold;
mod run;
mod table;
mod tune;

pub use advice::{advice, advice_to_terminal, answer};
pub use compare::comparison;
pub use devices::{devices, sources};
pub use fold::fold;
pub use run::run;
pub use table::Table;
pub use tune::tuning;

use crate::results::wire;

/// The name of a scope, as results write it.
fn scope(scope: wire::Scope) -> &'static str {
    crate::energy::Scope::from(scope).name()
}
