//! Tokens through the whole program: a run of a small model in a file, what its result says, and whether `validate` finds a
//! forger's tokens.

use crate::model::writer;
use crate::support;
use rigbench::results::{self, Depth, Document, Evidence, Model, Row, RowFigures, read};
use rigbench::text::hex;
use rigbench::units::Provenance;
use rigbench::workload::Proof;
use sha2::Digest;
use std::path::{Path, PathBuf};

struct Ran {
    folder: tempfile::TempDir,
    document: Document,
}

impl Ran {
    fn model(&self) -> PathBuf {
        self.folder.path().join(MODEL)
    }
}

/// Neither a colon nor a missing ending keeps a file from being a model; results show no colon in it.
const MODEL: &str = "a:small:one";

/// A run of prefill and decode on the processor, and on the adapter if there is one.
fn ran(extra: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join(MODEL);
    std::fs::write(&model, writer::llama().write().bytes).unwrap();
    let spec = |id: &str, options: &str| format!("{id}:{}:{options}", model.display());
    let output = support::rigbench(&["run", "--quick", "--json", "--out"])
        .arg(folder.path().join("out"))
        .args(["--workload", &spec("prefill", "batch=2:prompt=24")])
        .args(["--workload", &spec("decode", "batch=2:prompt=24:context=80")])
        .args(extra)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    Ran { document: serde_json::from_slice(&output.stdout).unwrap(), folder }
}

/// What `validate --deep` says, with the model at hand.
fn faults(document: &Document, model: &Path) -> Vec<String> {
    let given = read::read(&serde_json::to_vec(document).unwrap()).unwrap();
    let sha256 = rigbench::model::Gguf::open(model).unwrap().sha256().unwrap();
    let models = [Model { path: model.into(), sha256 }];
    results::validate(&given, Depth::Deep { models: &models }).faults
}

/// A document whose evidence was changed, with the figures and the digest that follow from it.
fn forged(document: &Document, change: impl FnOnce(&mut Evidence)) -> Document {
    let mut evidence = document.evidence.clone();
    change(&mut evidence);
    Document::of(evidence)
}

fn row(evidence: &mut Evidence, i: usize) -> &mut Row {
    evidence.rows[i].known_mut().unwrap()
}

#[test]
fn a_run_shows_its_tokens_and_a_forger_is_found() {
    let ran = ran(&["--device", "cpu", "--power", "declared:50@machine"]);
    let (document, model) = (&ran.document, ran.model());
    assert_eq!(faults(document, &model), Vec::<String>::new());

    let rows: Vec<(&Row, &RowFigures)> = document.rows().collect();
    let [(prefill, of_prefill), (decode, of_decode)] = rows[..] else { panic!("two rows") };
    assert_eq!(decode.workload.spec, "decode:a_small_one:batch=2:prompt=24:context=80");
    let shape = &decode.workload.shape;
    assert_eq!((shape.model.as_deref(), shape.weights.as_ref()), (Some("a_small_one"), None));
    assert_eq!((shape.batch, shape.prompt, shape.context), (Some(2), Some(24), Some(80)));
    let bytes = std::fs::read(&model).unwrap();
    assert_eq!(shape.model_sha256, Some(hex(&sha2::Sha256::digest(bytes))));
    let work = |row: &Row| row.windows.as_ref().unwrap().work.clone();
    assert!(work(decode).iter().all(|work| work % 2 == 0), "a token for each of two sequences");
    assert!(work(prefill).iter().all(|work| work % 48 == 0), "whole prompts");
    let text = serde_json::to_string(document).unwrap();
    assert!(!text.contains(&*ran.folder.path().to_string_lossy()), "a path is in the result");

    // A query is the sum of its parts, to the digits that a file has.
    let query = of_decode.query.as_ref().unwrap();
    let rate = |figures: &RowFigures| figures.throughput.unwrap().value.unwrap();
    assert_eq!((query.prompt_tokens, query.answer_tokens), (24, 56));
    assert!((query.first_token_seconds * rate(of_prefill) / 48.0 - 1.0).abs() < 1e-7);
    let seconds = 48.0 / rate(of_prefill) + 112.0 / rate(of_decode);
    assert!((query.seconds / seconds - 1.0).abs() < 1e-7);
    let value = query.joules.unwrap().value.unwrap();
    let joules = |figures: &RowFigures| {
        assert_eq!(figures.energy.provenance(), Provenance::Declared);
        figures.energy.joules_per_unit.unwrap().value.unwrap()
    };
    let sum = 24.0 * joules(of_prefill) + 56.0 * joules(of_decode);
    assert!((value / sum - 1.0).abs() < 1e-7, "{value} {sum}");

    // Another token than the model's, signed again; a token that does not exist; none at all.
    for change in [
        |tokens: &mut Vec<u32>| tokens[3] = (tokens[3] + 1) % 40,
        |tokens: &mut Vec<u32>| tokens[0] = 40,
        |tokens: &mut Vec<u32>| tokens.clear(),
        |tokens: &mut Vec<u32>| *tokens = vec![1; 100],
    ] {
        let forged = forged(document, |evidence| {
            let Some(Proof::Answers(answers)) = &mut row(evidence, 1).proof else {
                panic!("decode shows tokens")
            };
            change(&mut answers.tokens[1]);
        });
        let faults = faults(&forged, &model);
        assert!(faults.iter().any(|f| f.starts_with("evidence.rows[1].proof")), "{faults:?}");
    }
    // Tokens of another run.
    let forged = forged(document, |evidence| evidence.run.user_seed ^= 1);
    let faults = faults(&forged, &model);
    // The few tokens of row 0 may be right by chance: this model prefers some of its 40 tokens.
    assert!(faults.iter().any(|f| f.starts_with("evidence.rows[1].proof")), "{faults:?}");
}

#[test]
fn the_adapter_shows_its_tokens_too() {
    let Some(_) = support::gpu("the_adapter_shows_its_tokens_too") else { return };
    let ran = ran(&["--device", "gpu:0"]);
    assert_eq!(faults(&ran.document, &ran.model()), Vec::<String>::new());
    for row in ran.document.evidence.known_rows() {
        let kernel = row.kernel.as_ref().unwrap();
        assert!(kernel.id.starts_with("decoder/") && kernel.wgsl_sha256.is_some(), "{kernel:?}");
    }
    let forged = forged(&ran.document, |evidence| {
        let kernel = row(evidence, 0).kernel.as_mut().unwrap();
        kernel.params.insert("ROWS".into(), "3u".into());
    });
    assert!(faults(&forged, &ran.model()).iter().any(|f| f.contains("kernel")));
}

/// What a user may get wrong: one line, exit 2, nothing measured.
#[test]
fn mistakes_get_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let whole = writer::llama().write().bytes;
    let cut = file("cut.gguf", &whole[..whole.len() / 2]);
    let other = file("other.gguf", b"not a model at all");
    let small = file("small.gguf", &whole);
    for (spec, hint) in [
        (format!("decode:{cut}"), "cut.gguf"),
        (format!("decode:{other}"), "other.gguf"),
        (format!("decode:{}/none.gguf", folder.path().display()), "none.gguf"),
        (format!("decode:{small}:prompt=100:context=200"), "up to 128 tokens"),
        ("prefill:llama-3-70b:f32".into(), "the model and its cache need"),
    ] {
        let arguments = ["run", "--quick", "--device", "cpu", "--workload", &spec];
        let output = support::rigbench(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{spec}: {said}");
        assert!(said.contains(hint) && said.trim().lines().count() == 1, "{spec}: {said}");
    }
}
