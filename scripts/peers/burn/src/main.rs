//! f32 1024×1024×1024 by burn, tuned by itself, on the default Vulkan adapter: a line "burn RATE", operations a second,
//! the median of calls for two seconds or more.

use burn::tensor::{Distribution, Tensor, backend::Backend};
use std::time::{Duration, Instant};

type Vulkan = burn::backend::Vulkan;

const N: usize = 1024;

fn main() {
    let device = Default::default();
    let random = || Tensor::<Vulkan, 2>::random([N, N], Distribution::Normal(0.0, 1.0), &device);
    let (a, b) = (random(), random());
    let product = || {
        let start = Instant::now();
        let _product = a.clone().matmul(b.clone());
        Vulkan::sync(&device).expect("the device finishes");
        start.elapsed().as_secs_f64()
    };
    // It compiles and tunes itself in the first calls.
    for _ in 0..3 {
        product();
    }
    let (began, mut seconds) = (Instant::now(), Vec::new());
    while seconds.len() < 5 || began.elapsed() < Duration::from_secs(2) {
        seconds.push(product());
    }
    seconds.sort_by(f64::total_cmp);
    println!("burn {}", 2.0 * (N as f64).powi(3) / seconds[seconds.len() / 2]);
}
