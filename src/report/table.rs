//! The table that every report is made of. A cell has text for people and, if it is numeric, the number in base SI units for machines and
//! for sorting. It can be rendered for a terminal or as Markdown, CSV or HTML.

/// A table with a title and notes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The title.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// Cells by row.
    pub rows: Vec<Vec<Cell>>,
    /// Notes below the table.
    pub notes: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The header.
    pub head: &'static str,
    /// Whether it holds numbers, which are right-aligned.
    pub figures: bool,
}

impl Column {
    /// A text column.
    pub fn words(head: &'static str) -> Column {
        Column { head, figures: false }
    }

    /// A numeric column.
    pub fn figures(head: &'static str) -> Column {
        Column { head, figures: true }
    }
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Displayed text; it may have several lines.
    pub text: String,
    /// The numeric value in base SI units: joules per hash, not per 10¹² hashes.
    pub number: Option<f64>,
    /// Its emphasis.
    pub tone: Tone,
    /// Its explanation, shown on demand.
    pub about: Option<String>,
}

/// Emphasis of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Normal text.
    #[default]
    Plain,
    /// Correct, but easily misread.
    Flagged,
    /// Invalid or failed.
    Wrong,
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, ..Cell::default() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        text.to_string().into()
    }
}

impl Cell {
    /// A number in base SI units, in full precision.
    pub fn exact(number: Option<f64>) -> Cell {
        Cell { text: number.map(exact).unwrap_or_default(), number, ..Cell::default() }
    }

    /// The same with a numeric value.
    pub fn worth(self, number: Option<f64>) -> Cell {
        Cell { number, ..self }
    }

    /// The same with another emphasis.
    pub fn toned(self, tone: Tone) -> Cell {
        Cell { tone, ..self }
    }

    /// The same with an explanation.
    pub fn about(self, about: impl Into<String>) -> Cell {
        Cell { about: Some(about.into()), ..self }
    }
}

/// Cells of plain text.
pub fn cells<T: Into<Cell>>(texts: impl IntoIterator<Item = T>) -> Vec<Cell> {
    texts.into_iter().map(Into::into).collect()
}

/// The shortest text that parses to the same number: `2.95e-11`, `120`.
pub fn exact(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{number}")
    } else {
        format!("{number:?}")
    }
}
