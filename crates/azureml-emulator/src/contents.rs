//! Contents of the storage account as files of this machine, and back.

use std::{io, path::Path, sync::Arc};

use crate::{blob, place::Place, world::World};

/// What was found at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetched {
    File,
    Folder { n_files: usize },
    Nothing,
}

/// Writes a blob to the file `to`, or all blobs below a place into the folder `to`, which is made if it is not there.
///
/// A blob whose name could lead out of the folder is an error.
pub(crate) async fn fetch(world: &Arc<World>, place: &Place, to: &Path) -> io::Result<Fetched> {
    if let Some(azurite) = &world.azurite {
        return azurite.fetch(place, to).await;
    }
    let (place, to) = (place.clone(), to.to_owned());
    blocking(world, move |world| blob::files::fetch(world, &place, &to)).await
}

/// Keeps a file as a blob, or the files of a folder as all that is below a place. What was there before is gone.
pub(crate) async fn keep(world: &Arc<World>, from: &Path, place: &Place) -> io::Result<()> {
    if let Some(azurite) = &world.azurite {
        return azurite.keep(from, place).await;
    }
    let (from, place) = (from.to_owned(), place.clone());
    blocking(world, move |world| blob::files::keep(world, &from, &place)).await
}

/// Keeps a few bytes as a blob.
pub(crate) async fn keep_bytes(
    world: &Arc<World>,
    bytes: Vec<u8>,
    place: &Place,
) -> io::Result<()> {
    if let Some(azurite) = &world.azurite {
        return azurite.keep_bytes(bytes, place).await;
    }
    let place = place.clone();
    blocking(world, move |world| blob::files::keep_bytes(world, &bytes, &place)).await
}

async fn blocking<T: Send + 'static>(
    world: &Arc<World>,
    work: impl FnOnce(&World) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let world = Arc::clone(world);
    tokio::task::spawn_blocking(move || work(&world)).await.map_err(io::Error::other)?
}

#[cfg(test)]
#[path = "../tests/support/azurite.rs"]
mod running_azurite;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::fs;

    use super::*;
    use crate::{Clock, settings::Wishes, world::Programs};

    fn world(folder: &Path) -> Arc<World> {
        let world = World::open(folder, Clock::default(), &Wishes::default(), Programs::default());
        Arc::new(world.unwrap())
    }

    #[tokio::test]
    async fn files_and_folders_come_back_as_they_were_kept() {
        let folder = tempfile::tempdir().unwrap();
        come_back(world(&folder.path().join("state")), folder.path()).await;
    }

    #[tokio::test]
    #[ignore = "needs Azurite: cargo xtask azurite"]
    async fn files_and_folders_come_back_from_azurite() {
        let folder = tempfile::tempdir().unwrap();
        let azurite = running_azurite::RunningAzurite::start();
        let world = Arc::into_inner(world(&folder.path().join("state"))).unwrap();
        let world = world.with_azurite(&crate::Azurite::at(&azurite.url()).unwrap());
        come_back(Arc::new(world), folder.path()).await;
    }

    async fn come_back(world: Arc<World>, folder: &Path) {
        let [from, to] = ["from", "to"].map(|name| folder.join(name));
        fs::create_dir_all(from.join("deep/er")).unwrap();
        for n in 0..250 {
            fs::write(from.join(format!("deep/{n:03}")), n.to_string()).unwrap();
        }
        fs::write(from.join("empty"), "").unwrap();
        fs::write(from.join("deep/er/ünï.txt"), "text").unwrap();
        let place = Place::new("outputs", "run/model");
        keep(&world, &from, &place).await.unwrap();
        // Beside it, and not part of it.
        keep_bytes(&world, b"x".to_vec(), &Place::new("outputs", "run/model0")).await.unwrap();
        keep_bytes(&world, b"x".to_vec(), &Place::new("outputs", "run/model!")).await.unwrap();
        let fetched = fetch(&world, &place, &to).await.unwrap();
        assert_eq!(fetched, Fetched::Folder { n_files: 252 });
        assert_eq!(fs::read_to_string(to.join("deep/249")).unwrap(), "249");
        assert_eq!(fs::read_to_string(to.join("deep/er/ünï.txt")).unwrap(), "text");
        assert_eq!(fs::metadata(to.join("empty")).unwrap().len(), 0);
        let one = folder.join("one");
        let fetched = fetch(&world, &place.join("deep/007"), &one).await.unwrap();
        assert_eq!((fetched, fs::read_to_string(one).unwrap()), (Fetched::File, "7".to_owned()));

        // What is kept again is all that is there.
        fs::remove_dir_all(from.join("deep")).unwrap();
        keep(&world, &from, &place).await.unwrap();
        let again = folder.join("again");
        let fetched = fetch(&world, &place, &again).await.unwrap();
        assert_eq!(fetched, Fetched::Folder { n_files: 1 });
        let nothing = fetch(&world, &Place::new("outputs", "other"), &again).await.unwrap();
        assert_eq!(nothing, Fetched::Nothing);
        let all = folder.join("all");
        let fetched = fetch(&world, &Place::new("outputs", ""), &all).await.unwrap();
        assert_eq!(fetched, Fetched::Folder { n_files: 3 });
    }

    #[tokio::test]
    async fn no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let world = world(&folder.path().join("state"));
        for name in ["../../evil", "a/../../evil", "./a", "a//b", "/etc/evil"] {
            let place = Place { container: "c".to_owned(), path: format!("p/{name}") };
            keep_bytes(&world, b"x".to_vec(), &place).await.unwrap();
            let to = folder.path().join("to/to");
            let error = fetch(&world, &Place::new("c", "p"), &to).await.unwrap_err();
            assert!(error.to_string().contains("cannot be the name of a file"), "{error}");
            assert!(!folder.path().join("evil").exists());
            world
                .store
                .transaction(|connection| connection.execute("DELETE FROM blob", []).map(|_| ()))
                .unwrap();
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_is_no_file_is_refused_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let world = world(&folder.path().join("state"));
        let from = folder.path().join("from");
        fs::create_dir(&from).unwrap();
        std::os::unix::fs::symlink(&from, from.join("circle")).unwrap();
        let error = keep(&world, &from, &Place::new("c", "p")).await.unwrap_err();
        assert!(error.to_string().ends_with("circle is neither a file nor a folder"), "{error}");
    }
}
