use axum::{
    body::Body,
    http::{Method, Response, StatusCode},
};
use serde_json::{Value, json};

use super::{Active, Fault};
use crate::{
    front::{json_response, problem},
    world::World,
};

/// Answers `/admin/faults`, for who holds a token: what there is, one more, one fewer, none.
pub(crate) fn answer(world: &World, method: &Method, rest: &[&str], body: &[u8]) -> Response<Body> {
    let faults = &world.faults;
    match (method, rest) {
        (&Method::GET, []) => {
            let value: Vec<Value> = faults.list().active.iter().map(shown).collect();
            json_response(StatusCode::OK, &json!({"value": value}))
        }
        (&Method::POST, []) => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let Some(rule) = body["rule"].as_str() else {
                let text = r#"the body must be {"rule": "KIND[=VALUE]:WHAT[:METHOD][:HOW_OFTEN]"}"#;
                return problem(StatusCode::BAD_REQUEST, "InvalidFault", text);
            };
            match rule.parse::<Fault>() {
                Ok(fault) => {
                    let id = faults.add(fault);
                    let list = faults.list();
                    let added = list.active.iter().find(|active| active.id == id);
                    json_response(StatusCode::CREATED, &added.map(shown).unwrap_or_default())
                }
                Err(error) => problem(StatusCode::BAD_REQUEST, "InvalidFault", &error.to_string()),
            }
        }
        (&Method::DELETE, []) => {
            faults.list().active.clear();
            nothing()
        }
        (&Method::DELETE, [id]) => {
            let mut list = faults.list();
            let n_before = list.active.len();
            list.active.retain(|active| active.id.to_string() != *id);
            if list.active.len() < n_before {
                return nothing();
            }
            problem(StatusCode::NOT_FOUND, "NotFound", &format!("there is no fault {id}"))
        }
        _ => {
            let text = "GET, POST and DELETE /admin/faults, DELETE /admin/faults/ID";
            problem(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", text)
        }
    }
}

fn shown(active: &Active) -> Value {
    json!({
        "id": active.id,
        "rule": active.fault.to_string(),
        "asked": active.n_asked,
        "befallen": active.n_befallen,
    })
}

fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
