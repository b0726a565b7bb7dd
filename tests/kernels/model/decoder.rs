//! Seeded models, and the f64 forward pass: against a second one that is written differently, and against what must hold of
//! any decoder.

use proptest::prelude::*;
use rigbench::model::{
    Config, Matrix, ModelError, PRESETS, Pairs, Part, Rope, Seeded, Tensor, Type, Values, Weights,
};
use rigbench::oracle::decoder::forward;
use rigbench::seed::Seed;

fn small() -> Config {
    Config {
        layers: 2,
        hidden_size: 64,
        intermediate_size: 96,
        heads: 4,
        kv_heads: 2,
        head_dim: 16,
        vocab_size: 50,
        context: 64,
        rope: Rope { base: 10_000.0, pairs: Pairs::Neighbours, factors: None },
        rms_norm_eps: 1e-5,
        tie_word_embeddings: false,
        qkv_bias: true,
    }
}

fn seeded(config: Config, kind: Type, seed: u8) -> Seeded {
    Seeded::new(config, kind, Seed([seed; 32])).unwrap()
}

/// One token after the other with a cache of keys and values, in plain loops.
fn one_by_one(weights: &dyn Weights, tokens: &[u32]) -> Vec<Vec<f64>> {
    let config = weights.config().clone();
    let times = |tensor: Tensor, input: &[f64]| -> Vec<f64> {
        let matrix = weights.matrix(tensor).unwrap();
        let row = |row| {
            let weights = matrix.dequantized_row(row);
            weights.iter().zip(input).map(|(w, x)| f64::from(*w) * x).sum()
        };
        (0..matrix.rows).map(row).collect()
    };
    let normal = |tensor: Tensor, input: &[f64]| -> Vec<f64> {
        let square = input.iter().map(|x| x * x).sum::<f64>() / input.len() as f64;
        let by = 1.0 / (square + f64::from(config.rms_norm_eps)).sqrt();
        let scales = weights.vector(tensor).unwrap();
        input.iter().zip(scales).map(|(x, scale)| x * by * f64::from(scale)).collect()
    };
    let turn = |vector: &mut [f64], position: usize| {
        let half = config.head_dim / 2;
        for place in 0..vector.len() / 2 {
            let (head, pair) = (place / half * config.head_dim, place % half);
            let mut angle = position as f64;
            angle *= (-(pair as f64) / half as f64 * f64::from(config.rope.base).ln()).exp();
            if let Some(factors) = &config.rope.factors {
                angle /= f64::from(factors[pair]);
            }
            let [i, j] = match config.rope.pairs {
                Pairs::Neighbours => [head + 2 * pair, head + 2 * pair + 1],
                Pairs::Halves => [head + pair, head + pair + half],
            };
            let (sine, cosine) = angle.sin_cos();
            [vector[i], vector[j]] =
                [vector[i] * cosine - vector[j] * sine, vector[j] * cosine + vector[i] * sine];
        }
    };
    let mut cache = vec![(Vec::new(), Vec::new()); config.layers];
    let mut logits = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        let embedding = weights.matrix(Tensor::Embedding).unwrap();
        let mut stream: Vec<f64> =
            embedding.dequantized_row(*token as usize).into_iter().map(f64::from).collect();
        for (layer, (keys, values)) in cache.iter_mut().enumerate() {
            let input = normal(Tensor::Layer(layer, Part::AttentionNorm), &stream);
            let [mut query, mut key, value] = [
                (Part::Query, Part::QueryBias),
                (Part::Key, Part::KeyBias),
                (Part::Value, Part::ValueBias),
            ]
            .map(|(part, bias)| {
                let mut out = times(Tensor::Layer(layer, part), &input);
                if config.qkv_bias {
                    let bias = weights.vector(Tensor::Layer(layer, bias)).unwrap();
                    out.iter_mut().zip(bias).for_each(|(x, bias)| *x += f64::from(bias));
                }
                out
            });
            turn(&mut query, position);
            turn(&mut key, position);
            keys.push(key);
            values.push(value);
            let mut attended = Vec::new();
            for head in 0..config.heads {
                let size = config.head_dim;
                let from = head * config.kv_heads / config.heads * size;
                let score = |key: &Vec<f64>| {
                    let dot: f64 = (0..size).map(|i| query[head * size + i] * key[from + i]).sum();
                    (dot / (size as f64).sqrt()).exp()
                };
                let scores: Vec<f64> = keys.iter().map(score).collect();
                let all: f64 = scores.iter().sum();
                attended.extend((0..size).map(|i| {
                    let terms = scores.iter().zip(values.iter());
                    terms.map(|(score, value)| score / all * value[from + i]).sum::<f64>()
                }));
            }
            let out = times(Tensor::Layer(layer, Part::Output), &attended);
            stream.iter_mut().zip(out).for_each(|(x, more)| *x += more);
            let input = normal(Tensor::Layer(layer, Part::FfnNorm), &stream);
            let gate = times(Tensor::Layer(layer, Part::Gate), &input);
            let up = times(Tensor::Layer(layer, Part::Up), &input);
            let inner: Vec<f64> =
                gate.iter().zip(up).map(|(gate, up)| gate / (1.0 + (-gate).exp()) * up).collect();
            let out = times(Tensor::Layer(layer, Part::Down), &inner);
            stream.iter_mut().zip(out).for_each(|(x, more)| *x += more);
        }
        logits.push(times(Tensor::Head, &normal(Tensor::Norm, &stream)));
    }
    logits
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..Default::default() }
}

