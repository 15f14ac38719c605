//! What tells this process to stop.

use tokio::signal::unix::{SignalKind, signal};

/// SIGTERM or SIGINT.
pub async fn told_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The end of standard input: whoever started this process is gone.
pub async fn input_ends() {
    let mut sink = tokio::io::sink();
    // Whether it ended or broke makes no difference.
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut sink).await;
}
