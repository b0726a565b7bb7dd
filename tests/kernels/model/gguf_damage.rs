//! GGUF files that are damaged, hostile or of another kind: each is refused in a line that says what to do, and none makes
//! the reader panic or hold much memory.

use crate::model::writer::{
    self as gguf, Writer, Written, float, list, llama, number, open, read, string, strings,
};
use proptest::prelude::*;
use rigbench::model::{Gguf, Tensor, Weights};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what the current thread holds, and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<[usize; 2]> = const { Cell::new([0; 2]) };
}

fn count(change: isize) {
    // A thread that ends may free after its counters are gone.
    let _ = HELD.try_with(|counters| {
        let held = counters.get()[0].wrapping_add_signed(change);
        let most = if (held as isize) < 0 { 0 } else { held };
        counters.set([held, counters.get()[1].max(most)]);
    });
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Runs something and tells the bytes that it held at most, beyond what was held before.
fn held<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get()[0];
    HELD.set([before; 2]);
    let done = run();
    (done, HELD.get()[1].wrapping_sub(before))
}

fn is_one_clear_line(line: &str) -> bool {
    // It says what to do after the last colon, and names no file.
    let advice = line.rsplit_once(": ").map_or("", |(_, advice)| advice);
    let printable = line.chars().all(|c| !c.is_control());
    let folder = std::env::temp_dir();
    let silent = !line.contains(folder.to_str().expect("a folder with a plain name"));
    printable && silent && advice.split(' ').count() >= 3 && line.len() < 400
}

