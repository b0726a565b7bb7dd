//! Reports: documents are turned into tables and pages, and those into text.

mod advice;
mod answer;
mod compare;
mod csv;
mod devices;
mod entry;
pub mod flat;
mod gather;
mod group;
mod html;
mod lines;
mod markdown;
mod notes;
mod provenance;
mod published;
mod run;
mod table;
mod terminal;
mod tune;

pub use advice::{advice, advice_to_terminal, answer, figures};
pub use compare::comparison;
pub use devices::{devices, sources};
pub use gather::{Collection, File, reasons};
pub use html::{Axis, MAX_LABELS, page};
pub use lines::several;
pub use run::run;
pub use table::{Cell, Column, Table, Tone};
pub use tune::tuning;
