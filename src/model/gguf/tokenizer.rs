//! Converts text to tokens and back with a GGUF file's vocabulary and merges, for demonstration: byte-level BPE as in GPT-2, SmolLM2,
//! Llama 3 and Qwen2.5, computed by the tokenizers crate.

use super::header::{Header, Value};
use crate::model::ModelError;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::fs::File;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior};

/// Maximum bytes of a vocabulary; the largest in use take about 8 MB.
const MAX_BYTES: u64 = 1 << 26;

/// Pre-tokenizer patterns, applied one after the other before BPE merges, by their names in GGUF.
const PRE_TOKENIZERS: &[(&[&str], &[&str])] = &[
    (
        &["smollm"],
        &[r"\p{N}", r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"],
    ),
    (
        &[LLAMA_3, "llama3", "llama-v3"],
        &[
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
    ),
    (
        &["qwen2"],
        &[
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ],
    ),
];
const LLAMA_3: &str = "llama-bpe";

/// A vocabulary with its merges.
pub struct Tokenizer(tokenizers::Tokenizer);

/// GGUF's token type for ordinary text. Merges never produce tokens of other types, such as end of turn.
const NORMAL: i128 = 1;

impl Tokenizer {
    pub(super) fn read(header: &Header, file: &File, vocabulary: usize) -> Result<Tokenizer> {
        let model = header.text("tokenizer.ggml.model").unwrap_or_default();
        ensure!(
            model == "gpt2",
            "the GGUF's tokenizer is {model:?}, rigbench knows gpt2 alone: give tokens instead of text"
        );
        let pre_tokenizer = header.text("tokenizer.ggml.pre").unwrap_or_default();
        let known = PRE_TOKENIZERS.iter().find(|(names, _)| names.contains(&pre_tokenizer));
        let (names, patterns) = known.with_context(|| {
            format!(
                "the GGUF's text is cut the way of {pre_tokenizer:?}, which rigbench does not know: give tokens instead of text"
            )
        })?;
        let list = |name: &str| match header.values.get(&format!("tokenizer.ggml.{name}")) {
            Some(Value::List(list)) => Ok(list),
            _ => {
                bail!("the GGUF lacks the list tokenizer.ggml.{name}: give tokens instead of text")
            }
        };
        let tokens = list("tokens")?.texts(file, MAX_BYTES)?;
        ensure!(
            tokens.len() == vocabulary,
            "the GGUF names {} tokens and has {vocabulary}: it is damaged, download it again",
            tokens.len()
        );
        let kinds = list("token_type")?.integers(file, vocabulary)?.context(
            "the GGUF's kinds of tokens are not as many numbers: convert the model again",
        )?;
        let mut special = Vec::new();
        for (token, kind) in tokens.iter().zip(kinds) {
            if kind? != NORMAL && !token.is_empty() {
                special.push(AddedToken::from(token.clone(), true));
            }
        }
        let by_name: Vocab = tokens.into_iter().zip(0..).collect();
        let merges = list("merges")?.texts(file, MAX_BYTES)?;
        let merges = merges.iter().filter_map(|merge| {
            let (left, right) = merge.split_once(' ')?;
            let known = [left, right, &format!("{left}{right}")].map(|t| by_name.contains_key(t));
            (known == [true; 3]).then(|| (left.to_string(), right.to_string()))
        });
        let merges = merges.collect();
        let damaged = |error: tokenizers::Error| {
            anyhow!("the GGUF's tokenizer is damaged, download it again: {error}")
        };
        let pairs = BPE::builder().vocab_and_merges(by_name, merges);
        // Llama 3 encodes a piece that is itself a token as that token, regardless of merges.
        let pairs = pairs.ignore_merges(names.contains(&LLAMA_3)).build().map_err(damaged)?;
        let split = |pattern: &&str| {
            let pattern = SplitPattern::Regex((*pattern).to_string());
            Split::new(pattern, SplitDelimiterBehavior::Isolated, false).map(Into::into)
        };
        let steps: Result<Vec<PreTokenizerWrapper>, _> = patterns.iter().map(split).collect();
        let mut steps = steps.map_err(damaged)?;
        let bytes = ByteLevel::new(false, false, false);
        steps.push(bytes.into());
        let mut tokenizer = tokenizers::Tokenizer::new(pairs);
        tokenizer.with_pre_tokenizer(Some(Sequence::new(steps))).with_decoder(Some(bytes));
        tokenizer.add_special_tokens(special).map_err(damaged)?;
        Ok(Tokenizer(tokenizer))
    }

    /// Decodes tokens. Invalid UTF-8 becomes replacement characters; unknown tokens are left out.
    ///
    /// # Errors
    /// If the library fails.
    pub fn text(&self, tokens: &[u32]) -> Result<String, ModelError> {
        let text = self.0.decode(tokens, false);
        text.map_err(|error| ModelError(format!("the tokens give no text: {error}")))
    }

    /// Encodes a text. The text of a control token becomes that token, bytes without a token are left out. No tokens are added before or
    /// after.
    ///
    /// # Errors
    /// If the library fails.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let tokens = self.0.encode_fast(text, false);
        let tokens =
            tokens.map_err(|error| ModelError(format!("the text gives no tokens: {error}")))?;
        Ok(tokens.get_ids().to_vec())
    }
}
