//! Meters that are not there: drivers, trees of the kernel and plugs that say what a test wants.

pub mod draw;
pub mod nvml;
pub mod plug;
pub mod sysfs;
pub mod witness;
