//! Notes that several tables have.

/// On tables with joules per token.
pub const SERVING_STACK: &str =
    "A tuned serving stack gets more tokens from a joule than these portable kernels.";

/// On tables with a software adapter.
pub const SOFTWARE: &str = "A software adapter is a CPU that emulates a GPU: it shows that kernels are right, not how fast a GPU is.";

/// On tables with joules that follow from one declared power.
pub const SPEED_ONLY: &str =
    "declared: one power was declared for all workloads, so their joules compare speed only.";

/// On tables with modelled joules.
pub const MODELLED: &str =
    "modelled: no meter was read; the true figure lies somewhere in the range.";

/// Beside the name of a software adapter.
pub const EMULATES: &str = "a CPU emulating a GPU";

/// The notes that apply.
pub fn applying<const N: usize>(notes: [(bool, &str); N]) -> Vec<String> {
    notes.iter().filter(|(applies, _)| *applies).map(|(_, note)| note.to_string()).collect()
}
