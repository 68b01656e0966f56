//! The stylesheet and the script. Their names change with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

/// A file that browsers may cache.
pub(super) struct Asset {
    name: String,
    media_type: &'static str,
    content: &'static str,
}

pub(super) static STYLESHEET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_str!("templates/page.css")));
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("js", "text/javascript; charset=utf-8", include_str!("templates/page.js")));

const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

impl Asset {
    fn new(extension: &str, media_type: &'static str, content: &'static str) -> Self {
        let hash = hex::encode(&Sha256::digest(content.as_bytes())[..8]);
        Self { name: format!("page-{hash}.{extension}"), media_type, content }
    }

    /// The file's path below that of the base URL.
    pub(super) fn path(&self, root: &str) -> String {
        format!("{root}/scim-page/{}", self.name)
    }
}

/// `GET /scim-page/{file}`.
pub(super) async fn serve(Path(file): Path<String>) -> Response {
    match [&*STYLESHEET, &*SCRIPT].into_iter().find(|asset| asset.name == file) {
        Some(asset) => (HEADERS, [(header::CONTENT_TYPE, asset.media_type)], asset.content).into_response(),
        None => (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response(),
    }
}
