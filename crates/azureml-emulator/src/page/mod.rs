//! A page in a browser, as the Studio of Azure ML is: what there is, how jobs get on, what it would cost, and a way to stop it all.
//!
//! It is made here, without scripts. Every value in it is escaped where it is written, by [`html!`]. Who has the address that is printed
//! at the start gets a cookie for it; nobody else sees anything.

mod assets;
mod computes;
mod dag;
mod endpoints;
mod html;
mod jobs;
mod layout;
mod logs;
mod overview;
mod prices;
mod session;
mod stop;
mod value;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, Response, StatusCode, header},
};
use rusqlite::Connection;

pub(crate) use self::session::address;
use self::{html::Html, layout::Sheet, session::Visitor};
use crate::{
    arm::{self, Failure},
    door::Door,
    front::{broken, query, read},
    store::{Order, Resource, Resources},
    world::World,
};

/// The look of all pages, in one file.
const STYLE: &str = include_str!("page.css");

/// How many resources of a kind are shown.
const MANY: usize = 500;

/// What a page is made from: the state at one moment.
#[derive(Clone, Copy)]
struct View<'a> {
    world: &'a World,
    connection: &'a Connection,
    door: Door,
    query: &'a [(String, String)],
}

impl View<'_> {
    fn resources(&self) -> Resources<'_> {
        Resources(self.connection)
    }

    fn list(&self, collection: &str) -> rusqlite::Result<Vec<Resource>> {
        let order = Order::Created { newest_first: true };
        self.resources().list(collection, order, None, MANY)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a path leads to: a sheet, or nothing.
type Found = Result<Option<Sheet>, Failure>;

/// Answers one request of a browser.
pub(crate) async fn answer(
    world: &Arc<World>,
    door: Door,
    path: Vec<String>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let query = query(&parts.uri);
    let mut response = match session::admit(world, &parts.headers, &query) {
        Visitor::Known => {
            let form = match read(body).await {
                Ok(body) => body,
                Err(response) => return response,
            };
            let words: Vec<&str> = path.iter().map(String::as_str).collect();
            match (&parts.method, words.as_slice()) {
                (&Method::GET, ["page.css"]) => style(),
                (&Method::POST, ["studio", "stop"]) => {
                    if session::is_own_form(world, door, &parts.headers, &form) {
                        stop::stop(world, door).await
                    } else {
                        let text = "This form is not of a page that this emulator has just shown.";
                        layout::message(StatusCode::FORBIDDEN, "Not stopped", text)
                    }
                }
                (&Method::GET, ["studio", group, workspace, "jobs", job, "logs", file]) => {
                    logs::answer(world, door, [group, workspace, job, file]).await
                }
                (&Method::GET, _) => show(world, door, path.clone(), query).await,
                _ => layout::message(StatusCode::METHOD_NOT_ALLOWED, "Not here", "Pages are read."),
            }
        }
        Visitor::New { cookie } => session::welcome(&cookie),
        Visitor::Unknown => layout::message(
            StatusCode::UNAUTHORIZED,
            "Who are you?",
            "The address of this page with its token is what the emulator prints when it starts.",
        ),
    };
    protect(&mut response);
    response
}

/// Makes a page, away from the threads that serve.
async fn show(
    world: &Arc<World>,
    door: Door,
    path: Vec<String>,
    query: Vec<(String, String)>,
) -> Response<Body> {
    let world = Arc::clone(world);
    let made = tokio::task::spawn_blocking(move || {
        let now = world.clock.now();
        world.store.transaction(|connection| {
            arm::settle(&world, connection, now)?;
            let view = View { world: &world, connection, door, query: &query };
            let words: Vec<&str> = path.iter().map(String::as_str).collect();
            route(&view, &words)
        })
    });
    match made.await {
        Ok(Ok(Some(sheet))) => sheet.into_response(),
        Ok(Ok(None)) => {
            layout::message(StatusCode::NOT_FOUND, "Not found", "There is nothing here.")
        }
        Ok(Err(Failure::Refused(refusal))) => refusal.into_response(),
        Ok(Err(Failure::Broken(error))) => {
            tracing::error!(%error, "no page");
            broken()
        }
        Err(_) => broken(),
    }
}

fn route(view: &View<'_>, path: &[&str]) -> Found {
    match path {
        [] => overview::all(view).map(Some),
        ["studio", "stop"] => stop::ask(view).map(Some),
        ["studio", group, workspace, rest @ ..] => {
            let id = format!(
                "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}",
                view.world.settings.subscription
            );
            let Some(workspace) = view.resources().get(&id)? else { return Ok(None) };
            of_workspace(view, &workspace, rest)
        }
        _ => Ok(None),
    }
}

fn of_workspace(view: &View<'_>, workspace: &Resource, path: &[&str]) -> Found {
    match path {
        [] => overview::one(view, workspace).map(Some),
        ["jobs"] => jobs::list(view, workspace).map(Some),
        ["jobs", name] => jobs::one(view, workspace, name),
        [kind @ ("models" | "data" | "environments" | "components")] => {
            assets::list(view, workspace, kind).map(Some)
        }
        [kind @ ("models" | "data" | "environments" | "components"), name, version] => {
            assets::one(view, workspace, kind, name, version)
        }
        ["endpoints"] => endpoints::list(view, workspace).map(Some),
        ["endpoints", name] => endpoints::one(view, workspace, name),
        ["computes"] => computes::list(view, workspace).map(Some),
        _ => Ok(None),
    }
}

fn style() -> Response<Body> {
    let mut response = Response::new(Body::from(STYLE));
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, css);
    response
}

/// What a browser must not do with any of these pages: run anything, show them within others, keep them, or tell where it was.
fn protect(response: &mut Response<Body>) {
    const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        // Not less: a form of a page that says nothing of where it is has no origin.
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

/// Where the pages of a workspace are.
fn base(workspace: &Resource) -> String {
    let id: Vec<&str> = workspace.id().split('/').collect();
    let group = id.get(4).copied().unwrap_or_default();
    format!("/studio/{}/{}", html::segment(group), html::segment(workspace.name()))
}

/// A table with a head; nothing but a word if there are no rows.
fn table(head: &[&str], rows: &[Html], nothing: &str) -> Html {
    let mut out = Html::default();
    if rows.is_empty() {
        html!(out, "<p class=\"none\">{}</p>", nothing);
        return out;
    }
    html!(out, "<div class=\"wide\"><table><thead><tr>");
    for title in head {
        html!(out, "<th>{}</th>", title);
    }
    html!(out, "</tr></thead><tbody>");
    for row in rows {
        html!(out, "<tr>");
        out.add(row);
        html!(out, "</tr>");
    }
    html!(out, "</tbody></table></div>");
    out
}

use html::html;
