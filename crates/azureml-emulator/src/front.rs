use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, Response, StatusCode, Uri, header},
};
use http_body_util::{BodyExt, Limited};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    arm, blob, cloud_metadata,
    door::{Door, LOCAL_ACCOUNT},
    faults::{self, Reset, Service},
    front_door, history, page, token,
    world::World,
};

/// Finds out which of Azure's services a request is for, and has it answered.
pub(crate) struct Front {
    pub(crate) world: Arc<World>,
    /// Where TLS is spoken without the proxy.
    pub(crate) port: u16,
}

/// The longest body that is read into memory; contents of blobs are not.
const MAX_BODY: usize = 4 << 20;

impl Front {
    /// Answers what came over TLS, unless a fault befalls it.
    pub(crate) async fn receive(&self, request: Request) -> Result<Response<Body>, Reset> {
        let World { faults, recorder, .. } = &*self.world;
        if faults.is_empty() && recorder.is_none() {
            return Ok(self.answer(request).await);
        }
        let service = Service::of(&host(&request), request.uri().path());
        let answer = async |request| match recorder {
            Some(recorder) if service == Some(Service::Arm) => {
                recorder.record(request, async |it| self.answer(it).await).await
            }
            _ => self.answer(request).await,
        };
        match service {
            Some(service) => faults.befall(service, request, answer).await,
            None => Ok(answer(request).await),
        }
    }

    /// Answers what came without TLS, unless a fault befalls it.
    pub(crate) async fn receive_plain(&self, request: Request) -> Result<Response<Body>, Reset> {
        self.world
            .faults
            .befall(Service::Token, request, async |it| self.answer_plain(it).await)
            .await
    }

    /// By the name that the client asked for.
    async fn answer(&self, request: Request) -> Response<Body> {
        let host = host(&request);
        let name = host.as_str();
        let Some(path) = segments(request.uri()) else {
            return problem(StatusCode::BAD_REQUEST, "InvalidUri", "the path is no text");
        };
        match name {
            "management.azure.com" => self.arm(Door::Azure, path, request).await,
            "login.microsoftonline.com" => self.sign_in(Door::Azure, &path, request).await,
            "localhost" | "127.0.0.1" => self.local(path, request).await,
            _ => {
                if let Some(account) = name.strip_suffix(".blob.core.windows.net") {
                    blob::answer(&self.world, Door::Azure, account, request).await
                } else if name.ends_with(".api.azureml.ms") {
                    self.api(Door::Azure, path, request).await
                } else if let Some(place) = name.strip_suffix(".inference.ml.azure.com") {
                    let (endpoint, location) = place.split_once('.').unwrap_or((place, ""));
                    let path = request.uri().path().to_owned();
                    front_door::answer(&self.world, Door::Azure, location, endpoint, &path, request)
                        .await
                } else {
                    let text = format!("the emulator does not stand for {name}");
                    problem(StatusCode::MISDIRECTED_REQUEST, "UnknownHost", &text)
                }
            }
        }
    }

