//! SmolLM2-135M from its real file: the f64 forward pass goes the way of llama.cpp's own tokens, and text is cut as
//! llama.cpp cuts it.

use crate::support::gap;
use crate::support::smollm2::{Prompt, Text, golden, smollm};
use proptest::prelude::*;
use rigbench::model::{PRESETS, Part, Tensor, Values, Weights};
use rigbench::oracle::decoder::forward;

#[test]
fn the_real_model_has_the_presets_figures() {
    let Some(model) = smollm("the_real_model_has_the_presets_figures") else { return };
    assert_eq!(model.config(), &PRESETS[0].config());
    let Values::Int8 { .. } = model.matrix(Tensor::Head).unwrap().values else { panic!("Q8_0") };
    let Values::Int4 { offsets: Some(_), .. } =
        model.matrix(Tensor::Layer(17, Part::Down)).unwrap().values
    else {
        panic!("Q4_1")
    };
}

/// How far below the first place llama.cpp's arithmetic may take a recorded token, in logits: it rounds activations to 8
/// bits for every product. The largest gap of the recorded tokens is 0.23; the same rounding, put into this forward pass
/// for once, took another token 0.35 below it.
const GAP: f64 = 0.5;

#[test]
fn llama_cpp_goes_the_way_of_the_real_model() {
    let Some(model) = smollm("llama_cpp_goes_the_way_of_the_real_model") else { return };
    let (mut first, mut all, mut largest) = (0, 0, 0.0f64);
    for Prompt { name, prompt, continuation, .. } in golden().prompts {
        assert!(continuation.len() >= 64, "{name}");
        let tokens = [&prompt[..], &continuation].concat();
        let whole = forward(&model, &tokens[..tokens.len() - 1]).unwrap();
        let (mut own, mut most) = (0, 0.0f64);
        for (i, token) in continuation.iter().enumerate() {
            let gap = gap(&whole, prompt.len() - 1 + i, *token);
            own += usize::from(gap == 0.0);
            most = most.max(gap);
        }
        println!("{name}: {own} of {} first, largest gap {most:.4}", continuation.len());
        (first, all, largest) = (first + own, all + continuation.len(), largest.max(most));
    }
    println!("all: {first} of {all} first, largest gap {largest:.4}");
    assert!(largest <= GAP && first * 100 >= all * 95, "{first} of {all}, gap {largest}");
}

#[test]
fn text_and_tokens_are_llama_cpps() {
    let Some(model) = smollm("text_and_tokens_are_llama_cpps") else { return };
    let tokenizer = model.tokenizer().unwrap();
    for Prompt { name, text, prompt, continuation, continuation_text } in golden().prompts {
        assert_eq!(tokenizer.tokens(&text).unwrap(), prompt, "{name}");
        assert_eq!(tokenizer.text(&prompt).unwrap(), text, "{name}");
        // The last character may be cut through.
        let whole = continuation_text.trim_end_matches('\u{fffd}');
        assert!(tokenizer.text(&continuation).unwrap().starts_with(whole), "{name}");
    }
    for Text { text, tokens } in golden().texts {
        assert_eq!(tokenizer.tokens(&text).unwrap(), tokens, "{text:?}");
    }
    let back = |text: &str| tokenizer.text(&tokenizer.tokens(text).unwrap()).unwrap();
    let spelled = |c: &char| back(&c.to_string()) == c.to_string();
    // Its vocabulary has no tokens for some bytes that are hardly used, such as the first of planes 4 to 15.
    assert!(!spelled(&'\u{40000}') && (' '..='~').chain("\n\té七🙂".chars()).all(|c| spelled(&c)));
    let texts = prop_oneof![".*", "[ \t\r\n0-9a-z'<|>]{0,40}", "(<\\|im_(start|end)\\|>| |a){0,8}"];
    let config = ProptestConfig { failure_persistence: None, ..Default::default() };
    let mut run = proptest::test_runner::TestRunner::new(config);
    run.run(&texts, |text| {
        let text: String = text.chars().filter(spelled).collect();
        prop_assert_eq!(back(&text), text);
        Ok(())
    })
    .unwrap_or_else(|error| panic!("{error}"));
}