fn configs() -> impl Strategy<Value = Config> {
    let heads = prop_oneof![Just((1, 1)), Just((4, 2)), Just((6, 2)), Just((3, 3)), Just((8, 1))];
    let pairs = prop_oneof![Just(Pairs::Neighbours), Just(Pairs::Halves)];
    (heads, 1usize..4, pairs, any::<[bool; 3]>(), 1usize..4).prop_map(
        |((heads, kv_heads), half, pairs, [tied, qkv_bias, stretched], layers)| {
            let head_size = 16 * half;
            let factors = stretched.then(|| (0..8 * half).map(|i| 1.0 + i as f32).collect());
            let rope = Rope { base: 500.0, pairs, factors };
            Config {
                layers,
                heads,
                kv_heads,
                head_dim: head_size,
                rope,
                tie_word_embeddings: tied,
                qkv_bias,
                ..small()
            }
        },
    )
}

proptest! {
    #![proptest_config(config(24))]

    /// All positions at once agree with one after the other, for every mixture of heads and pairs.
    #[test]
    fn at_once_agrees_with_one_by_one(
        config in configs(),
        kind in prop_oneof![Just(Type::F32), Just(Type::F16)],
        tokens in prop::collection::vec(0u32..50, 1..9),
        seed: u8,
    ) {
        let weights = seeded(config, kind, seed);
        let whole = forward(&weights, &tokens).unwrap();
        prop_assert_eq!(whole.layers.len(), weights.config().layers);
        for (row, want) in whole.logits.outer_iter().zip(one_by_one(&weights, &tokens)) {
            for (got, want) in row.iter().zip(want) {
                prop_assert!((got - want).abs() < 1e-9, "{} {}", got, want);
            }
        }
    }

    /// No position sees a later one, and every position sees every earlier one.
    #[test]
    fn a_token_changes_what_follows_it_alone(
        config in configs(),
        tokens in prop::collection::vec(0u32..49, 3..9),
        place: prop::sample::Index,
        seed: u8,
    ) {
        let weights = seeded(config, Type::F32, seed);
        let place = place.index(tokens.len());
        let mut other = tokens.clone();
        other[place] += 1;
        let [one, other] = [&tokens, &other].map(|t| forward(&weights, t).unwrap().logits);
        for (position, (one, other)) in one.outer_iter().zip(other.outer_iter()).enumerate() {
            prop_assert_eq!(one == other, position < place, "position {} of {}", position, place);
        }
    }

    /// Groups of heads that share keys are neighbours: giving each head its group's own copy changes nothing.
    #[test]
    fn heads_share_with_their_neighbours(
        config in configs(),
        tokens in prop::collection::vec(0u32..50, 1..9),
        seed: u8,
    ) {
        let shared = seeded(config, Type::F32, seed);
        let alone = Unshared::new(&shared);
        let [one, other] = [&shared as &dyn Weights, &alone].map(|w| forward(w, &tokens).unwrap());
        prop_assert!(one.logits.iter().zip(&other.logits).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}

/// A model whose every head of queries has keys and values of its own.
struct Unshared<'a> {
    of: &'a dyn Weights,
    config: Config,
}

impl<'a> Unshared<'a> {
    fn new(of: &'a dyn Weights) -> Unshared<'a> {
        Unshared { of, config: Config { kv_heads: of.config().heads, ..of.config().clone() } }
    }

    /// Rows head after head, each head's as often as it is shared.
    fn repeated(&self, rows: &[f32], row: usize) -> Vec<f32> {
        let Config { heads, kv_heads, head_dim: head_size, .. } = *self.of.config();
        let shared = rows.chunks(head_size * row);
        shared.flat_map(|head| head.repeat(heads / kv_heads)).collect()
    }
}

impl Weights for Unshared<'_> {
    fn config(&self) -> &Config {
        &self.config
    }

    fn bytes_of(&self, tensor: Tensor) -> u64 {
        self.of.bytes_of(tensor)
    }

    fn matrix(&self, tensor: Tensor) -> Result<Matrix, ModelError> {
        let matrix = self.of.matrix(tensor)?;
        let (Tensor::Layer(_, Part::Key | Part::Value), Values::F32(values)) =
            (tensor, &matrix.values)
        else {
            return Ok(matrix);
        };
        let values = Values::F32(self.repeated(values, matrix.columns));
        Ok(Matrix { rows: self.config.shape(tensor).0, values, ..matrix })
    }

    fn vector(&self, tensor: Tensor) -> Result<Vec<f32>, ModelError> {
        let vector = self.of.vector(tensor)?;
        Ok(match tensor {
            Tensor::Layer(_, Part::KeyBias | Part::ValueBias) => self.repeated(&vector, 1),
            _ => vector,
        })
    }
}

/// Integer weights stand for what they are read as, and the head of a tied model is its embedding.
#[test]
fn integer_weights_agree_one_by_one() {
    for kind in [Type::Int8, Type::Int4] {
        let weights = seeded(Config { tie_word_embeddings: true, ..small() }, kind, 3);
        let tokens = [7, 49, 0, 7, 7, 12];
        let whole = forward(&weights, &tokens).unwrap();
        let want: Vec<f64> = one_by_one(&weights, &tokens).concat();
        assert!(whole.logits.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-9));
    }
}

