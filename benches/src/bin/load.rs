//! Sends requests to an HTTP server and tells how it answered: `load HOST:PORT /score bodies.jsonl --connections 8 --seconds 3`
//!
//! Every connection sends its next request when the last one is answered. Requests are prepared before time is taken, and take
//! turns, so that no two in a row carry the same rows. Connections are kept where the server keeps them; where it does not,
//! connecting is part of the latency, as it is for any client. One thread, so that it takes one core at most.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{
    fs, io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::json;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    task::JoinSet,
};

/// What takes longer is an error.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// A server that refuses connections is not asked without end.
const RETRY_DELAY: Duration = Duration::from_millis(10);

/// Posts JSON bodies to one route, until time is over or there were enough.
#[derive(Parser)]
struct Args {
    /// Where the server listens: HOST:PORT.
    address: String,
    /// The route, such as /score.
    path: String,
    /// File with a JSON body on each line.
    bodies: PathBuf,
    /// How many connections ask at the same time.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Seconds after which no request is sent any more.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Number of requests after which none is sent any more.
    #[arg(long, default_value_t = 1_000_000)]
    requests: usize,
    /// Header that every request has, as `name: value`; may be repeated.
    #[arg(long = "header")]
    headers: Vec<String>,
}

struct Load {
    address: String,
    requests: Vec<Vec<u8>>,
    sent: AtomicUsize,
    limit: usize,
    end: Instant,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let requests = prepare(&args)?;
    let start = Instant::now();
    let load = Arc::new(Load {
        address: args.address,
        requests,
        sent: AtomicUsize::new(0),
        limit: args.requests,
        end: start + Duration::try_from_secs_f64(args.seconds).context("--seconds")?,
    });
    let mut connections = JoinSet::new();
    for _ in 0..args.connections {
        connections.spawn(ask_on_and_on(Arc::clone(&load)));
    }
    let (mut latencies, mut n_errors) = (Vec::new(), 0);
    while let Some(connection) = connections.join_next().await {
        let (answered, failed) = connection?;
        latencies.extend(answered);
        n_errors += failed;
    }
    let seconds = start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let result = json!({
        "requests": latencies.len(),
        "errors": n_errors,
        "seconds": seconds,
        "per_second": latencies.len() as f64 / seconds,
        "p50_ms": milliseconds(&latencies, 0.5),
        "p99_ms": milliseconds(&latencies, 0.99),
    });
    println!("{result}");
    Ok(())
}

/// Whole requests, head and body, so that each is one write.
fn prepare(args: &Args) -> Result<Vec<Vec<u8>>> {
    let bodies = fs::read_to_string(&args.bodies)
        .with_context(|| format!("could not read {}", args.bodies.display()))?;
    let headers: String = args.headers.iter().map(|header| format!("{header}\r\n")).collect();
    let (path, host) = (&args.path, &args.address);
    let request = |body: &str| {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        [head.as_bytes(), body.as_bytes()].concat()
    };
    let requests: Vec<_> = bodies.lines().map(request).collect();
    ensure!(!requests.is_empty(), "{} is empty", args.bodies.display());
    Ok(requests)
}

