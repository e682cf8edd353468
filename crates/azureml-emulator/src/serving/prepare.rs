use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    dockerfile::{self, Command, Recipe, Root},
    folders::Folder,
    log::note,
    prepared::{Argument, Prepared},
    progress::Progress,
    rows::Phase,
    script,
    spec::{Container, Model, Spec},
};
use crate::{
    contents::{self, Fetched},
    place::Place,
    world::World,
};

/// Why a deployment does not come up, in the words of Azure ML where it has any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) why: String,
}

impl Problem {
    /// The container cannot be had.
    pub(super) fn image(why: impl Into<String>) -> Self {
        Self { code: "ImageBuildFailure", why: why.into() }
    }

    pub(super) fn download(why: impl Into<String>) -> Self {
        Self { code: "BadArgument", why: why.into() }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self { code: "InternalServerError", why: error.to_string() }
    }
}

type Tried<T> = Result<T, Problem>;

/// Where scoring scripts are.
const APP: &str = "/var/azureml-app";

/// What the emulator's own environment tells programs: where this system has its things.
const INHERITED: [&str; 7] =
    ["PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT", "PATHEXT"];

/// Puts everything into place that a deployment's program needs, and says at which phase it is.
pub(super) async fn prepare(progress: &Progress, spec: &Spec, folder: &Folder) -> Tried<Prepared> {
    let world = &progress.world;
    let cleared = folder.clone();
    tokio::task::spawn_blocking(move || cleared.clear()).await.map_err(std::io::Error::other)??;
    let work = Work { world, spec, folder, root: Root(folder.root()) };
    progress.enter(Phase::UserContainerImagePull).await;
    let recipe = match &spec.container {
        Container::Build { context, dockerfile } => Some(work.build(context, dockerfile).await?),
        _ => None,
    };
    let mut variables = work.variables(recipe.as_ref());
    if let Container::Script { .. } = &spec.container {
        script::python(world, folder, &variables).await?;
    }
    progress.enter(Phase::ModelDownload).await;
    if let Some(model) = &spec.model {
        variables.insert("AZUREML_MODEL_DIR".to_owned(), work.fetch_model(model).await?);
    }
    let mut prepared = match (&spec.container, recipe) {
        (Container::Script { code, script }, _) => {
            work.script(code, script, &mut variables).await?
        }
        (Container::Build { .. }, Some(recipe)) => work.program(&recipe, &variables)?,
        (Container::Runtime { image }, _) | (Container::Build { dockerfile: image, .. }, None) => {
            work.runtime(image)?
        }
    };
    for (name, value) in variables {
        // Paths of the container mean files of this machine now.
        let value = if name == "PATH" { value } else { work.root.translated(&value) };
        prepared.variables.insert(name, value);
    }
    Ok(prepared)
}

struct Work<'a> {
    world: &'a Arc<World>,
    spec: &'a Spec,
    folder: &'a Folder,
    root: Root,
}

