use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use tempfile::Builder;

/// What has been done when a file is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Created,
    HalfWritten,
    Written,
    Flushed,
    Renamed,
    DirectoryFlushed,
}

/// Writes a file so that its path holds the old contents or the new, never a part of them.
///
/// The bytes go to a temporary file in the same directory, which is flushed to the disk and then renamed. A process that dies on
/// the way may leave the temporary file, `.spinney-*.tmp`.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_in_steps(path, bytes, |_| {})
}

fn write_in_steps(path: &Path, bytes: &[u8], done: impl Fn(Step)) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = Builder::new();
    builder.prefix(".spinney-").suffix(".tmp");
    #[cfg(unix)]
    {
        // As for any new file: the process's umask decides, not the temporary file's privacy.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(directory)?;
    done(Step::Created);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    file.write_all(first)?;
    done(Step::HalfWritten);
    file.write_all(second)?;
    done(Step::Written);
    file.as_file().sync_all()?;
    done(Step::Flushed);
    file.persist(path)?;
    done(Step::Renamed);
    sync_directory(directory)?;
    done(Step::DirectoryFlushed);
    Ok(())
}

/// Makes the rename itself survive a power failure, where directories can be flushed.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    const STEPS: [Step; 6] = [
        Step::Created,
        Step::HalfWritten,
        Step::Written,
        Step::Flushed,
        Step::Renamed,
        Step::DirectoryFlushed,
    ];
    const STEP: &str = "SPINNEY_TEST_DIE_AFTER";
    const FILE: &str = "SPINNEY_TEST_FILE";

    fn contents(version: u8) -> Vec<u8> {
        vec![version; 100_000]
    }

    /// Does nothing unless the test below runs it in a process of its own, which then dies on the way.
    #[test]
    fn dies_while_writing() {
        let (Ok(step), Ok(path)) = (env::var(STEP), env::var(FILE)) else { return };
        let die_after = STEPS[step.parse::<usize>().unwrap()];
        write_in_steps(Path::new(&path), &contents(2), |step| {
            if step == die_after {
                process::abort();
            }
        })
        .unwrap();
    }

    #[test]
    fn a_process_that_dies_leaves_the_old_file_or_the_new() {
        for (step, died_after) in STEPS.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("model.bundle");
            write(&path, &contents(1)).unwrap();
            let status = process::Command::new(env::current_exe().unwrap())
                .args(["--exact", "atomic_file::tests::dies_while_writing"])
                .env(STEP, step.to_string())
                .env(FILE, &path)
                .stdout(process::Stdio::null())
                .stderr(process::Stdio::null())
                .status()
                .unwrap();
            assert!(!status.success(), "the process should have died after {died_after:?}");
            let renamed = matches!(died_after, Step::Renamed | Step::DirectoryFlushed);
            let expected = contents(if renamed { 2 } else { 1 });
            assert!(fs::read(&path).unwrap() == expected, "after {died_after:?}");
            // And the next one writes as if nothing had happened.
            write(&path, &contents(3)).unwrap();
            assert!(fs::read(&path).unwrap() == contents(3), "after {died_after:?}");
        }
    }
}
