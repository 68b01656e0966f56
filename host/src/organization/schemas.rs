//! The schemas and resource types that an organization declares.

use insomnia_scim_contract::{DeclarationRefusal, Mistake};

use super::Organization;
use crate::error::{ActionError, SchemasError};

/// A declaration of nothing.
const NOTHING: &str = r#"{"schemas":[],"resourceTypes":[]}"#;

impl Organization {
    /// Declares further schemas and resource types as JSON `{"schemas": […], "resourceTypes": […]}`, at most 512 KiB, in the
    /// forms of RFC 7643 §7 and §6. This replaces earlier declarations. Stored resources stay as they are.
    ///
    /// # Errors
    /// [`SchemasError::Invalid`] points at the mistake.
    pub async fn put_schemas(&self, declaration: String) -> Result<(), SchemasError> {
        let by = self.by.clone();
        let put = self.call("insomnia_scim_schemas.call_put", move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_schemas().call_put(store, &by, &declaration).await })
        });
        put.await.map_err(ActionError::from)?.map_err(|refusal| match refusal {
            DeclarationRefusal::Invalid(Mistake { pointer, detail }) => SchemasError::Invalid { pointer, detail },
            DeclarationRefusal::Failed(error) => SchemasError::Refused(error.into()),
        })
    }

    /// Removes all declarations. Stored resources stay as they are.
    ///
    /// # Errors
    /// Those of [`Organization::put_schemas`].
    pub async fn remove_schemas(&self) -> Result<(), SchemasError> {
        self.put_schemas(NOTHING.to_owned()).await
    }

    /// The declarations, in the form that [`Organization::put_schemas`] takes.
    #[allow(clippy::missing_errors_doc, reason = "see the type")]
    pub async fn schemas(&self) -> Result<String, ActionError> {
        act!(self.insomnia_scim_schemas.call_get())
    }
}
