//! What a kilowatt-hour earns: the whole advice, and the market file.

mod advise;
mod market;
