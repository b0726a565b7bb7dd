//! The pages that a browser looks at: `scripts/browser.sh` opens what this writes.

use crate::report::made_up;
use rigbench::report::{Collection, page};
use rigbench::results::{Document, Row};
use rigbench::workload::Id;
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
    collection.add("notes.json".into(), Err("not a rigbench result file: missing field".into()));
    let why = "it is not consistent: derived.rows[3].throughput.value: 4e9 does not follow from the evidence, which gives 3e6";
    collection.add("too-good-to-be-true.json".into(), Err(why.into()));
    page(&collection, None)
}

/// The sections of a page, in their order.
const SECTIONS: [&str; 9] =
    ["answer", "joules", "rates", "batches", "rooflines", "power", "windows", "rows", "files"];

/// A section of a page.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<h2 id=\"{id}\">")).expect(id);
    rest.split_once("</section>").unwrap().0
}

#[test]
fn the_pages_are_written() {
    // Of the real run no row counts, since others were at work: it has no curve. A folder is not drawn dot by dot.
    let pages: [(&str, String, &[&str]); 4] = [
        ("run", single(&made_up::everything()), &[]),
        ("real", single(&made_up::BASE), &["batches"]),
        ("hostile", single(&made_up::hostile()), &["batches"]),
        ("folder", many(made_up::fleet(60)), &["rooflines", "power", "windows"]),
    ];
    for (name, page, without) in &pages {
        std::fs::write(folder().join(format!("{name}.html")), page).unwrap();
        for forbidden in ["http:", "https:", "src=", "@import", "url(h", "//fonts"] {
            assert!(!page.contains(forbidden), "{name} has {forbidden}");
        }
        assert!(!page.contains("<script>alert"), "{name}");
        let ids: Vec<&str> =
            page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let different: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(ids.len(), different.len(), "{name}: {ids:?}");
        let sections = ids.iter().filter(|id| !id.starts_with("hatch-"));
        let wanted = SECTIONS.iter().filter(|id| !without.contains(id));
        assert!(sections.eq(wanted), "{name}: {ids:?}");
    }
    for (name, page, devices) in
        [("run", &pages[0].1, 4), ("real", &pages[1].1, 2), ("hostile", &pages[2].1, 2)]
    {
        let rooflines = section(page, "rooflines").matches("<figure").count();
        assert_eq!(rooflines, devices, "{name}");
    }
}

#[test]
fn every_batch_is_a_point_of_its_curve() {
    let document = made_up::everything();
    let page = single(&document);
    let curves = section(&page, "batches");
    let is_decode = |row: &&Row| row.workload.id == Id::Decode;
    let measured = document.evidence.known_rows().filter(is_decode).count();
    // Four devices wrote one, four and sixteen sequences at once: two plots, joules and tokens a second.
    assert_eq!((measured, curves.matches("<figure").count()), (12, 2));
    for batch in [1, 4, 16] {
        for device in document.evidence.manifest.devices() {
            let point = format!("{}, batch {batch}: ", device.id);
            assert_eq!(curves.matches(&point).count(), 2, "{point}");
        }
    }
    // Of one device joules are modelled, so that a line through them would say too much.
    let lines: Vec<usize> = curves
        .split("<polyline ")
        .skip(1)
        .map(|line| line.split_once("points=\"").unwrap().1.split('"').next().unwrap())
        .map(|points| points.split(' ').count())
        .collect();
    assert_eq!(lines, [3_usize; 7], "{curves}");
}
