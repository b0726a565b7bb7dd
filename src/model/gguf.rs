//! Models in GGUF files of the architectures llama and qwen2, with weights in F32, F16, Q8_0, Q4_0 and Q4_1. A file is rejected unless it
//! has exactly the expected tensors in the expected shapes; tensors are then read one at a time.

#[cfg(feature = "tokenizer")]
use super::Tokenizer;
use super::figures::{Found, Stored, name};
use super::format::Format;
use super::header::{Header, Outcome, Source, unreadable, wrong};
use super::{Config, GROUP, Matrix, ModelError, Tensor, Values, Weights, kind};
use half::f16;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A model in a GGUF file.
pub struct Gguf {
    /// Locked, since a file has a single read position.
    file: Mutex<File>,
    config: Config,
    window: Option<usize>,
    #[cfg(feature = "tokenizer")]
    values: std::collections::BTreeMap<String, super::header::Value>,
    tensors: HashMap<Tensor, Stored>,
}

impl Gguf {
    /// Reads and checks everything except the weights.
    ///
    /// # Errors
    /// One line on what is wrong with the file and how to fix it.
    pub fn open(path: &Path) -> Result<Gguf, ModelError> {
        // Opening a pipe would block.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return wrong("the model is a folder: name the GGUF file in it");
        }
        if !metadata.is_file() {
            return wrong("the model is not a regular file: name a GGUF file");
        }
        let file = File::open(path).map_err(unreadable)?;
        let Header { values, tensors, data, alignment } = Header::read(&file)?;
        kind::check(&values, &tensors)?;
        let mut found = Found::new(&file, &values, tensors, data, alignment)?;
        let config = found.config()?;
        let mut places = HashMap::new();
        for tensor in config.tensors() {
            let shape = config.shape(tensor);
            places.insert(tensor, found.take(&name(tensor), shape, tensor.is_matrix())?);
        }
        let window = found.window;
        found.finish()?;
        Ok(Gguf {
            file: Mutex::new(file),
            config,
            window,
            #[cfg(feature = "tokenizer")]
            values,
            tensors: places,
        })
    }

    /// SHA-256 of the file in hexadecimal, by which results name the model. Reads the whole file.
    ///
    /// # Errors
    /// If the file can no longer be read.
    pub fn sha256(&self) -> Result<String, ModelError> {
        let file = self.file();
        let mut source = Source::new(&file, 0)?;
        let mut hash = Sha256::new();
        source.pieces(source.length(), |bytes| hash.update(bytes))?;
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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
        Tokenizer::read(&self.values, &self.file(), self.config.vocab_size)
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored(&self, tensor: Tensor) -> Stored {
        let tied = self.config.tie_word_embeddings && tensor == Tensor::Head;
        let place = self.tensors.get(if tied { &Tensor::Embedding } else { &tensor });
        *place.unwrap_or_else(|| panic!("the model has no {tensor}"))
    }

    /// Passes the bytes of a tensor to `take`, whole blocks at a time.
    fn pieces(&self, stored: Stored, take: impl FnMut(&[u8])) -> Outcome<()> {
        Source::new(&self.file(), stored.at)?.pieces(stored.bytes, take)
    }

    fn floats(&self, stored: Stored) -> Outcome<Vec<f32>> {
        let mut values = Vec::with_capacity(stored.rows * stored.columns);
        match stored.format {
            Format::F16 => self.pieces(stored, |bytes| {
                values.extend(bytes.as_chunks().0.iter().map(|pair| half(pair).to_f32()));
            })?,
            _ => self.pieces(stored, |bytes| {
                values.extend(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)));
            })?,
        }
        Ok(values)
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
        let stored = self.stored(tensor);
        let weights = stored.rows * stored.columns;
        let groups = weights / GROUP;
        let values = match stored.format {
            Format::F32 => Values::F32(self.floats(stored)?),
            Format::F16 => {
                let mut values = Vec::with_capacity(weights);
                self.pieces(stored, |bytes| values.extend(bytes.as_chunks().0.iter().map(half)))?;
                Values::F16(values)
            }
            Format::Q8_0 => {
                let (mut values, mut scales) =
                    (Vec::with_capacity(weights), Vec::with_capacity(groups));
                self.pieces(stored, |bytes| {
                    for [low, high, block @ ..] in bytes.as_chunks::<{ 2 + GROUP }>().0 {
                        scales.push(half(&[*low, *high]));
                        values.extend(block.iter().map(|byte| *byte as i8));
                    }
                })?;
                Values::Int8 { values, scales }
            }
            Format::Q4_0 => {
                let (mut values, mut scales) =
                    (Vec::with_capacity(weights / 2), Vec::with_capacity(groups));
                self.pieces(stored, |bytes| {
                    for [a, b, block @ ..] in bytes.as_chunks::<{ 2 + GROUP / 2 }>().0 {
                        scales.push(half(&[*a, *b]));
                        values.extend(in_order(block));
                    }
                })?;
                Values::Int4 { values, scales, offsets: None }
            }
            Format::Q4_1 => {
                let (mut values, mut scales) =
                    (Vec::with_capacity(weights / 2), Vec::with_capacity(groups));
                let mut offsets = Vec::with_capacity(groups);
                self.pieces(stored, |bytes| {
                    for [a, b, c, d, block @ ..] in bytes.as_chunks::<{ 4 + GROUP / 2 }>().0 {
                        scales.push(half(&[*a, *b]));
                        offsets.push(half(&[*c, *d]));
                        values.extend(in_order(block));
                    }
                })?;
                Values::Int4 { values, scales, offsets: Some(offsets) }
            }
        };
        Ok(Matrix { rows: stored.rows, columns: stored.columns, values })
    }

    fn vector(&self, tensor: Tensor) -> Result<Vec<f32>, ModelError> {
        assert!(!tensor.is_matrix(), "the {tensor} is a matrix");
        self.floats(self.stored(tensor))
    }
}

fn half(bytes: &[u8; 2]) -> f16 {
    f16::from_le_bytes(*bytes)
}

/// A block's nibbles in weight order. GGUF stores the first sixteen in the low nibbles of its bytes, the others in the high nibbles.
fn in_order(block: &[u8; GROUP / 2]) -> impl Iterator<Item = u8> {
    let (pairs, _) = block.as_chunks::<2>();
    let low = pairs.iter().map(|[one, other]| one & 15 | other << 4);
    let high = pairs.iter().map(|[one, other]| one >> 4 | other & 0xf0);
    low.chain(high)
}
