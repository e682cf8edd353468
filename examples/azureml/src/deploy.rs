use anyhow::Context;
use spinney_azureml::{
    EnvironmentSpec, InferenceConfig, MlClient, ModelSpec, OnlineDeploymentSpec,
    OnlineEndpointSpec, Preflight, Route, Traffic, TransferOptions,
};

use crate::args;

pub(crate) async fn register(client: &MlClient, args: &args::Register) -> anyhow::Result<()> {
    let mut model = ModelSpec::from_path(&args.name, &args.path);
    if let Some(version) = &args.version {
        model = model.version(version);
    }
    if let Some(description) = &args.description {
        model = model.description(description);
    }
    for (name, value) in &args.tags {
        model = model.tag(name, value);
    }
    let model = client.models().register(&model, &TransferOptions::default()).await?;
    println!("{}:{}", args.name, model.name);
    Ok(())
}

pub(crate) async fn deploy(client: &MlClient, args: &args::Deploy) -> anyhow::Result<()> {
    let plan = Preflight::new().online_endpoint().machines(&args.instance_type, args.instances);
    let findings = client.preflight(&plan).await?;
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    anyhow::ensure!(findings.is_empty(), "the deployment would fail");

    let reference = if args.model.contains(':') {
        args.model.clone()
    } else {
        format!("azureml:{}@latest", args.model)
    };
    let model = client.models().resolve(&reference).await.context("there is no such model")?;
    let route = |path: &String| Route::new(path, args.port);
    let routes = InferenceConfig::new(
        route(&args.liveness_path),
        route(&args.readiness_path),
        route(&args.scoring_path),
    );
    let image = EnvironmentSpec::from_image(&args.endpoint, &args.image).inference_config(routes);
    let environment = client.environments().create(&image, &TransferOptions::default()).await?;

    let endpoint =
        client.online_endpoints().create_or_update(&args.endpoint, &OnlineEndpointSpec::new());
    let endpoint =
        endpoint.on_progress(|progress| eprintln!("endpoint: {}", progress.status)).await?;
    let mut spec = OnlineDeploymentSpec::new(&args.instance_type, args.instances)
        .model(model)
        .environment(environment.id);
    for (name, value) in &args.environment_variables {
        spec = spec.environment_variable(name, value);
    }
    let deployments = client.online_deployments(&args.endpoint);
    let deployment = deployments.create_or_update(&args.deployment, &spec);
    deployment.on_progress(|progress| eprintln!("deployment: {}", progress.status)).await?;
    if !args.no_traffic {
        client
            .online_endpoints()
            .set_traffic(&args.endpoint, &Traffic::to(&args.deployment)?)
            .await?;
    }
    println!("{}", endpoint.properties.scoring_uri.as_deref().unwrap_or("no address"));
    Ok(())
}
