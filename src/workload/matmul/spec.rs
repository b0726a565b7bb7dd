//! Parses the specs of matrix products: `gemm:MxNxK[:TYPE]`, `gemv:NxK[:TYPE]`, or a model layer instead of the shape, then
//! options.

use super::data::Operands;
use super::shape::Shape;
use super::{Elements, Matmul};
use crate::model::{LAYERS, PRESETS, Type};
use crate::oracle::Verdict;
use crate::workload::spec::{ensure_once, example};
use crate::workload::{Id, Seed, Workload, nearest, unknown};
use anyhow::{Context, Result, anyhow, bail, ensure};
use strum::VariantNames;

/// Default rows of activations for a model layer.
const PREFILL_ROWS: usize = 512;

/// Parses the parts of a spec after `gemm` or `gemv`.
pub(in crate::workload) fn parse(id: Id, parts: &[&str]) -> Result<Box<dyn Workload>> {
    let default: Vec<&str> = example(id).split(':').skip(1).collect();
    Ok(Box::new(read(id, if parts.is_empty() { &default } else { parts })?))
}

/// Judges the recorded elements of a row with this spec and seed. Recomputes as many as have no more than `most_terms` terms in total.
///
/// # Errors
/// If the spec is not a matrix product.
pub fn judge(
    spec: &str,
    seed: Seed,
    windows: usize,
    elements: &Elements,
    most_terms: u64,
) -> Result<Verdict> {
    let parts: Vec<&str> = spec.split(':').collect();
    let id = [Id::Gemm, Id::Gemv].into_iter().find(|id| id.into_str() == parts[0]);
    let id = id.with_context(|| format!("'{}' is no product", parts[0]))?;
    let Matmul { shape, a, b, .. } = read(id, &parts[1..])?;
    Ok(elements.judge(&Operands::new(seed, shape, a, b), windows, most_terms))
}

fn form(id: Id) -> &'static str {
    if id == Id::Gemm { "MxNxK" } else { "NxK" }
}

/// The type of activations if the spec names none.
pub(super) fn default_activations(weights: Type) -> Type {
    if weights == Type::F16 { Type::F16 } else { Type::F32 }
}

/// The parts after the shape.
#[derive(Default)]
struct Options {
    weights: Option<Type>,
    activations: Option<Type>,
    transpose: Option<&'static str>,
    m: Option<usize>,
}

fn read(id: Id, parts: &[&str]) -> Result<Matmul> {
    let Some((&shape_or_layer, rest)) = parts.split_first() else {
        bail!("{id} has no shape here; write for example {}", example(id));
    };
    ensure_once(rest).map_err(|error| anyhow!("{id}: {error}"))?;
    let mut options = Options::default();
    for part in rest {
        match part.split_once('=') {
            Some((key, value)) => options.set(id, key, value)?,
            None if options.weights.is_none() => options.weights = Some(kind(id, part)?),
            None => bail!("{id}: '{part}' is one part too many; write for example {}", example(id)),
        }
    }
    let numeric = shape_or_layer.bytes().all(|b| b.is_ascii_digit() || b == b'x');
    let (shape, layer) = if numeric {
        ensure!(
            options.m.is_none(),
            "{id}: m goes with a model's layer; in a shape M is the first number, as in {}",
            example(Id::Gemm)
        );
        (numbers(id, shape_or_layer)?, None)
    } else {
        let (n, k) = layer(id, shape_or_layer)?;
        let m = if id == Id::Gemv { 1 } else { options.m.unwrap_or(PREFILL_ROWS) };
        (Shape { m, n, k }, Some(shape_or_layer.to_string()))
    };
    if let (Id::Gemv, Some(m)) = (id, options.m) {
        bail!("gemv has one row of activations and takes no m; write gemm:{shape_or_layer}:m={m}");
    }
    // Operations and bytes are counted in 64 bits; leave room for padding.
    let Shape { m, n, k } = shape;
    if [m, n, k].iter().map(|side| *side as f64).product::<f64>() > 1e18 {
        bail!("{id}: {shape_or_layer} is too large to count its operations");
    }
    let b = options.weights.unwrap_or(Type::F32);
    let a = options.activations.unwrap_or(default_activations(b));
    if a.bits() > b.bits() && b == Type::F32 || a == Type::Int4 || b.bits() > a.bits() {
        bail!(
            "{id}: {} activations do not go with {} weights; activations are f32, f16 with weights of f16 or \
             less, or int8 with weights of int8 or int4",
            a.into_str(),
            b.into_str()
        );
    }
    let transpose = options.transpose;
    ensure!(
        transpose.is_none() || (a, b, id) == (Type::F32, Type::F32, Id::Gemm),
        "transpose goes with gemm in f32, as in gemm:1024x1024x1024:f32:transpose=b"
    );
    Ok(Matmul { id, shape, a, b, transpose, layer })
}

impl Options {
    fn set(&mut self, id: Id, key: &str, value: &str) -> Result<()> {
        match key {
            "activations" => self.activations = Some(kind(id, value)?),
            "m" => match value.parse() {
                Ok(m @ 1..) => self.m = Some(m),
                _ => bail!("{id}: m={value} is no number of rows; write m=512"),
            },
            "transpose" => {
                self.transpose = ["a", "b"].into_iter().find(|side| *side == value);
                ensure!(
                    self.transpose.is_some(),
                    "{id}: transpose={value} is not known; write transpose=a (dW = Xᵀ·dY) or transpose=b (dX = dY·Wᵀ)"
                );
            }
            _ => bail!("{id}: {}", unknown("option", key, &["m", "activations", "transpose"])),
        }
        Ok(())
    }
}

fn kind(id: Id, name: &str) -> Result<Type> {
    name.parse::<Type>().with_context(|| format!("{id}: {}", unknown("type", name, Type::VARIANTS)))
}

fn numbers(id: Id, text: &str) -> Result<Shape> {
    let sides: Vec<Option<usize>> =
        text.split('x').map(|side| side.parse().ok().filter(|s| *s > 0)).collect();
    match (id, sides.as_slice()) {
        (Id::Gemm, &[Some(m), Some(n), Some(k)]) => Ok(Shape { m, n, k }),
        (Id::Gemv, &[Some(n), Some(k)]) => Ok(Shape { m: 1, n, k }),
        _ => bail!(
            "{id}: '{text}' is no shape; write {}, whole numbers from 1, as in {}",
            form(id),
            example(id)
        ),
    }
}

/// Outputs and inputs of `MODEL/LAYER`.
fn layer(id: Id, name: &str) -> Result<(usize, usize)> {
    let (model_name, layer_name) = name.split_once('/').unwrap_or((name, ""));
    let Some(model) = PRESETS.iter().find(|m| m.name == model_name) else {
        let suggestion = nearest(model_name, &PRESETS.map(|m| m.name));
        bail!("{id}: '{name}' is neither a shape {} nor a model; {suggestion}", form(id));
    };
    let names = LAYERS.map(|(name, _)| name);
    match LAYERS.iter().find(|(name, _)| *name == layer_name) {
        Some((_, tensor)) => Ok(model.config().shape(*tensor)),
        None if layer_name.is_empty() => {
            let layers = format!("{}/{}", model.name, names.join(&format!(", {}/", model.name)));
            bail!("{id}: name a layer of {model_name}: {layers}")
        }
        None => {
            let suggestion = nearest(layer_name, &names);
            bail!("{id}: {model_name} has no layer '{layer_name}'; {suggestion}")
        }
    }
}