    async fn local(&self, path: Vec<String>, request: Request) -> Response<Body> {
        let door = Door::Local { port: self.port };
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] | ["page.css"] | ["studio", ..] => {
                page::answer(&self.world, door, path, request).await
            }
            ["metadata", "endpoints"] => {
                json_response(StatusCode::OK, &cloud_metadata::clouds(self.port))
            }
            ["inference", location, endpoint, ..] => {
                let path = behind(request.uri().path(), 3).to_owned();
                front_door::answer(&self.world, door, location, endpoint, &path, request).await
            }
            ["admin", "faults", rest @ ..] => self.admin(door, rest, request).await,
            ["discovery" | "history" | "data" | "modelregistry" | "mferp", ..] => {
                self.api(door, path, request).await
            }
            [first, ..] if is_storage(first) => {
                blob::answer(&self.world, door, LOCAL_ACCOUNT, request).await
            }
            [first, ..] if first.eq_ignore_ascii_case("subscriptions") => {
                self.arm(door, path, request).await
            }
            _ => self.sign_in(door, &path, request).await,
        }
    }

    /// The token services of machines.
    async fn answer_plain(&self, request: Request) -> Response<Body> {
        if request.uri().authority().is_some() {
            let text = "this proxy knows CONNECT to Azure's names, and leads nowhere else";
            return problem(StatusCode::FORBIDDEN, "NoWayOut", text);
        }
        let (Some(path), query) = (segments(request.uri()), query(request.uri())) else {
            return problem(StatusCode::BAD_REQUEST, "InvalidUri", "the path is no text");
        };
        if path.is_empty() {
            return text("Spinney's Azure ML emulator: the proxy\n");
        }
        let world = Arc::clone(&self.world);
        let (parts, _) = request.into_parts();
        let answered = tokio::task::spawn_blocking(move || {
            token::answer_identity(&world, &parts.method, &path, &query, &parts.headers)
        });
        let nothing = || problem(StatusCode::NOT_FOUND, "NotFound", "there is nothing here");
        answered.await.map_or_else(|_| broken(), |answer| answer.unwrap_or_else(nothing))
    }

    async fn arm(&self, door: Door, path: Vec<String>, request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = match read(body).await {
            Ok(body) => body,
            Err(response) => return response,
        };
        let world = Arc::clone(&self.world);
        // The database makes a thread wait for the disk.
        let answered = tokio::task::spawn_blocking(move || {
            let response = arm::answer(&world, door, &parts, &path, &body);
            if parts.method != Method::GET {
                world.wake();
            }
            response
        });
        answered.await.unwrap_or_else(|_| broken())
    }

    /// What is the emulator's own, for who may do everything.
    async fn admin(&self, door: Door, rest: &[&str], request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if let Err(refusal) = arm::claims(&self.world, door, &parts, self.world.clock.now()) {
            return refusal.into_response();
        }
        match read(body).await {
            Ok(body) => faults::answer_admin(&self.world, &parts.method, rest, &body),
            Err(response) => response,
        }
    }

    async fn sign_in(&self, door: Door, path: &[String], request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let form = if parts.method == Method::POST {
            match read(body).await {
                Ok(body) => url::form_urlencoded::parse(&body).into_owned().collect(),
                Err(response) => return response,
            }
        } else {
            Vec::new()
        };
        token::answer_sign_in(&self.world, door, &parts.method, path, &form).unwrap_or_else(|| {
            let text = format!("{} {} is not part of the emulator", parts.method, parts.uri.path());
            problem(StatusCode::NOT_IMPLEMENTED, "NotImplementedInEmulator", &text)
        })
    }

    /// What stands beside Azure Resource Manager: where the services are, and the services.
    async fn api(&self, door: Door, path: Vec<String>, request: Request) -> Response<Body> {
        if path.first().is_some_and(|first| first == "discovery") {
            let base = door.api(&self.world.settings.location);
            return json_response(StatusCode::OK, &json!({"api": base, "history": base}));
        }
        // The service behind Azure Resource Manager, which knows what that does not.
        if let [first, second, rest @ ..] = path.as_slice()
            && (first.as_str(), second.as_str()) == ("mferp", "managementfrontend")
        {
            return front_door::ask_service(&self.world, door, rest.to_vec(), request).await;
        }
        let (parts, body) = request.into_parts();
        let body = match read(body).await {
            Ok(body) => body,
            Err(response) => return response,
        };
        let world = Arc::clone(&self.world);
        let answered = tokio::task::spawn_blocking(move || {
            history::answer(&world, door, &parts, &path, &body)
        });
        answered.await.unwrap_or_else(|_| broken())
    }
}

/// The name that a client asked for, in lower case and without a port.
fn host(request: &Request) -> String {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| request.uri().authority().map(|authority| authority.as_str()))
        .unwrap_or_default()
        .to_lowercase();
    host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_owned()
}

/// What is left of a path behind so many parts of it.
fn behind(path: &str, n_parts: usize) -> &str {
    let start = path.match_indices('/').nth(n_parts).map(|(place, _)| place);
    start.and_then(|start| path.get(start..)).unwrap_or("/")
}

/// `devstoreaccount1` as Azurite has it, or with what the SDK makes of it.
fn is_storage(segment: &str) -> bool {
    segment
        .strip_prefix(LOCAL_ACCOUNT)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(".blob."))
}

pub(crate) async fn read(body: Body) -> Result<Vec<u8>, Response<Body>> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let text = format!("the body is longer than {MAX_BODY} bytes");
            Err(problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestBodyTooLarge", &text))
        }
        Err(_) => Err(problem(StatusCode::BAD_REQUEST, "InvalidBody", "the body broke off")),
    }
}

/// The parts of a path, decoded, without empty ones; nothing if one is no text.
pub(crate) fn segments(uri: &Uri) -> Option<Vec<String>> {
    let parts = uri.path().split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| percent_decode_str(part).decode_utf8().ok().map(|part| part.into_owned()))
        .collect()
}

/// The pairs of a query, decoded, names in lower case.
pub(crate) fn query(uri: &Uri) -> Vec<(String, String)> {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.map(|(name, value)| (name.to_lowercase(), value.into_owned())).collect()
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// An error in the form of Azure Resource Manager.
pub(crate) fn problem(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    json_response(status, &json!({"error": {"code": code, "message": message}}))
}

/// The answer when a request could not be answered: the log says why.
pub(crate) fn broken() -> Response<Body> {
    let text = "the emulator failed to answer; its log says why";
    problem(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", text)
}

fn text(text: &'static str) -> Response<Body> {
    Response::new(Body::from(text))
}
