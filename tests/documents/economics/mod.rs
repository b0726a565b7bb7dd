//! What a kilowatt-hour earns: the whole advice, how it reads, and the market file.

mod advise;
mod break_even;
mod flips;
mod formulas;
mod json;
mod made_up;
mod market;
mod rows;
mod text;
