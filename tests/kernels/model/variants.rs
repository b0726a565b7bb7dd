//! GGUF files as converters write them and people share them: what means the same is read as the same, what rigbench does not
//! compute is refused with the exact reason, and what is no language model is named as what it is.

use crate::model::writer::{
    self as gguf, Writer, float, list, llama, number, open, read, string, strings,
};
use rigbench::model::Weights;

/// A value of every integer type.
fn integers(value: i8) -> Vec<gguf::Value> {
    let wide = i64::from(value);
    let bytes = |count: usize| wide.to_le_bytes()[..count].to_vec();
    vec![
        (0, bytes(1)),
        (1, bytes(1)),
        (2, bytes(2)),
        (3, bytes(2)),
        (4, bytes(4)),
        (5, bytes(4)),
        (10, bytes(8)),
        (11, bytes(8)),
    ]
}

fn double(value: f64) -> gguf::Value {
    (12, value.to_le_bytes().to_vec())
}

fn flag(value: bool) -> gguf::Value {
    gguf::flag(value)
}

/// The one line with which the file is refused.
fn refused(change: impl FnOnce(&mut Writer)) -> String {
    let mut writer = llama();
    change(&mut writer);
    let line = read(&writer.write().bytes).err().expect("the file is refused");
    let advice = line.rsplit_once(": ").map_or("", |(_, advice)| advice);
    assert!(!line.contains('\n') && line.len() < 400 && advice.split(' ').count() >= 3, "{line}");
    line
}

fn with(key: &str, value: gguf::Value) -> Writer {
    let mut writer = llama();
    writer.set(key, value);
    writer
}

#[test]
fn a_count_of_parts_or_experts_of_0_or_1_is_a_whole_dense_model() {
    for key in ["split.count", "llama.expert_count", "llama.expert_used_count"] {
        for value in [0, 1] {
            for value in integers(value) {
                let kind = value.0;
                assert_eq!(open(&with(key, value)).config().layers, 2, "{key} of type {kind}");
            }
        }
        for value in integers(2) {
            let line = refused(|w| _ = w.set(key, value));
            assert!(
                line.contains("one of 2 parts") || line.contains("mixture of experts"),
                "{line}"
            );
        }
        let line = refused(|w| _ = w.set(key, (11, (-1i64).to_le_bytes().to_vec())));
        assert!(line.contains(key), "{line}");
    }
    let line =
        refused(|w| w.tensor("blk.0.ffn_gate.weight").name = "blk.0.ffn_gate_exps.weight".into());
    assert!(line.contains("mixture of experts"), "{line}");
}