/// Published results recompute from these; a change breaks every file. Made by `tests/golden/model.py`.
#[test]
fn golden_weights() {
    let smollm = || PRESETS[0].config();
    let of = |kind, tensor| seeded(smollm(), kind, 7).matrix(tensor).unwrap().values;
    let Values::F32(down) = of(Type::F32, Tensor::Layer(29, Part::Down)) else { panic!() };
    assert_eq!(down[575 * 1536 + 1535].to_bits(), 0x3bffcbbf);
    let Values::F16(query) = of(Type::F16, Tensor::Layer(3, Part::Query)) else { panic!() };
    assert_eq!(query[5 * 576 + 7].to_bits(), 0x2b19);
    let Values::Int8 { values, scales } = of(Type::Int8, Tensor::Layer(29, Part::Down)) else {
        panic!()
    };
    assert_eq!((values[100 * 1536 + 9], scales[100 * 48].to_bits()), (-58, 0x1087));
    let Values::Int4 { values, scales, offsets: None } = of(Type::Int4, Tensor::Head) else {
        panic!()
    };
    assert_eq!((*values.last().unwrap(), scales.last().unwrap().to_bits()), (0x3e, 0x2390));
    let norm = seeded(smollm(), Type::F16, 7).vector(Tensor::Norm).unwrap();
    assert_eq!(norm[575].to_bits(), 0x3f866d73);
    let qwen = seeded(PRESETS[1].config(), Type::F16, 7);
    let bias = qwen.vector(Tensor::Layer(2, Part::KeyBias)).unwrap();
    assert_eq!(bias[127].to_bits(), 0xbdc7d952);
}

