//! Paths of model files in specs: with colons, as Windows has them, with equals signs, spaces and other scripts, without an ending,
//! and through symbolic links. What a file holds decides, not its name.

use crate::model::writer::llama;
use crate::support;
use rigbench::workload::parse;
use std::path::PathBuf;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn model(&self, name: &str) -> String {
        std::fs::write(self.path(name), llama().write().bytes).unwrap();
        self.path(name).to_str().unwrap().into()
    }

    fn error(&self, spec: &str) -> String {
        let Err(error) = parse(spec) else { panic!("{spec} is read") };
        let line = error.to_string();
        assert!(!line.contains(['\n', '\x1b']), "{line:?}");
        line
    }
}

/// Names that files have on this system, and how results call them.
#[cfg(unix)]
const NAMES: &[(&str, &str)] = &[
    ("x.gguf", "x.gguf"),
    ("X.GGUF", "X.GGUF"),
    ("a:b.gguf", "a_b.gguf"),
    ("a:b", "a_b"),
    ("C:\\models\\x.gguf", "x.gguf"),
    ("with space.gguf", "with space.gguf"),
    ("k=v.gguf", "k_v.gguf"),
    ("batch=2", "batch_2"),
    ("a:batch=2", "a_batch_2"),
    ("modèle-模型.gguf", "modèle-模型.gguf"),
    ("sha256-6a0746a1ec1a", "sha256-6a0746a1ec1a"),
    ("a\nb\x1b[2J.gguf", "a_b_[2J.gguf"),
    ("int4", "int4"),
    ("smollm2-135m", "smollm2-135m"),
];

#[cfg(unix)]
#[test]
fn a_model_is_found_under_any_name_and_options_behind_it_are_read() {
    let folder = Folder::new();
    for (name, label) in NAMES {
        let path = folder.model(name);
        for (options, whole) in [
            ("", "batch=1:prompt=32:context=64"),
            (":batch=3", "batch=3:prompt=32:context=64"),
            (":prompt=16:batch=3", "batch=3:prompt=16:context=64"),
        ] {
            let options = match options.contains("prompt") {
                true => format!("{options}:context=64"),
                false => format!("{options}:prompt=32:context=64"),
            };
            let spec = format!("decode:{path}{options}");
            let workload = parse(&spec).unwrap_or_else(|error| panic!("{spec:?}: {error}"));
            assert_eq!(workload.spec(), format!("decode:{label}:{whole}"), "{spec:?}");
            assert_eq!(workload.shape().model.as_deref(), Some(*label));
            assert_eq!(workload.shape().model_sha256.map(|digest| digest.len()), Some(64));
        }
        let line = folder.error(&format!("decode:{path}:int4"));
        assert!(line.contains("has its own types"), "{line}");
        let line = folder.error(&format!("decode:{path}:batsch=2"));
        assert!(line.contains("did you mean 'batch'?"), "{line}");
        std::fs::remove_file(folder.path(name)).unwrap();
    }
}

/// A Hugging Face cache holds links without an ending to blobs without an ending.
#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed() {
    let folder = Folder::new();
    folder.model("blob");
    std::os::unix::fs::symlink("blob", folder.path("model.gguf")).unwrap();
    std::os::unix::fs::symlink("model.gguf", folder.path("link")).unwrap();
    for name in ["model.gguf", "link"] {
        let spec = format!("prefill:{}:prompt=8", folder.path(name).display());
        assert_eq!(parse(&spec).unwrap().spec(), format!("prefill:{name}:batch=1:prompt=8"));
    }
    std::fs::remove_file(folder.path("blob")).unwrap();
    let line = folder.error(&format!("prefill:{}", folder.path("link").display()));
    assert!(line.contains("cannot be read"), "{line}");
}

/// Relative paths, as the program itself is given them.
#[cfg(unix)]
#[test]
fn the_program_reads_relative_paths_with_colons() {
    let folder = Folder::new();
    for name in ["a:b.gguf", "C:\\models\\x.gguf", "blob"] {
        folder.model(name);
        for path in [name.to_string(), format!("./{name}")] {
            let output = support::rigbench(&["run", "--workload"])
                .arg(format!("decode:{path}:context=200"))
                .current_dir(folder.path("."))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{path}: {said}");
            // The file was opened: its longest text is known.
            assert!(said.contains("up to 128 tokens, not 200"), "{path}: {said}");
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_named_as_a_whole() {
    let folder = Folder::new();
    for (spec, path) in [
        ("decode:C:\\models\\x.gguf", "C:\\models\\x.gguf"),
        ("decode:C:\\models\\x.gguf:batch=2", "C:\\models\\x.gguf"),
        ("decode:C:/models/x:batch=2:prompt=4", "C:/models/x"),
        ("decode:/nowhere/a:b.gguf:batch=2", "/nowhere/a:b.gguf"),
        ("decode:/nowhere/a:b", "/nowhere/a:b"),
        ("prefill:./nowhere:prompt=3", "./nowhere"),
        ("decode:nowhere.gguf:batch=2", "nowhere.gguf"),
    ] {
        let line = folder.error(spec);
        assert!(
            line.contains(&format!(": {path}: the model file cannot be read")),
            "{spec}: {line}"
        );
    }
    let line = folder.error(&format!("decode:{}", folder.path("").display()));
    assert!(line.contains("is a folder"), "{line}");
    let line = folder.error("decode:smollm-135m");
    assert!(line.contains("did you mean 'smollm2-135m'?"), "{line}");
}

/// Each says what it is, under whatever name.
#[test]
fn a_file_that_is_no_gguf_is_named_as_what_it_is() {
    let folder = Folder::new();
    for (name, bytes, word) in [
        (
            "lfs.gguf",
            &b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4661211808\n"[..],
            "Git LFS pointer",
        ),
        ("html.gguf", b"<!doctype html><html><body>401 Unauthorized</body></html>", "web page"),
        ("empty.gguf", b"", "empty"),
        ("zeros.gguf", &[0; 4096], "zero bytes"),
        ("text", b"hello", "a text"),
    ] {
        std::fs::write(folder.path(name), bytes).unwrap();
        let line = folder.error(&format!("decode:{}", folder.path(name).display()));
        assert!(line.contains(word) && line.contains(name), "{name}: {line}");
    }
}

#[test]
fn a_text_longer_than_the_sliding_window_is_refused_with_that_reason() {
    let folder = Folder::new();
    let mut writer = llama();
    writer.set("llama.attention.sliding_window", crate::model::writer::number(48));
    let path = folder.path("window.gguf");
    std::fs::write(&path, writer.write().bytes).unwrap();
    let spec = |context| format!("decode:{}:prompt=8:context={context}", path.display());
    let line = folder.error(&spec(49));
    assert!(line.contains("sliding window of 48 tokens"), "{line}");
    assert!(parse(&spec(48)).is_ok());
}

/// Results tell models by their specs within a run.
#[test]
fn two_models_of_one_name_are_not_taken_for_one() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("other")).unwrap();
    let first = folder.model("x.gguf");
    let mut writer = llama();
    writer.set("general.name", crate::model::writer::string("another"));
    let second = folder.path("other/x.gguf");
    std::fs::write(&second, writer.write().bytes).unwrap();
    let output = support::rigbench(&["run", "--device", "cpu", "--workload"])
        .arg(format!("decode:{first}:prompt=8:context=16"))
        .arg("--workload")
        .arg(format!("decode:{}:prompt=8:context=16", second.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("two different model files"), "{said}");
}
