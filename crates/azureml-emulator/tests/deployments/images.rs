use serde_json::{Value, json};

use crate::site::{Site, blue};

/// An environment with a build context.
async fn build(site: &Site, version: &str, dockerfile: &str) -> Value {
    let context = format!("contexts/{version}");
    site.upload(&format!("{context}/Dockerfile"), dockerfile.to_owned()).await;
    site.upload(&format!("{context}/settings/name.txt"), "from the image").await;
    let route = |path: &str| json!({"port": 5001, "path": path});
    let id = site.local.id(&format!("/environments/image/versions/{version}"));
    let uri = format!("azureml://datastores/workspaceblobstore/paths/{context}");
    let body = json!({"properties": {
        "build": {"contextUri": uri, "dockerfilePath": "Dockerfile"},
        "inferenceConfig": {
            "livenessRoute": route("/health"), "readinessRoute": route("/health"), "scoringRoute": route("/v1/predict"),
        },
    }});
    site.local.put(&id, &body).await.expect(201);
    let mut body = blue();
    body["properties"]["environmentId"] = json!(format!("azureml:image:{version}"));
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_context_with_a_program_runs() {
    let site = Site::new().await;
    let program = std::env::current_exe().unwrap();
    site.upload("contexts/1/bin/server", std::fs::read(program).unwrap()).await;
    let args = crate::container::ARGS.map(|word| format!("\"{word}\"")).join(", ");
    let dockerfile = format!(
        "FROM scratch\nWORKDIR /app\nCOPY bin settings ./\nENV NAME=/app/name.txt\nEXPOSE 5001\n\
         ENTRYPOINT [\"/app/server\"]\nCMD [{args}]\n"
    );
    let mut body = build(&site, "1", &dockerfile).await;
    // The image's own.
    body["properties"]["environmentVariables"] = json!({});
    site.deployed("blue", &body).await;
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let reply = site.score(&json!({"x": 1})).await.expect(200);
    // Its path for scoring is its own, and paths of the container are paths of this machine.
    assert_eq!(reply.body["uri"], "/v1/predict");
    let name = std::path::PathBuf::from(reply.body["name"].as_str().unwrap());
    assert!(name.starts_with(site.state().canonicalize().unwrap()), "{}", name.display());
    assert_eq!(std::fs::read_to_string(name).unwrap(), "from the image");
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_an_engine_fails_with_its_line() {
    let site = Site::new().await;
    let dockerfile = "FROM python:3.11\n# installs\nRUN pip install x\nCMD [\"python\"]\n";
    let body = build(&site, "1", dockerfile).await;
    let ended = site.deploy("blue", &body).await;
    assert_eq!(ended["error"]["code"], "ImageBuildFailure", "{ended}");
    let message = ended["error"]["message"].as_str().unwrap();
    assert!(message.contains("line 3") && message.contains("RUN"), "{message}");
    let log = site.log("blue").await;
    assert!(log.contains("UserContainerImagePull: Failed"), "{log}");
    site.local.emulator.shutdown().await;
}
