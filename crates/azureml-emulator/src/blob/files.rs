//! Blobs as files of this machine, and back, without HTTP between.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rusqlite::Connection;

use super::rows::{Blob, Blobs, Block, Properties, create_container, new_etag};
use crate::{
    contents::Fetched,
    place::Place,
    store::{Pieces, Received},
    world::World,
};

/// Blobs that are read or written in one transaction: each holds a file open.
const BATCH: usize = 100;

/// How much of a file is read at once.
const PART: usize = 256 << 10;

/// How often a blob is read again that was replaced while it was read.
const ATTEMPTS: usize = 5;

pub(crate) fn fetch(world: &World, place: &Place, to: &Path) -> io::Result<Fetched> {
    if !place.path.is_empty() && fetch_blob(world, &place.container, &place.path, to)? {
        return Ok(Fetched::File);
    }
    let prefix = below(place);
    let mut n_files = 0;
    let mut last = prefix.clone();
    loop {
        let names = names_after(world, &place.container, &last, &prefix, BATCH)?;
        let Some(newest) = names.last().cloned() else { break };
        for name in &names {
            let relative = name.strip_prefix(&prefix).unwrap_or_default();
            // A folder that a client has marked as such.
            if relative.is_empty() || relative.ends_with('/') {
                continue;
            }
            let path = to.join(checked(relative)?);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            // It may have been deleted meanwhile.
            n_files += usize::from(fetch_blob(world, &place.container, name, &path)?);
        }
        last = newest;
    }
    Ok(if n_files == 0 { Fetched::Nothing } else { Fetched::Folder { n_files } })
}

/// What the names of blobs below a place begin with.
fn below(place: &Place) -> String {
    if place.path.is_empty() { String::new() } else { format!("{}/", place.path) }
}

fn names_after(
    world: &World,
    container: &str,
    last: &str,
    prefix: &str,
    limit: usize,
) -> io::Result<Vec<String>> {
    let found = world
        .store
        .transaction(|connection| Blobs { connection, container }.after(last, false, limit));
    let found = found.map_err(io::Error::other)?;
    let names = found.into_iter().map(|blob| blob.name);
    Ok(names.take_while(|name| name.starts_with(prefix)).collect())
}

/// A name as a path that leads nowhere else.
fn checked(name: &str) -> io::Result<PathBuf> {
    let path = PathBuf::from(name);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)))
        && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if is_plain {
        return Ok(path);
    }
    let message = format!("a blob's name {name:?} cannot be the name of a file");
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

fn fetch_blob(world: &World, container: &str, name: &str, to: &Path) -> io::Result<bool> {
    for attempt in 1.. {
        let blocks = world.store.transaction(|connection| {
            let blobs = Blobs { connection, container };
            blobs.get(name)?.map(|_| blobs.committed(name)).transpose()
        });
        let Some(blocks) = blocks.map_err(io::Error::other)? else { return Ok(false) };
        match write(world.store.pieces(), &blocks, to) {
            // Replaced, and its contents removed.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {}
            written => return written.map(|()| true),
        }
    }
    Ok(false)
}

fn write(pieces: &Pieces, blocks: &[Block], to: &Path) -> io::Result<()> {
    let mut file = File::create(to)?;
    for block in blocks {
        io::copy(&mut pieces.read(&block.piece.hash)?, &mut file)?;
    }
    Ok(())
}

pub(crate) fn keep(world: &World, from: &Path, place: &Place) -> io::Result<()> {
    if fs::metadata(from)?.is_file() {
        let received = take(world.store.pieces(), &mut File::open(from)?)?;
        return put(world, &place.container, vec![(place.path.clone(), received)]);
    }
    let prefix = below(place);
    let mut files = Vec::new();
    list(from, &prefix, &mut files)?;
    for batch in files.chunks(BATCH) {
        let taken = batch.iter().map(|(name, path)| {
            Ok((name.clone(), take(world.store.pieces(), &mut File::open(path)?)?))
        });
        put(world, &place.container, taken.collect::<io::Result<_>>()?)?;
    }
    let kept: BTreeSet<String> = files.into_iter().map(|(name, _)| name).collect();
    remove_others(world, place, &prefix, &kept)
}

