//! One round of the road: each step looks what is there.

use std::{fs, time::Duration};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use spinney_artifact::ModelBundle;

use crate::{
    client::{Client, Tried},
    told::{Told, assert_has},
};

const BUNDLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/bundles/v1");

const PROVIDER: &str = "providers/Microsoft.MachineLearningServices";

const RAW: &[u8] = b"Id,SalePrice\n1,208500\n2,181500\n3,223500\n";

pub(crate) struct Round<'a> {
    pub(crate) client: &'a Client,
    pub(crate) told: &'a mut Told,
    pub(crate) number: usize,
}

fn bundle() -> Vec<u8> {
    fs::read(format!("{BUNDLES}/prices.bundle")).unwrap()
}

/// Rows, and the bits of what the model itself predicts for them.
fn rows() -> (Value, Vec<u64>) {
    let expected = fs::read(format!("{BUNDLES}/expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut all = expected.as_array().unwrap().iter();
    let rows = &all.find(|one| one["file"] == "prices.bundle").unwrap()["rows"];
    let rows = json!([rows[0], rows[1]]);
    let records = serde_json::from_value::<Vec<_>>(rows.clone()).unwrap();
    let bundle = ModelBundle::load(format!("{BUNDLES}/prices.bundle")).unwrap();
    let predicted = bundle.predict_records(&records).unwrap();
    (rows, predicted.iter().map(|value| value.to_bits()).collect())
}

impl Round<'_> {
    pub(crate) fn workspace(client: &Client, number: usize) -> String {
        format!("{}/{PROVIDER}/workspaces/road-{number}", client.worker.group)
    }

    fn id(&self, path: &str) -> String {
        format!("{}{path}", Self::workspace(self.client, self.number))
    }

    fn tags(&self) -> Value {
        json!({"round": self.number.to_string()})
    }

    /// Walks all that is left of the road.
    pub(crate) async fn walk(&mut self) -> Tried<()> {
        let workspace = json!({"location": "westeurope", "tags": self.tags(), "properties": {"description": "a road"}});
        self.there("", &workspace).await?;
        // That it has been used is noted at the model, as whoever walks may not remember it.
        let model = self.told.find(self.client, &self.id("/models/prices/versions/1")).await?;
        let is_scored = |model: Value| model["properties"]["tags"]["scored"] == "yes";
        if !model.is_some_and(is_scored) {
            self.train().await?;
            self.deploy().await?;
            self.score().await?;
            self.note().await?;
        }
        self.clean_up().await
    }

    /// Has something that is as it was written, and ready.
    async fn there(&mut self, path: &str, body: &Value) -> Tried<Value> {
        let id = self.id(path);
        if self.told.find(self.client, &id).await?.is_none() {
            self.put(&id, body).await?;
        }
        let ready = self.ready(&id).await?;
        assert_has(&ready, body, &id);
        Ok(ready)
    }

    async fn put(&mut self, id: &str, body: &Value) -> Tried<()> {
        let worker = &self.client.worker;
        let request = worker.at(Method::PUT, id).header("x-azureml-token", &worker.learning_token);
        self.client.json(request.body(body.to_string())).await?;
        self.told.written(id, body);
        Ok(())
    }

    async fn ready(&self, id: &str) -> Tried<Value> {
        self.until(id, |found| {
            let state = found["properties"]["provisioningState"].as_str();
            assert!(!matches!(state, Some("Failed" | "Canceled")), "{found}");
            // Assets and jobs have another word, or none.
            state.is_none_or(|state| state == "Succeeded")
        })
        .await
    }

    /// Looks again and again, until something is so.
    async fn until(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Tried<Value> {
        let mut last = Value::Null;
        for _ in 0..3000 {
            last = self.told.find(self.client, id).await?.unwrap();
            if is_so(&last) {
                return Ok(last);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{last}");
    }

    async fn container(&self) -> Tried<String> {
        let store = self.id("/datastores/workspaceblobstore");
        let store = self.client.json(self.client.worker.at(Method::GET, &store)).await?;
        Ok(store["properties"]["containerName"].as_str().unwrap().to_owned())
    }

    async fn upload(&mut self, container: &str, name: &str, content: &[u8]) -> Tried<()> {
        let found = self.told.find_blob(self.client, container, name).await?;
        if let Some(found) = found {
            assert_eq!(found, content, "{name}");
            return Ok(());
        }
        let worker = &self.client.worker;
        let blob = |method, rest: &str| -> RequestBuilder {
            worker.blob_in(container, method, &format!("{name}{rest}"))
        };
        self.client.put_blob(blob, content, Some(1000)).await?;
        self.told.stored(container, name, content);
        Ok(())
    }

    /// Data, code, components and a cluster; and a pipeline, whose model is registered once.
    async fn train(&mut self) -> Tried<()> {
        let container = self.container().await?;
        let tags = self.tags();
        let paths = "azureml://datastores/workspaceblobstore/paths";
        self.upload(&container, "raw/houses.csv", RAW).await?;
        self.upload(&container, "steps/prices.bundle", &bundle()).await?;
        let data = json!({"properties": {
            "dataType": "uri_file", "dataUri": format!("{paths}/raw/houses.csv"), "tags": tags,
        }});
        self.there("/data/raw/versions/1", &data).await?;
        let code = json!({"properties": {"codeUri": format!("{paths}/steps"), "tags": tags}});
        self.there("/codes/steps/versions/1", &code).await?;
        let image = "example.azurecr.io/spinney-scoring:1";
        let environment = json!({"properties": {"image": image, "tags": tags}});
        self.there("/environments/serving/versions/1", &environment).await?;
        let cluster = json!({"location": "westeurope", "tags": tags, "properties": {
            "computeType": "AmlCompute", "properties": {
                "vmSize": "Standard_DS3_v2", "scaleSettings": {"minNodeCount": 0, "maxNodeCount": 2},
            },
        }});
        self.there("/computes/cluster", &cluster).await?;
        for (name, command, inputs, outputs) in [
            (
                "split",
                "sleep 0.05; tail -n +2 ${{inputs.raw}} > ${{outputs.rows}}",
                json!({"raw": {"type": "uri_file"}}),
                json!({"rows": {"type": "uri_file"}}),
            ),
            (
                "train",
                "wc -l < ${{inputs.rows}}; sleep 0.05; cp prices.bundle ${{outputs.model}}/",
                json!({"rows": {"type": "uri_file"}}),
                json!({"model": {"type": "custom_model"}}),
            ),
            (
                "evaluate",
                "wc -l < ${{inputs.rows}} > ${{outputs.report}}; wc -c < ${{inputs.model}}/prices.bundle >> ${{outputs.report}}",
                json!({"rows": {"type": "uri_file"}, "model": {"type": "custom_model"}}),
                json!({"report": {"type": "uri_file"}}),
            ),
        ] {
            let spec = json!({
                "type": "command",
                "command": command,
                "code": self.id("/codes/steps/versions/1"),
                "environment": self.id("/environments/serving/versions/1"),
                "inputs": inputs,
                "outputs": outputs,
            });
            let component = json!({"properties": {"componentSpec": spec, "tags": tags}});
            self.there(&format!("/components/{name}/versions/1"), &component).await?;
        }
        self.there("/jobs/road", &self.pipeline()).await?;
        let job = self.id("/jobs/road");
        self.until(&job, |job| {
            let status = job["properties"]["status"].as_str().unwrap();
            assert!(!matches!(status, "Failed" | "Canceled"), "{job}");
            status == "Completed"
        })
        .await?;
        let report = self.output(&container, "data/report", "dataUri", "").await?;
        assert_eq!(String::from_utf8(report).unwrap(), format!("3\n{}\n", bundle().len()));
        let model = self.output(&container, "models/prices", "modelUri", "/prices.bundle").await?;
        assert_eq!(model, bundle());
        Ok(())
    }

    fn pipeline(&self) -> Value {
        let step = |name: &str, inputs: &[(&str, &str)], outputs: Value| {
            let bound = |value: &&str| json!({"job_input_type": "literal", "value": format!("${{{{parent.{value}}}}}")});
            let inputs: serde_json::Map<_, _> =
                inputs.iter().map(|(name, value)| ((*name).to_owned(), bound(value))).collect();
            let id = self.id(&format!("/components/{name}/versions/1"));
            json!({"type": "command", "name": name, "componentId": id, "inputs": inputs, "outputs": outputs})
        };
        let rows = ("rows", "jobs.split.outputs.rows");
        json!({"properties": {
            "jobType": "Pipeline",
            "displayName": "road",
            "experimentName": "roads",
            "tags": self.tags(),
            "inputs": {"raw": {"jobInputType": "uri_file", "uri": "azureml:raw:1"}},
            "settings": {"default_compute": self.id("/computes/cluster")},
            "jobs": {
                "split": step("split", &[("raw", "inputs.raw")], json!({})),
                "train": step("train", &[rows], json!({
                    "model": {"job_output_type": "custom_model", "name": "prices"},
                })),
                "evaluate": step("evaluate", &[rows, ("model", "jobs.train.outputs.model")], json!({
                    "report": {"job_output_type": "uri_file", "name": "report"},
                })),
            },
        }})
    }

    /// What is in a file of an output that was registered: as one version, however often its step was begun.
    async fn output(
        &self,
        container: &str,
        asset: &str,
        field: &str,
        file: &str,
    ) -> Tried<Vec<u8>> {
        let id = self.id(&format!("/{asset}/versions"));
        let all = self.client.json(self.client.worker.at(Method::GET, &id)).await?;
        let [version] = all["value"].as_array().unwrap().as_slice() else { panic!("{all}") };
        assert_eq!(version["name"], "1");
        let uri = version["properties"][field].as_str().unwrap();
        let (_, path) = uri.split_once("/datastores/workspaceblobstore/paths/").unwrap();
        let path = format!("{}{file}", path.trim_end_matches('/'));
        Ok(self.told.find_blob(self.client, container, &path).await?.unwrap())
    }

    /// The scoring runtime with that model, behind an endpoint.
    async fn deploy(&mut self) -> Tried<()> {
        let mut endpoint = json!({"location": "westeurope", "tags": self.tags(), "properties": {"authMode": "Key"}});
        self.there(&self.endpoint(), &endpoint).await?;
        let probe = json!({"initialDelay": "PT0S", "period": "PT1S", "failureThreshold": 30});
        let deployment = json!({
            "location": "westeurope",
            "tags": self.tags(),
            "sku": {"name": "Default", "capacity": 1},
            "properties": {
                "endpointComputeType": "Managed",
                "instanceType": "Standard_D2as_v4",
                "model": self.id("/models/prices/versions/1"),
                "environmentId": self.id("/environments/serving/versions/1"),
                "readinessProbe": probe,
                "livenessProbe": probe,
            },
        });
        self.there(&format!("{}/deployments/blue", self.endpoint()), &deployment).await?;
        endpoint["properties"]["traffic"] = json!({"blue": 100});
        let id = self.id(&self.endpoint());
        let found = self.ready(&id).await?;
        if found["properties"]["traffic"] != endpoint["properties"]["traffic"] {
            self.put(&id, &endpoint).await?;
            assert_has(&self.ready(&id).await?, &endpoint, &id);
        }
        Ok(())
    }

    /// Names of endpoints are one region's.
    fn endpoint(&self) -> String {
        format!("/onlineEndpoints/houses-{}", self.number)
    }

    async fn score(&self) -> Tried<()> {
        let (client, id) = (self.client, self.id(&self.endpoint()));
        let endpoint = client.json(client.worker.at(Method::GET, &id)).await?;
        let uri = endpoint["properties"]["scoringUri"].as_str().unwrap();
        let keys = client.json(client.worker.at(Method::POST, &format!("{id}/listKeys"))).await?;
        let key = keys["primaryKey"].as_str().unwrap();
        let (rows, predicted) = rows();
        for _ in 0..3000 {
            let request = client.worker.client.post(uri).bearer_auth(key);
            let (status, answer) = client.read(request.body(rows.to_string())).await?;
            // What was ready before the emulator was killed is being started again.
            if status == 503 || status == 502 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            let predictions: Vec<f64> =
                serde_json::from_value(answer["predictions"].clone()).unwrap();
            let bits: Vec<u64> = predictions.iter().map(|value| value.to_bits()).collect();
            assert_eq!(bits, predicted);
            return Ok(());
        }
        panic!("nothing is ready behind {id}");
    }

    async fn note(&mut self) -> Tried<()> {
        let id = self.id("/models/prices/versions/1");
        let mut model = self.told.find(self.client, &id).await?.unwrap();
        let tags = json!({"round": self.number.to_string(), "scored": "yes"});
        model["properties"]["tags"] = tags.clone();
        let worker = &self.client.worker;
        self.client.json(worker.at(Method::PUT, &id).body(model.to_string())).await?;
        self.told.written(
            &id,
            &json!({"properties": {
                "tags": tags, "modelUri": model["properties"]["modelUri"],
            }}),
        );
        Ok(())
    }

    async fn clean_up(&mut self) -> Tried<()> {
        for path in [self.endpoint(), "/computes/cluster".to_owned()] {
            let id = self.id(&path);
            self.told.forget(&id);
            let mut n_looks = 0;
            while let Some(found) = self.told.find(self.client, &id).await? {
                let state = &found["properties"]["provisioningState"];
                if state == "Succeeded" {
                    let whole = format!("{id}?underlyingResourceAction=Delete");
                    self.client.json(self.client.worker.at(Method::DELETE, &whole)).await?;
                } else {
                    assert_eq!(state, "Deleting", "{found}");
                }
                n_looks += 1;
                assert!(n_looks < 3000, "{found}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.told.is_gone(&id);
        }
        Ok(())
    }
}
