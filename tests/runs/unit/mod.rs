//! Single modules over files that stand in for the kernel's, and over this machine.

mod memory;
mod sampling;