/// A change to a good file, and a word that the complaint about it must have.
type Change = (&'static str, fn(&mut Writer));

#[test]
fn what_cannot_be_run_is_said() {
    let changes: &[Change] = &[
        ("\"gemma3\"", |w| _ = w.set("general.architecture", string("gemma3"))),
        ("architecture", |w| _ = w.remove("general.architecture")),
        ("architecture", |w| _ = w.set("general.architecture", number(7))),
        ("\"a\\nb\\u{1b}[2J\"", |w| _ = w.set("general.architecture", string("a\nb\x1b[2J"))),
        ("llama.block_count", |w| _ = w.remove("llama.block_count")),
        ("llama.block_count", |w| _ = w.set("llama.block_count", number(0))),
        ("llama.block_count", |w| _ = w.set("llama.block_count", (5, vec![0xff; 4]))),
        ("llama.block_count", |w| _ = w.set("llama.block_count", (10, vec![0xff; 8]))),
        ("llama.block_count", |w| _ = w.set("llama.block_count", float(2.0))),
        ("blk.2.attn_norm.weight", |w| _ = w.set("llama.block_count", number(1 << 24))),
        ("layer to layer", |w| {
            _ = w.set("llama.attention.head_count_kv", list(4, 2, vec![2, 0, 0, 0, 1, 0, 0, 0]))
        }),
        ("4 heads", |w| _ = w.set("llama.attention.head_count_kv", number(3))),
        ("128 heads of 0 elements", |w| {
            _ = w
                .set("llama.attention.head_count", number(128))
                .remove("llama.rope.dimension_count")
        }),
        ("heads of 16777216 elements", |w| {
            _ = w
                .set("llama.attention.key_length", number(1 << 24))
                .set("llama.rope.dimension_count", number(1 << 24))
                .set("llama.rope.scaling.type", string("linear"))
                .set("llama.rope.scaling.factor", float(2.0))
        }),
        ("the GGUF has 0 tokens", |w| w.tensors[0].sides[1] = 0),
        ("8 of them turned", |w| _ = w.set("llama.rope.dimension_count", number(8))),
        ("values with 8", |w| _ = w.set("llama.attention.value_length", number(8))),
        ("heads of 15", |w| _ = w.set("llama.attention.key_length", number(15))),
        ("attn_q.weight has the shape", |w| {
            _ = w
                .set("llama.attention.key_length", number(32))
                .set("llama.rope.dimension_count", number(32))
        }),
        ("ffn_gate.weight has the shape", |w| _ = w.set("llama.feed_forward_length", number(95))),
        ("rms_epsilon", |w| _ = w.remove("llama.attention.layer_norm_rms_epsilon")),
        ("rms_epsilon", |w| _ = w.set("llama.attention.layer_norm_rms_epsilon", float(f32::NAN))),
        ("freq_base", |w| _ = w.set("llama.rope.freq_base", float(-1.0))),
        ("\"yarn\"", |w| _ = w.set("llama.rope.scaling.type", string("yarn"))),
        ("mixture of experts", |w| _ = w.set("llama.expert_count", number(8))),
        ("one of 3 parts", |w| _ = w.set("split.count", (2, vec![3, 0]))),
        ("general.alignment", |w| _ = w.set("general.alignment", number(24))),
        ("does not begin at a multiple of 4096", |w| _ = w.set("general.alignment", number(4096))),
        ("blk.1.attn_q.weight is Q6_K", |w| w.tensor("blk.1.attn_q.weight").kind = 14),
        ("blk.1.attn_q.weight is BF16", |w| w.tensor("blk.1.attn_q.weight").kind = 30),
        ("blk.1.attn_q.weight is type 77", |w| w.tensor("blk.1.attn_q.weight").kind = 77),
        ("output_norm.weight is Q8_0", |w| w.tensor("output_norm.weight").kind = 8),
        ("lacks the tensor blk.1.ffn_up.weight", |w| {
            w.tensors.retain(|tensor| tensor.name != "blk.1.ffn_up.weight")
        }),
        ("lacks the tensor token_embd.weight", |w| {
            w.tensors.retain(|tensor| tensor.name != "token_embd.weight")
        }),
        ("\"blk.0.attn_output.bias\"", |w| {
            w.tensors.push(gguf::tensor("blk.0.attn_output.bias", gguf::F32, &[64]))
        }),
        ("\"blk.0.attn_q.weight\" twice", |w| {
            let again = w.tensors[2].clone();
            w.tensors.push(again);
        }),
        ("name of more than 64 bytes", |w| w.tensors[3].name = "x".repeat(65)),
        ("5 dimensions", |w| w.tensors[3].sides = vec![1; 5]),
        ("0 dimensions", |w| w.tensors[3].sides.clear()),
        ("shape", |w| w.tensors[2].sides = vec![u64::MAX; 4]),
        ("tokens, as no model has", |w| w.tensors[0].sides[1] = u64::MAX),
        ("promises more", |w| w.tensors[0].sides[1] = 1 << 24),
        ("\"general.name\" twice", |w| {
            w.values.push(("general.name".into(), number(3)));
        }),
        ("big-endian", |w| w.version = 3u32.swap_bytes()),
        ("version 1,", |w| w.version = 1),
        ("version 4,", |w| w.version = 4),
        ("type 13", |w| _ = w.set("a", (13, vec![0; 8]))),
        ("type 99", |w| _ = w.set("a", list(99, 3, vec![0; 99]))),
        ("promises more", |w| _ = w.set("a", (8, vec![0xff; 8]))),
        ("promises more", |w| _ = w.set("a", list(8, u64::MAX, vec![]))),
        ("promises more", |w| _ = w.set("a", list(12, u64::MAX / 4, vec![]))),
        ("promises more", |w| _ = w.set("a", list(10, 1 << 61, vec![]))),
        ("promises more", |w| _ = w.set("a", list(0, 1 << 40, vec![]))),
        ("promises more", |w| _ = w.set("a", list(9, 1 << 40, vec![]))),
        ("nested deeper", |w| {
            let mut nested = list(4, 0, vec![]).1;
            for _ in 0..100_000 {
                nested = [9u32.to_le_bytes().as_slice(), &1u64.to_le_bytes(), &nested].concat();
                if nested.len() > 4000 {
                    break;
                }
            }
            _ = w.set("a", (9, nested));
        }),
        ("not UTF-8", |w| _ = w.set("a", (8, [&2u64.to_le_bytes()[..], &[0xff, 0xfe]].concat()))),
    ];
    for (word, change) in changes {
        let mut writer = llama();
        change(&mut writer);
        let bytes = writer.write().bytes;
        let (read, most) = held(|| read(&bytes));
        let error = read.err().unwrap_or_else(|| panic!("{word}: the file was taken"));
        assert!(error.contains(word) && is_one_clear_line(&error), "{word}: {error}");
        assert!(most < 1 << 20, "{word}: held {most} bytes");
    }
}

#[test]
fn tensors_neither_overlap_nor_leave_the_file() {
    let good = llama().write();
    let at = |tensor: usize, offset: u64| {
        let mut bytes = good.bytes.clone();
        bytes[good.offsets[tensor]..][..8].copy_from_slice(&offset.to_le_bytes());
        read(&bytes).err().unwrap_or_else(|| panic!("offset {offset} was taken"))
    };
    assert!(at(5, 0).contains("share bytes"));
    assert!(at(5, 1).contains("multiple of 32"));
    for outside in [good.bytes.len() as u64, 1 << 62, u64::MAX - 31, u64::MAX] {
        assert!(at(5, outside).contains("promises more"), "{}", at(5, outside));
    }
}

#[test]
fn what_is_no_model_is_said() {
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"GGU\xff", "not a GGUF"),
        (b"version https://git-lfs", "Git LFS"),
        (b"GGUF", "promises more than its 4 bytes"),
        (
            b"GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0",
            "tensors, more than any",
        ),
        (
            b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
            "metadata values, more",
        ),
    ] {
        let error = read(bytes).err().unwrap();
        assert!(error.contains(word) && is_one_clear_line(&error), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_path_buf(), folder.path().join("nothing")] {
        let error = Gguf::open(&path).err().unwrap().to_string();
        assert!(is_one_clear_line(&error), "{error}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let Written { bytes, data, .. } = llama().write();
    let head = 0..data + 64;
    let weights = (data + 64..bytes.len()).step_by(97).chain([bytes.len() - 1]);
    for length in head.chain(weights) {
        match read(&bytes[..length]) {
            // The last tensor ends 40 · 64 / 32 blocks of 18 bytes on, which is a multiple of the alignment.
            Ok(_) => panic!("{length} of {} bytes were taken", bytes.len()),
            Err(error) => assert!(is_one_clear_line(&error), "{length}: {error}"),
        }
    }
    assert!(read(&bytes).is_ok());
}

/// A file that shrinks after it was opened is an error, not a panic.
#[test]
fn a_file_that_shrinks_is_noticed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let Written { bytes, data, .. } = llama().write();
    std::fs::write(file.path(), &bytes).unwrap();
    let model = Gguf::open(file.path()).unwrap();
    file.as_file().set_len(data as u64 + 100).unwrap();
    let error = model.matrix(Tensor::Embedding).unwrap_err().to_string();
    assert!(error.contains("truncated") && is_one_clear_line(&error), "{error}");
}

/// Claims that a sparse file of 64 GiB does hold still take no memory.
#[test]
fn claims_that_the_file_can_hold_are_not_kept() {
    let claims: &[Change] = &[
        ("a text", |w| _ = w.set("a", (8, (8u64 << 30).to_le_bytes().to_vec()))),
        ("numbers", |w| _ = w.set("a", list(10, 1 << 32, vec![]))),
        ("a vocabulary", |w| {
            _ = w.set("tokenizer.ggml.tokens", list(0, 1 << 34, vec![]));
        }),
        ("a key", |w| _ = w.set(&"k".repeat(5000), number(1))),
    ];
    for (what, claim) in claims {
        let mut writer = llama();
        claim(&mut writer);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), writer.write().bytes).unwrap();
        if file.as_file().set_len(64 << 30).is_err() {
            crate::support::not_run(
                "claims_that_the_file_can_hold_are_not_kept",
                "no sparse files here",
            );
            return;
        }
        let (_, most) = held(|| Gguf::open(file.path()).map(|model| model.tokenizer().is_ok()));
        assert!(most < 1 << 20, "{what}: held {most} bytes");
    }
}

