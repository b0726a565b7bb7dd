//! Every field of a file changed in every way that a forger would think of, and signed again: all that follows from evidence
//! is derived again by our own code, digests included. What is not refused must stand on the list of what nobody can see.

use crate::validate::honest::{RUN, findings_of, rows, sign};
use crate::validate::versions;
use cpu_time::ThreadTime;
use rigbench::energy::{Scope, Stated};
use rigbench::results::{Document, Origin, Verdict, read};
use rigbench::units::Watts;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What nobody can see of a file alone, by the beginnings of paths: of the changes there the most, in percent, and why.
const UNSEEN: &[(&str, usize, &str)] = &[
    ("evidence.baselines", 55, "what the meter showed at idle"),
    ("evidence.rows.[].condition", 15, "what the publisher set"),
    ("evidence.rows.[].readings", 45, "what the meter showed, and when"),
    ("evidence.rows.[].telemetry", 45, "what sensors showed"),
    ("evidence.rows.[].tuning", 60, "how the kernel was chosen"),
    ("evidence.rows.[].verification", 50, "how much the publisher compared"),
    ("evidence.rows.[].windows.blocks.warm_up_steady", 35, "what the publisher saw of the warm-up"),
    ("evidence.rows.[].windows.blocks", 8, "the publisher's clock"),
    ("evidence.rows.[].windows.cpu_seconds", 50, "the publisher's clock"),
    ("evidence.rows.[].windows.wall_seconds", 15, "the publisher's clock, at the end of a block"),
    ("evidence.rows.[].windows.work", 35, "how often a product was computed, up to its ceiling"),
    ("evidence.run.attempt", 20, "what a scheduler counted"),
    ("rules", 50, "rules that nobody knows yet: no figure is compared, and the reader is told"),
    ("schema_version", 15, "a patch of the same version"),
];

/// What came of a mutation.
#[derive(Debug, PartialEq)]
enum Fate {
    /// With what validate says.
    Refused(Vec<String>),
    /// What follows was derived again, and the file is what it was, or says less of what follows.
    Restored,
    /// A source's figure is gone: the row says that it has none.
    Withheld,
    /// The run says that it does not count.
    Invalid,
    Unseen,
}

/// What is changed.
#[derive(Clone, Copy, PartialEq)]
enum What {
    /// Something that nothing else gives.
    Evidence,
    /// What follows from it.
    Figure,
    /// A figure is no longer there.
    NoFigure,
}

/// Signs, and asks. Figures stay as they were forged; all else is derived again.
fn forge(changed: &Value, what: What) -> Fate {
    let Ok(mut document) = Document::deserialize(changed) else {
        return match read::read(changed.to_string().as_bytes()) {
            Ok(_) => panic!("{changed} is read, and is no document"),
            Err(why) => Fate::Refused(vec![why.to_string()]),
        };
    };
    let text = if what != What::Evidence {
        let mut signed = changed.clone();
        versions::sign(&mut signed);
        signed.to_string()
    } else {
        sign(&mut document);
        serde_json::to_string(&document).unwrap()
    };
    if document == RUN.document {
        return Fate::Restored;
    }
    let measured = |document: &Document| {
        let all = document.rows().flat_map(|(_, figures)| figures.energies());
        all.filter(|energy| energy.joules_per_unit.is_some()).count()
    };
    let faults = findings_of(text.as_bytes()).faults;
    match faults {
        faults if !faults.is_empty() => Fate::Refused(faults),
        _ if what == What::NoFigure => Fate::Restored,
        _ if document.derived.run.verdict != Verdict::Valid => Fate::Invalid,
        _ if measured(&document) < measured(&RUN.document) => Fate::Withheld,
        _ => Fate::Unseen,
    }
}

/// Whether a reason names its place: `evidence.rows[0].windows.work[1]: …`, or a field that is missing at the top.
fn names_its_place(reason: &str) -> bool {
    const TOP: [&str; 5] = ["schema_version", "rules", "evidence", "derived", "proof"];
    let first = reason.split([' ', ':', '.', '[']).next().unwrap();
    TOP.contains(&first)
        || reason.starts_with("its format is ")
        || TOP.iter().any(|key| reason.contains(&format!("missing field `{key}`")))
        || reason.starts_with("not a rigbench result file: invalid type")
}

