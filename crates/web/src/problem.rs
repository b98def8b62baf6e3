//! What went wrong, for a program as `problem+json` and for a person as a page, with the request's id.

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use maud::html;
use serde::Serialize;
use tracing::error;
use uuid::Uuid;

use crate::layout;

/// What went wrong.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    status: u16,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip)]
    plain: bool,
}

impl Problem {
    pub(crate) fn new(status: u16, title: &'static str) -> Self {
        Self {
            status,
            title,
            detail: None,
            request_id: None,
            plain: false,
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, "not found").because(what)
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

    fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// As text, when asked for; else an answer that [`with_request_id`] completes.
    fn render(&self, json: bool) -> Response {
        let detail = self.detail.as_deref().unwrap_or_default();
        if json {
            let mut response = Json(self).into_response();
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/problem+json"),
            );
            return response;
        }
        layout::page(
            self.title,
            None,
            &html! {
                h1 { (self.title) }
                p { (detail) }
                @if let Some(id) = &self.request_id { p.quiet.small { "Request " code { (id) } } }
            },
        )
        .into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = if self.plain {
            format!("{}: {}\n", self.title, self.detail.as_deref().unwrap_or_default()).into_response()
        } else {
            ().into_response()
        };
        *response.status_mut() = self.http_status();
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

/// Gives every request an id, in the answer's headers and in every problem.
pub(crate) async fn with_request_id(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    let json = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>()
        && !problem.plain
    {
        let problem = Problem {
            request_id: Some(id.clone()),
            ..problem
        };
        error_if_ours(&problem);
        let mut rendered = problem.render(json);
        *rendered.status_mut() = problem.http_status();
        response = rendered;
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

fn error_if_ours(problem: &Problem) {
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
