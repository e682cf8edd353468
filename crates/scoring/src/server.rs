use std::{future::Future, io, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, signal, sync::oneshot};

/// How long requests may go on after the signal to stop: as long as with Azure ML's Python server.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// Serves an application until `shutdown` completes and the requests under way are answered.
///
/// From then on no connection is accepted. What is not answered 30 seconds later is cut off.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let signal = async move {
        shutdown.await;
        tracing::info!("shutting down");
        // The receiver lives until the server has ended.
        let _ = stopping.send(());
    };
    let server = axum::serve(listener, app).with_graceful_shutdown(signal).into_future();
    let deadline = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(DRAIN_LIMIT).await,
            // The signal was dropped with the server, which ends by itself.
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = server => result,
        () = deadline => Ok(()),
    }
}

/// Completes when the process is told to stop: by Ctrl-C, and on Unix by SIGTERM.
pub async fn shutdown_signal() {
    let interrupt = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
