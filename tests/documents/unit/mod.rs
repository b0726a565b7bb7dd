//! Single modules of the library, through what they make public.

mod device;
mod energy;
mod measure;
mod sources;
mod stats;
