//! `rigbench report`: the four formats, folders, what is refused, and the pages that `scripts/browser.sh` looks at.

mod command;
mod folder;
mod formats;
pub mod made_up;
mod pages;
mod strangers;
