//! The model between steps: a folder with one bundle in it, as Azure ML registers and mounts it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use spinney_artifact::ModelBundle;

const FILE: &str = "ames.bundle";

pub(super) fn save(folder: &Path, bundle: &ModelBundle) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let path = folder.join(FILE);
    bundle.save(&path)?;
    Ok(path)
}

pub(super) fn load(path: &Path) -> Result<ModelBundle> {
    let file = if path.is_dir() { only_bundle(path)? } else { path.to_owned() };
    ModelBundle::load(&file).with_context(|| file.display().to_string())
}

fn only_bundle(folder: &Path) -> Result<PathBuf> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let files = read().with_context(|| format!("could not read {}", folder.display()))?;
    let is_bundle =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension == "bundle");
    let mut bundles: Vec<PathBuf> = files.into_iter().filter(is_bundle).collect();
    match (bundles.pop(), bundles.is_empty()) {
        (Some(bundle), true) => Ok(bundle),
        (Some(_), false) => bail!("{}: there is more than one *.bundle", folder.display()),
        (None, _) => bail!("{}: there is no *.bundle", folder.display()),
    }
}
