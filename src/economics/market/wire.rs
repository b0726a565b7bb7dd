//! The market file as it is written. Unknown keys are refused, so that a misspelt one is not silently left out.

use super::figure::Wire as Figure;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub date: String,
    pub premises: Premises,
    pub wall_factor: WallFactor,
    pub network: Network,
    pub asic: Vec<Asic>,
    #[serde(default)]
    pub token_price: Vec<TokenPrice>,
    #[serde(default)]
    pub rental: Vec<Rental>,
    pub build: Build,
    #[serde(default)]
    pub card_cost: Vec<CardCost>,
    pub colocation: Colocation,
    #[serde(default)]
    pub reference_tokens: Vec<ReferenceTokens>,
    #[serde(default)]
    pub published_query: Vec<PublishedQuery>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Premises {
    pub electricity: Figure,
    pub pue: Figure,
    pub utilisation: Figure,
    pub query_tokens_in: Figure,
    pub query_tokens_out: Figure,
    pub query_idle: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WallFactor {
    pub gpu_board: Option<Figure>,
    pub cpu_package: Option<Figure>,
    pub machine: Option<Figure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    pub difficulty: Figure,
    pub bitcoin: Figure,
    pub fee_share: Figure,
    pub subsidy: Figure,
    pub halving: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asic {
    pub name: String,
    pub efficiency: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenPrice {
    pub name: String,
    pub models: Vec<String>,
    pub tokens: Tokens,
    pub types: Vec<String>,
    pub batches: (u64, u64),
    pub price: Figure,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tokens {
    Input,
    Output,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rental {
    pub name: String,
    pub devices: Vec<String>,
    pub rent: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    pub mining: Megawatt,
    pub inference: Megawatt,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Megawatt {
    pub cost: Figure,
    pub lifetime: Option<Figure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardCost {
    pub devices: Vec<String>,
    pub cost: Figure,
    pub lifetime: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Colocation {
    pub price: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceTokens {
    pub name: String,
    pub price: String,
    pub scope: String,
    pub energy: Figure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedQuery {
    pub name: String,
    pub energy: Figure,
}
