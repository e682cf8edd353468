use object_store::ObjectMeta;

use crate::{Error, Location, Result, Stores, input::Format};

/// The files to score in a place: the place itself if it is a file of a known format, else all such files directly in the
/// folder, by name.
///
/// # Errors
///
/// [`Error::NoInput`] if there is none, [`Error::Storage`] if the folder cannot be read.
pub async fn inputs_in(location: &Location, stores: &Stores) -> Result<Vec<Location>> {
    let is_folder =
        location.ends_in_slash() || location.file_path().is_some_and(|path| path.is_dir());
    if !is_folder && Format::of(location).is_some() {
        return Ok(vec![location.clone()]);
    }
    let folder = location.path();
    let listed = stores.open(location)?.list_with_delimiter(Some(&folder)).await;
    let listed = listed.map_err(|source| Error::Storage {
        action: "read",
        location: location.to_string(),
        source,
    })?;
    let files = listed.objects.iter().map(|ObjectMeta { location: path, .. }| location.at(path));
    let mut files: Vec<Location> = files.filter(|file| Format::of(file).is_some()).collect();
    files.sort_by(|one, other| one.url().cmp(other.url()));
    if files.is_empty() {
        Err(Error::NoInput { location: location.to_string() })
    } else {
        Ok(files)
    }
}
