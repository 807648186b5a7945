//! Routes that read from copies of the database.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{Error, Resource, web};

use crate::auth::own_writes::{self, Caller};

/// A resource whose GETs read from copies, where callers of one kind still see what they wrote.
pub(super) fn from_replicas<C: Caller + 'static>(
    path: &str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<C>,
> {
    web::resource(path).wrap(from_fn(own_writes::see::<C, _>))
}
