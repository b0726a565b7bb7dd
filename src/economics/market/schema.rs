//! The keys of a market file, and what each of them has to hold.

use super::figure::Expected;
use crate::energy::Scope;
use crate::units::Unit;
use crate::workload::Id;

/// Keys of the numbers of a figure.
pub(super) const NUMBERS: [&str; 3] = ["value", "low", "high"];

/// A key of a table.
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// What a key holds.
pub(super) enum Kind {
    Number,
    Text,
    /// The date of the file, the latest that a figure may have.
    Date,
    /// A list of one or more texts.
    Texts,
    Flag,
    /// The smallest and the largest batch.
    Batches,
    /// One of some words, each with its name in rigbench.
    Word(Vec<(&'static str, &'static str)>),
    Figure(Expected),
    Table(Vec<Key>),
    Rows(Vec<Key>),
}

fn required(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: true }
}

fn optional(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: false }
}

fn figure(name: &'static str, expected: Expected) -> Key {
    required(name, Kind::Figure(expected))
}

/// The keys of a figure.
pub(super) fn of_figure() -> Vec<Key> {
    let numbers = NUMBERS.map(|name| optional(name, Kind::Number)).into_iter();
    let texts = ["unit", "date", "source"].map(|name| required(name, Kind::Text));
    numbers.chain(texts).chain([optional("example", Kind::Flag)]).collect()
}

/// The keys of the whole file. Typical figures catch wrong units, which are off by a factor of 100 or more: cents for dollars,
/// terahashes for hashes.
pub(super) fn of_file() -> Vec<Key> {
    use Kind::{Batches, Date, Figure, Rows, Table, Text, Texts, Word};
    let (near, within) = (Expected::near, Expected::within);
    let range = |unit, typical| near(unit, typical).or_range();
    let name = || required("name", Text);
    let tokens = vec![("input", Id::Prefill.name()), ("output", Id::Decode.name())];
    let scopes = Scope::ALL.map(|scope| (scope.name(), scope.name())).to_vec();
    let wall_factor = |scope: Scope| optional(scope.name(), Figure(within("ratio", 1.0, 10.0)));
    let build = || {
        let lifetime = optional("lifetime", Figure(range("year", 4.0)));
        Table(vec![figure("cost", range("$/MW", 3e6)), lifetime])
    };
    vec![
        required("date", Date),
        required(
            "premises",
            Table(vec![
                figure("electricity", near("$/kWh", 0.02).or_negative()),
                figure("pue", within("ratio", 1.0, 5.0)),
                figure("utilisation", within("share", 0.001, 1.0)),
                figure("query_tokens_in", near("token", 500.0)),
                figure("query_tokens_out", near("token", 500.0)),
                figure("query_idle", within("ratio", 1.0, 10.0)),
            ]),
        ),
        required(
            "wall_factor",
            Table([Scope::GpuBoard, Scope::CpuPackage, Scope::Machine].map(wall_factor).into()),
        ),
        required(
            "network",
            Table(vec![
                figure("difficulty", near("difficulty", 125e12)),
                figure("bitcoin", near("$/BTC", 60_000.0)),
                figure("fee_share", within("share", 0.0, 0.9)),
                figure("subsidy", near("BTC/block", 3.125)),
                figure("halving", near("block", 1_050_000.0)),
            ]),
        ),
        required(
            "asic",
            Rows(vec![name(), figure("efficiency", near(Unit::Hash.energy_symbol(), 15.0))]),
        ),
        optional(
            "token_price",
            Rows(vec![
                name(),
                required("models", Texts),
                required("tokens", Word(tokens)),
                required("types", Texts),
                required("batches", Batches),
                figure("price", range("$/Mtoken", 0.3)),
            ]),
        ),
        optional(
            "rental",
            Rows(vec![name(), required("devices", Texts), figure("rent", range("$/h", 2.0))]),
        ),
        required("build", Table(vec![required("mining", build()), required("inference", build())])),
        optional(
            "card_cost",
            Rows(vec![
                required("devices", Texts),
                figure("cost", range("$", 5000.0)),
                figure("lifetime", range("year", 4.0)),
            ]),
        ),
        required("colocation", Table(vec![figure("price", range("$/MW-year", 1.85e6))])),
        optional(
            "reference_tokens",
            Rows(vec![
                name(),
                required("price", Text),
                required("scope", Word(scopes)),
                figure("energy", near(Unit::Token.energy_symbol(), 0.5)),
            ]),
        ),
        optional("published_query", Rows(vec![name(), figure("energy", near("Wh", 0.5))])),
    ]
}