impl Work<'_> {
    /// What the program finds in its environment: this system's, the image's, and the deployment's.
    fn variables(&self, recipe: Option<&Recipe>) -> BTreeMap<String, String> {
        let mut variables: BTreeMap<String, String> = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?)))
            .collect();
        let scratch = self.folder.scratch().display().to_string();
        for name in ["HOME", "TMPDIR", "TEMP", "TMP"] {
            variables.insert(name.to_owned(), scratch.clone());
        }
        // What is printed is to be in the log when it is printed.
        variables.insert("PYTHONUNBUFFERED".to_owned(), "1".to_owned());
        variables.insert("AML_APP_ROOT".to_owned(), APP.to_owned());
        for (name, value) in recipe.iter().flat_map(|recipe| &recipe.variables) {
            variables.insert(name.clone(), self.root.translated(value));
        }
        for (name, value) in &self.spec.variables {
            variables.insert(name.clone(), value.clone());
        }
        if let (Some(python), Some(path)) = (
            self.world.programs.python.as_deref().and_then(Path::parent),
            variables.get_mut("PATH"),
        ) {
            // `python` is the one that the emulator was given.
            let separator = if cfg!(windows) { ';' } else { ':' };
            *path = format!("{}{separator}{path}", python.display());
        }
        variables
    }

    async fn fetch(&self, what: &str, place: &Place, to: &Path) -> Tried<()> {
        if let Some(above) = to.parent() {
            fs::create_dir_all(above)?;
        }
        let fetched = contents::fetch(self.world, place, to).await?;
        let n_files = match fetched {
            Fetched::File => 1,
            Fetched::Folder { n_files } => n_files,
            Fetched::Nothing => {
                let why = format!("{what}: there is nothing at {}/{}", place.container, place.path);
                note(self.folder, &why);
                return Err(Problem::download(why));
            }
        };
        note(
            self.folder,
            &format!("{what}: {n_files} files from {}/{}", place.container, place.path),
        );
        Ok(())
    }

    /// Puts the model where Azure ML has it, and returns that folder.
    async fn fetch_model(&self, model: &Model) -> Tried<String> {
        let Model { name, version, place, mount } = model;
        let folder = dockerfile::absolute("/", &format!("{mount}/{name}/{version}"));
        let to = self.root.outside(&folder);
        fs::create_dir_all(&to)?;
        self.fetch(&format!("model {name}:{version}"), place, &to.join(place.name())).await?;
        Ok(folder)
    }

    fn runtime(&self, image: &str) -> Tried<Prepared> {
        let Some((program, args)) = &self.world.programs.scoring else {
            let why = "the emulator was started without a scoring runtime";
            return Err(Problem::image(why));
        };
        note(
            self.folder,
            &format!("{image} is not here: Spinney's scoring runtime serves the model"),
        );
        Ok(Prepared {
            program: program.clone(),
            args: args.iter().cloned().map(Argument::Text).collect(),
            folder: self.folder.scratch(),
            variables: BTreeMap::new(),
        })
    }

    async fn script(
        &self,
        code: &Place,
        script: &str,
        variables: &mut BTreeMap<String, String>,
    ) -> Tried<Prepared> {
        let app = dockerfile::absolute(APP, code.name());
        let folder = self.root.outside(&app);
        self.fetch("code", code, &folder).await?;
        // A file alone is its own folder.
        let path = if folder.is_file() { folder.clone() } else { folder.join(script) };
        if !path.is_file() {
            return Err(Problem::download(format!("the code has no {script}")));
        }
        variables.insert("AML_APP_ROOT".to_owned(), app);
        variables.insert("AZUREML_ENTRY_SCRIPT".to_owned(), script.to_owned());
        let folder = path.parent().unwrap_or(&folder).to_owned();
        let program = self.world.programs.python.clone().unwrap_or_else(|| PathBuf::from("python"));
        Ok(Prepared { program, args: script::arguments(&path), folder, variables: BTreeMap::new() })
    }

    /// Reads the Dockerfile, and copies what it says.
    async fn build(&self, context: &Place, dockerfile: &str) -> Tried<Recipe> {
        let folder = self.folder.context();
        self.fetch("build context", context, &folder).await?;
        let path = folder.join(dockerfile::absolute("/", dockerfile).trim_start_matches('/'));
        let text = fs::read_to_string(&path).map_err(|error| {
            Problem::image(format!("{dockerfile} of the build context: {error}"))
        })?;
        let path = env::var("PATH").unwrap_or_default();
        let recipe =
            Recipe::read(&text, &path).map_err(|refused| Problem::image(refused.to_string()))?;
        for line in &recipe.notes {
            note(self.folder, &format!("Dockerfile, {line}"));
        }
        if folder.join(".dockerignore").is_file() {
            note(self.folder, "there is a .dockerignore, which is not followed");
        }
        let (root, copies, folders) =
            (self.root.clone(), recipe.copies.clone(), recipe.folders.clone());
        let copying = tokio::task::spawn_blocking(move || {
            for folder in folders {
                fs::create_dir_all(root.outside(&folder))?;
            }
            for copy in &copies {
                if let Err(refused) = root.copy(&folder, copy)? {
                    return Ok(Err(Problem::image(refused.to_string())));
                }
            }
            fs::remove_dir_all(&folder)?;
            std::io::Result::Ok(Ok(()))
        });
        copying.await.map_err(std::io::Error::other)???;
        Ok(recipe)
    }

    /// What an image is started with.
    fn program(&self, recipe: &Recipe, variables: &BTreeMap<String, String>) -> Tried<Prepared> {
        let line = Command::line(recipe.entrypoint.as_ref(), recipe.command.as_ref());
        let (name, args) =
            line.split_first().ok_or_else(|| Problem::image("there is no program"))?;
        let path = variables.get("PATH").map_or("", String::as_str);
        let program = self.find(name, &recipe.folder, path)?;
        if program.starts_with(&self.root.0) {
            dockerfile::make_executable(&program)?;
        }
        let text = |word: &String| Argument::Text(self.root.translated(word).into());
        Ok(Prepared {
            program,
            args: args.iter().map(text).collect(),
            folder: self.root.outside(&recipe.folder),
            variables: BTreeMap::new(),
        })
    }

    /// A program of the image, or else of this machine.
    fn find(&self, name: &str, folder: &str, path: &str) -> Tried<PathBuf> {
        if name.contains('/') {
            let inside = self.root.outside(&dockerfile::absolute(folder, name));
            let outside = PathBuf::from(name);
            let found =
                [inside, outside].into_iter().find(|path| path.is_absolute() && path.is_file());
            return found.ok_or_else(|| {
                Problem::image(format!(
                    "the program {name} was not copied, and the base image is not there"
                ))
            });
        }
        let found =
            env::split_paths(path).map(|folder| folder.join(name)).find(|path| path.is_file());
        found.ok_or_else(|| Problem::image(format!("the program {name} is not on this machine")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, settings::Wishes, world::Programs};

    fn spec(context: &Place) -> Spec {
        let probe = super::super::Probe {
            initial_delay: std::time::Duration::ZERO,
            period: std::time::Duration::from_secs(1),
            timeout: std::time::Duration::from_secs(1),
            failures: 3,
            successes: 1,
        };
        let route = "/".to_owned();
        Spec {
            model: Some(Model {
                name: "m".to_owned(),
                version: "7".to_owned(),
                place: Place::new("c", "uploads/model.bin"),
                mount: "/models".to_owned(),
            }),
            container: Container::Build {
                context: context.clone(),
                dockerfile: "docker/Dockerfile".to_owned(),
            },
            routes: super::super::Routes {
                scoring: route.clone(),
                liveness: route.clone(),
                readiness: route,
                port: None,
            },
            variables: [("OF_MODEL".to_owned(), "/models/m/7/model.bin".to_owned())].into(),
            capacity: 1,
            concurrency: 1,
            timeout: std::time::Duration::from_secs(1),
            liveness: probe.clone(),
            readiness: probe,
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_build_context_becomes_a_program_with_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let world = World::open(
            &folder.path().join("s"),
            Clock::default(),
            &Wishes::default(),
            Programs::default(),
        );
        let world = Arc::new(world.unwrap());
        let context = Place::new("c", "context");
        let put = async |name: &str, text: &str| {
            contents::keep_bytes(&world, text.into(), &context.join(name)).await.unwrap();
        };
        contents::keep_bytes(&world, b"m".to_vec(), &Place::new("c", "uploads/model.bin"))
            .await
            .unwrap();
        put("bin/serve", "#!/bin/sh\necho $1 $SETTINGS\n").await;
        put(
            "docker/Dockerfile",
            "FROM scratch\nCOPY bin/ /app/bin/\nWORKDIR /app\nENV SETTINGS=/app/bin GREETING=hello\n\
             ENTRYPOINT [\"bin/serve\", \"--from=/app/bin/serve\"]\n",
        )
        .await;
        let own = Folder::new(&world.folder, "key", 1);
        let progress = Progress { world: Arc::clone(&world), key: "key".to_owned(), revision: 1 };
        let prepared = prepare(&progress, &spec(&context), &own).await.unwrap();
        let root = own.root();
        let inside = |path: &str| root.join(path).display().to_string();
        assert_eq!(prepared.program, root.join("app/bin/serve"));
        assert_eq!(prepared.folder, root.join("app"));
        assert_eq!(
            prepared.args,
            [Argument::Text(format!("--from={}", inside("app/bin/serve")).into())]
        );
        assert_eq!(prepared.variables["SETTINGS"], inside("app/bin"));
        assert_eq!(prepared.variables["AZUREML_MODEL_DIR"], inside("models/m/7"));
        assert_eq!(prepared.variables["OF_MODEL"], inside("models/m/7/model.bin"));
        // A blob has no permissions, and a program needs them.
        let output = own.instance_log(0);
        let mut process = prepared.program(4711, output.clone()).start(&world).unwrap();
        assert!(process.wait().await.unwrap().success());
        let said = fs::read_to_string(output).unwrap();
        assert_eq!(said, format!("--from={} {}\n", inside("app/bin/serve"), inside("app/bin")));

        put("docker/Dockerfile", "FROM scratch\nCOPY missing /\nCMD [\"x\"]").await;
        let problem = prepare(&progress, &spec(&context), &own).await.unwrap_err();
        assert_eq!(problem.code, "ImageBuildFailure");
        assert!(problem.why.contains("line 2") && problem.why.contains("missing"), "{problem:?}");
    }
}
