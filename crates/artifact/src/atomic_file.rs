use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use tempfile::Builder;

/// Writes a file so that its path holds the old contents or the new, never a part of them.
///
/// The bytes go to a temporary file in the same directory, which is flushed to the disk and then renamed.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_directory(directory)
}

/// Makes the rename itself survive a power failure, where directories can be flushed.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
