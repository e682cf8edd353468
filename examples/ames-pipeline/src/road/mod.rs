//! The whole road: a workspace, data, a cluster, the pipeline, a model, an endpoint, an answer, and nothing left that costs.

mod args;
mod clean_up;
mod materials;
mod outcome;
mod pipeline;
mod plan;
mod target;
mod watch;

use std::fs;

use anyhow::{Context, Result, bail};
use spinney_azureml::{
    ComputeCluster, DataSpec, EnvironmentSpec, Identity, InferenceConfig, ManagedIdentity,
    MlClient, Preflight, Role, Route, TransferOptions,
};

pub(crate) use args::RoadArgs;
use args::Where;
use clean_up::Made;
use materials::Materials;
use outcome::{RegisteredModel, Report, Step};
use pipeline::{Components, Inputs};
use plan::{DATA, ENVIRONMENT, IDENTITY, Plan};
use target::Target;

use crate::{
    stage::{Stages, say, with_commas},
    workshop,
};

const N_STAGES: usize = 9;

/// Walks it and says so on the way.
pub(crate) async fn walk(args: &RoadArgs) -> Result<()> {
    let plan = Plan::new(args)?;
    if args.dry_run {
        println!("{plan}");
        return Ok(());
    }
    if args.target == Where::Azure {
        materials::check_for_azure(&plan.binary)?;
    }
    let mut stages = Stages::new(N_STAGES);
    let target = stages.run_long("workspace", open(args, &plan)).await?;
    let mut made = Made::default();
    let walked = tokio::select! {
        walked = go(&plan, &target, &mut made, &mut stages) => walked,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    let ended = if args.keep {
        stand(&target, &made, walked.is_ok()).await;
        Ok(())
    } else {
        let cleaning = async { Ok(((), made.clean_up(&target).await?)) };
        stages.run_long("clean-up", cleaning).await
    };
    target.close().await;
    // What went wrong first comes first.
    walked?;
    ended
}

async fn open(args: &RoadArgs, plan: &Plan<'_>) -> Result<(Target, String)> {
    let target = Target::open(args, &plan.binary).await?;
    let needs = Preflight::new()
        .online_endpoint()
        .computes()
        .machines(&args.cluster_machine, 1)
        .machines(workshop::SERVING_MACHINE, 1);
    let findings = target.client.preflight(&needs).await?;
    if !findings.is_empty() {
        findings.iter().for_each(|finding| say(&finding.to_string()));
        bail!("the workspace lacks something");
    }
    let said = target.said();
    Ok((target, said))
}

async fn go(plan: &Plan<'_>, target: &Target, made: &mut Made, stages: &mut Stages) -> Result<()> {
    let (args, client) = (plan.args, &target.client);
    let materials = Materials::new(&plan.binary)?;
    let data = stages.run_long("data", register(client, plan)).await?;
    stages.run_long("compute", compute(client, plan, made)).await?;
    let (code, environment) = stages.run_long("assets", assets(client, plan, &materials)).await?;

    let begun = async {
        let components = Components::register(client, &code).await?;
        let inputs =
            Inputs { args, data: &data, environment: &environment, endpoint: &plan.endpoint };
        let pipeline = pipeline::pipeline(&components, &inputs)?;
        let job = client.jobs().submit(&pipeline).await?;
        made.job = Some(job.name.clone());
        made.endpoint = Some(plan.endpoint.clone());
        let steps = watch::watch(client, &job.name, target.pause).await?;
        let said = match job.properties.studio_url() {
            Some(url) if !target.is_ours_alone() => format!("{}\n{url}", job.name),
            _ => job.name.clone(),
        };
        Ok(((job.name, steps), said))
    };
    let (job, steps) = stages.run_long("pipeline", begun).await?;

    let fetched = async {
        let evaluated = outcome::evaluation(client, &job, &materials, &args.html).await?;
        let model = RegisteredModel::fetch(client, &materials, &evaluated.metrics).await?;
        let html = fs::canonicalize(&args.html).unwrap_or_else(|_| args.html.clone());
        let said = format!("{}\n{}", model.said(), html.display());
        Ok(((evaluated, model), said))
    };
    let (evaluated, model) = stages.run_long("model", fetched).await?;
    stages.run_long("endpoint", described(client, &plan.endpoint)).await?;
    let answer = stages.run_long("request", model.ask(client, &plan.endpoint)).await?;

    if let Some(path) = &args.report {
        let report = Report {
            workspace: client.workspace_id().to_string(),
            job: &job,
            steps: steps.iter().map(Step::of).collect(),
            metrics: &evaluated.metrics,
            predictions_test: &evaluated.predicted,
            model: &model,
            endpoint: &plan.endpoint,
            endpoint_answer: &answer,
            timings_ms: stages.milliseconds(),
        };
        let json = serde_json::to_string_pretty(&report)? + "\n";
        fs::write(path, json).with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

async fn register(client: &MlClient, plan: &Plan<'_>) -> Result<(String, String)> {
    let spec = DataSpec::from_path(DATA, &plan.args.data);
    let data = client.data().create(&spec, &TransferOptions::default()).await?;
    let said = format!("{DATA}:{} of {}", data.name, plan.args.data.display());
    Ok((data.id, said))
}

/// A cluster whose jobs may change the workspace.
async fn compute(client: &MlClient, plan: &Plan<'_>, made: &mut Made) -> Result<((), String)> {
    let cluster = &plan.args.cluster;
    match client.computes().get(cluster).await {
        Ok(_) => return Ok(((), format!("{cluster} is there: with the identity that it has"))),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    let identity = identity(client, made).await?;
    client.managed_identities().assign(&identity, &Role::DataScientist).await?;
    let spec = ComputeCluster::new(&plan.args.cluster_machine, 1)
        .identity(Identity::user_assigned([identity.id]));
    made.cluster = Some(cluster.clone());
    client.computes().create_cluster(cluster, &spec).await?;
    let machine = &plan.args.cluster_machine;
    Ok(((), format!("cluster {cluster}: 0 to 1 x {machine}, identity {IDENTITY}")))
}

async fn identity(client: &MlClient, made: &mut Made) -> Result<ManagedIdentity> {
    match client.managed_identities().get(IDENTITY).await {
        Err(error) if error.is_not_found() => {
            made.identity = true;
            Ok(client.managed_identities().create(IDENTITY).await?)
        }
        found => Ok(found?),
    }
}

/// The code of the steps, and the environment that serves the model, by their ids.
async fn assets(
    client: &MlClient,
    plan: &Plan<'_>,
    materials: &Materials,
) -> Result<((String, String), String)> {
    let options = TransferOptions::default();
    let code = client.code().upload(materials.code(), &options).await?;
    let route = |path| Route::new(path, workshop::SERVING_PORT);
    let (live, ready) = (route("/v2/health/live"), route("/v2/health/ready"));
    let routes = InferenceConfig::new(live, ready, route("/score"));
    let spec = match &plan.args.image {
        Some(image) => EnvironmentSpec::from_image(ENVIRONMENT, image),
        None => EnvironmentSpec::from_build_context(ENVIRONMENT, materials.image()),
    };
    let environment =
        client.environments().create(&spec.inference_config(routes), &options).await?;
    let bytes = fs::metadata(&plan.binary)?.len();
    let said = format!(
        "code: {} bytes of {}\nenvironment {ENVIRONMENT}:{}",
        with_commas(bytes),
        plan.binary.display(),
        environment.name
    );
    Ok(((code.id, environment.id), said))
}

async fn described(client: &MlClient, endpoint: &str) -> Result<((), String)> {
    let found = client.online_endpoints().get(endpoint).await?;
    let uri = found.properties.scoring_uri.as_deref().unwrap_or("no address yet");
    let shares = found.properties.traffic.iter();
    let traffic: Vec<String> =
        shares.map(|(deployment, share)| format!("{deployment} {share} %")).collect();
    Ok(((), format!("{uri}\ntraffic: {}", traffic.join(", "))))
}

/// Leaves everything as it is; an emulator for as long as nobody interrupts it.
async fn stand(target: &Target, made: &Made, is_well: bool) {
    let Some(variables) = target.environment() else {
        println!("\nIt stays and costs until it is deleted:\n{}", made.said());
        return;
    };
    if is_well {
        println!(
            "\nThe emulator goes on until Ctrl-C, which takes everything away. Other programs find it with\n\n{variables}"
        );
        // Without such a signal there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    }
}
