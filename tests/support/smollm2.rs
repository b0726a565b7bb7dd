//! SmolLM2-135M from its real file, and what llama.cpp makes of it.

#![allow(dead_code)] // each test uses its part

use rigbench::model::Gguf;
use serde::Deserialize;
use std::path::PathBuf;

/// The tokens that llama.cpp gave, and what gave them.
#[derive(Deserialize)]
pub struct Golden {
    pub made: Made,
    pub prompts: Vec<Prompt>,
    pub texts: Vec<Text>,
}

/// A text that is hard to cut.
#[derive(Deserialize)]
pub struct Text {
    pub text: String,
    pub tokens: Vec<u32>,
}

#[derive(Deserialize)]
pub struct Made {
    pub gguf_sha256: String,
}

#[derive(Deserialize)]
pub struct Prompt {
    pub name: String,
    pub text: String,
    pub prompt: Vec<u32>,
    pub continuation: Vec<u32>,
    pub continuation_text: String,
}

pub fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/smollm2-135m.json")).unwrap()
}

/// SmolLM2-135M in the very file that the golden tokens are of, named by RIGBENCH_SMOLLM2.
pub fn smollm(test: &str) -> Option<Gguf> {
    let Some(path) = std::env::var_os("RIGBENCH_SMOLLM2").map(PathBuf::from) else {
        crate::support::not_run(
            test,
            "RIGBENCH_SMOLLM2 names no file: get it with ./scripts/smollm2.sh",
        );
        return None;
    };
    let model = Gguf::open(&path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        model.sha256().unwrap(),
        golden().made.gguf_sha256,
        "another file than the golden tokens'"
    );
    Some(model)
}