#[test]
fn rope_scaling_is_read_as_llama_cpp_reads_it() {
    type Values<'a> = &'a [(&'a str, gguf::Value)];
    let cases: &[(Values, Option<f32>)] = &[
        (&[("llama.rope.scaling.factor", float(4.0))], Some(4.0)),
        (&[("llama.rope.scaling.factor", number(4))], Some(4.0)),
        (&[("llama.rope.scaling.factor", double(0.5))], Some(0.5)),
        (&[("llama.rope.scaling.factor", float(0.0))], None),
        (&[("llama.rope.scaling.factor", float(1.0))], None),
        (&[("llama.rope.scale_linear", float(2.0))], Some(2.0)),
        (
            &[("llama.rope.scale_linear", float(2.0)), ("llama.rope.scaling.factor", float(4.0))],
            Some(4.0),
        ),
        (
            &[
                ("llama.rope.scaling.type", string("linear")),
                ("llama.rope.scaling.factor", float(4.0)),
            ],
            Some(4.0),
        ),
        (
            &[
                ("llama.rope.scaling.type", string("linear")),
                ("llama.rope.scale_linear", float(2.0)),
            ],
            Some(2.0),
        ),
        (&[("llama.rope.scaling.type", string("linear"))], None),
        (
            &[
                ("llama.rope.scaling.type", string("none")),
                ("llama.rope.scaling.factor", float(4.0)),
            ],
            None,
        ),
    ];
    for (values, factor) in cases {
        let mut writer = llama();
        for (key, value) in *values {
            writer.set(key, value.clone());
        }
        let factors = open(&writer).config().rope.factors.clone();
        assert_eq!(factors, factor.map(|factor| vec![factor; 8]), "{values:?}");
    }
    for (kind, value) in
        [("yarn", string("yarn")), ("longrope", string("longrope")), ("unknown", number(2))]
    {
        let line = refused(|w| _ = w.set("llama.rope.scaling.type", value));
        assert!(line.contains(kind) && line.contains("scales positions"), "{line}");
    }
    for value in [float(-2.0), float(f32::NAN), string("4"), double(1e300)] {
        let line = refused(|w| _ = w.set("llama.rope.scaling.factor", value));
        assert!(line.contains("llama.rope.scaling.factor is not a positive number"), "{line}");
    }
}

#[test]
fn a_number_may_be_of_any_type() {
    let bases = [float(5000.0), double(5000.0), number(5000), (2, vec![0x88, 0x13])];
    for base in bases.into_iter().chain([(10, 5000u64.to_le_bytes().to_vec())]) {
        let kind = base.0;
        let model = open(&with("llama.rope.freq_base", base));
        assert_eq!(model.config().rope.base, 5000.0, "type {kind}");
    }
    let model = open(&with("llama.attention.layer_norm_rms_epsilon", double(1e-5)));
    assert_eq!(model.config().rms_norm_eps, 1e-5);
    for base in [number(0), double(0.0), double(f64::INFINITY), (5, vec![0xff; 4]), flag(true)] {
        let line = refused(|w| _ = w.set("llama.rope.freq_base", base));
        assert!(line.contains("llama.rope.freq_base is not a positive number"), "{line}");
    }
}

#[test]
fn a_list_of_equal_numbers_is_that_number() {
    for (key, value) in [
        ("llama.attention.head_count", 4),
        ("llama.attention.head_count_kv", 2),
        ("llama.feed_forward_length", 96),
    ] {
        for (kind, bytes) in integers(value) {
            let model = open(&with(key, list(kind, 2, bytes.repeat(2))));
            let config = model.config();
            assert_eq!(
                (config.heads, config.kv_heads, config.intermediate_size),
                (4, 2, 96),
                "{key}, {kind}"
            );
        }
        let unequal = list(2, 2, vec![value as u8, 0, value as u8 + 1, 0]);
        let line = refused(|w| _ = w.set(key, unequal));
        let exact = format!(
            "{key} differs from layer to layer ({value} in layer 0, {} in layer 1)",
            value + 1
        );
        assert!(line.contains(&exact), "{line}");
        for wrong in [
            list(4, 3, number(value as u32).1.repeat(3)),
            list(4, 0, vec![]),
            list(6, 2, float(f32::from(value)).1.repeat(2)),
            strings(&["a", "b"]),
        ] {
            let line = refused(|w| _ = w.set(key, wrong));
            assert!(line.contains("not a list of 2 whole numbers"), "{line}");
        }
        let line = refused(|w| _ = w.set(key, list(5, 2, vec![0xff; 8])));
        assert!(line.contains("not from 1 to"), "{line}");
    }
}

/// A text that is no longer than the window is computed as if there were none.
#[test]
fn a_sliding_window_limits_the_text() {
    for (window, context) in [(0, 128), (48, 48), (128, 128), (4096, 128)] {
        let model = open(&with("llama.attention.sliding_window", number(window)));
        assert_eq!(model.config().context, context, "window of {window}");
        assert_eq!(model.sliding_window(), (context < 128).then_some(context));
    }
    let line = refused(|w| _ = w.set("llama.attention.sliding_window", list(7, 2, vec![1, 0])));
    assert!(line.contains("llama.attention.sliding_window"), "{line}");
}

#[test]
fn what_rigbench_does_not_compute_is_refused_and_what_changes_nothing_is_not() {
    for (key, value) in [
        ("attn_logit_softcapping", float(50.0)),
        ("residual_scale", float(0.22)),
        ("embedding_scale", float(12.0)),
        ("attention.scale", float(0.0078125)),
        ("attention.clamp_kqv", float(8.0)),
        ("attention.max_alibi_bias", float(8.0)),
        ("attention.temperature_scale", float(0.1)),
        ("rope.scaling.attn_factor", float(1.19)),
        ("logit_scale", float(-1.0)),
        ("residual_scale", string("0.22")),
        ("embedding_scale", float(f32::NAN)),
    ] {
        let key = format!("llama.{key}");
        let line = refused(|w| _ = w.set(&key, value));
        assert!(line.contains(&key) && line.contains("does not compute"), "{line}");
    }
    for (key, value) in [
        ("attn_logit_softcapping", float(0.0)),
        ("residual_scale", float(1.0)),
        ("residual_scale", float(0.0)),
        ("embedding_scale", number(1)),
        // Heads have 16 elements.
        ("attention.scale", float(0.25)),
        ("rope.scaling.attn_factor", double(1.0)),
        // The largest logit stays the largest.
        ("final_logit_softcapping", float(30.0)),
        ("logit_scale", float(8.0)),
        ("attention.causal", flag(true)),
        ("pooling_type", number(0)),
    ] {
        let key = format!("llama.{key}");
        assert_eq!(open(&with(&key, value)).config().layers, 2, "{key}");
    }
}

#[test]
fn what_is_no_language_model_is_named_as_what_it_is_and_of_what() {
    type Change = fn(&mut Writer);
    let cases: &[(&[&str], Change)] = &[
        (&["LoRA adapter of a model of the architecture \"llama\"", "llama-export-lora"], |w| {
            w.set("general.type", string("adapter")).set("adapter.type", string("lora"));
        }),
        (&["LoRA adapter of the model \"Llama 3.1 8B Instruct\""], |w| {
            w.set("general.type", string("adapter"))
                .set("general.base_model.0.name", string("Llama 3.1 8B Instruct"));
        }),
        (&["an adapter of the type \"ia3\""], |w| {
            w.set("adapter.type", string("ia3"));
        }),
        (&["LoRA adapter"], |w| {
            w.tensors.push(gguf::tensor("blk.0.attn_q.weight.lora_a", gguf::F32, &[64, 4]));
        }),
        (&["importance matrix", "(\"a small one\")"], |w| {
            w.set("general.type", string("imatrix")).remove("general.architecture");
        }),
        (&["importance matrix"], |w| {
            w.set("imatrix.chunk_count", number(100)).remove("general.architecture");
        }),
        (&["projector (mmproj)", "architecture \"clip\", \"Gemma 3 4B\"", "language model"], |w| {
            w.set("general.type", string("mmproj"))
                .set("general.architecture", string("clip"))
                .set("general.name", string("Gemma 3 4B"));
        }),
        (&["projector (mmproj)"], |w| {
            w.set("general.architecture", string("clip"));
        }),
        (&["a vocabulary without weights", "\"llama\""], |w| {
            w.set("tokenizer.ggml.tokens", strings(&["a", "b"]));
            w.tensors.clear();
        }),
        (&["a vocabulary without weights"], |w| {
            w.set("general.type", string("vocab"));
        }),
        (&["no tensors"], |w| w.tensors.clear()),
        (&["an embedding model", "\"nomic-bert\""], |w| {
            w.set("general.architecture", string("nomic-bert"));
        }),
        (&["an embedding model", "\"qwen3\""], |w| {
            w.set("general.architecture", string("qwen3")).set("qwen3.pooling_type", number(3));
        }),
        (&["an embedding model"], |w| {
            w.set("llama.attention.causal", flag(false));
        }),
        (&["a draft model for speculative decoding"], |w| {
            w.set("general.architecture", string("eagle3"));
        }),
        (&["a control vector"], |w| {
            w.set("general.architecture", string("controlvector"));
        }),
        (&["makes images"], |w| {
            w.set("general.architecture", string("flux"));
        }),
    ];
    for (words, change) in cases {
        let line = refused(change);
        for word in *words {
            assert!(line.contains(word), "{word}: {line}");
        }
    }
}

#[test]
fn names_from_a_file_are_safe_to_print() {
    let name = format!("\x1b[2J\u{202e}{}", "long ".repeat(40));
    let line = refused(|w| {
        w.set("general.type", string("adapter")).set("general.base_model.0.name", string(&name));
    });
    assert!(line.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line:?}");
    let line = refused(|w| _ = w.set("general.architecture", string(&name)));
    assert!(line.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line:?}");
}

/// `llama-quantize` makes the head of a wide model Q6_K in a Q4_0 file too, so "quantize to Q4_0" would lead back here.
#[test]
fn advice_on_a_type_that_is_not_read_never_leads_in_a_circle() {
    for (tensor, kind, name) in [
        ("output.weight", 14, "Q6_K"),
        ("token_embd.weight", 14, "Q6_K"),
        ("blk.0.ffn_down.weight", 12, "Q4_K"),
        ("blk.0.attn_q.weight", 30, "BF16"),
        ("blk.0.attn_q.weight", 31, "Q4_0_4_4"),
        ("blk.0.attn_q.weight", 39, "MXFP4"),
    ] {
        let line = refused(|w| w.tensor(tensor).kind = kind);
        assert!(line.contains(&format!("{tensor} is {name}")), "{line}");
        let (_, advice) = line.rsplit_once(": ").unwrap();
        assert!(advice.contains("Q8_0") && advice.contains("--pure"), "{line}");
        assert!(!advice.replace("--pure to Q4_0", "").contains("Q4_0"), "{line}");
    }
    // Vectors stay what they are when a model is quantized.
    let line = refused(|w| w.tensor("output_norm.weight").kind = 30);
    assert!(line.contains("output_norm.weight is BF16") && line.contains("convert"), "{line}");
}
