//! A table in HTML: sortable with JavaScript, readable without; on a phone each row becomes a card.

use crate::report::table::{Table, Tone, exact};
use askama::Template;

#[derive(Template)]
#[template(path = "table.html", config = "src/report/html/askama.toml")]
struct Markup<'a> {
    table: &'a Table,
}

impl Table {
    /// The table as HTML; its title is a caption for screen readers only.
    pub fn to_html(&self) -> String {
        Markup { table: self }.render().expect("writing to memory")
    }
}

impl Markup<'_> {
    /// CSS class of a cell.
    fn class(&self, tone: &Tone, figures: &bool) -> String {
        let tone = match tone {
            Tone::Plain => "",
            Tone::Flagged => " flagged",
            Tone::Wrong => " wrong",
        };
        format!("{}{tone}", if *figures { "figures" } else { "words" })
    }

    /// Sort key of a cell: its number, in full precision.
    fn order(&self, number: &Option<f64>) -> String {
        number.map(exact).unwrap_or_default()
    }
}