pub(crate) fn keep_bytes(world: &World, bytes: &[u8], place: &Place) -> io::Result<()> {
    let received = take(world.store.pieces(), &mut &*bytes)?;
    put(world, &place.container, vec![(place.path.clone(), received)])
}

/// The files below a folder, with the names of their blobs.
fn list(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let invalid = |what: &str| {
            let message = format!("{} {what}", path.display());
            io::Error::new(io::ErrorKind::InvalidInput, message)
        };
        let name = path.file_name().and_then(|name| name.to_str());
        let name = format!("{prefix}{}", name.ok_or_else(|| invalid("has no name that is text"))?);
        let kind = fs::metadata(&path)?;
        if kind.is_file() {
            files.push((name, path));
        } else if fs::symlink_metadata(&path)?.is_dir() {
            list(&path, &format!("{name}/"), files)?;
        } else {
            // It could lead around in a circle, or be no end of data.
            return Err(invalid("is neither a file nor a folder"));
        }
    }
    Ok(())
}

/// Takes a content to the disk, where it has no place yet.
fn take(pieces: &Pieces, from: &mut impl Read) -> io::Result<Received> {
    let mut content = pieces.incoming()?;
    let mut part = vec![0; PART];
    loop {
        let n_read = from.read(&mut part)?;
        match part.get(..n_read) {
            Some([]) | None => return content.finish(),
            Some(part) => content.write(part)?,
        }
    }
}

fn put(world: &World, container: &str, contents: Vec<(String, Received)>) -> io::Result<()> {
    let now = world.clock.now();
    world.store.transaction_on_pieces::<_, StoreError>(|connection, pieces| {
        create_container(connection, container, now)?;
        let blobs = Blobs { connection, container };
        for (name, received) in contents {
            let existing = blobs.get(&name)?;
            let kind =
                if name.ends_with(".txt") { "text/plain" } else { "application/octet-stream" };
            let properties = Properties {
                content_type: Some(kind.to_owned()),
                content_md5: Some(STANDARD.encode(received.md5)),
                ..Properties::default()
            };
            let piece = received.piece.clone();
            let blob = Blob {
                name,
                etag: new_etag(connection)?,
                created: existing.map_or(now, |existing| existing.created),
                modified: now,
                size: piece.size,
                properties,
                metadata: BTreeMap::new(),
            };
            pieces.keep(received)?;
            let blocks: &[Block] = &[Block { id: None, piece }];
            // What is empty consists of nothing.
            blobs.put(&blob, if blob.size == 0 { &[] } else { blocks })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Removes what is below a place and was not kept now.
fn remove_others(
    world: &World,
    place: &Place,
    prefix: &str,
    kept: &BTreeSet<String>,
) -> io::Result<()> {
    let remove = |connection: &Connection| -> rusqlite::Result<()> {
        let blobs = Blobs { connection, container: &place.container };
        let mut last = prefix.to_owned();
        loop {
            let found = blobs.after(&last, false, BATCH)?;
            let names: Vec<String> = found.into_iter().map(|blob| blob.name).collect();
            let Some(newest) = names.last().cloned() else { return Ok(()) };
            for name in names.iter().filter(|name| name.starts_with(prefix)) {
                if !kept.contains(name) {
                    blobs.remove(name)?;
                }
            }
            if !newest.starts_with(prefix) {
                return Ok(());
            }
            last = newest;
        }
    };
    world.store.transaction_on_pieces::<_, StoreError>(|connection, _| Ok(remove(connection)?))?;
    Ok(())
}

/// What can go wrong with contents and their rows.
#[derive(Debug)]
struct StoreError(io::Error);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(io::Error::other(error))
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        error.0
    }
}
