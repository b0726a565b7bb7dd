//! Parses and writes the specs of matrix products: `gemm:MxNxK[:TYPE]`, `gemv:NxK[:TYPE]`, or a model layer instead of the shape, then
//! options.

use super::{Matmul, Shape, Transposed, Type};
use crate::model::{LAYERS, PRESETS};
use crate::workload::{Id, SpecError, Workload, spec::nearest};

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
    Ok(Box::new(read(Id::Gemm, GEMM_EXAMPLE, &["1024x1024x1024", "f32"], parts)?))
}

/// Parses the parts of a spec after `gemv`.
pub(in crate::workload) fn gemv(parts: &[&str]) -> Read<Box<dyn Workload>> {
    Ok(Box::new(read(Id::Gemv, GEMV_EXAMPLE, &["4096x4096", "int4"], parts)?))
}

/// Parses a whole spec.
pub(super) fn product(spec: &str) -> Read<Matmul> {
    let parts: Vec<&str> = spec.split(':').collect();
    match parts[0] {
        "gemm" => read(Id::Gemm, GEMM_EXAMPLE, &[], &parts[1..]),
        "gemv" => read(Id::Gemv, GEMV_EXAMPLE, &[], &parts[1..]),
        id => error(format!("'{id}' is no product")),
    }
}

/// The parts after the shape.
#[derive(Default)]
struct Options {
    weights: Option<Type>,
    activations: Option<Type>,
    transposed: Option<Transposed>,
    m: Option<usize>,
}

fn read(id: Id, example: &'static str, default: &[&str], parts: &[&str]) -> Read<Matmul> {
    let parts = if parts.is_empty() { default } else { parts };
    if parts.is_empty() {
        return error(format!("{id} has no shape here; write for example {example}"));
    }
    let mut options = Options::default();
    for part in &parts[1..] {
        match part.split_once('=') {
            Some((key, value)) => options.set(id, key, value)?,
            None if options.weights.is_none() => options.weights = Some(kind(id, part)?),
            None => {
                return error(format!(
                    "{id}: '{part}' is one part too many; write for example {example}"
                ));
            }
        }
    }
    let sides: Vec<&str> = parts[0].split('x').collect();
    let numeric = sides.iter().all(|side| side.bytes().all(|b| b.is_ascii_digit()));
    let (shape, layer) = if numeric {
        if options.m.is_some() {
            return error(format!(
                "{id}: m goes with a model's layer; in a shape M is the first number, as in {GEMM_EXAMPLE}"
            ));
        }
        (numbers(id, example, parts[0], &sides)?, None)
    } else {
        let (n, k) = layer(id, parts[0])?;
        let m = if id == Id::Gemv { 1 } else { options.m.unwrap_or(PREFILL_ROWS) };
        (Shape { m, n, k }, Some(parts[0].to_string()))
    };
    if id == Id::Gemv && options.m.is_some() {
        return error(format!(
            "gemv has one row of activations and takes no m; write gemm:{}:m={}",
            parts[0],
            options.m.unwrap_or(2)
        ));
    }
    // Operations and bytes are counted in 64 bits; leave room for padding.
    let Shape { m, n, k } = shape;
    if [m, n, k].iter().map(|side| *side as f64).product::<f64>() > 1e18 {
        return error(format!("{id}: {} is too large to count its operations", parts[0]));
    }
    let b = options.weights.unwrap_or(Type::F32);
    let a = options.activations.unwrap_or(if b == Type::F16 { Type::F16 } else { Type::F32 });
    if a.bits() > b.bits() && b == Type::F32 || a == Type::Int4 || b.bits() > a.bits() {
        return error(format!(
            "{id}: {} activations do not go with {} weights; activations are f32, f16 with weights of f16 or \
             less, or int8 with weights of int8 or int4",
            a.name(),
            b.name()
        ));
    }
    let transposed = options.transposed.unwrap_or(Transposed::None);
    if transposed != Transposed::None && (a, b, id) != (Type::F32, Type::F32, Id::Gemm) {
        return error(
            "transpose goes with gemm in f32, as in gemm:1024x1024x1024:f32:transpose=b".into(),
        );
    }
    Ok(Matmul { id, shape, a, b, transposed, layer })
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
                self.transposed = Some(match value {
                    "a" => Transposed::A,
                    "b" => Transposed::B,
                    _ => {
                        return error(format!(
                            "{id}: transpose={value} is not known; write transpose=a (dW = Xᵀ·dY) or transpose=b (dX = dY·Wᵀ)"
                        ));
                    }
                })
            }
            _ => {
                let near = nearest(key, ["m", "activations", "transpose"]);
                return error(format!("{id}: option '{key}' is not known; {near}"));
            }
        }
        Ok(())
    }
}

fn kind(id: Id, name: &str) -> Read<Type> {
    match Type::ALL.into_iter().find(|t| t.name() == name) {
        Some(kind) => Ok(kind),
        None => error(format!(
            "{id}: type '{name}' is not known; {}",
            nearest(name, Type::ALL.map(Type::name))
        )),
    }
}

fn numbers(id: Id, example: &str, text: &str, sides: &[&str]) -> Read<Shape> {
    let sides: Vec<Option<usize>> =
        sides.iter().map(|side| side.parse().ok().filter(|s| *s > 0)).collect();
    match (id, sides.as_slice()) {
        (Id::Gemm, &[Some(m), Some(n), Some(k)]) => Ok(Shape { m, n, k }),
        (Id::Gemv, &[Some(n), Some(k)]) => Ok(Shape { m: 1, n, k }),
        _ => {
            let form = if id == Id::Gemm { "MxNxK" } else { "NxK" };
            error(format!(
                "{id}: '{text}' is no shape; write {form}, whole numbers from 1, as in {example}"
            ))
        }
    }
}

/// Outputs and inputs of `MODEL/LAYER`.
fn layer(id: Id, name: &str) -> Read<(usize, usize)> {
    let (model_name, layer_name) = name.split_once('/').unwrap_or((name, ""));
    let Some(model) = PRESETS.iter().find(|m| m.name == model_name) else {
        let near = nearest(model_name, PRESETS.iter().map(|m| m.name));
        let form = if id == Id::Gemm { "MxNxK" } else { "NxK" };
        return error(format!("{id}: '{name}' is neither a shape {form} nor a model; {near}"));
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

/// The shape, type and options that parse to this product.
pub(super) fn write(product: &Matmul) -> String {
    let Shape { m, n, k } = product.shape;
    let mut text = match product.id {
        Id::Gemv => format!("{n}x{k}:{}", product.b.name()),
        _ => format!("{m}x{n}x{k}:{}", product.b.name()),
    };
    if product.a != (if product.b == Type::F16 { Type::F16 } else { Type::F32 }) {
        text += &format!(":activations={}", product.a.name());
    }
    text += match product.transposed {
        Transposed::None => "",
        Transposed::A => ":transpose=a",
        Transposed::B => ":transpose=b",
    };
    text
}
