//! The pages that a browser looks at: `scripts/browser.sh` opens what this writes.

use crate::made_up;
use rigbench::report::{Collection, page};
use rigbench::results::wire::Document;
use std::path::{Path, PathBuf};

/// Where pages are written.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The page of one document.
pub fn single(document: &Document) -> String {
    let mut collection = Collection::default();
    let (_, document) = collection.add("run.json".into(), Ok(document.clone())).unwrap();
    page(&collection, Some(&document))
}

/// The page of many, with files that are not shown.
pub fn many(documents: Vec<Document>) -> String {
    let mut collection = Collection::default();
    for (i, document) in documents.into_iter().enumerate() {
        collection.add(format!("made-up-{i:04}.json"), Ok(document));
    }
    collection.add("notes.json".into(), Err("this is no rigbench result: missing field".into()));
    let why =
        "it is not truthful: measurements[3].throughput.value: 4e9 does not follow from the rest";
    collection.add("too-good-to-be-true.json".into(), Err(why.into()));
    page(&collection, None)
}

#[test]
fn the_pages_are_written() {
    let pages = [
        ("run", single(&made_up::everything())),
        ("real", single(&made_up::BASE)),
        ("hostile", single(&made_up::hostile())),
        ("folder", many(made_up::fleet(60))),
    ];
    for (name, page) in &pages {
        std::fs::write(folder().join(format!("{name}.html")), page).unwrap();
        for forbidden in ["http:", "https:", "src=", "@import", "url(h", "//fonts"] {
            assert!(!page.contains(forbidden), "{name} has {forbidden}");
        }
        assert!(!page.contains("<script>alert"), "{name}");
        let ids: Vec<&str> =
            page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let different: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(ids.len(), different.len(), "{name}: {ids:?}");
    }
}