/// Every path to something, of arrays the first and the last.
fn paths(value: &Value, at: Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut step = |key: String, value: &Value| {
        let path = [&at[..], &[key]].concat();
        found.push(path.clone());
        paths(value, path, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| step(key.clone(), value)),
        Value::Array(members) => {
            let n = members.len();
            let mut places = vec![0, n.saturating_sub(1)];
            places.dedup();
            places.iter().filter(|i| **i < n).for_each(|i| step(i.to_string(), &members[*i]));
        }
        _ => {}
    }
}

/// Everything that a leaf is changed to.
fn changes(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(n) if n.is_u64() => {
            let n = n.as_u64().unwrap();
            [n.saturating_mul(10), n + 1, n.saturating_sub(1), n.saturating_mul(1000), 0]
                .into_iter()
                .filter(|m| *m != n)
                .map(|m| json!(m))
                .collect()
        }
        Value::Number(n) => {
            let x = n.as_f64().unwrap();
            [x * 10.0, x / 10.0, x * 1.02, x * 0.5, -x, 0.0, 1e300]
                .into_iter()
                .filter(|y| *y != x)
                .map(|y| json!(y))
                .collect()
        }
        Value::String(text) => {
            ["", "x", "gpu-board", "measured-counter", "publish", "sha256d", "hash", "valid"]
                .into_iter()
                .filter(|other| other != text)
                .map(|other| json!(other))
                .chain([json!(format!("{text}1"))])
                .collect()
        }
        Value::Bool(yes) => vec![json!(!yes)],
        Value::Null => vec![json!(1.5), json!(3), json!("x"), json!(true), json!([0.5])],
        Value::Array(members) if !members.is_empty() => {
            let twice: Vec<Value> = members.iter().chain(members.last()).cloned().collect();
            vec![json!(members[1..]), json!(members[..members.len() - 1]), json!(twice), json!([])]
        }
        Value::Array(_) => vec![json!([0]), json!(["cpu"]), json!([{"code": "failed"}])],
        Value::Object(_) => Vec::new(),
    }
}

fn place<'a>(value: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Array(members) => &mut members[key.parse::<usize>().unwrap()],
        other => &mut other[key.as_str()],
    })
}

#[test]
fn every_forgery_is_refused_or_stands_on_the_list() {
    let honest = serde_json::to_value(&RUN.document).unwrap();
    let mut all = Vec::new();
    paths(&honest, Vec::new(), &mut all);
    let mut fates: BTreeMap<String, Vec<Fate>> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    let mut changed = honest.clone();
    for path in &all {
        let name: Vec<&str> =
            path.iter().map(|p| if p.parse::<usize>().is_ok() { "[]" } else { p }).collect();
        let mut try_one = |changed: &Value, what: What| {
            // Processor time, which a busy machine does not change.
            let began = ThreadTime::now();
            let fate = forge(changed, what);
            slowest = slowest.max(began.elapsed());
            if let Fate::Refused(reasons) = &fate {
                assert!(reasons.iter().all(|why| names_its_place(why)), "{path:?}: {reasons:#?}");
            }
            fates.entry(name.join(".")).or_default().push(fate);
        };
        let of_figures = path[0] == "derived";
        let (last, parent) = path.split_last().unwrap();
        let mut without = honest.clone();
        if let Value::Object(members) = place(&mut without, parent) {
            members.remove(last);
            try_one(&without, if of_figures { What::NoFigure } else { What::Evidence });
        }
        for change in changes(place(&mut changed, path)) {
            let original = std::mem::replace(place(&mut changed, path), change);
            try_one(&changed, if of_figures { What::Figure } else { What::Evidence });
            *place(&mut changed, path) = original;
        }
    }
    let count = |is: fn(&Fate) -> bool| fates.values().flatten().filter(|f| is(f)).count();
    let refused = count(|fate| matches!(fate, Fate::Refused(_)));
    let (restored, unseen) = (count(|f| *f == Fate::Restored), count(|f| *f == Fate::Unseen));
    let (withheld, invalid) = (count(|f| *f == Fate::Withheld), count(|f| *f == Fate::Invalid));
    println!(
        "{refused} refused, {restored} undone or left out, {invalid} call themselves invalid, {withheld} leave out energy, \
         {unseen} that nobody can see"
    );
    println!("the slowest took {slowest:?} of a processor");
    let mut unlisted = Vec::new();
    let mut listed: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (path, fates) in &fates {
        let unseen = fates.iter().filter(|f| **f == Fate::Unseen).count();
        match UNSEEN.iter().find(|(known, ..)| path.starts_with(known)) {
            Some((known, ..)) => {
                let (seen, all) = listed.entry(known).or_default();
                (*seen, *all) = (*seen + unseen, *all + fates.len());
            }
            None if unseen > 0 => unlisted.push(format!("{path} ({unseen} of {})", fates.len())),
            None => {}
        }
    }
    for (known, most, why) in UNSEEN {
        let (unseen, all) = listed.get(known).copied().unwrap_or_default();
        println!("unseen: {known} ({unseen} of {all}, {} %): {why}", 100 * unseen / all.max(1));
        assert!(100 * unseen <= most * all, "{known}: {unseen} of {all} are unseen");
    }
    assert!(refused >= 300);
    assert!(slowest <= Duration::from_secs(2), "{slowest:?}");
    assert!(unlisted.is_empty(), "{unlisted:#?}");
}

