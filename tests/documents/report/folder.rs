//! What a report makes of several runs, and of rows that must not be put together.

use crate::report::made_up;
use crate::report::pages::{many, single};
use rigbench::energy::Scope;
use rigbench::report::{self, Collection, File, flat};
use rigbench::results::{Document, Evidence};
use rigbench::workload::Id;

/// The headlines of the answer, each with how well it is known.
fn headlines(page: &str) -> Vec<(String, String, String)> {
    let between = |text: &str, from: &str, to: &str| {
        text.split_once(from).and_then(|(_, rest)| Some(rest.split_once(to)?.0.trim().to_string()))
    };
    page.split("<div class=\"verdict\">")
        .skip(1)
        .map(|part| {
            let subject =
                between(part, "<p class=\"subject\">", "</p>").unwrap().replace(" · ", ":");
            let headline = between(part, "<p class=\"headline\">", "<span").unwrap();
            let badge = between(part, "<span class=\"badge", "</span>").unwrap();
            (subject, headline, badge.split('>').nth(1).unwrap().to_string())
        })
        .collect()
}

fn of<'a>(all: &'a [(String, String, String)], subject: &str) -> (&'a str, &'a str) {
    let found =
        all.iter().find(|(of, ..)| of.starts_with(subject)).unwrap_or_else(|| panic!("{all:?}"));
    (&found.1, &found.2)
}

#[test]
fn the_answer_says_who_wins_how_sure_and_what_is_modelled() {
    let page = single(&made_up::everything());
    let all = headlines(&page);
    // All on one plug, far apart.
    assert_eq!(of(&all, "sha256d"), ("discrete-gpu wins", "sure"));
    // Cards and processors by counters of their own: like is ranked with like.
    assert_eq!(of(&all, "gemm"), ("discrete-gpu wins", "sure"));
    assert!(page.contains("Not comparable with these: cpu needs "), "{all:?}");
    assert_eq!(of(&all, "gemv").1, "as declared");
    // Of prefill nobody read a meter.
    let (_, badge) = of(&all, "prefill");
    assert!(badge.contains("modelled"), "{all:?}");
    assert!(page.contains("A tuned serving stack gets more tokens from a joule"));
}

#[test]
fn no_ratio_crosses_a_scope_or_a_provenance() {
    let both = ["gpu:0", "cpu"];
    let mut evidence = made_up::everything().evidence;
    let of_both = |device: &rigbench::device::DeviceId| both.contains(&device.to_string().as_str());
    evidence.rows.retain(|row| {
        row.known().is_some_and(|row| row.workload.id == Id::Sha256d && of_both(&row.device))
    });
    evidence.manifest.devices.retain(|device| of_both(&device.known().unwrap().id));
    evidence.manifest.sources.clear();
    evidence.baselines.clear();
    made_up::rows(&mut evidence).for_each(|row| row.readings.clear());
    // The row of the card and that of the processor, by their places.
    type Source<'a> = &'a dyn Fn(&mut Evidence, usize);
    let meet = |card: Source, processor: Source| {
        let mut met = evidence.clone();
        card(&mut met, 0);
        processor(&mut met, 1);
        let page = single(&Document::of(met));
        let all = headlines(&page);
        let (headline, badge) = of(&all, "sha256d");
        (headline.to_string(), badge.to_string(), page.contains("times as many"))
    };
    let wall = |watts: f64| {
        move |met: &mut Evidence, i| made_up::metered(met, i, false, watts, Scope::Wall)
    };
    let board = |met: &mut Evidence, i| made_up::metered(met, i, true, 300.0, Scope::GpuBoard);
    let declared = |watts: f64, scope: Scope, own: bool| {
        move |met: &mut Evidence, i| made_up::declared(met, i, watts, scope, own)
    };
    let (headline, badge, ratio) = meet(&wall(400.0), &wall(190.0));
    assert_eq!((headline.as_str(), badge.as_str(), ratio), ("discrete-gpu wins", "sure", true));
    // Another scope, another provenance.
    let others: [Source; 2] = [&wall(190.0), &declared(190.0, Scope::GpuBoard, true)];
    for other in others {
        let (headline, badge, ratio) = meet(&board, other);
        assert_eq!(
            (headline.as_str(), badge.as_str()),
            ("different kinds of joules", "not comparable")
        );
        assert!(!ratio);
    }
    // One power for all workloads tells of the speed alone, and is not held to one that was typed for this.
    let (own, once) = (declared(400.0, Scope::Wall, true), declared(190.0, Scope::Wall, false));
    assert!(!meet(&own, &once).2);
    // So near that the intervals overlap.
    let rate = |i: usize| {
        let windows = evidence.rows[i].known().unwrap().windows.as_ref().unwrap();
        windows.total_work() as f64 / windows.seconds().0
    };
    let watts = 400.0 * rate(1) / rate(0);
    let (headline, badge, _) = meet(&wall(400.0), &wall(1.002 * watts));
    assert_eq!(badge, "too close to tell", "{headline}");
    assert!(!headline.contains("wins"), "{headline}");
}

