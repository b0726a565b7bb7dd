//! Parses the specs of matrix products: `gemm:MxNxK[:TYPE]`, `gemv:NxK[:TYPE]`, or a model layer instead of the shape, then
//! options.

use super::data::Operands;
use super::types::Shape;
use super::{Elements, Matmul};
use crate::model::{LAYERS, PRESETS, Type};
use crate::oracle::Verdict;
use crate::workload::{Id, Seed, SpecError, Workload, nearest, unknown};
use strum::VariantNames;

/// Example specs for messages, which are also the defaults of the ids alone.
pub(in crate::workload) const GEMM_EXAMPLE: &str = "gemm:1024x1024x1024:f32";
pub(in crate::workload) const GEMV_EXAMPLE: &str = "gemv:4096x4096:int4";

/// Default rows of activations for a model layer.
const PREFILL_ROWS: usize = 512;

type Read<T> = Result<T, SpecError>;

fn error<T>(what: String) -> Read<T> {
    Err(SpecError(what))
}

/// Parses the parts of a spec after `gemm`.
pub(in crate::workload) fn gemm(parts: &[&str]) -> Read<Box<dyn Workload>> {
    workload(Id::Gemm, parts)
}

/// Parses the parts of a spec after `gemv`.
pub(in crate::workload) fn gemv(parts: &[&str]) -> Read<Box<dyn Workload>> {
    workload(Id::Gemv, parts)
}

fn workload(id: Id, parts: &[&str]) -> Read<Box<dyn Workload>> {
    let default: Vec<&str> = example(id).split(':').skip(1).collect();
    Ok(Box::new(read(id, if parts.is_empty() { &default } else { parts })?))
}

/// Parses a whole spec.
pub(super) fn product(spec: &str) -> Read<Matmul> {
    let parts: Vec<&str> = spec.split(':').collect();
    match [Id::Gemm, Id::Gemv].into_iter().find(|id| id.into_str() == parts[0]) {
        Some(id) => read(id, &parts[1..]),
        None => error(format!("'{}' is no product", parts[0])),
    }
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
) -> Read<Verdict> {
    let Matmul { shape, a, b, .. } = product(spec)?;
    Ok(elements.judge(&Operands::new(seed, shape, a, b), windows, most_terms))
}

fn example(id: Id) -> &'static str {
    if id == Id::Gemm { GEMM_EXAMPLE } else { GEMV_EXAMPLE }
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

fn read(id: Id, parts: &[&str]) -> Read<Matmul> {
    let Some((&shape_or_layer, rest)) = parts.split_first() else {
        return error(format!("{id} has no shape here; write for example {}", example(id)));
    };
    let mut options = Options::default();
    for part in rest {
        match part.split_once('=') {
            Some((key, value)) => options.set(id, key, value)?,
            None if options.weights.is_none() => options.weights = Some(kind(id, part)?),
            None => {
                return error(format!(
                    "{id}: '{part}' is one part too many; write for example {}",
                    example(id)
                ));
            }
        }
    }
    let numeric = shape_or_layer.bytes().all(|b| b.is_ascii_digit() || b == b'x');
    let (shape, layer) = if numeric {
        if options.m.is_some() {
            return error(format!(
                "{id}: m goes with a model's layer; in a shape M is the first number, as in {GEMM_EXAMPLE}"
            ));
        }
        (numbers(id, shape_or_layer)?, None)
    } else {
        let (n, k) = layer(id, shape_or_layer)?;
        let m = if id == Id::Gemv { 1 } else { options.m.unwrap_or(PREFILL_ROWS) };
        (Shape { m, n, k }, Some(shape_or_layer.to_string()))
    };
    if let (Id::Gemv, Some(m)) = (id, options.m) {
        return error(format!(
            "gemv has one row of activations and takes no m; write gemm:{shape_or_layer}:m={m}"
        ));
    }
    // Operations and bytes are counted in 64 bits; leave room for padding.
    let Shape { m, n, k } = shape;
    if [m, n, k].iter().map(|side| *side as f64).product::<f64>() > 1e18 {
        return error(format!("{id}: {shape_or_layer} is too large to count its operations"));
    }
    let b = options.weights.unwrap_or(Type::F32);
    let a = options.activations.unwrap_or(default_activations(b));
    if a.bits() > b.bits() && b == Type::F32 || a == Type::Int4 || b.bits() > a.bits() {
        return error(format!(
            "{id}: {} activations do not go with {} weights; activations are f32, f16 with weights of f16 or \
             less, or int8 with weights of int8 or int4",
            a.into_str(),
            b.into_str()
        ));
    }
    let transpose = options.transpose;
    if transpose.is_some() && (a, b, id) != (Type::F32, Type::F32, Id::Gemm) {
        return error(
            "transpose goes with gemm in f32, as in gemm:1024x1024x1024:f32:transpose=b".into(),
        );
    }
    Ok(Matmul { id, shape, a, b, transpose, layer })
}

impl Options {
    fn set(&mut self, id: Id, key: &str, value: &str) -> Read<()> {
        match key {
            "activations" => self.activations = Some(kind(id, value)?),
            "m" => match value.parse() {
                Ok(m @ 1..) => self.m = Some(m),
                _ => return error(format!("{id}: m={value} is no number of rows; write m=512")),
            },
            "transpose" => {
                self.transpose = ["a", "b"].into_iter().find(|side| *side == value);
                if self.transpose.is_none() {
                    return error(format!(
                        "{id}: transpose={value} is not known; write transpose=a (dW = Xᵀ·dY) or transpose=b (dX = dY·Wᵀ)"
                    ));
                }
            }
            _ => return Err(unknown(id, "option", key, ["m", "activations", "transpose"])),
        }
        Ok(())
    }
}

fn kind(id: Id, name: &str) -> Read<Type> {
    name.parse().map_err(|_| unknown(id, "type", name, Type::VARIANTS.iter().copied()))
}

fn numbers(id: Id, text: &str) -> Read<Shape> {
    let sides: Vec<Option<usize>> =
        text.split('x').map(|side| side.parse().ok().filter(|s| *s > 0)).collect();
    match (id, sides.as_slice()) {
        (Id::Gemm, &[Some(m), Some(n), Some(k)]) => Ok(Shape { m, n, k }),
        (Id::Gemv, &[Some(n), Some(k)]) => Ok(Shape { m: 1, n, k }),
        _ => error(format!(
            "{id}: '{text}' is no shape; write {}, whole numbers from 1, as in {}",
            form(id),
            example(id)
        )),
    }
}

/// Outputs and inputs of `MODEL/LAYER`.
fn layer(id: Id, name: &str) -> Read<(usize, usize)> {
    let (model_name, layer_name) = name.split_once('/').unwrap_or((name, ""));
    let Some(model) = PRESETS.iter().find(|m| m.name == model_name) else {
        let near = nearest(model_name, PRESETS.iter().map(|m| m.name));
        return error(format!(
            "{id}: '{name}' is neither a shape {} nor a model; {near}",
            form(id)
        ));
    };
    let names: Vec<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    match LAYERS.iter().find(|(name, _)| *name == layer_name) {
        Some((_, tensor)) => Ok(model.config().shape(*tensor)),
        None if layer_name.is_empty() => {
            let near = format!("{}/{}", model.name, names.join(&format!(", {}/", model.name)));
            error(format!("{id}: name a layer of {model_name}: {near}"))
        }
        None => error(format!(
            "{id}: {model_name} has no layer '{layer_name}'; {}",
            nearest(layer_name, names)
        )),
    }
}