/// A change throughout the file that agrees with itself.
fn throughout(change: impl Fn(&mut Document)) -> Fate {
    let mut document = RUN.document.clone();
    change(&mut document);
    forge(&serde_json::to_value(&document).unwrap(), What::Evidence)
}

/// What the meters say of themselves.
fn meters(document: &mut Document) -> impl Iterator<Item = &mut rigbench::energy::SourceInfo> {
    let sources = document.evidence.manifest.sources.iter_mut();
    sources.filter_map(|source| match &mut source.known_mut().unwrap().origin {
        Origin::Meter(info) => Some(info),
        Origin::Stated(_) => None,
    })
}

#[track_caller]
fn refused(fate: &Fate) {
    assert!(matches!(fate, Fate::Refused(_)), "{fate:?}");
}

#[test]
fn what_nobody_can_see_is_said_and_all_else_is_seen() {
    // Joules of a meter that nobody else saw are the publisher's word. The program says so after each file.
    let half_the_joules = |document: &mut Document| {
        for row in rows(document) {
            let values = row.readings.iter_mut().flat_map(|readings| &mut readings.values);
            values.flatten().for_each(|value| *value /= 2.0);
        }
        for baseline in &mut document.evidence.baselines {
            baseline.idle.power = Watts(baseline.idle.power.0 / 2.0);
        }
    };
    assert_eq!(throughout(half_the_joules), Fate::Unseen);
    // Shorter windows are not those of the protocol.
    let faster = |document: &mut Document| {
        for row in rows(document) {
            let windows = row.windows.as_mut().unwrap();
            let columns = [&mut windows.wall_seconds, &mut windows.cpu_seconds];
            columns.into_iter().flatten().for_each(|seconds| *seconds /= 2.0);
        }
    };
    refused(&throughout(faster));
    // A counter in other units, a source with another scope, or a better one: the manifest is in the headers.
    let tenfold = |document: &mut Document| {
        meters(document).for_each(|info| info.accuracy.share /= 10.0);
    };
    refused(&throughout(tenfold));
    let narrower = |document: &mut Document| {
        meters(document).for_each(|info| info.scope = Scope::GpuBoard);
    };
    refused(&throughout(narrower));
    let measured = |document: &mut Document| {
        let info = meters(document).next().unwrap().clone();
        for source in &mut document.evidence.manifest.sources {
            let source = source.known_mut().unwrap();
            if let Origin::Stated(Stated::Declared { .. }) = source.origin {
                source.origin = Origin::Meter(info.clone());
            }
        }
    };
    refused(&throughout(measured));
    let published = |document: &mut Document| {
        document.evidence.manifest.protocol.mode = "publish".into();
    };
    refused(&throughout(published));
    let a_row_less = |document: &mut Document| {
        document.evidence.rows.pop();
    };
    refused(&throughout(a_row_less));
}