#[test]
fn a_folder_puts_like_rows_into_one_line_and_counts_them() {
    let fleet = made_up::fleet(46);
    let rows: usize = fleet.iter().map(|document| document.evidence.rows.len()).sum();
    let page = many(fleet);
    let lines = page.split("<tbody>").nth(1).unwrap().matches("<tr>").count();
    assert!(lines < rows, "{lines} lines for {rows} rows");
    assert!(page.contains(&format!("46 runs with {rows} rows")), "{page:.3000}");
    assert!(!page.contains("Every window</h2>") && !page.contains("Power over time</h2>"));
    assert!(page.contains("more in the table"));
    assert!(page.contains("<b>too-good-to-be-true.json</b>: it is not consistent"));
    let counted: usize = page
        .split("data-head=\"rows\" data-order=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().parse::<usize>().unwrap())
        .sum();
    let left_out: usize = page.matches("invalid left out").count();
    assert!(counted + left_out <= rows && counted > rows * 9 / 10, "{counted} {left_out} {rows}");
}

#[test]
fn hostile_names_are_words() {
    let page = single(&made_up::hostile());
    assert!(!page.contains("<script>alert") && !page.contains("</table> [d]"), "it is markup");
    assert!(page.contains("&#60;script&#62;alert") || page.contains("&lt;script&gt;alert"));
    assert_eq!(page.matches("<script>").count(), 1);
}

/// Runs of two models in files of one name.
fn two_models() -> [Document; 2] {
    ["a1", "b2"].map(|digits| {
        let mut evidence = made_up::everything().evidence;
        evidence.rows.retain(|row| row.known().unwrap().workload.id == Id::Decode);
        for row in made_up::rows(&mut evidence) {
            let workload = &mut row.workload;
            workload.spec = workload.spec.replace("smollm2-135m:int4", "model.gguf");
            workload.shape.model = Some("model.gguf".into());
            workload.shape.model_sha256 = Some(digits.repeat(32));
            workload.shape.weights = None;
        }
        evidence.run.id = format!("00000000-0000-4000-8000-0000000000{digits}");
        Document::of(evidence)
    })
}

#[test]
fn two_models_of_one_file_name_are_never_one_line_and_are_told_apart_by_digest() {
    let both = two_models();
    let each = both[0].evidence.rows.len();
    let mut collection = Collection::default();
    for document in &both {
        collection.add(document.evidence.run.id.clone(), Ok(document.clone()));
    }
    let table = report::several(&collection);
    assert_eq!(table.rows.len(), 2 * each);
    let rows = |digest: &str| {
        let has = |cell: &report::Cell| cell.text.contains(&format!("model.gguf ({digest})"));
        table.rows.iter().filter(|row| row.iter().any(has)).count()
    };
    assert_eq!((rows("a1a1a1a1"), rows("b2b2b2b2")), (each, each));
    let page = report::page(&collection, None);
    for part in ["<div class=\"card strips\">", "<figure "] {
        let drawn: Vec<&str> = page.split(part).skip(1).collect();
        let with = |digest: &str| drawn.iter().filter(|drawn| drawn.contains(digest)).count();
        assert!(with("a1a1a1a1") > 0 && with("b2b2b2b2") > 0, "{part}");
        // The last reaches to the end of the page, with all tables.
        for drawn in &drawn[..drawn.len() - 1] {
            let drawn = drawn.split("</section>").next().unwrap();
            assert!(!(drawn.contains("a1a1a1a1") && drawn.contains("b2b2b2b2")), "{drawn:.500}");
        }
    }
    let mut csv = flat::empty();
    for document in &both {
        let file = File { name: "run.json".into(), run: Err(String::new()) };
        csv.rows.extend(flat::rows(&file, document));
    }
    let csv = csv.to_csv();
    assert_eq!(csv.matches(&"a1".repeat(32)).count(), each);
    assert_eq!(csv.matches(&"b2".repeat(32)).count(), each);
    // A model that is alone with its name needs no digest.
    let mut alone = Collection::default();
    alone.add("run.json".into(), Ok(both[0].clone()));
    let table = report::several(&alone);
    assert!(table.rows.iter().flatten().all(|cell| !cell.text.contains("a1a1a1a1")));
}
