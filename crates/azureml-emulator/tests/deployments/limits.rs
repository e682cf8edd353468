use futures_util::future::join_all;
use serde_json::json;

use crate::site::{Site, blue, until};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_or_too_much_is_told_so_and_errors_of_the_model_are_the_model_s() {
    let site = Site::new().await;
    let mut body = blue();
    body["properties"]["requestSettings"] =
        json!({"requestTimeout": "PT1S", "maxConcurrentRequestsPerInstance": 2});
    site.deployed("blue", &body).await;
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    site.score(&json!({"sleep": 30_000})).await.expect(408);

    // Two are worked on, two wait, and the others are told to come again.
    let wish = json!({"sleep": 400});
    let mut statuses: Vec<u16> = join_all((0..9).map(|_| site.score(&wish)))
        .await
        .iter()
        .map(|reply| reply.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses[..4], [200; 4], "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    let all = join_all((0..9).map(|_| site.score(&wish))).await;
    let refused = all.iter().find(|reply| reply.status == 429).unwrap();
    assert_eq!(refused.header("ms-azureml-model-error-reason"), "too_many_pending_request");

    for status in [201, 204, 400, 422, 500] {
        let reply = site.score(&json!({"status": status})).await.expect(424);
        assert_eq!(reply.header("ms-azureml-model-error-statuscode"), status.to_string());
        assert_eq!(reply.header("ms-azureml-model-error-reason"), "model_error");
        assert_eq!(reply.header("azureml-model-deployment"), "blue");
        if status != 204 {
            assert_eq!(reply.body["name"], "blue");
        }
    }
    site.local.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_is_started_again() {
    let site = Site::new().await;
    site.deployed("blue", &blue()).await;
    site.set_traffic(json!({"blue": 100})).await.expect(200);
    let first = site.score(&json!({})).await.expect(200).body["process"].clone();
    let reply = site.score(&json!({"exit": 9})).await.expect(502);
    assert_eq!(reply.header("ms-azureml-model-error-reason"), "model_error");
    until("it runs again", async || {
        let reply = site.score(&json!({})).await;
        assert!([200, 502, 503].contains(&reply.status), "{reply:?}");
        reply.status == 200 && reply.body["process"] != first
    })
    .await;
    let log = site.log("blue").await;
    assert!(log.contains("[container: it ended: exit status: 9]"), "{log}");
    assert_eq!(log.matches("listens at").count(), 2, "{log}");
    site.local.emulator.shutdown().await;
}
