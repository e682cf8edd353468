//! API documents for the routes of Azure ML, made of what the model's columns may hold.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::{
    AnswerStyle, ErrorCode, InputField, ScoreError, app::App, input_field::SchemaDialect, scoring,
};

/// `GET /swagger.json?version=`: 2 (the default), 3 or 3.1.
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Response {
    let pairs = query.map_or_else(|_| Vec::new(), |Query(pairs)| pairs);
    let version = pairs.iter().rev().find(|(name, _)| name == "version");
    let dialect = match version.map_or("2", |(_, version)| version) {
        "2" | "2.0" => SchemaDialect::Swagger2,
        "3" | "3.0" => SchemaDialect::OpenApi3,
        "3.1" => SchemaDialect::JsonSchema,
        _ => {
            let message = "there is no such version of the document: ask for 2, 3 or 3.1";
            return ScoreError::new(ErrorCode::NotFound, message).into_response();
        }
    };
    match scoring::choose(&app, &headers) {
        Ok((_, loaded)) => {
            Json(document(&app, &loaded.scorer.input_fields(), dialect)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

fn document(app: &App, fields: &[InputField], dialect: SchemaDialect) -> Value {
    let service = &app.options.service;
    let info = json!({
        "title": service.name,
        "version": service.version,
        "description": format!("API specification for the Azure Machine Learning service {}", service.name),
    });
    let prefix = match service.path_prefix.as_str() {
        "" => String::new(),
        prefix => format!("/{prefix}"),
    };
    let secured = app.options.keys.is_some();
    let definitions = definitions(app, fields, dialect);
    let paths = json!({
        format!("{prefix}/"): {"get": health(dialect)},
        format!("{prefix}/score"): {
            "post": score(dialect, secured),
            "get": score_query(fields, dialect, secured),
        },
    });
    match dialect {
        SchemaDialect::Swagger2 => {
            let mut document = json!({
                "swagger": "2.0",
                "info": info,
                "schemes": ["https", "http"],
                "consumes": ["application/json"],
                "produces": ["application/json"],
                "paths": paths,
                "definitions": definitions,
            });
            if secured {
                document["securityDefinitions"] = json!({"Bearer": {
                    "type": "apiKey", "name": "Authorization", "in": "header",
                    "description": "Bearer KEY",
                }});
            }
            document
        }
        SchemaDialect::OpenApi3 | SchemaDialect::JsonSchema => {
            let version = if dialect == SchemaDialect::OpenApi3 { "3.0.3" } else { "3.1.0" };
            let mut components = json!({"schemas": definitions});
            if secured {
                components["securitySchemes"] =
                    json!({"Bearer": {"type": "http", "scheme": "bearer"}});
            }
            json!({"openapi": version, "info": info, "paths": paths, "components": components})
        }
    }
}

/// What a request, an answer and a refusal look like.
fn definitions(app: &App, fields: &[InputField], dialect: SchemaDialect) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name().to_owned(), field.schema(dialect))).collect();
    let names: Vec<&str> = fields.iter().map(InputField::name).collect();
    let mut record = json!({"type": "object", "properties": properties});
    // An empty list of required properties is none in the older dialects.
    if !names.is_empty() {
        record["required"] = json!(names);
    }
    let example: Map<String, Value> =
        fields.iter().map(|field| (field.name().to_owned(), field.json_example())).collect();
    let records = json!({"type": "array", "items": {"$ref": reference(dialect, "Record")}});
    let numbers = json!({"type": "array", "items": {"type": "number", "format": "double"}});
    let predictions = json!({
        "type": "object",
        "required": ["predictions"],
        "properties": {"predictions": numbers},
    });
    json!({
        "Record": record,
        "ServiceInput": {
            "type": "object",
            "required": ["data"],
            "properties": {"data": records},
            "example": {"data": [example]},
        },
        "ServiceOutput": match app.options.answer_style {
            AnswerStyle::Native => predictions,
            AnswerStyle::List => numbers,
            AnswerStyle::JsonString => json!({"type": "string"}),
        },
        "ErrorResponse": error(),
    })
}

fn error() -> Value {
    let codes: Vec<String> = ErrorCode::ALL.iter().map(ToString::to_string).collect();
    let code = json!({"type": "string", "enum": codes});
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {"error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": code,
                "message": {"type": "string"},
                "details": {"type": "array", "items": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {
                        "row": {"type": "integer", "minimum": 0},
                        "field": {"type": "string"},
                        "code": code,
                        "message": {"type": "string"},
                        "allowed": {"type": "object"},
                    },
                }},
            },
        }},
    })
}

