//! Answers paths that have no view.

use axum::extract::{Request, State};

use super::refusal::Refusal;
use super::state::PageState;
use super::visit::organization_id;

/// Answers 404. A path with a slash too many at its end is redirected.
pub(super) async fn nothing_here(State(state): State<PageState>, request: Request) -> Refusal {
    let mut parts = request.into_parts().0;
    let id = match organization_id(&mut parts, &state).await {
        Ok(id) => id,
        Err(refusal) => return refusal,
    };
    match parts.uri.path().strip_suffix('/') {
        Some(path) if !path.contains("//") => Refusal::Elsewhere(format!("{}{path}", state.home(&id))),
        _ => Refusal::not_found("page"),
    }
}
