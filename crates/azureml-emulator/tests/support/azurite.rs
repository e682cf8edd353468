//! A running Azurite, which ends with its handle.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    env,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub(crate) struct RunningAzurite {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl RunningAzurite {
    /// One with nothing in it, and nothing but what anybody would start it with.
    pub(crate) fn start() -> Self {
        let program =
            env::var_os("SPINNEY_AZURITE").unwrap_or_else(|| panic!("cargo xtask azurite sets it"));
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("node")
            .arg(program)
            .args(["--silent", "--disableTelemetry", "--blobHost", "127.0.0.1", "--blobPort"])
            .arg(port.to_string())
            .arg("--location")
            .arg(folder.path())
            .env_remove("AZURITE_ACCOUNTS")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let azurite = Self { child, port, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "Azurite does not start");
            thread::sleep(Duration::from_millis(50));
        }
        azurite
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for RunningAzurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