/// The latencies of requests that were answered with 200, and the number of all others.
async fn ask_on_and_on(load: Arc<Load>) -> (Vec<Duration>, usize) {
    let (mut latencies, mut n_errors) = (Vec::new(), 0);
    let mut connection = None;
    while Instant::now() < load.end {
        let number = load.sent.fetch_add(1, Ordering::Relaxed);
        if number >= load.limit {
            break;
        }
        let request = &load.requests[number % load.requests.len()];
        let start = Instant::now();
        let asked = tokio::time::timeout(REQUEST_LIMIT, ask(&load, &mut connection, request)).await;
        match asked {
            Ok(Ok(200)) => latencies.push(start.elapsed()),
            Ok(Ok(_)) => n_errors += 1,
            Ok(Err(_)) | Err(_) => {
                n_errors += 1;
                connection = None;
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
    (latencies, n_errors)
}

/// Sends one request, on the connection that is there or on a new one, and returns the status.
async fn ask(
    load: &Load,
    connection: &mut Option<BufReader<TcpStream>>,
    request: &[u8],
) -> io::Result<u16> {
    // Put back only when the answer was read to its end.
    let mut stream = match connection.take() {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(&load.address).await?;
            stream.set_nodelay(true)?;
            BufReader::with_capacity(64 << 10, stream)
        }
    };
    stream.write_all(request).await?;
    let answer = read_answer(&mut stream).await?;
    *connection = answer.keep_alive.then_some(stream);
    Ok(answer.status)
}

#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    keep_alive: bool,
}

/// Reads an answer to its end and forgets the body.
async fn read_answer(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Answer> {
    let mut line = String::new();
    next_line(reader, &mut line).await?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let mut answer = Answer {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        keep_alive: line.starts_with("HTTP/1.1"),
    };
    let (mut length, mut chunked) = (None, false);
    loop {
        next_line(reader, &mut line).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok();
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            answer.keep_alive &= !value.eq_ignore_ascii_case("close");
        }
    }
    match length {
        _ if chunked => skip_chunks(reader, &mut line).await?,
        Some(length) => skip(reader, length).await?,
        None => {
            answer.keep_alive = false;
            while next_line(reader, &mut line).await.is_ok() {}
        }
    }
    Ok(answer)
}

async fn skip_chunks(
    reader: &mut (impl AsyncBufRead + Unpin),
    line: &mut String,
) -> io::Result<()> {
    loop {
        next_line(reader, line).await?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if size == 0 {
            break;
        }
        skip(reader, size).await?;
        next_line(reader, line).await?;
    }
    // Trailers, which end with an empty line.
    while !line.is_empty() {
        next_line(reader, line).await?;
    }
    Ok(())
}

/// Reads a line and leaves its end away.
async fn next_line(reader: &mut (impl AsyncBufRead + Unpin), line: &mut String) -> io::Result<()> {
    line.clear();
    if reader.read_line(line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(())
}

async fn skip(reader: &mut (impl AsyncBufRead + Unpin), mut n_bytes: usize) -> io::Result<()> {
    while n_bytes > 0 {
        let n_there = reader.fill_buf().await?.len().min(n_bytes);
        if n_there == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reader.consume(n_there);
        n_bytes -= n_there;
    }
    Ok(())
}

/// The smallest latency that this part of all does not exceed; 0 without any.
fn milliseconds(sorted: &[Duration], part: f64) -> f64 {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> (Option<Answer>, usize) {
        let answer = read_answer(&mut bytes).await.ok();
        (answer, bytes.len())
    }

    #[tokio::test]
    async fn an_answer_ends_where_its_head_says() {
        for (bytes, status, keep_alive) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[1]\nHTTP"[..], 200, true),
            (b"HTTP/1.1 500 Oops\r\ncontent-length:0\r\nconnection: Close\r\n\r\nHTTP", 500, false),
            (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=1\r\n[1]\r\nA\r\n0123456789\r\n0\r\nX: 1\r\n\r\nHTTP", 200, true),
        ] {
            assert_eq!(read(bytes).await, (Some(Answer { status, keep_alive }), 4));
        }
        let until_closed = b"HTTP/1.1 200 OK\r\n\r\n[1]\n[2]";
        assert_eq!(read(until_closed).await, (Some(Answer { status: 200, keep_alive: false }), 0));
    }

    #[tokio::test]
    async fn half_an_answer_is_none() {
        for bytes in [
            &b""[..],
            b"nothing of the kind\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[1]",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n",
        ] {
            assert_eq!(read(bytes).await.0, None);
        }
    }

    #[test]
    fn percentiles_are_latencies_that_were_seen() {
        let latencies: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!([0.5, 0.99].map(|part| milliseconds(&latencies, part) as u64), [100, 198]);
        assert_eq!(milliseconds(&latencies[..1], 0.99) as u64, 1);
        assert!(milliseconds(&[], 0.5) < 1.0);
    }
}
