use std::{io, sync::Arc};

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, SeekFrom},
};

use super::{Html, html, layout, layout::Sheet, value};
use crate::{
    arm::Failure,
    contents::{self, Fetched},
    door::Door,
    front::broken,
    place::Place,
    run,
    store::{Resource, Resources, RunLogs},
    world::World,
};

/// How much of a log is shown: its end.
const SHOWN: u64 = 256 << 10;

/// Shows a log of a run, as far as it has got.
pub(super) async fn answer(
    world: &Arc<World>,
    door: Door,
    [group, workspace, job, file]: [&str; 4],
) -> Response<Body> {
    let id = format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}",
        world.settings.subscription
    );
    let (shared, job_name, name) = (Arc::clone(world), job.to_owned(), file.to_owned());
    let found = tokio::task::spawn_blocking(move || find(&shared, &id, &job_name, &name));
    let (workspace, status, place) = match found.await {
        Ok(Ok(Some(found))) => found,
        Ok(Ok(None)) => {
            return layout::message(StatusCode::NOT_FOUND, "Not found", "There is no such log.");
        }
        Ok(Err(Failure::Refused(refusal))) => return refusal.into_response(),
        Ok(Err(Failure::Broken(error))) => {
            tracing::error!(%error, ?door, "no log");
            return broken();
        }
        Err(_) => return broken(),
    };
    match end_of(world, &place).await {
        Ok((text, is_whole)) => {
            let mut body = Html::default();
            let address = super::base(&workspace);
            html!(
                body,
                "<p><a href=\"{}/jobs/{}\">Back to the job</a> ",
                address,
                html::segment(job)
            );
            body.add(&value::state(&status));
            html!(body, "</p>");
            if !is_whole {
                html!(body, "<p>The last {} KiB of it.</p>", SHOWN >> 10);
            }
            html!(body, "<pre class=\"log\">{}</pre>", text);
            let sheet = Sheet::new(file, body).of(&workspace, "/jobs");
            sheet.live(value::is_busy(&status)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "no log");
            broken()
        }
    }
}

/// The workspace, how the job gets on, and where the log is.
fn find(
    world: &World,
    workspace: &str,
    job: &str,
    file: &str,
) -> Result<Option<(Resource, String, Place)>, Failure> {
    world.store.transaction(|connection| {
        let resources = Resources(connection);
        let id = format!("{workspace}/jobs/{job}");
        let (Some(workspace), Some(job)) = (resources.get(workspace)?, resources.get(&id)?) else {
            return Ok(None);
        };
        // Of all that a run leaves behind, only what is known as a log.
        if !RunLogs(connection).of(&id)?.iter().any(|known| known == file) {
            return Ok(None);
        }
        let place =
            run::artifacts::place(world, connection, workspace.id(), job.name())?.join(file);
        let status = value::text(&job.body["properties"]["status"]);
        Ok(Some((workspace, status, place)))
    })
}

/// The end of a text, and whether it is all of it.
async fn end_of(world: &Arc<World>, place: &Place) -> io::Result<(String, bool)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log");
    if contents::fetch(world, place, &path).await? != Fetched::File {
        return Ok((String::new(), true));
    }
    let mut file = File::open(&path).await?;
    let length = file.metadata().await?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(SHOWN))).await?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).await?;
    Ok((String::from_utf8_lossy(&end).into_owned(), length <= SHOWN))
}
