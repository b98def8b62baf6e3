//! `/api/openapi.json`: the API described, as OpenAPI 3.1.

use std::sync::LazyLock;

use axum::{http::header, response::IntoResponse};
use utoipa::openapi::{
    Components, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder,
    path::Operation,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Reach;
use crate::{State, problem::Problem, rights::Right};

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    super::description()
        .to_json()
        .unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
});

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(show))
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "api", operation_id = "openapi",
    responses((status = 200, description = "The API as OpenAPI 3.1", content_type = "application/json", body = Object))
)]
async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}

/// The document without its routes.
pub(super) fn frame() -> OpenApi {
    let license = LicenseBuilder::new()
        .name("AGPL-3.0-or-later")
        .identifier(Some("AGPL-3.0-or-later"))
        .build();
    let info = InfoBuilder::new()
        .title("Egret")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Everything the dashboard shows and does. Times are RFC 3339 in UTC. Lists come in pages: follow the \
             `Link` header with `rel=\"next\"`. Errors are `application/problem+json` with the request's id.",
        ))
        .license(Some(license))
        .build();
    let mut components = Components::new();
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A token of `egret token create`"))
                .build(),
        ),
    );
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            "__Host-egret",
            "The cookie of somebody who signed in with a browser",
        ))),
    );
    let mut document = OpenApiBuilder::new().info(info).components(Some(components)).build();
    // Brings the problem's schema along, which every operation names.
    let mut problem = utoipa::openapi::OpenApi::default();
    let mut schemas = Vec::new();
    <Problem as utoipa::ToSchema>::schemas(&mut schemas);
    schemas.push((
        <Problem as utoipa::ToSchema>::name().into_owned(),
        <Problem as utoipa::PartialSchema>::schema(),
    ));
    let mut components = Components::new();
    components.schemas.extend(schemas);
    problem.components = Some(components);
    document.merge(problem);
    document
}

/// Says of each operation which right it needs, and what every one of them may answer.
pub(super) fn guard(part: &mut OpenApi, right: Right, reach: Reach) {
    for item in part.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in operations.into_iter().flatten() {
            complete(operation, right, reach);
        }
    }
}

fn complete(operation: &mut Operation, right: Right, reach: Reach) {
    let far = match reach {
        Reach::Some => "",
        Reach::All => " for all servers",
    };
    let needs = format!("Needs the right `{}`{far}.", right.as_str());
    operation.description = Some(match operation.description.take() {
        Some(text) => format!("{text}\n\n{needs}"),
        None => needs,
    });
    operation.security = Some(vec![
        SecurityRequirement::new("token", [right.as_str()]),
        SecurityRequirement::new("session", [right.as_str()]),
    ]);
    for (code, description) in [
        ("401", "Nobody is signed in, and the request carries no valid token"),
        ("403", "Whoever asks lacks the right"),
        ("429", "Too many requests: wait as long as `Retry-After` says"),
        ("default", "What went wrong, with the request's id"),
    ] {
        let schema = Ref::from_schema_name("Problem");
        let response = ResponseBuilder::new()
            .description(description)
            .content(
                "application/problem+json",
                ContentBuilder::new().schema(Some(schema)).build(),
            )
            .build();
        operation
            .responses
            .responses
            .entry(code.to_owned())
            .or_insert_with(|| response.into());
    }
}