#[test]
fn a_tokenizer_that_is_wrong_is_refused_in_a_line() {
    let tokens: Vec<String> = (0..40).map(|i| format!("t{i}")).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let ones = || list(5, 40, [1, 0, 0, 0].repeat(40));
    let mut good = llama();
    good.set("tokenizer.ggml.model", string("gpt2"))
        .set("tokenizer.ggml.pre", string("smollm"))
        .set("tokenizer.ggml.tokens", strings(&tokens))
        .set("tokenizer.ggml.token_type", ones())
        .set("tokenizer.ggml.merges", strings(&["t 1", "no merge", "x", ""]));
    assert_eq!(open(&good).tokenizer().unwrap().text(&[3, 39, 40]).unwrap(), "t3t39");
    let changes: &[Change] = &[
        ("\"llama\"", |w| _ = w.set("tokenizer.ggml.model", string("llama"))),
        ("\"other\"", |w| _ = w.set("tokenizer.ggml.pre", string("other"))),
        ("tokenizer.ggml.merges", |w| _ = w.remove("tokenizer.ggml.merges")),
        ("2 tokens", |w| _ = w.set("tokenizer.ggml.tokens", strings(&["a", "b"]))),
        ("not texts", |w| _ = w.set("tokenizer.ggml.tokens", list(4, 1, vec![0; 4]))),
        ("kinds of tokens", |w| _ = w.set("tokenizer.ggml.token_type", list(4, 41, vec![0; 164]))),
    ];
    for (word, change) in changes {
        let mut writer = good.clone();
        change(&mut writer);
        let error = open(&writer).tokenizer().err().unwrap().to_string();
        assert!(error.contains(word) && is_one_clear_line(&error), "{word}: {error}");
    }
}

