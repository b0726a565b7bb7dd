//! Holds the modules to their order: a module imports only modules to its left.

use proc_macro2::{TokenStream, TokenTree};
use std::path::{Path, PathBuf};

/// Left to right.
const ORDER: [&str; 16] = [
    "text",
    "units",
    "seed",
    "kernels",
    "device",
    "gpu",
    "model",
    "oracle",
    "workload",
    "energy",
    "measure",
    "results",
    "tune",
    "economics",
    "report",
    "cli",
];

fn sources() -> Vec<(PathBuf, TokenStream)> {
    fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let read = |path: PathBuf| {
        let tokens = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        (path.strip_prefix(&root).unwrap().to_path_buf(), tokens)
    };
    files.into_iter().map(read).collect()
}

/// The top-level module of a file, and how many modules deep the file is.
fn module(path: &Path) -> (String, usize) {
    let parts: Vec<String> =
        path.with_extension("").iter().map(|p| p.to_str().unwrap().to_string()).collect();
    let depth = parts.iter().filter(|p| *p != "mod").count();
    (parts[0].clone(), depth)
}

/// Modules of the crate's root that a file names, through `crate::` or as many `super::` as it takes.
fn imports(tokens: TokenStream, depth: usize, found: &mut Vec<String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let word = |i: usize| match trees.get(i) {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    };
    let colons = |i: usize| {
        let is_colon =
            |t: Option<&TokenTree>| matches!(t, Some(TokenTree::Punct(p)) if p.as_char() == ':');
        is_colon(trees.get(i)) && is_colon(trees.get(i + 1))
    };
    for i in 0..trees.len() {
        if let TokenTree::Group(group) = &trees[i] {
            // A `mod tests { … }` inside a file is one level deeper.
            let inner = i >= 2 && word(i - 2).as_deref() == Some("mod");
            imports(group.stream(), depth + usize::from(inner), found);
        }
        let mut at = i;
        let mut supers = 0;
        while word(at).as_deref() == Some("super") && colons(at + 1) {
            (supers, at) = (supers + 1, at + 3);
        }
        if word(i).as_deref() == Some("crate") && colons(i + 1) {
            at = i + 3;
        } else if supers == 0 || supers < depth {
            continue;
        }
        match trees.get(at) {
            Some(TokenTree::Ident(ident)) => found.push(ident.to_string()),
            Some(TokenTree::Group(group)) => {
                let mut first = true;
                for tree in group.stream() {
                    match tree {
                        TokenTree::Ident(ident) if first => {
                            found.push(ident.to_string());
                            first = false;
                        }
                        TokenTree::Punct(p) if p.as_char() == ',' => first = true,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        _ => false,
    })
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|m| *m == module)
}

#[test]
fn modules_import_only_leftward() {
    let mut wrong = Vec::new();
    for (path, tokens) in sources() {
        let (own, depth) = module(&path);
        let Some(place) = rank(&own) else {
            assert!(["lib", "main"].contains(&own.as_str()), "{own} has no place in the order");
            continue;
        };
        let mut found = Vec::new();
        imports(tokens, depth, &mut found);
        for other in found {
            if rank(&other).is_some_and(|r| r > place) {
                wrong.push(format!("{} imports {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_gpu_module_knows_wgpu() {
    for (path, tokens) in sources() {
        let allowed = path.starts_with("gpu");
        assert!(allowed || !mentions(tokens, "wgpu"), "{} mentions wgpu", path.display());
    }
}

#[test]
fn only_units_knows_the_customary_units() {
    for (path, tokens) in sources() {
        let text = tokens.to_string();
        // Tests may say what they expect a reader to see; they come last in a file.
        let code = text.split("cfg (test)").next().unwrap();
        for scale in ["1e12", "3.6e6", "\"J/TH\"", "\"J/TFLOP\""] {
            let allowed = path == Path::new("units.rs");
            assert!(allowed || !code.contains(scale), "{} says {scale}", path.display());
        }
    }
}

/// A stream may be gone at any moment, and the macros of the standard library panic then: all output goes through one module
/// that expects it.
#[test]
fn only_one_module_writes_to_the_standard_streams() {
    const MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
    for (path, tokens) in sources() {
        let own = path == Path::new("cli/stream.rs");
        let text = tokens.to_string();
        for word in MACROS {
            let used = text.contains(&format!("{word} !"));
            assert!(own || !used, "{} uses {word}!", path.display());
        }
        // Whether stdout is a terminal may be asked.
        let asks = path == Path::new("cli/args.rs");
        for stream in ["stdout ()", "stderr ()"] {
            let used = text.contains(&format!(" {stream}"));
            assert!(
                own || asks || !used || !path.starts_with("cli"),
                "{} uses {stream}",
                path.display()
            );
        }
    }
}

/// What a kilowatt-hour earns is computed of what is handed in: no file, no clock, no network, no output.
#[test]
fn economics_is_pure() {
    for (path, tokens) in sources().into_iter().filter(|(path, _)| path.starts_with("economics")) {
        for word in ["ureq", "Command", "Instant", "SystemTime", "println", "stdout"] {
            assert!(!mentions(tokens.clone(), word), "{} mentions {word}", path.display());
        }
        let text = tokens.to_string();
        for reach in ["std :: fs", "std :: net", "std :: env", "Zoned :: now", "Timestamp :: now"] {
            assert!(!text.contains(reach), "{} reaches for {reach}", path.display());
        }
    }
}

#[test]
fn the_check_sees_what_it_must() {
    let seen = |code: &str, depth| {
        let mut found = Vec::new();
        imports(code.parse().unwrap(), depth, &mut found);
        found
    };
    assert_eq!(seen("use crate::report;", 1), ["report"]);
    assert_eq!(seen("use crate::{units::{Joules, Watts}, cli};", 1), ["units", "cli"]);
    assert_eq!(seen("fn f() { let x = crate::cli::main(); }", 2), ["cli"]);
    assert_eq!(seen("macro_rules! m { () => { crate::gpu::open() } }", 1), ["gpu"]);
    assert_eq!(seen("use super::cli;", 1), ["cli"]);
    assert_eq!(seen("use super::super::cli; use super::sibling;", 2), ["cli"]);
    assert_eq!(seen("mod tests { use super::*; use super::super::cli; }", 1), ["cli"]);
}
