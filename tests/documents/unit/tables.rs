//! Cells of tables as CSV and Markdown, figures that are pooled, and curves that are thinned.

use crate::report::made_up;
use rigbench::report::{self, Collection, Column, Table};
use rigbench::results::{Document, OrNewer};
use rigbench::units::Interval;

/// A table of one cell.
fn table(text: &str) -> Table {
    Table {
        title: "title".into(),
        columns: vec![Column::words("head")],
        rows: vec![vec![text.into()]],
        notes: Vec::new(),
    }
}

#[test]
fn formulas_become_text_and_numbers_stay_numbers() {
    for (given, written) in [
        ("=cmd()", "'=cmd()"),
        ("+1+cmd()", "'+1+cmd()"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =A1", "' =A1"),
        ("＝A1", "'＝A1"),
        ("\t=A1", "\\t=A1"),
        ("\r=A1", "\\r=A1"),
        ("\n=A1", "'\n=A1"),
        ("-12.5", "-12.5"),
        ("+1e-3", "+1e-3"),
        ("– not known", "– not known"),
        ("a=b", "a=b"),
    ] {
        let csv = table(given).to_csv();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(&reader.records().next().unwrap().unwrap()[0], written);
    }
}

#[test]
fn markup_links_and_lists_stay_text() {
    for (given, written) in [
        ("a|b\nc", "a\\|b<br>c"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("![i](https://a.b)", "!\\[i\\](https\\://a.b)"),
        ("see WWW.a.b.", "see WWW\\.a.b."),
        ("- a-b", "\\- a-b"),
        ("12. a 1.5", "12\\. a 1.5"),
        ("1.5 J/TH", "1.5 J/TH"),
        ("a\r\x1b", "a\\\\r\\\\u{1b}"),
    ] {
        let markdown = table(given).to_markdown();
        assert!(markdown.ends_with(&format!("\n| {written} |\n")), "{markdown}");
    }
}

/// The rates that a table of several runs shows of one row that had these.
fn pooled(rates: &[Interval]) -> (String, String) {
    let mut evidence = made_up::everything().evidence;
    evidence.rows.truncate(1);
    let document = Document::of(evidence);
    let mut collection = Collection::default();
    for (i, rate) in rates.iter().enumerate() {
        let mut run = document.clone();
        run.evidence.run.id = format!("00000000-0000-4000-8000-00000000000{i}");
        let OrNewer::Known(figures) = &mut run.derived.rows[0] else { panic!("it is known") };
        figures.throughput = Some(*rate);
        figures.reasons.clear();
        collection.add(format!("{i}.json"), Ok(run));
    }
    let table = report::several(&collection);
    let rate = table.columns.iter().position(|column| column.head == "rate").unwrap();
    assert_eq!(table.rows.len(), 1);
    let cell = &table.rows[0][rate];
    (cell.digits().unwrap(), cell.text.clone())
}

#[test]
fn ranges_stay_ranges_and_values_keep_the_outermost_bounds() {
    let point = |value, low, high| Interval { low, high, ..Interval::exact(value) };
    let points = [point(2.0, 1.9, 2.1), point(3.0, 2.7, 3.3), point(2.2, 2.0, 2.4)];
    assert_eq!(pooled(&points), ("2.2".into(), "2.20 H/s\n±50 %".into()));
    let ranges = [Interval::between(1.0, 4.0), Interval::between(2.0, 9.0)];
    assert_eq!(pooled(&ranges), ("1".into(), "1.00 H/s\nto 9.00 H/s".into()));
}

#[test]
fn thinning_keeps_peaks() {
    let mut evidence = made_up::everything().evidence;
    let watts = |row: &rigbench::results::Row| row.readings.iter().any(|r| r.values[0][0] < 1000.0);
    evidence.rows.retain(|row| row.known().is_some_and(watts));
    evidence.rows.truncate(1);
    let row = made_up::rows(&mut evidence).next().unwrap();
    let measured = row.windows.as_ref().unwrap().steps()[0].measured;
    let readings = &mut row.readings[0];
    let step = (measured.to.0 - measured.from.0) / 10_000.0;
    readings.at_seconds = (0..10_000).map(|i| measured.from.0 + step * f64::from(i)).collect();
    readings.took_seconds = vec![1e-6; 10_000];
    readings.values = vec![vec![100.0; 10_000]];
    readings.values[0][4321] = 450.0;
    let mut collection = Collection::default();
    let document = Document::of(evidence);
    collection.add("run.json".into(), Ok(document.clone()));
    let page = report::page(&collection, Some(&document));
    let curve = page.split("<polyline class=\"reading\" points=\"").nth(1).unwrap();
    let points: Vec<(f64, f64)> = (curve.split('"').next().unwrap().split(' '))
        .map(|point| point.split_once(',').unwrap())
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect();
    assert!((2..=400).contains(&points.len()), "{}", points.len());
    // The axis ends a tenth above the peak.
    assert!(points.iter().any(|(_, y)| (y - 100.0 * (1.0 - 1.0 / 1.1)).abs() < 0.01));
    assert!(points.is_sorted_by(|a, b| a.0 <= b.0));
}
