//! One page that holds all it needs: style, drawings and a few lines of script to sort by; it loads nothing. A single run is drawn dot
//! by dot, a folder of runs in one line for what is alike.

mod axis;
mod batch;
mod cards;
mod marks;
mod page;
mod plot;
mod power;
mod roofline;
mod strip;
mod table;
mod windows;

pub use page::page;
