//! The keys of a market file, and what each of them has to hold.

use super::figure::Expected;
use crate::energy::Scope;
use crate::units::Unit;
use crate::workload::Id;
use strum::VariantNames;

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

fn table(name: &'static str, keys: impl Into<Vec<Key>>) -> Key {
    required(name, Kind::Table(keys.into()))
}

fn rows(name: &'static str, keys: impl Into<Vec<Key>>) -> Key {
    optional(name, Kind::Rows(keys.into()))
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
    let (typical, within) = (Expected::typical, Expected::within);
    let range = |unit, value| typical(unit, value).or_range();
    let text = |name| required(name, Kind::Text);
    let texts = |name| required(name, Kind::Texts);
    let tokens = vec![("input", Id::Prefill.into_str()), ("output", Id::Decode.into_str())];
    let scopes = Scope::VARIANTS.iter().map(|scope| (*scope, *scope)).collect();
    let factor = within("ratio", 1.0, 10.0);
    let wall_factor = |scope: Scope| optional(scope.into_str(), Kind::Figure(factor));
    let years = range("year", 4.0);
    let built = |name| {
        table(name, [figure("cost", range("$/MW", 3e6)), optional("lifetime", Kind::Figure(years))])
    };
    let premises = [
        figure("electricity", typical("$/kWh", 0.02).or_negative()),
        figure("pue", within("ratio", 1.0, 5.0)),
        figure("utilisation", within("share", 0.001, 1.0)),
        figure("query_tokens_in", typical("token", 500.0)),
        figure("query_tokens_out", typical("token", 500.0)),
        figure("query_idle", factor),
    ];
    let network = [
        figure("difficulty", typical("difficulty", 125e12)),
        figure("bitcoin", typical("$/BTC", 60_000.0)),
        figure("fee_share", within("share", 0.0, 0.9)),
        figure("subsidy", typical("BTC/block", 3.125)),
        figure("halving", typical("block", 1_050_000.0)),
    ];
    let asic = [text("name"), figure("efficiency", typical(Unit::Hash.energy_symbol(), 15.0))];
    let token_price = [
        text("name"),
        texts("models"),
        required("tokens", Kind::Word(tokens)),
        texts("types"),
        required("batches", Kind::Batches),
        figure("price", range("$/Mtoken", 0.3)),
    ];
    let rental = [text("name"), texts("devices"), figure("rent", range("$/h", 2.0))];
    let card_cost =
        [texts("devices"), figure("cost", range("$", 5000.0)), figure("lifetime", years)];
    let reference_tokens = [
        text("name"),
        text("price"),
        required("scope", Kind::Word(scopes)),
        figure("energy", typical(Unit::Token.energy_symbol(), 0.5)),
    ];
    vec![
        required("date", Kind::Date),
        table("premises", premises),
        table("wall_factor", [Scope::GpuBoard, Scope::CpuPackage, Scope::Machine].map(wall_factor)),
        table("network", network),
        required("asic", Kind::Rows(asic.into())),
        rows("token_price", token_price),
        rows("rental", rental),
        table("build", ["mining", "inference"].map(built)),
        rows("card_cost", card_cost),
        table("colocation", [figure("price", range("$/MW-year", 1.85e6))]),
        rows("reference_tokens", reference_tokens),
        rows("published_query", [text("name"), figure("energy", typical("Wh", 0.5))]),
    ]
}
