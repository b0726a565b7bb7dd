//! One table in four formats, and what each format must hold to whatever a document says.

use crate::report::made_up;
use rigbench::report::{self, Cell, Collection, Column, File, Table, Tone, flat};
use rigbench::results::{Document, Outcome, Row};
use rigbench::workload::Id;

/// Holds text to a committed file; RIGBENCH_BLESS=1 writes it.
pub fn assert_golden(name: &str, text: &str) {
    let path = made_up::golden("report").join(name);
    if std::env::var_os("RIGBENCH_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert!(golden == text, "{name} is another; RIGBENCH_BLESS=1 writes it anew:\n{text}");
}

/// A table with everything that is awkward in one format or another.
fn awkward() -> Table {
    Table {
        title: "Devices <of> a | stranger".into(),
        columns: vec![Column::words("device"), Column::figures("joules")],
        rows: vec![
            vec![
                made_up::HOSTILE.into(),
                Cell::from("29 900 J/TH\n±1.2 %").with_number(Some(2.99e-8)),
            ],
            vec![
                Cell::from("two\nlines, \"quoted\"").toned(Tone::Wrong),
                Cell { about: Some("nobody <measured> it".into()), ..Cell::from("–") },
            ],
        ],
        notes: vec!["a note with * and _ and <b>".into()],
    }
}

#[test]
fn an_awkward_table_in_four_formats() {
    assert_golden("awkward.txt", &awkward().to_terminal(60, false));
    assert_golden("awkward.md", &awkward().to_markdown());
    assert_golden("awkward.csv", &awkward().to_csv());
    assert_golden("awkward.html", &awkward().to_html());
}

fn collection(document: &Document) -> Collection {
    let mut collection = Collection::default();
    collection.add("run.json".into(), Ok(document.clone()));
    collection
}

/// The document with only these rows.
fn only(document: &Document, shown: impl Fn(&Row) -> bool) -> Document {
    let mut evidence = document.evidence.clone();
    evidence.rows.retain(|row| row.known().is_some_and(&shown));
    Document::of(evidence)
}

fn rows_of(document: &Document) -> Table {
    let mut table = flat::empty();
    let file = File { name: "run.json".into(), run: Err(String::new()) };
    table.rows.extend(flat::rows(&file, document));
    table
}

#[test]
fn a_run_in_four_formats() {
    let document = made_up::everything();
    let text: String =
        report::run(&document).iter().map(|t| t.to_terminal(80, false) + "\n").collect();
    assert_golden("run.txt", &text);
    let markdown: String = report::run(&document).iter().map(|t| t.to_markdown() + "\n").collect();
    assert_golden("run.md", &markdown);
    assert_golden("run.csv", &rows_of(&document).to_csv());
    let small = only(&document, |row| {
        [Id::Sha256d, Id::Stream].contains(&row.workload.id) && row.device.to_string() != "gpu:2"
    });
    let page = report::page(&collection(&small), Some(&small));
    // Style and script are files of their own.
    let page = without(&without(&page, "<style>", "</style>"), "<script>", "</script>");
    // Their digests change with them.
    let page = without(&without(&page, "style-src 'sha256-", "'"), "script-src 'sha256-", "'");
    assert_golden("run.html", &page);
}

fn without(text: &str, from: &str, to: &str) -> String {
    let (before, rest) = text.split_once(from).unwrap();
    format!("{before}{from}{to}{}", rest.split_once(to).unwrap().1)
}

#[test]
fn a_terminal_of_80_columns_holds_every_table() {
    let mut many = Collection::default();
    for document in made_up::fleet(8) {
        many.add(document.evidence.run.id.clone(), Ok(document));
    }
    let mut tables = vec![report::several(&many)];
    for document in [made_up::everything(), made_up::hostile(), made_up::BASE.clone()] {
        tables.extend(report::run(&document));
    }
    for table in &tables {
        let text = table.to_terminal(80, false);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 80, "{widest}:\n{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(table.to_terminal(80, true).contains("\u{1b}["), "{text}");
    }
}

#[test]
fn a_table_tells_the_share_of_what_is_published_and_that_a_serving_stack_is_better() {
    let tables = report::run(&made_up::everything());
    let cells = |table: &Table, text: &str| {
        table.rows.iter().flatten().filter(|cell| cell.text.contains(text)).count()
    };
    let notes = |text: &str| {
        tables.iter().flat_map(|table| &table.notes).filter(|note| note.contains(text)).count()
    };
    // The made-up card's 845 MH/s, of half of the 21.98 GH/s that are published under its name. All but memory has a share.
    assert_eq!((cells(&tables[0], "7.7 % of hashcat"), cells(&tables[0], " % of vendor")), (1, 8));
    // Nothing is published of the other devices; that is told once.
    assert!(tables[1..].iter().all(|table| cells(table, " % of vendor") == 0));
    let unknown = "no reference rate for this device: hashcat's published rate, the vendor's peak";
    assert_eq!((notes("of vendor: "), notes(unknown), notes("no reference rate")), (1, 3, 3));
    assert_eq!(notes("A tuned serving stack gets more tokens from a joule"), 1);
    // A run without tokens says nothing of them.
    let hashes = only(&made_up::BASE, |row| row.workload.id == Id::Sha256d);
    assert!(report::run(&hashes).iter().flat_map(|t| &t.notes).all(|n| !n.contains("serving")));
}

#[test]
fn every_figure_of_the_page_says_where_it_comes_from() {
    let document = only(&made_up::everything(), |row| row.outcome == Outcome::Measured);
    let page = report::page(&collection(&document), Some(&document));
    let table = page.split_once("<tbody>").unwrap().1;
    for head in ["rate", "power", "joules"] {
        let cells: Vec<&str> = table
            .split(&format!("<td data-head=\"{head}\""))
            .skip(1)
            .map(|rest| rest.split_once("</td>").unwrap().0)
            .collect();
        assert_eq!(cells.len(), document.evidence.rows.len());
        for cell in cells {
            let title = cell.split_once("<summary title=\"").expect(head).1;
            assert!(!title.starts_with('"'), "{cell}");
        }
    }
    assert!(page.contains("The median of 8 windows in 2 blocks, with its 95 % interval."));
}

#[test]
fn markdown_gives_back_what_it_was_made_of() {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
    let mut tables = report::run(&made_up::everything());
    tables.extend(report::run(&made_up::hostile()));
    tables.push(awkward());
    for table in tables {
        let markdown = table.to_markdown();
        let (mut cells, mut rows, mut cell) = (Vec::new(), 0, None::<String>);
        for event in Parser::new_ext(&markdown, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::TableRow) => rows += 1,
                Event::Start(Tag::TableCell) => cell = Some(String::new()),
                Event::End(TagEnd::TableCell) => cells.push(cell.take().unwrap()),
                Event::Text(text) => cell.iter_mut().for_each(|cell| cell.push_str(&text)),
                Event::InlineHtml(html) => {
                    assert_eq!(&*html, "<br>", "{markdown}");
                    cell.iter_mut().for_each(|cell| cell.push('\n'));
                }
                Event::Html(html) => panic!("{html} in {markdown}"),
                Event::Code(_) | Event::Start(Tag::Link { .. } | Tag::Emphasis | Tag::Strong) => {
                    panic!("a name was taken for markup: {markdown}")
                }
                _ => {}
            }
        }
        assert_eq!(rows, table.rows.len(), "{markdown}");
        let heads = table.columns.iter().map(|c| c.head.to_string());
        let texts = table.rows.iter().flatten().map(|cell| cell.text.clone());
        let expected: Vec<String> = heads.chain(texts).collect();
        assert_eq!(cells, expected, "{markdown}");
    }
}

