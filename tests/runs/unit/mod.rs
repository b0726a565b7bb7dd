//! Single modules over files in place of the kernel's, and over this machine.

mod memory;
mod sampling;
