//! Models in GGUF files of the architectures llama and qwen2, with weights in F32, F16, Q8_0, Q4_0 and Q4_1. A file is rejected unless it
//! has exactly the expected tensors in the expected shapes; tensors are then read one at a time.

mod config;
mod features;
mod foreign;
mod header;
mod kind;
mod source;
mod tensor;
#[cfg(feature = "tokenizer")]
mod tokenizer;

#[cfg(feature = "tokenizer")]
pub use tokenizer::Tokenizer;

use super::{Config, Matrix, ModelError, Tensor, Weights};
use anyhow::{Result, bail, ensure};
use header::Header;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use source::{Source, unreadable};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use tensor::{Stored, name};

/// A model in a GGUF file.
pub struct Gguf {
    /// Locked, since a file has a single read position.
    file: Mutex<File>,
    config: Config,
    window: Option<usize>,
    #[cfg(feature = "tokenizer")]
    header: Header,
    tensors: HashMap<Tensor, Stored>,
}

impl From<anyhow::Error> for ModelError {
    fn from(error: anyhow::Error) -> ModelError {
        ModelError(error.to_string())
    }
}

impl Gguf {
    /// Reads and checks everything except the weights.
    ///
    /// # Errors
    /// One line on what is wrong with the file and how to fix it.
    pub fn open(path: &Path) -> Result<Gguf, ModelError> {
        Ok(Gguf::read(path)?)
    }

    fn read(path: &Path) -> Result<Gguf> {
        // Opening a pipe would block.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        ensure!(!metadata.is_dir(), "the model is a folder: name the GGUF file in it");
        ensure!(metadata.is_file(), "the model is not a regular file: name a GGUF file");
        let file = File::open(path).map_err(unreadable)?;
        let header = Header::read(&file)?;
        kind::check(&header)?;
        let (config, window) = config::read(&header, &file)?;
        let stored = |tensor| {
            let shape = config.shape(tensor);
            Ok((tensor, Stored::find(&header, &name(tensor), shape, tensor.is_matrix())?))
        };
        let tensors: HashMap<_, _> = config.tensors().map(stored).collect::<Result<_>>()?;
        let names = config.tensors().map(name).chain([config::FACTORS.to_string()]);
        let used: HashSet<String> = names.collect();
        if let Some(name) = header.tensors.keys().find(|name| !used.contains(*name)) {
            bail!(
                "the GGUF has a tensor {} that a Llama or Qwen2 decoder does not use, so its results would be wrong: take another model",
                kind::quoted(name)
            );
        }
        let factors = config::stored_factors(&header, config.head_dim)?;
        let mut ranges: Vec<_> = tensors.values().chain(&factors).map(Stored::range).collect();
        ranges.sort_unstable();
        ensure!(
            ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0),
            "the GGUF has tensors that share bytes: it is damaged, download it again"
        );
        Ok(Gguf {
            file: Mutex::new(file),
            config,
            window,
            #[cfg(feature = "tokenizer")]
            header,
            tensors,
        })
    }

    /// SHA-256 of the file in hexadecimal, by which results name the model. Reads the whole file.
    ///
    /// # Errors
    /// If the file can no longer be read.
    pub fn sha256(&self) -> Result<String, ModelError> {
        let file = self.file.lock();
        let mut source = Source::new(&file, 0)?;
        let mut hash = Sha256::new();
        source.pieces(source.length, |bytes| hash.update(bytes))?;
        Ok(crate::text::hex(&hash.finalize()))
    }

    /// The model's sliding window in tokens, if it limits [`Config::context`]. rigbench computes full causal attention, which gives the
    /// same result for a text that fits into the window.
    pub fn sliding_window(&self) -> Option<usize> {
        self.window
    }

    /// The file's vocabulary and merges.
    ///
    /// # Errors
    /// If it has none, or of an unsupported kind.
    #[cfg(feature = "tokenizer")]
    pub fn tokenizer(&self) -> Result<Tokenizer, ModelError> {
        Ok(Tokenizer::read(&self.header, &self.file.lock(), self.config.vocab_size)?)
    }

    fn stored(&self, tensor: Tensor) -> &Stored {
        let stored = self.tensors.get(&self.config.stored(tensor));
        stored.unwrap_or_else(|| panic!("the model has no {tensor}"))
    }
}

impl Weights for Gguf {
    fn config(&self) -> &Config {
        &self.config
    }

    fn bytes_of(&self, tensor: Tensor) -> u64 {
        self.stored(tensor).bytes
    }

    fn matrix(&self, tensor: Tensor) -> Result<Matrix, ModelError> {
        assert!(tensor.is_matrix(), "the {tensor} is a vector");
        Ok(self.stored(tensor).matrix(&self.file.lock())?)
    }

    fn vector(&self, tensor: Tensor) -> Result<Vec<f32>, ModelError> {
        assert!(!tensor.is_matrix(), "the {tensor} is a matrix");
        Ok(self.stored(tensor).floats(&self.file.lock())?)
    }
}
