//! A table in HTML: sortable where there is a script, readable where there is none; on a phone each row becomes a card.

use crate::report::table::{Table, Tone, exact};
use askama::Template;

#[derive(Template)]
#[template(path = "table.html", config = "src/report/html/askama.toml")]
struct Markup<'a> {
    table: &'a Table,
}

impl Table {
    /// The table as HTML, without its title, which is its caption for those who do not see it.
    pub fn to_html(&self) -> String {
        Markup { table: self }.render().expect("writing to memory")
    }
}

impl Markup<'_> {
    /// The class of a cell.
    fn class(&self, tone: &Tone, figures: &bool) -> String {
        let tone = match tone {
            Tone::Plain => "",
            Tone::Flagged => " flagged",
            Tone::Wrong => " wrong",
        };
        format!("{}{tone}", if *figures { "figures" } else { "words" })
    }

    /// What a cell is sorted by: its number, with all digits.
    fn order(&self, number: &Option<f64>) -> String {
        number.map(exact).unwrap_or_default()
    }
}
