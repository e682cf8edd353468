//! exp
use ndarray::{Array2, ArrayView2, s};
use spinney_forest::{Predictor, RandomForest};
use std::hint::black_box;
use std::time::Instant;

fn read32(name: &str) -> Vec<f32> {
    let b = std::fs::read(format!("fixtures/expected/workshop/{name}")).unwrap();
    b.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}
fn main() {
    let big = std::env::args().nth(1).as_deref() == Some("big");
    let mut state = 1u64;
    let mut rnd = move || { state ^= state << 13; state ^= state >> 7; state ^= state << 17; state };
    let (forest, rows) = if big {
        let n: usize = 15800;
        let x = Array2::from_shape_simple_fn((n, 20), || (rnd() >> 40) as f32 / 1000.0);
        let y = ndarray::Array1::from_shape_fn(n, |i| x[[i,0]] as f64 * 3.0 + x[[i,1]] as f64 + (rnd() >> 40) as f64 / 500.0);
        let trees: usize = std::env::var("TREES").map_or(500, |t| t.parse().unwrap());
        let f = RandomForest::params().n_estimators(trees).max_features(2).fit_arrays(x.view(), y.view()).unwrap();
        let q = Array2::from_shape_simple_fn((10000, 20), || (rnd() >> 40) as f32 / 1000.0);
        (f, q)
    } else {
        let x = Array2::from_shape_vec((2344, 48), read32("ames_X_train_2344x48_f32le.bin")).unwrap();
        let b = std::fs::read("fixtures/expected/workshop/ames_y_train_2344_f64le.bin").unwrap();
        let y: ndarray::Array1<f64> = b.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        let f = RandomForest::params().seed(42).fit_arrays(x.view(), y.view()).unwrap();
        let q = Array2::from_shape_fn((10000, 48), |(_, j)| { let v = x[[(rnd() % 2344) as usize, j]]; if rnd() % 4 == 0 { v * (1.0 + 0.01 * ((rnd() % 200) as f32 / 100.0 - 1.0)) } else { v } });
        (f, q)
    };
    let t = Instant::now();
    let expected = forest.try_predict(rows.view()).unwrap();
    println!("reference {:.2} us/row (all threads)", t.elapsed().as_nanos() as f64 / 1e3 / rows.nrows() as f64);
    let mut best = f64::MAX;
    for _ in 0..5 { let t = Instant::now(); black_box(Predictor::new(&forest)); best = best.min(t.elapsed().as_secs_f64()); }
    let p = Predictor::new(&forest);
    println!("compile {:.1} ms, {} bytes", best * 1e3, p.memory_bytes());
    let got = p.predict(rows.view()).unwrap();
    assert!(got.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()));
    let reps = if big { 3 } else { 15 };
    let batch = |name: &str, x: ArrayView2<'_, f32>| {
        let mut out = ndarray::Array1::zeros(x.nrows());
        let mut best = f64::MAX;
        for _ in 0..reps * 10000 / x.nrows().max(1000) { let t = Instant::now(); p.predict_into(x, out.view_mut()).unwrap(); best = best.min(t.elapsed().as_nanos() as f64); }
        println!("{name} {:.3} us/row", best / 1e3 / x.nrows() as f64);
    };
    batch("10k", rows.view());
    batch("1000", rows.slice(s![..1000, ..]));
    batch("100", rows.slice(s![..100, ..]));
    let mut best = f64::MAX;
    for _ in 0..reps { let t = Instant::now(); let mut s = 0.0; for r in rows.rows() { s += p.predict_row(r.to_slice().unwrap()).unwrap(); } black_box(s); best = best.min(t.elapsed().as_nanos() as f64); }
    println!("single {:.3} us/row", best / 1e3 / rows.nrows() as f64);
    // cold
    let mut junk = vec![1u64; 1 << 19];
    let mut times = Vec::new();
    for r in rows.rows().into_iter().take(500) {
        for j in junk.iter_mut() { *j = j.wrapping_mul(3); } black_box(&mut junk);
        let r = r.to_slice().unwrap(); 
        let t = Instant::now(); black_box(p.predict_row(r).unwrap()); times.push(t.elapsed().as_nanos());
    }
    times.sort();
    println!("cold p50 {} ns p10 {}", times[250], times[50]);
}
