//! A forest that the nodes of a cluster fit together, as a pipeline of Azure Machine Learning:
//! `cargo run --release -p train-forest --example sharded -- --x X.npy --y Y.npy --shards 4 --dump forest.bin`
//!
//! The workspace is that of `config.json`, or of the variables that an emulator prints. Each node runs `train-forest --trees`, the last one
//! `merge-forest`; both lie beside this program's folder once they are built. For Azure they must be programs for Linux that load no library.
#![allow(clippy::print_stdout, reason = "a program talks")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use spinney_azureml::{
    Component, ComponentInput, ComponentOutput, ComponentSpec, ComputeCluster, DataSpec, InputType,
    JobOutput, MlClient, PipelineJob, TransferOptions, WorkspaceId,
};

/// Fits a forest on several nodes of a cluster and writes its canonical bytes: those of one machine.
#[derive(Parser)]
struct Args {
    /// Features, a .npy array of rows x columns.
    #[arg(long)]
    x: PathBuf,
    /// Targets, one for each row.
    #[arg(long)]
    y: PathBuf,
    /// How many jobs share the trees.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    shards: u32,
    /// Number of trees.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    n_estimators: u32,
    /// Seed of all random choices.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// The cluster; it is made if it is not there, and then deleted at the end.
    #[arg(long, default_value = "forest-cluster")]
    cluster: String,
    /// The machine of a node, if the cluster is made.
    #[arg(long, default_value = "Standard_DS3_v2")]
    machine: String,
    /// Where train-forest and merge-forest are [default: where cargo puts them].
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Writes the forest's canonical bytes.
    #[arg(long)]
    dump: PathBuf,
}

/// What the nodes run in: the programs bring all that they need.
const ENVIRONMENT: &str = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest";
const FOREST: &str = "forest";

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.shards <= args.n_estimators, "there are fewer trees than shards");
    let workspace = match WorkspaceId::from_environment(|name| env::var(name).ok())? {
        Some(workspace) => workspace,
        None => WorkspaceId::from_config(".").context("no workspace is named")?,
    };
    let client = MlClient::builder(workspace).build()?;
    let is_ours = make_cluster(&client, &args).await?;
    let fitted = fit(&client, &args).await;
    if is_ours {
        client.computes().delete(&args.cluster).await?;
        println!("deleted {}", args.cluster);
    }
    fitted
}