/// Each type of the same seed spreads like a bell of deviation 1 ÷ √columns, and tensors do not repeat each other.
#[test]
fn weights_spread_as_in_a_trained_model() {
    let config = PRESETS[0].config();
    for kind in [Type::F32, Type::F16, Type::Int8, Type::Int4] {
        let weights = seeded(config.clone(), kind, 1);
        let [one, other] =
            [3, 4].map(|layer| weights.matrix(Tensor::Layer(layer, Part::Down)).unwrap());
        assert_ne!(one.values, other.values);
        let all: Vec<f64> =
            (0..one.rows).flat_map(|row| one.dequantized_row(row)).map(f64::from).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|w| w * w).sum::<f64>() / all.len() as f64 * 1536.0;
        assert!(mean.abs() < 1e-3 && (variance - 1.0).abs() < 0.06, "{kind:?} {mean} {variance}");
    }
}

/// Bytes of a matrix's weights, scales and offsets.
fn bytes(values: &Values) -> u64 {
    let bytes = match values {
        Values::F32(values) => size_of_val(&values[..]),
        Values::F16(values) => size_of_val(&values[..]),
        Values::Int8 { values, scales } => values.len() + size_of_val(&scales[..]),
        Values::Int4 { values, scales, offsets } => {
            values.len() + size_of_val(&scales[..]) + offsets.as_deref().map_or(0, size_of_val)
        }
    };
    bytes as u64
}

#[test]
fn bytes_are_counted_before_weights_are_made() {
    for kind in [Type::F32, Type::F16, Type::Int8, Type::Int4] {
        for tied in [true, false] {
            let weights = seeded(Config { tie_word_embeddings: tied, ..small() }, kind, 1);
            let mut all = 0;
            for tensor in weights.config().tensors() {
                let bytes = match tensor.is_matrix() {
                    true => bytes(&weights.matrix(tensor).unwrap().values),
                    false => 4 * weights.vector(tensor).unwrap().len() as u64,
                };
                assert_eq!(weights.bytes_of(tensor), bytes, "{kind:?} {tensor}");
                all += bytes;
            }
            assert_eq!(weights.bytes(), all, "{kind:?}");
        }
    }
    let odd = Config { hidden_size: 48, heads: 3, kv_heads: 1, ..small() };
    assert!(Seeded::new(odd.clone(), Type::F16, Seed([0; 32])).is_ok());
    let error = Seeded::new(odd, Type::Int4, Seed([0; 32])).err().unwrap().to_string();
    assert!(error.contains("take f16 or f32"), "{error}");
}

/// Through all layers of a real shape the stream neither dies nor runs away, and no token stands out for all texts.
#[test]
fn activations_of_seeded_models_stay_finite() {
    let config = Config { vocab_size: 2048, ..PRESETS[0].config() };
    let whole = forward(&seeded(config, Type::Int4, 5), &[1, 700, 33, 2047]).unwrap();
    let size = |layer: usize| whole.layers[layer].mapv(|x| x * x).mean().unwrap().sqrt();
    assert!((0.1..30.0).contains(&size(0)) && (0.1..30.0).contains(&size(29)), "{}", size(29));
    let spread = whole.logits.std(0.0);
    assert!((0.3..3.0).contains(&spread), "logits spread by {spread}");
}
