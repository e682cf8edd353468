#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    Clock, arm,
    contents::{self, Fetched},
    environment::Ports,
    settings::Wishes,
    store::{Resources, Run, RunLogs, RunStatus, Runs, run_key},
    world::Programs,
};

struct Local {
    folder: TempDir,
    world: Arc<World>,
    workspace_id: String,
}

impl Local {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, wishes) = (Clock::default(), Wishes::default());
        let state = folder.path().join("state");
        let world = World::open(&state, clock, &wishes, Programs::default()).unwrap();
        arm::prepare(&world).unwrap();
        Ports { tls: 1, proxy: 2 }.write(&world.folder).unwrap();
        let settings = &world.settings;
        let workspace_id = format!(
            "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlops-ws",
            settings.subscription
        );
        Self { folder, world: Arc::new(world), workspace_id }
    }

    fn run(&self, name: &str, command: &str) -> CommandRun {
        let id = format!("{}/jobs/{name}", self.workspace_id);
        let now = self.world.clock.now();
        let run = Run::new(&self.workspace_id, name, "tests", RunStatus::Running, now, json!({}));
        self.world
            .store
            .transaction(|connection| {
                Resources(connection).put("jobs", json!({"id": id, "properties": {}}))?;
                Runs(connection).insert(&run)
            })
            .unwrap();
        CommandRun {
            workspace_id: self.workspace_id.clone(),
            name: name.to_owned(),
            parent: None,
            experiment: "tests".to_owned(),
            command: command.to_owned(),
            code: None,
            environment: Some("azureml://registries/azureml/environments/x".to_owned()),
            environment_variables: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            identity_client_id: None,
            compute: None,
            limits: None,
            mini_batches: None,
        }
    }

    async fn execute(&self, run: CommandRun) -> Outcome {
        // Nobody is there who could cancel.
        let (_, cancel) = watch::channel(false);
        execute(&self.world, run, cancel).await
    }

    async fn put(&self, path: &str, text: &str) -> Place {
        let place = Place::new("data", path);
        contents::keep_bytes(&self.world, text.into(), &place).await.unwrap();
        place
    }

    /// What is at a place: a text if it is a file, the sorted names of files if it is a folder.
    async fn read(&self, place: &Place) -> Option<String> {
        let to = tempfile::tempdir_in(self.folder.path()).unwrap();
        let to = to.path().join("it");
        match contents::fetch(&self.world, place, &to).await.unwrap() {
            Fetched::File => Some(fs::read_to_string(&to).unwrap()),
            Fetched::Folder { .. } => Some(names(&to).join(" ")),
            Fetched::Nothing => None,
        }
    }

    async fn log(&self, run: &str, file: &str) -> String {
        let place = self.world.store.transaction(|connection| {
            artifacts::place(&self.world, connection, &self.workspace_id, run)
        });
        self.read(&place.unwrap().join(file)).await.unwrap_or_default()
    }

    fn logs(&self, run: &str) -> Vec<String> {
        let key = run_key(&self.workspace_id, run);
        self.world.store.transaction(|connection| RunLogs(connection).of(&key)).unwrap()
    }

    /// No run has left anything but blobs.
    fn assert_clean(&self) {
        let runs = self.world.folder.join("runs");
        assert_eq!(fs::read_dir(runs).unwrap().count(), 0);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn input(place: &Place, is_folder: bool, mode: &str) -> RunInput {
    RunInput::Data { place: place.clone(), is_folder, mode: mode.to_owned() }
}

fn output(kind: &str, mode: &str, path: &str) -> RunOutput {
    let place = Place::new("data", path);
    RunOutput { kind: kind.to_owned(), mode: mode.to_owned(), place }
}

/// The message of an error that is the user's.
#[track_caller]
fn user_error(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed { error } if error["code"] == "UserError" => {
            error["message"].as_str().unwrap().to_owned()
        }
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn data_go_in_and_come_out() {
    let local = Local::new();
    let rows = local.put("in/rows one.csv", "a\n1\n").await;
    local.put("many/x", "x").await;
    local.put("many/y/z", "z").await;
    local.put("code/main.sh", "#!/bin/sh\ncat \"$1\"/x \"$1\"/y/z > \"$2\"\n").await;
    let many = Place::new("data", "many");
    let command = "cat '${{inputs.rows}}' && basename '${{inputs.rows}}' && echo ${{inputs.uri}} ${{inputs.n}} $[[--no ${{inputs.no}}]] \
                   && ./main.sh ${{inputs.many}} ${{outputs.file}} && echo deep > ${{outputs.tree}}/deep && test \"$PWD/outputs\" \
                   && mkdir outputs logs && echo kept > outputs/kept && echo more > logs/more.txt";
    let mut run = local.run("run", command);
    run.code = Some(Place::new("data", "code"));
    run.inputs = BTreeMap::from([
        ("rows".to_owned(), input(&rows, false, "ReadOnlyMount")),
        ("many".to_owned(), input(&many, true, "download")),
        ("uri".to_owned(), input(&rows, false, "direct")),
        ("n".to_owned(), RunInput::Literal("a  b".to_owned())),
        ("no".to_owned(), RunInput::Absent),
    ]);
    run.outputs = BTreeMap::from([
        ("file".to_owned(), output("uri_file", "ReadWriteMount", "out/file")),
        ("tree".to_owned(), output("custom_model", "Upload", "out/tree")),
        ("unwritten".to_owned(), output("uri_file", "rw_mount", "out/unwritten")),
    ]);
    assert_eq!(local.execute(run).await, Outcome::Completed);
    let log = local.log("run", "user_logs/std_log.txt").await;
    assert_eq!(
        log,
        "a\n1\nrows one.csv\nhttps://spinneystorage.blob.core.windows.net/data/in/rows one.csv a b\n"
    );
    assert_eq!(local.read(&Place::new("data", "out/file")).await.unwrap(), "xz");
    assert_eq!(local.read(&Place::new("data", "out/tree/deep")).await.unwrap(), "deep\n");
    assert_eq!(local.read(&Place::new("data", "out/unwritten")).await, None);
    assert_eq!(local.log("run", "outputs/kept").await, "kept\n");
    let known = ["logs/more.txt", "system_logs/lifecycler/lifecycler.log", "user_logs/std_log.txt"];
    assert_eq!(local.logs("run"), known);
    let journal = local.log("run", known[1]).await;
    for line in [
        "input rows: 1 file, 4 bytes",
        "input many: 2 files, 2 bytes",
        "output file: 1 file, 2 bytes",
        "has not written it",
    ] {
        assert!(journal.contains(line), "{line}: {journal}");
    }
    local.assert_clean();
}

#[tokio::test]
async fn the_environment_is_that_of_azures_computes() {
    let local = Local::new();
    let place = local.put("x", "x").await;
    let mut run = local.run("step", "env; pwd");
    run.parent = Some("pipeline".to_owned());
    run.identity_client_id = Some("the-identity".to_owned());
    run.inputs.insert("x".to_owned(), input(&place, false, ""));
    run.outputs.insert("y".to_owned(), output("uri_folder", "", "y"));
    let own = [("GREETING", "two words"), ("AZUREML_EXPERIMENT_NAME", "mine"), ("EMPTY", "")];
    run.environment_variables =
        own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(local.execute(run).await, Outcome::Completed);
    let log = local.log("step", "user_logs/std_log.txt").await;
    let variables: BTreeMap<&str, &str> =
        log.lines().filter_map(|line| line.split_once('=')).collect();
    let settings = &local.world.settings;
    for (name, value) in [
        ("AZUREML_RUN_ID", "step"),
        ("AZUREML_ROOT_RUN_ID", "pipeline"),
        ("AZUREML_EXPERIMENT_NAME", "mine"),
        ("AZUREML_ARM_SUBSCRIPTION", &settings.subscription),
        ("AZUREML_ARM_RESOURCEGROUP", "rg"),
        ("AZUREML_ARM_WORKSPACE_NAME", "mlops-ws"),
        ("DEFAULT_IDENTITY_CLIENT_ID", "the-identity"),
        ("MSI_ENDPOINT", "http://127.0.0.1:2/msi/token"),
        ("MSI_SECRET", &local.world.secrets.identity_secret),
        ("HTTPS_PROXY", "http://127.0.0.1:2"),
        ("SSL_CERT_FILE", local.world.folder.join("ca.pem").to_str().unwrap()),
        ("GREETING", "two words"),
        ("EMPTY", ""),
    ] {
        assert_eq!(variables.get(name), Some(&value), "{name}: {log}");
    }
    assert!(variables["AZURE_ML_INPUT_x"].ends_with("/inputs/x/x"), "{log}");
    assert!(variables["AZURE_ML_OUTPUT_y"].ends_with("/outputs/y"), "{log}");
    // A command has what was said, and not what the emulator runs with.
    for name in ["CARGO_MANIFEST_DIR", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID"] {
        assert!(!variables.contains_key(name), "{name}: {log}");
    }
    assert!(
        !variables["HOME"].is_empty()
            && Some(variables["HOME"]) != std::env::var("HOME").ok().as_deref()
    );
}

#[tokio::test]
async fn a_failure_says_how_and_where() {
    let local = Local::new();
    let command = "echo half > ${{outputs.mounted}}; echo half > ${{outputs.uploaded}}; echo oh no >&2; exit 3";
    let mut run = local.run("run", command);
    run.outputs = BTreeMap::from([
        ("mounted".to_owned(), output("uri_file", "rw_mount", "mounted")),
        ("uploaded".to_owned(), output("uri_file", "upload", "uploaded")),
    ]);
    let message = user_error(local.execute(run).await);
    assert_eq!(
        message,
        "Execution failed. User process 'bash' exited with status code 3. Please check log file 'user_logs/std_log.txt' for error details. Error: oh no"
    );
    // Through a mount it would have been there at once, and an upload comes at the end.
    assert_eq!(local.read(&Place::new("data", "mounted")).await.unwrap(), "half\n");
    assert_eq!(local.read(&Place::new("data", "uploaded")).await, None);
    assert!(
        local
            .log("run", "system_logs/lifecycler/lifecycler.log")
            .await
            .contains("failed: Execution")
    );

    let killed = user_error(local.execute(local.run("killed", "kill -9 $$")).await);
    assert!(killed.contains("was ended: signal: 9"), "{killed}");
    local.assert_clean();
}

#[tokio::test]
async fn what_cannot_run_is_said() {
    let local = Local::new();
    let nowhere = Place::new("data", "nowhere");
    type Change = fn(&mut CommandRun, &Place);
    let cases: [(&str, Change, &str); 7] = [
        ("echo ${{inputs.none}}", |_, _| {}, "the command names `inputs.none`"),
        (
            "true",
            |run, place| {
                run.inputs.insert("x".into(), input(place, false, ""));
            },
            "there is nothing at",
        ),
        (
            "true",
            |run, place| {
                run.inputs.insert("x".into(), input(place, false, "eval_mount"));
            },
            "input x: the emulator does not know the mode \"eval_mount\"",
        ),
        (
            "true",
            |run, _| {
                run.outputs.insert("../x".into(), output("uri_file", "", "x"));
            },
            "cannot be the name of an input or output",
        ),
        ("true", |run, place| run.code = Some(place.clone()), "The code has no files"),
        ("echo \0", |_, _| {}, "NUL"),
        (
            "true",
            |run, _| {
                run.environment_variables.insert("a=b".into(), String::new());
            },
            "cannot be an environment variable",
        ),
    ];
    for (number, (command, change, problem)) in cases.into_iter().enumerate() {
        let mut run = local.run(&format!("run{number}"), command);
        change(&mut run, &nowhere);
        let message = user_error(local.execute(run).await);
        assert!(message.contains(problem), "{problem}: {message}");
    }
    local.assert_clean();
}

/// Waits for what a command prints.
async fn printed(local: &Local, run: &str, text: &str) {
    while !local.log(run, "user_logs/std_log.txt").await.contains(text) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_canceled_command_may_say_goodbye_and_is_seen_while_it_runs() {
    let local = Local::new();
    let command = "trap 'echo bye; exit 0' TERM; echo begun; while :; do sleep 0.05; done";
    let run = local.run("run", command);
    let (ask, cancel) = watch::channel(false);
    let canceling = async {
        printed(&local, "run", "begun").await;
        ask.send(true).unwrap();
    };
    let (outcome, ()) = tokio::join!(execute(&local.world, run, cancel), canceling);
    assert_eq!(outcome, Outcome::Canceled);
    // The shell may say that what it had started was ended, too.
    let log = local.log("run", "user_logs/std_log.txt").await;
    assert!(log.starts_with("begun\n") && log.ends_with("bye\n"), "{log}");

    // Before it has begun, it does not begin.
    let (_ask, cancel) = watch::channel(true);
    let never = execute(&local.world, local.run("never", "echo begun"), cancel).await;
    assert_eq!(
        (never, local.log("never", "user_logs/std_log.txt").await),
        (Outcome::Canceled, String::new())
    );
    local.assert_clean();
}

#[tokio::test]
async fn a_command_is_canceled_when_its_time_is_over() {
    let local = Local::new();
    let mut run = local.run("run", "echo begun; sleep 600");
    run.limits = Some(Duration::from_millis(500));
    assert_eq!(local.execute(run).await, Outcome::Canceled);
    let journal = local.log("run", "system_logs/lifecycler/lifecycler.log").await;
    assert!(journal.contains("longer than its limit"), "{journal}");
    local.assert_clean();
}

#[tokio::test]
async fn what_a_killed_emulator_has_left_is_not_seen() {
    let local = Local::new();
    let mut run = local.run("run", "ls . ${{outputs.tree}}; echo 1 > ${{outputs.tree}}/one");
    run.outputs.insert("tree".to_owned(), output("uri_folder", "", "tree"));
    let folder = folder::RunFolder::of(&local.world, &run.workspace_id, &run.name);
    folder.make().unwrap();
    fs::create_dir_all(folder.code()).unwrap();
    fs::create_dir_all(folder.output("tree")).unwrap();
    fs::write(folder.code().join("old"), "").unwrap();
    fs::write(folder.output("tree").join("old"), "").unwrap();
    // And half of its outputs was kept.
    local.put("tree/old", "").await;
    assert_eq!(local.execute(run).await, Outcome::Completed);
    assert!(!local.log("run", "user_logs/std_log.txt").await.contains("old"));
    assert_eq!(local.read(&Place::new("data", "tree")).await.unwrap(), "one");
    local.assert_clean();
    folder.make().unwrap();
    clear(&local.world).unwrap();
    assert!(!local.world.folder.join("runs").exists());
}
