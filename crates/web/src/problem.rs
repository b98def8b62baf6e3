//! What went wrong, for a program as `problem+json` and for a person as a page, with the request's id.

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    actor,
    layout::{self, Sheet},
    rights::Visitor,
};

/// What went wrong (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status says what kind it is.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Blank,
    /// The answer's status.
    status: u16,
    /// In a few words.
    title: &'static str,
    /// In a sentence, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Which fields of the request are wrong, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Wrong>,
    /// Find this request in the log by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip)]
    plain: bool,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Every problem's `type`.
#[derive(Debug, Clone, Copy)]
struct Blank;

impl Serialize for Blank {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("about:blank")
    }
}

/// One field that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Wrong {
    /// Its name, as it was sent.
    field: String,
    /// What is wrong with it.
    message: String,
}

impl Problem {
    pub(crate) fn new(status: u16, title: &'static str) -> Self {
        Self {
            kind: Blank,
            status,
            title,
            detail: None,
            errors: Vec::new(),
            request_id: None,
            plain: false,
            headers: Vec::new(),
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "not found").because(what)
    }

    /// One field of the request is wrong.
    pub(crate) fn field(status: u16, field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        let mut problem = Self::new(status, "cannot read the request").because(format!("{field}: {message}"));
        problem.errors.push(Wrong { field, message });
        problem
    }

    pub(crate) fn because(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// As text: for answers outside of all our pages.
    pub(crate) fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    /// With a header, such as `Retry-After`.
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// For what a layer below us answered in its own words.
    fn of(status: StatusCode) -> Self {
        let (title, detail) = match status.as_u16() {
            404 => ("not found", "there is nothing at this address"),
            405 => ("not like this", "this address takes another method: see Allow"),
            408 | 504 => ("this takes too long", "try again, or ask for less at once"),
            413 => ("too much", "what was sent is longer than anything this address takes"),
            415 => ("not this kind", "send application/json"),
            500.. => ("this is a bug", "the log says more"),
            _ => (
                "cannot read the request",
                "see the API's description at /api/openapi.json",
            ),
        };
        Self::new(status.as_u16(), title).because(detail)
    }

    pub(crate) fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn render(&self, json: bool, visitor: Option<&Visitor>) -> Response {
        if json {
            let mut response = Json(self).into_response();
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/problem+json"),
            );
            return response;
        }
        let detail = self.detail.as_deref().unwrap_or_default();
        let body = html! {
            p { (detail) }
            @if let Some(id) = &self.request_id { p.quiet.small { "Request " code { (id) } } }
        };
        match visitor {
            Some(visitor) => Sheet::nowhere(visitor, self.title).show(&body),
            None => layout::alone(self.title, &body),
        }
        .into_response()
    }
}

impl IntoResponse for Problem {
    /// As text, when asked for; else an answer that [`with_request_id`] completes.
    fn into_response(self) -> Response {
        let mut response = if self.plain {
            format!("{}: {}\n", self.title, self.detail.as_deref().unwrap_or_default()).into_response()
        } else {
            ().into_response()
        };
        *response.status_mut() = self.http_status();
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        // The operator finds the cause under the request's id in the log; a visitor need not know it.
        error!(error = %error, cause = std::error::Error::source(&error).map(ToString::to_string), "a page cannot read the store");
        Self::new(503, "the database does not answer").because("try again in a moment; the log says more")
    }
}

/// Lets [`with_request_id`] know who asked, so that an error comes in the frame they know.
pub(crate) async fn with_visitor(visitor: Visitor, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(visitor);
    response
}

/// Gives every request an id, in the answer's headers and in every problem.
pub(crate) async fn with_request_id(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    let path = request.uri().path();
    let json = path.starts_with("/api/") || path == "/api";
    // Servers ask here, and whoever looks into why one was refused asks as they do.
    let for_servers = path.starts_with("/webhooks/") || actor::is_public(path);
    let mut response = next.run(request).await;
    if let Some(problem) = problem_of(&mut response, json, for_servers) {
        let problem = Problem {
            request_id: Some(id.clone()),
            ..problem
        };
        tell_if_ours(&problem);
        let visitor = response.extensions_mut().remove::<Visitor>();
        let mut rendered = problem.render(json, visitor.as_ref());
        *rendered.status_mut() = problem.http_status();
        keep(response.headers(), rendered.headers_mut());
        response = rendered;
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// What is to be rendered: a problem of ours, or what a layer said in plain text. What servers are told in plain words
/// stays as it is.
fn problem_of(response: &mut Response, json: bool, for_servers: bool) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return (!problem.plain).then_some(problem);
    }
    if for_servers {
        return None;
    }
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let plain = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    // The time limit and the limit of bodies know nothing of us. Health checks answer in plain words on purpose.
    let foreign = (status.is_client_error() || matches!(status.as_u16(), 500 | 504)) && plain;
    (foreign && (json || status != StatusCode::SERVICE_UNAVAILABLE)).then(|| Problem::of(status))
}

/// What the refusal said beside its body: `Allow`, `Retry-After`, cookies.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, value) in from {
        if !matches!(
            *name,
            header::CONTENT_TYPE | header::CONTENT_LENGTH | header::TRANSFER_ENCODING
        ) {
            to.append(name, value.clone());
        }
    }
}

fn tell_if_ours(problem: &Problem) {
    if problem.status >= 500 {
        error!(
            http_status = problem.status,
            request_id = problem.request_id,
            "answered {}: {}",
            problem.status,
            problem.title
        );
    }
}