/// Makes the cluster if it is not there.
async fn make_cluster(client: &MlClient, args: &Args) -> Result<bool> {
    match client.computes().get(&args.cluster).await {
        Ok(_) => return Ok(false),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    let spec = ComputeCluster::new(&args.machine, args.shards);
    client.computes().create_cluster(&args.cluster, &spec).await?;
    println!("cluster {}: 0 to {} x {}", args.cluster, args.shards, args.machine);
    Ok(true)
}

async fn fit(client: &MlClient, args: &Args) -> Result<()> {
    let options = TransferOptions::default();
    let code = client.code().upload(code(args)?.path(), &options).await?;
    let mut data = Vec::new();
    for (name, path) in [("forest-x", &args.x), ("forest-y", &args.y)] {
        data.push(client.data().create(&DataSpec::from_path(name, path), &options).await?.id);
    }
    let components = client.components();
    let train = components.create_anonymous(&train_component(&code.id)).await?;
    let merge = components.create_anonymous(&merge_component(&code.id, args.shards)).await?;
    let pipeline = pipeline(args, &data, &train, &merge)?;
    let job = client.jobs().submit(&pipeline).await?;
    println!("job {}: {} shards", job.name, args.shards);
    let delays = (Duration::from_millis(500), Duration::from_secs(20));
    client.jobs().wait(&job.name).delays(delays.0, delays.1).await?;

    let folder = tempfile::tempdir()?;
    let written = client.jobs().download(&job.name, folder.path(), &options).await?;
    let files = written.get(FOREST).map(|output| output.files.as_slice()).unwrap_or_default();
    let [forest] = files else { anyhow::bail!("the job has no one output {FOREST}: {files:?}") };
    fs::copy(folder.path().join(FOREST).join(forest), &args.dump)
        .with_context(|| format!("{}", args.dump.display()))?;
    println!("{}", args.dump.display());
    Ok(())
}

/// A folder with nothing but the programs.
fn code(args: &Args) -> Result<tempfile::TempDir> {
    let programs = match &args.programs {
        Some(folder) => folder.clone(),
        // This one is in `examples` beside them.
        None => {
            let own = env::current_exe()?;
            own.parent().and_then(Path::parent).context("this program is nowhere")?.to_owned()
        }
    };
    let folder = tempfile::tempdir()?;
    for name in ["train-forest", "merge-forest"] {
        let program = programs.join(format!("{name}{}", env::consts::EXE_SUFFIX));
        fs::copy(&program, folder.path().join(name))
            .with_context(|| format!("{}: build it first, or say --programs", program.display()))?;
    }
    Ok(folder)
}

/// An upload does not tell which files are programs.
fn command(program: &str, arguments: &str) -> String {
    format!("chmod +x {program} && ./{program} {arguments}")
}

/// Fits the trees of one shard, which its inputs name.
fn train_component(code: &str) -> ComponentSpec {
    let arguments = "--x ${{inputs.x}} --y ${{inputs.y}} --n-estimators ${{inputs.n_estimators}} --seed ${{inputs.seed}} --oob-score --trees ${{inputs.first}}..${{inputs.end}} --shard ${{outputs.shard}}";
    let number = || ComponentInput::new(InputType::Integer);
    ComponentSpec::new("train_shard", command("train-forest", arguments), ENVIRONMENT)
        .code(code)
        .input("x", ComponentInput::uri_file())
        .input("y", ComponentInput::uri_file())
        .input("n_estimators", number())
        .input("seed", number())
        .input("first", number())
        .input("end", number())
        .output("shard", ComponentOutput::uri_file())
}

fn merge_component(code: &str, n_shards: u32) -> ComponentSpec {
    let shards: Vec<String> = (0..n_shards).map(|k| format!("${{{{inputs.shard_{k}}}}}")).collect();
    let arguments = format!("{} --dump ${{{{outputs.forest}}}}", shards.join(" "));
    let spec = ComponentSpec::new("merge_shards", command("merge-forest", &arguments), ENVIRONMENT)
        .code(code)
        .output(FOREST, ComponentOutput::uri_file());
    (0..n_shards).fold(spec, |spec, k| spec.input(format!("shard_{k}"), ComponentInput::uri_file()))
}

fn pipeline(
    args: &Args,
    data: &[String],
    train: &Component,
    merge: &Component,
) -> Result<PipelineJob> {
    let pipeline = PipelineJob::builder("sharded_forest").default_compute(&args.cluster);
    let [x, y] = data else { anyhow::bail!("two arrays are needed") };
    let (x, y) = (pipeline.input_uri_file("x", x)?, pipeline.input_uri_file("y", y)?);
    let merged = pipeline.step("merge", merge)?;
    let n_trees = u64::from(args.n_estimators);
    // Nearly the same number of trees each.
    let cut = |k: u32| i64::try_from(u64::from(k) * n_trees / u64::from(args.shards));
    for k in 0..args.shards {
        let step = pipeline.step(&format!("train_{k}"), train)?;
        step.bind("x", x)?.bind("y", y)?;
        step.bind("n_estimators", i64::from(args.n_estimators))?;
        step.bind("seed", i64::from(args.seed))?;
        step.bind("first", cut(k)?)?.bind("end", cut(k + 1)?)?;
        merged.bind(&format!("shard_{k}"), step.output("shard")?)?;
    }
    pipeline.output(FOREST, &merged.output(FOREST)?, JobOutput::new())?;
    Ok(pipeline.build()?)
}
