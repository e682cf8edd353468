//! Programs that the emulator runs: jobs and deployments.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::process::{Child, Command};

use crate::world::World;

/// By this variable a program is known to belong to a state, even when the emulator that started it has been killed.
const BELONGS_TO: &str = "SPINNEY_EMULATOR_STATE";

/// A program, and all it gets: nothing is inherited from the emulator.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// Where it stands.
    pub(crate) folder: PathBuf,
    pub(crate) environment: BTreeMap<OsString, OsString>,
    /// What it prints is appended to this file, its errors too.
    pub(crate) output: PathBuf,
}

impl Program {
    /// Starts the program, in a group of its own.
    pub(crate) fn start(&self, world: &World) -> io::Result<Process> {
        let output = OpenOptions::new().create(true).append(true).open(&self.output)?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.environment)
            .env(BELONGS_TO, &world.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        // Only a process that was waited for has no id.
        let id = child.id().ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(Process { child, id, has_ended: false })
    }
}

/// A program that runs. It is killed when this is dropped, with all that it has started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    id: u32,
    has_ended: bool,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Waits for the program's end; what it has started and left behind is ended then. May be dropped and called again.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        if !self.has_ended {
            self.has_ended = true;
            signal(self.id, Signal::Kill);
        }
        Ok(status)
    }

    /// Asks the program to end, and ends it after a time.
    pub(crate) async fn stop(mut self, grace: Duration) -> io::Result<ExitStatus> {
        if !self.has_ended {
            signal(self.id, Signal::Terminate);
            if let Ok(ended) = tokio::time::timeout(grace, self.wait()).await {
                return ended;
            }
            signal(self.id, Signal::Kill);
            self.child.start_kill()?;
        }
        self.wait().await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended {
            signal(self.id, Signal::Kill);
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
}

/// Sends a signal to a group of processes, which may have ended already.
#[cfg(unix)]
fn signal(group: u32, signal: Signal) {
    use rustix::process::{Pid, Signal as Number, kill_process_group};

    let number = match signal {
        Signal::Terminate => Number::TERM,
        Signal::Kill => Number::KILL,
    };
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        // No such group: that is what is wanted.
        let _ = kill_process_group(group, number);
    }
}

/// Elsewhere a process ends when its handle is dropped, and nothing can be asked of it.
#[cfg(not(unix))]
fn signal(_: u32, _: Signal) {}