#[test]
fn csv_holds_every_digit_and_never_a_modelled_point() {
    let document = made_up::everything();
    let text = rows_of(&document).to_csv();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let column =
        |name: &str| heads.iter().position(|head| head == name).unwrap_or_else(|| panic!("{name}"));
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), document.evidence.rows.len());
    let mut kinds = std::collections::BTreeSet::new();
    for (row, (_, figures)) in rows.iter().zip(document.rows()) {
        let number = |name: &str| row[column(name)].parse::<f64>().ok();
        let rate = figures.throughput.and_then(|rate| rate.value);
        assert_eq!(number("throughput_per_second"), rate);
        let joules = figures.energy.joules_per_unit;
        let point = joules.and_then(|joules| joules.value);
        let range = joules.filter(|joules| joules.value.is_none());
        let range = range.map(|joules| (joules.low, joules.high));
        assert_eq!(number("joules_per_unit"), point);
        let low_and_high =
            number("modelled_joules_per_unit_low").zip(number("modelled_joules_per_unit_high"));
        assert_eq!(low_and_high, range);
        kinds.insert((
            row[column("energy_provenance")].to_string(),
            row[column("outcome")].to_string(),
        ));
    }
    let provenances: Vec<&str> = kinds.iter().map(|(provenance, _)| provenance.as_str()).collect();
    for wanted in ["measured-counter", "measured-sampled", "declared", "modelled", "none"] {
        assert!(provenances.contains(&wanted), "{kinds:?}");
    }
    let outcomes: Vec<&str> = kinds.iter().map(|(_, outcome)| outcome.as_str()).collect();
    assert!(outcomes.contains(&"unsupported") && outcomes.contains(&"failed"), "{kinds:?}");
}