#[test]
fn factors_of_nothing_are_refused() {
    let mut writer = llama();
    let data = vec![0; 32];
    let factors = gguf::Tensor { name: "rope_freqs.weight".into(), sides: vec![8], kind: 0, data };
    writer.tensors.push(factors);
    let error = read(&writer.write().bytes).err().unwrap();
    assert!(error.contains("rope_freqs.weight") && is_one_clear_line(&error), "{error}");
}

/// What a stranger may do to a header: bytes turned, and lengths made huge where there may be one.
#[derive(Clone, Debug)]
enum Damage {
    Byte(usize, u8),
    Word(usize, u64),
    Cut(usize),
    Insert(usize, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let huge = prop_oneof![
        Just(u64::MAX),
        Just(u64::MAX / 8 + 1),
        Just(1 << 63),
        Just(1 << 40),
        Just(1 << 31),
        Just(0),
        any::<u64>()
    ];
    prop_oneof![
        4 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        3 => (any::<usize>(), huge).prop_map(|(at, word)| Damage::Word(at, word)),
        1 => any::<usize>().prop_map(Damage::Cut),
        1 => (any::<usize>(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, b)| Damage::Insert(at, b)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    /// Damaged headers are read or refused in a line; nobody panics, and no more is held than a few times the file.
    #[test]
    fn damaged_headers_do_no_harm(damages in prop::collection::vec(damage(), 1..4)) {
        let mut writer = llama();
        writer
            .set_tokenizer()
            .set("lists", list(9, 2, [list(4, 1, vec![1; 4]).1, strings(&["x"]).1].concat()));
        let Written { mut bytes, data, .. } = writer.write();
        for damage in damages {
            let head = data.min(bytes.len() - 8);
            match damage {
                Damage::Byte(at, byte) => bytes[at % head] ^= byte,
                Damage::Word(at, word) => {
                    bytes[at % head..][..8].copy_from_slice(&word.to_le_bytes());
                }
                Damage::Cut(at) => bytes.truncate(16 + at % bytes.len()),
                Damage::Insert(at, more) => {
                    bytes.splice(at % head..at % head, more);
                }
            }
        }
        let (read, most) = held(|| read(&bytes));
        if let Err(error) = read {
            prop_assert!(is_one_clear_line(&error), "{error}");
        }
        // Patterns of the tokenizer take some; beyond that the file itself is the measure.
        prop_assert!(most < 4 << 20, "held {most} bytes");
    }
}
