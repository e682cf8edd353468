use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};

use super::{Html, base, html};
use crate::store::Resource;

/// One page.
pub(super) struct Sheet {
    pub(super) title: String,
    /// Where it belongs, and what its navigation leads to.
    pub(super) place: Option<Place>,
    pub(super) body: Html,
    /// Something on it is under way: it is read again by itself.
    pub(super) is_live: bool,
}

pub(super) struct Place {
    workspace: String,
    base: String,
    /// The path of the part of the workspace that this page is in.
    part: String,
}

const PARTS: [(&str, &str); 8] = [
    ("", "Overview"),
    ("/jobs", "Jobs"),
    ("/models", "Models"),
    ("/data", "Data"),
    ("/environments", "Environments"),
    ("/components", "Components"),
    ("/endpoints", "Endpoints"),
    ("/computes", "Computes"),
];

/// How often a page is read again on which something is under way, in seconds.
const REFRESH: u32 = 3;

impl Sheet {
    pub(super) fn new(title: impl Into<String>, body: Html) -> Self {
        Self { title: title.into(), place: None, body, is_live: false }
    }

    /// Says in which part of a workspace it is: `/jobs`, or nothing for the workspace itself.
    pub(super) fn of(self, workspace: &Resource, part: impl Into<String>) -> Self {
        let (name, base) = (workspace.name().to_owned(), base(workspace));
        let place = Place { workspace: name, base, part: part.into() };
        Self { place: Some(place), ..self }
    }

    pub(super) fn live(self, is_live: bool) -> Self {
        Self { is_live, ..self }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut out = Html::default();
        html!(out, "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">");
        html!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        html!(out, "<meta name=\"color-scheme\" content=\"light dark\">");
        if self.is_live {
            html!(out, "<meta http-equiv=\"refresh\" content=\"{}\">", REFRESH);
        }
        html!(out, "<title>{} - Spinney</title>", self.title);
        html!(out, "<link rel=\"stylesheet\" href=\"/page.css\"></head><body><header>");
        html!(out, "<a class=\"home\" href=\"/\">Azure ML emulator</a>");
        if let Some(Place { workspace, base, part }) = &self.place {
            html!(out, "<strong>{}</strong><nav>", workspace);
            for (path, name) in PARTS {
                html!(out, "<a href=\"{}{}\"", base, path);
                if path == part {
                    html!(out, " aria-current=\"page\"");
                }
                html!(out, ">{}</a>", name);
            }
            html!(out, "</nav>");
        }
        html!(out, "<a class=\"stop\" href=\"/studio/stop\">Stop everything</a></header><main>");
        html!(out, "<h1>{}</h1>", self.title);
        out.add(&self.body);
        html!(out, "</main><footer>Local: nothing here runs in Azure, and nothing is billed.");
        if self.is_live {
            html!(out, " This page is read again every {} seconds.", REFRESH);
        }
        html!(out, "</footer></body></html>");
        respond(StatusCode::OK, out)
    }
}

/// A page that says one thing.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let mut out = Html::default();
    html!(
        out,
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>",
        title
    );
    html!(out, "<body><h1>{}</h1><p>{}</p></body></html>", title, text);
    respond(status, out)
}

fn respond(status: StatusCode, out: Html) -> Response<Body> {
    let mut response = Response::new(Body::from(out.into_text()));
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}
