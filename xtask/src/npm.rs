//! Packages of Node.js that tests need, at pinned versions.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{root, run, target};

const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs the packages of the lock file in a folder of the project, if they are not there, and returns the folder `node_modules`.
pub(crate) fn install(pinned: &str, name: &str) -> Result<PathBuf> {
    let folder = std::path::absolute(target().join(name))?;
    let wanted =
        fs::read_to_string(root().join(pinned).join(FILES[1])).context(pinned.to_owned())?;
    let (modules, stamp) = (folder.join("node_modules"), folder.join("installed.json"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(modules);
    }
    println!("setting up {name} in {}", folder.display());
    fs::create_dir_all(&folder)?;
    for file in FILES {
        fs::copy(root().join(pinned).join(file), folder.join(file))?;
    }
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    // No package of these needs to run anything when it is installed.
    npm.args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]);
    npm.args(["--loglevel", "error"]).current_dir(&folder);
    run(&mut npm).context("this needs Node.js 20 or later with npm")?;
    // Written last: a set-up that was interrupted begins anew.
    fs::write(stamp, wanted)?;
    Ok(modules)
}