/// Ends what an emulator has started that was killed before it could do so. When this returns, nothing of it runs.
#[cfg(target_os = "linux")]
pub(crate) fn end_abandoned(folder: &Path) {
    // Until nothing is found: what was killed takes a moment to end, and may have started something behind the look's back.
    for _ in 0..LOOKS {
        if !kill_abandoned(folder) {
            return;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    tracing::warn!("a program that a killed emulator has left does not end");
}

#[cfg(target_os = "linux")]
const LOOKS: usize = 1000;
#[cfg(target_os = "linux")]
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Kills the other processes that belong to a state and have not ended, each with its group. Whether there were any.
#[cfg(target_os = "linux")]
fn kill_abandoned(folder: &Path) -> bool {
    use rustix::process::{
        Pid, Signal as Number, getpgid, getpgrp, kill_process, kill_process_group,
    };

    let Ok(entries) = std::fs::read_dir("/proc") else { return false };
    let mut has_found = false;
    for entry in entries.flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(id) = id.filter(|id| u32::try_from(*id) != Ok(std::process::id())) else {
            continue;
        };
        // Of other users' processes it cannot be read, and of those that have ended it is empty.
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        if belongs_to(&environment, folder)
            && let Some(process) = Pid::from_raw(id)
        {
            tracing::info!(id, "ends a program that a killed emulator has left");
            has_found = true;
            // All of a group at once: nothing in it can start another in time.
            if let Ok(group) = getpgid(Some(process))
                && group != getpgrp()
            {
                let _ = kill_process_group(group, Number::KILL);
            }
            let _ = kill_process(process, Number::KILL);
        }
    }
    has_found
}

/// Other systems do not tell what a process was started with.
#[cfg(not(target_os = "linux"))]
pub(crate) fn end_abandoned(_: &Path) {}

#[cfg(target_os = "linux")]
fn belongs_to(environment: &[u8], folder: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;

    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable.strip_prefix(BELONGS_TO.as_bytes());
        let value = value.and_then(|value| value.strip_prefix(b"="));
        value.is_some_and(|value| OsStr::from_bytes(value) == folder.as_os_str())
    })
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::{fs, path::PathBuf};

    use super::*;
    use crate::{Clock, settings::Wishes, world::Programs};

    fn world(folder: &Path) -> World {
        let (clock, wishes) = (Clock::default(), Wishes::default());
        World::open(&folder.join("state"), clock, &wishes, Programs::default()).unwrap()
    }

    fn shell(folder: &Path, line: &str) -> Program {
        Program {
            program: PathBuf::from("/bin/sh"),
            args: ["-c", line].map(OsString::from).into(),
            folder: folder.to_owned(),
            environment: BTreeMap::from([("GREETING".into(), "hello".into())]),
            output: folder.join("output"),
        }
    }

    /// Whether anything runs that writes to this file: it grows.
    async fn is_alive(file: &Path) -> bool {
        let length = || fs::metadata(file).map(|file| file.len()).unwrap_or_default();
        let before = length();
        tokio::time::sleep(Duration::from_millis(300)).await;
        length() > before
    }

    async fn wait_for(file: &Path) {
        while fs::metadata(file).map(|file| file.len()).unwrap_or_default() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    const BEATS: &str = "(while :; do echo >> beats; sleep 0.05; done) & wait";

    #[tokio::test]
    async fn a_program_gets_what_is_said_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let world = world(folder.path());
        let line = "echo $GREETING; echo error >&2; echo home:$HOME; pwd; exit 7";
        let mut process = shell(folder.path(), line).start(&world).unwrap();
        assert_eq!(process.wait().await.unwrap().code(), Some(7));
        assert_eq!(process.wait().await.unwrap().code(), Some(7));
        let output = fs::read_to_string(folder.path().join("output")).unwrap();
        let here = folder.path().canonicalize().unwrap();
        assert_eq!(output, format!("hello\nerror\nhome:\n{}\n", here.display()));
    }

    #[tokio::test]
    async fn what_a_program_has_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (world, beats) = (world(folder.path()), folder.path().join("beats"));
        let process = shell(folder.path(), BEATS).start(&world).unwrap();
        wait_for(&beats).await;
        assert!(is_alive(&beats).await);
        drop(process);
        assert!(!is_alive(&beats).await);

        // Stopped, a program may say goodbye; one that does not listen is ended.
        fs::remove_file(&beats).unwrap();
        let line = format!("trap 'echo bye; exit 3' TERM; {BEATS}");
        let process = shell(folder.path(), &line).start(&world).unwrap();
        wait_for(&beats).await;
        let ended = process.stop(Duration::from_secs(30)).await.unwrap();
        assert_eq!(ended.code(), Some(3));
        assert!(fs::read_to_string(folder.path().join("output")).unwrap().contains("bye"));
        assert!(!is_alive(&beats).await);
        fs::remove_file(&beats).unwrap();
        let line = format!("trap '' TERM; {BEATS}");
        let process = shell(folder.path(), &line).start(&world).unwrap();
        wait_for(&beats).await;
        assert_eq!(process.stop(Duration::from_millis(100)).await.unwrap().code(), None);
        assert!(!is_alive(&beats).await);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_a_killed_emulator_has_left_is_found_by_its_state() {
        let folder = tempfile::tempdir().unwrap();
        let (world, beats) = (world(folder.path()), folder.path().join("beats"));
        let mut process = shell(folder.path(), BEATS).start(&world).unwrap();
        wait_for(&beats).await;
        end_abandoned(&folder.path().join("another state"));
        assert!(is_alive(&beats).await);
        end_abandoned(&world.folder);
        assert!(!kill_abandoned(&world.folder));
        assert_eq!(process.wait().await.unwrap().code(), None);
        assert!(!is_alive(&beats).await);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_starts_others_without_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (world, beats) = (world(folder.path()), folder.path().join("beats"));
        // Each leaves its place to the next.
        fs::write(folder.path().join("next"), "echo >> beats; sh next &").unwrap();
        let mut process = shell(folder.path(), "sh next; sleep 600").start(&world).unwrap();
        wait_for(&beats).await;
        end_abandoned(&world.folder);
        assert!(!kill_abandoned(&world.folder));
        assert_eq!(process.wait().await.unwrap().code(), None);
        assert!(!is_alive(&beats).await);
    }
}
