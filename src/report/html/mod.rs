//! A self-contained HTML page: style, SVG plots and a script for sorting, without external resources. A single run is shown window by
//! window, several runs as groups of comparable rows.

mod axis;
mod batch;
mod cards;
mod marks;
mod page;
mod plot;
mod power;
mod roofline;
mod windows;

pub use page::page;
