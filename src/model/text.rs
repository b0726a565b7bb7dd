//! Text to tokens and back by a GGUF file's own vocabulary and merges, for demonstration: byte-pair encoding over bytes,
//! as GPT-2 introduced it and SmolLM2, Llama 3 and Qwen2.5 use it.

use super::header::{Outcome, Value, wrong};
use fancy_regex::Regex;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;

/// Bytes of a vocabulary that are held; the largest in use take about 8 MB.
const MOST_BYTES: u64 = 1 << 26;

/// The patterns by which text is cut before pairs are merged, one after the other, under the names that GGUF gives them.
const CUTS: &[(&[&str], &[&str])] = &[
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
pub struct Tokenizer {
    /// What each token stands for.
    bytes: Vec<Vec<u8>>,
    /// The token of each single byte.
    single: Vec<Option<u32>>,
    /// Tokens that merge: how early, and into which.
    merges: HashMap<(u32, u32), (u32, u32)>,
    /// Tokens that text is never merged into, such as the end of a turn, by what they look like.
    controls: Vec<(String, u32)>,
    cuts: Vec<Regex>,
    /// Pieces of text that are tokens as they stand, without regard to merges.
    whole: Option<HashMap<Vec<u8>, u32>>,
}

impl Tokenizer {
    pub(super) fn read(
        values: &BTreeMap<String, Value>,
        file: &File,
        vocabulary: usize,
    ) -> Outcome<Tokenizer> {
        let text = |key: &str| match values.get(key) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        };
        let model = text("tokenizer.ggml.model");
        if model != "gpt2" {
            return wrong(format!(
                "the GGUF's tokenizer is {model:?}, rigbench knows gpt2 alone: give tokens instead of text"
            ));
        }
        let cut = text("tokenizer.ggml.pre");
        let Some((names, patterns)) = CUTS.iter().find(|(names, _)| names.contains(&cut)) else {
            return wrong(format!(
                "the GGUF's text is cut the way of {cut:?}, which rigbench does not know: give tokens instead of text"
            ));
        };
        let list = |name: &str| match values.get(&format!("tokenizer.ggml.{name}")) {
            Some(Value::List(list)) => Ok(*list),
            _ => wrong(format!(
                "the GGUF lacks the list tokenizer.ggml.{name}: give tokens instead of text"
            )),
        };
        let tokens = list("tokens")?.texts(file, MOST_BYTES)?;
        let kinds = list("token_type")?.numbers(file, vocabulary)?;
        if tokens.len() != vocabulary || kinds.len() != vocabulary {
            return wrong(format!(
                "the GGUF names {} tokens and has {vocabulary}: it is damaged, download it again",
                tokens.len()
            ));
        }
        /// How GGUF marks the tokens that stand for bytes of text.
        const NORMAL: u32 = 1;
        let alphabet = alphabet();
        let byte_of: HashMap<char, u8> =
            (0..=255).map(|byte| (alphabet[byte as usize], byte)).collect();
        let spelled = |token: &String| token.chars().map(|c| byte_of.get(&c).copied()).collect();
        let mut by_name = HashMap::new();
        let (mut bytes, mut controls) = (Vec::new(), Vec::new());
        for (id, (token, kind)) in tokens.iter().zip(&kinds).enumerate() {
            let spelled = if *kind == NORMAL { spelled(token) } else { None };
            if spelled.is_none() && *kind != NORMAL && !token.is_empty() {
                controls.push((token.clone(), id as u32));
            }
            bytes.push(spelled.unwrap_or_else(|| token.clone().into_bytes()));
            by_name.insert(token.as_str(), id as u32);
        }
        // The longest comes first, so that none hides behind its own beginning.
        controls.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        let single =
            alphabet.iter().map(|c| by_name.get(c.to_string().as_str()).copied()).collect();
        let mut merges = HashMap::new();
        for (rank, merge) in list("merges")?.texts(file, MOST_BYTES)?.iter().enumerate() {
            let found = merge.split_once(' ').and_then(|(left, right)| {
                let whole = by_name.get(format!("{left}{right}").as_str())?;
                Some(((*by_name.get(left)?, *by_name.get(right)?), *whole))
            });
            if let Some((pair, whole)) = found {
                merges.entry(pair).or_insert((rank as u32, whole));
            }
        }
        let cuts =
            patterns.iter().map(|p| Regex::new(p).expect("a pattern of the table")).collect();
        let whole = names.contains(&LLAMA_3).then(|| bytes.iter().cloned().zip(0..).collect());
        Ok(Tokenizer { bytes, single, merges, controls, cuts, whole })
    }

    /// What tokens stand for. Bytes that are no UTF-8 become replacement characters, as do tokens that are not there.
    pub fn text(&self, tokens: &[u32]) -> String {
        let unknown = "\u{fffd}".as_bytes();
        let bytes = |token: &u32| self.bytes.get(*token as usize).map_or(unknown, Vec::as_slice);
        let bytes: Vec<u8> = tokens.iter().flat_map(bytes).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The tokens of a text; what looks like a control token becomes one. None is put before the text or after it.
    pub fn tokens(&self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < text.len() {
            match self.controls.iter().find(|(control, _)| text[at..].starts_with(control)) {
                Some((control, token)) => {
                    self.plain(&text[start..at], &mut tokens);
                    tokens.push(*token);
                    at += control.len();
                    start = at;
                }
                None => at += text[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        self.plain(&text[start..], &mut tokens);
        tokens
    }

    /// Text without control tokens.
    fn plain(&self, text: &str, tokens: &mut Vec<u32>) {
        let mut pieces = vec![text];
        for cut in &self.cuts {
            pieces = pieces.into_iter().flat_map(|piece| cut_up(cut, piece)).collect();
        }
        for piece in pieces {
            match self.whole.as_ref().and_then(|whole| whole.get(piece.as_bytes())) {
                Some(token) => tokens.push(*token),
                None => self.merge(piece.as_bytes(), tokens),
            }
        }
    }

    /// Merges the neighbours whose merge was learned first, until none is left. Bytes without a token are left out.
    fn merge(&self, piece: &[u8], tokens: &mut Vec<u32>) {
        let mut merged: Vec<u32> = piece.iter().filter_map(|b| self.single[*b as usize]).collect();
        loop {
            let known = |(at, pair): (usize, &[u32])| {
                self.merges.get(&(pair[0], pair[1])).map(|(rank, whole)| (*rank, at, *whole))
            };
            let Some((_, at, whole)) = merged.windows(2).enumerate().filter_map(known).min() else {
                break;
            };
            merged[at] = whole;
            merged.remove(at + 1);
        }
        tokens.extend(merged);
    }
}

/// A text's matches of a pattern and what stands between them, in order.
fn cut_up<'a>(pattern: &Regex, text: &'a str) -> Vec<&'a str> {
    let (mut pieces, mut end) = (Vec::new(), 0);
    // A text that the pattern gives up on stays whole from there.
    for found in pattern.find_iter(text).map_while(Result::ok) {
        pieces.extend([&text[end..found.start()], found.as_str()]);
        end = found.end();
    }
    pieces.push(&text[end..]);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// The character by which vocabularies spell each byte: itself where it can be seen, else the next from 256.
fn alphabet() -> [char; 256] {
    let mut unseen = 256;
    std::array::from_fn(|byte| {
        let seen = matches!(byte, 33..=126 | 161..=172 | 174..=255);
        let code = if seen {
            byte as u32
        } else {
            unseen += 1;
            unseen - 1
        };
        char::from_u32(code).expect("all codes below 512 are characters")
    })
}
