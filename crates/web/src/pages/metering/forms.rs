//! What the buttons do.

use std::time::Duration;

use axum::{
    extract::{Form, Path, State as Extract, rejection::FormRejection},
    response::Redirect,
};
use serde::Deserialize;
use store::metered_accounts;

use crate::{State, api::metering as api, problem::Problem};

/// How long a page waits for an account to be looked up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Who is to be measured.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    address: String,
    #[serde(default)]
    groups: String,
}

fn read<T>(form: Result<Form<T>, FormRejection>) -> Result<T, Problem> {
    let Form(form) = form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    Ok(form)
}

pub(super) async fn add(
    Extract(state): Extract<State>,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Redirect, Problem> {
    let asked = read(form)?;
    let groups = asked
        .groups
        .split([',', ';', ' '])
        .filter(|group| !group.is_empty())
        .map(str::to_owned)
        .collect();
    let wish = api::ask(&state, &asked.address, groups, PATIENCE).await?;
    Ok(match wish.account {
        Some(id) => Redirect::to(&format!("/metering/accounts/{id}")),
        None => Redirect::to("/metering"),
    })
}

/// How to remove an account.
#[derive(Debug, Deserialize)]
pub(super) struct Removal {
    #[serde(default)]
    purge: String,
}

pub(super) async fn remove(
    Extract(state): Extract<State>,
    Path(id): Path<i64>,
    form: Result<Form<Removal>, FormRejection>,
) -> Result<Redirect, Problem> {
    let removal = read(form)?;
    api::one(&state, id).await?;
    if removal.purge.is_empty() {
        metered_accounts::remove(&state.store, id).await?;
    } else {
        metered_accounts::purge(&state.store, id).await?;
    }
    Ok(Redirect::to("/metering"))
}

pub(super) async fn measure(Extract(state): Extract<State>, Path(id): Path<i64>) -> Result<Redirect, Problem> {
    let account = api::one(&state, id).await?;
    api::measure_now(&state, &account).await?;
    Ok(Redirect::to(&format!("/metering/accounts/{id}")))
}

/// Which group.
#[derive(Debug, Deserialize)]
pub(super) struct Membership {
    group: String,
    #[serde(default)]
    leave: String,
}

pub(super) async fn join(
    Extract(state): Extract<State>,
    Path(id): Path<i64>,
    form: Result<Form<Membership>, FormRejection>,
) -> Result<Redirect, Problem> {
    let membership = read(form)?;
    api::one(&state, id).await?;
    if membership.leave.is_empty() {
        let groups = std::slice::from_ref(&membership.group);
        api::check_groups(groups)?;
        metered_accounts::join(&state.store, id, groups).await?;
    } else {
        metered_accounts::leave(&state.store, id, &membership.group).await?;
    }
    Ok(Redirect::to(&format!("/metering/accounts/{id}")))
}
