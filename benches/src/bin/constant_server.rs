//! The floor for any axum server: reads a body, does nothing with it and answers with a constant: `constant_server HOST:PORT`
//!
//! `benches/peers/serving.py` measures it beside `serve-bundle`, whose runtime it has; what is left between the two is
//! parsing, scoring, headers and logging. `POST /score/N` answers as many bytes as N predictions have.

use std::env;

use anyhow::{Context, Result, bail};
use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::header::CONTENT_TYPE,
    routing::{MethodRouter, get, post},
};
use tokio::net::TcpListener;

/// A prediction of usual length.
const PREDICTION: &str = "210830.93";
/// As `serve-bundle` has it.
const MAX_BODY_BYTES: usize = 32 << 20;

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [address] = args.as_slice() else { bail!("usage: constant_server HOST:PORT") };
    let listener = TcpListener::bind(address).await.with_context(|| address.clone())?;
    axum::serve(listener, app()).await?;
    Ok(())
}

fn app() -> Router {
    let app = Router::new().route("/", get(|| async { "Healthy" })).route("/score", answering(1));
    // A route for each size: choosing by the body would be work.
    let sizes = [1, 100, 10_000].into_iter();
    sizes
        .fold(app, |app, n_rows| app.route(&format!("/score/{n_rows}"), answering(n_rows)))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

fn answering(n_rows: usize) -> MethodRouter {
    let answer = Bytes::from(format!("[{}]", vec![PREDICTION; n_rows].join(", ")));
    post(move |_body: Bytes| {
        let answer = answer.clone();
        async move { ([(CONTENT_TYPE, "application/json")], answer) }
    })
}
