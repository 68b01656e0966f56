//! One operation on a resource: a request of its own, or a part of a bulk request.

use super::answer::Answer;
use super::context::Context;
use super::declared::Declared;
use super::groups::Groups;
use super::resource::serve;
use super::users::Users;
use crate::protocol::error::ScimError;
use crate::protocol::route::Route;

/// Creates a resource of the named type, or does what the method says to the resource with this id.
pub(super) fn on_resource(context: &Context<'_, '_>, name: &str, id: Option<&str>) -> Result<Answer, ScimError> {
    match name {
        "User" => serve(&Users::new(context)?, id),
        "Group" => serve(&Groups::new(context)?, id),
        name => serve(&Declared::new(context, name)?, id),
    }
}

/// Runs an operation of a bulk request, for the same caller.
pub(super) fn within_bulk(context: &Context<'_, '_>) -> Result<Answer, ScimError> {
    let route = Route::parse(&context.request.path, context.table, false, context.mode)?;
    if route.allows(&context.request.method) {
        match &route {
            Route::Resources(name) if context.request.method == "POST" => return on_resource(context, name, None),
            Route::Resource(name, id) if context.request.method != "GET" => {
                return on_resource(context, name, Some(id));
            }
            _ => {}
        }
    }
    Err(ScimError::status(405, "A bulk operation creates, replaces, modifies or deletes a resource"))
}