fn health(dialect: SchemaDialect) -> Value {
    let text = json!({"type": "string"});
    let alive = match dialect {
        SchemaDialect::Swagger2 => json!({"description": "The server is alive", "schema": text}),
        _ => json!({
            "description": "The server is alive",
            "content": {"text/plain": {"schema": text}},
        }),
    };
    let mut operation = json!({
        "operationId": "ServiceHealthCheck",
        "description": "Tells whether the server is alive.",
        "responses": {"200": alive},
    });
    if dialect == SchemaDialect::Swagger2 {
        operation["produces"] = json!(["text/plain"]);
    }
    operation
}

/// A row in the body of a request, or several.
fn score(dialect: SchemaDialect, secured: bool) -> Value {
    let mut operation = json!({
        "operationId": "RunMLService",
        "description": "Predicts one number for each record.",
        "responses": responses(dialect),
    });
    if dialect == SchemaDialect::Swagger2 {
        operation["parameters"] = json!([{
            "name": "serviceInputPayload",
            "in": "body",
            "required": true,
            "schema": schema(dialect, "ServiceInput"),
        }]);
    } else {
        operation["requestBody"] =
            json!({"required": true, "content": content(dialect, "ServiceInput")});
    }
    with_security(operation, secured)
}

/// A row in the address of a request. It has no null: what may be missing is written as the word.
fn score_query(fields: &[InputField], dialect: SchemaDialect, secured: bool) -> Value {
    let parameter = |field: &InputField| {
        let mut schema = field.clone().nullable(false).schema(dialect);
        let mut parameter = json!({"name": field.name(), "in": "query", "required": true});
        if dialect == SchemaDialect::Swagger2 {
            // There, what a parameter holds stands in itself.
            if let (Some(parameter), Some(schema)) =
                (parameter.as_object_mut(), schema.as_object_mut())
            {
                parameter.append(schema);
            }
        } else {
            parameter["schema"] = schema;
        }
        parameter
    };
    let operation = json!({
        "operationId": "RunMLServiceOnQuery",
        "description": "Predicts one number for one record.",
        "parameters": fields.iter().map(parameter).collect::<Vec<Value>>(),
        "responses": responses(dialect),
    });
    with_security(operation, secured)
}

fn responses(dialect: SchemaDialect) -> Value {
    let response = |description: &str, name: &str| match dialect {
        SchemaDialect::Swagger2 => {
            json!({"description": description, "schema": schema(dialect, name)})
        }
        _ => json!({"description": description, "content": content(dialect, name)}),
    };
    let mut responses: Map<String, Value> = Map::new();
    responses.insert("200".to_owned(), response("One prediction for each record", "ServiceOutput"));
    for code in ErrorCode::ALL {
        let status = code.status();
        let reason = status.canonical_reason().unwrap_or_default();
        responses.insert(status.as_str().to_owned(), response(reason, "ErrorResponse"));
    }
    Value::Object(responses)
}

fn with_security(mut operation: Value, secured: bool) -> Value {
    if secured {
        operation["security"] = json!([{"Bearer": []}]);
    }
    operation
}

fn content(dialect: SchemaDialect, name: &str) -> Value {
    json!({"application/json": {"schema": schema(dialect, name)}})
}

fn schema(dialect: SchemaDialect, name: &str) -> Value {
    json!({"$ref": reference(dialect, name)})
}

fn reference(dialect: SchemaDialect, name: &str) -> String {
    match dialect {
        SchemaDialect::Swagger2 => format!("#/definitions/{name}"),
        _ => format!("#/components/schemas/{name}"),
    }
}
