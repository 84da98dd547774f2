//! Handlers whose own types say what a route is.
//!
//! An endpoint is an async function of extractors that returns `Result<A>`. Each extractor and the
//! answer describe themselves; a row of the route table names the function, and can say nothing of
//! body, query, answer, status, command or access that the function does not do. What is false
//! does not compile:
//!
//! ```
//! # use gx_server::endpoint::*;
//! async fn pause(
//!     commands: Commands<May<grant::SystemPause>>,
//!     Body(body): Body<PauseBody>,
//! ) -> Result<Accepted<PauseSystem>> {
//!     commands.give(PauseSystem { reason: body.reason.into() }).await
//! }
//! let route = Route::post("/api/v1/admin/system/pause", pause);
//! assert_eq!(route.access(), Access::Admin(Permission::SystemPause));
//! assert_eq!(route.command(), Some("AdminContract:PauseSystem"));
//! ```
//!
//! A body of another type than the handler reads:
//!
//! ```compile_fail
//! # use gx_server::endpoint::*;
//! async fn pause(
//!     commands: Commands<May<grant::SystemPause>>,
//!     Body(body): Body<NoBody>,
//! ) -> Result<Accepted<PauseSystem>> {
//!     commands.give(PauseSystem { reason: body.reason.into() }).await
//! }
//! let route = Route::post("/api/v1/admin/system/pause", pause);
//! ```
//!
//! Another command, and thereby another name of it, than the one that is given:
//!
//! ```compile_fail
//! # use gx_server::endpoint::*;
//! async fn pause(
//!     commands: Commands<May<grant::SystemPause>>,
//!     Body(body): Body<PauseBody>,
//! ) -> Result<Accepted<ResumeSystem>> {
//!     commands.give(PauseSystem { reason: body.reason.into() }).await
//! }
//! let route = Route::post("/api/v1/admin/system/pause", pause);
//! ```
//!
//! Access for somebody else than the handler takes, stated beside it:
//!
//! ```compile_fail
//! # use gx_server::endpoint::*;
//! async fn pause(
//!     commands: Commands<May<grant::SystemPause>>,
//!     Body(body): Body<PauseBody>,
//! ) -> Result<Accepted<PauseSystem>> {
//!     commands.give(PauseSystem { reason: body.reason.into() }).await
//! }
//! let route = Route::post("/api/v1/admin/system/pause", Access::Either, pause);
//! ```
//!
//! Answers and their statuses are types as well:
//!
//! ```
//! # use gx_server::endpoint::*;
//! async fn echo(_: User, Body(body): Body<NoBody>) -> Result<Created<Message>> {
//!     Ok(Created(Message::done("Written down")))
//! }
//! let route = Route::post("/api/v1/echo", echo);
//! assert!(route.admits(201, None) && !route.admits(200, None));
//! ```
//!
//! so that neither another answer compiles
//!
//! ```compile_fail
//! # use gx_server::endpoint::*;
//! async fn echo(_: User, Body(body): Body<NoBody>) -> Result<Created<NoBody>> {
//!     Ok(Created(Message::done("Written down")))
//! }
//! let route = Route::post("/api/v1/echo", echo);
//! ```
//!
//! nor a status that is not given:
//!
//! ```compile_fail
//! # use gx_server::endpoint::*;
//! async fn echo(_: User, Body(body): Body<NoBody>) -> Result<Json<Message>> {
//!     Ok(Created(Message::done("Written down")))
//! }
//! let route = Route::post("/api/v1/echo", echo);
//! ```

use std::future::Future;

use axum::extract::State;
use axum::handler::Handler;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::shape::Shape;
use crate::app::App;
use crate::auth::{Admin, Caller, Grant, May, Partner, User};
use crate::error::Result;
use crate::http::accept::Accept;
use crate::http::answer::{Created, Html, Json, Read, Rendered, Svg};
use crate::http::context::Context;
use crate::http::extract::{After, Body, Key, Path, Query, Wait};
use crate::http::fields::Field;
use crate::http::stream::Streamed;

use super::route::{Access, Served};

/// What a handler takes from a request, described by its type.
pub trait Input {
    /// Adds what the type means for the route.
    fn describe(shape: &mut Shape);
}

/// What a handler answers, described by its type.
pub trait Answer: IntoResponse {
    /// Adds statuses and content.
    fn describe(shape: &mut Shape);
}

/// A handler that describes itself.
pub trait Endpoint<Args>: Handler<Args, App> + Sync {
    /// What the types of the handler say.
    fn shape() -> Shape;
}

impl<F, Fut, A> Endpoint<((),)> for F
where
    F: FnOnce() -> Fut + Handler<((),), App> + Sync,
    Fut: Future<Output = Result<A>>,
    A: Answer,
{
    fn shape() -> Shape {
        let mut shape = Shape::new();
        A::describe(&mut shape);
        shape
    }
}

macro_rules! endpoints {
    ($(($($input:ident),+))+) => {$(
        impl<F, Fut, A, M, $($input),+> Endpoint<(M, $($input,)+)> for F
        where
            F: FnOnce($($input),+) -> Fut + Handler<(M, $($input,)+), App> + Sync,
            Fut: Future<Output = Result<A>>,
            A: Answer,
            $($input: Input,)+
        {
            fn shape() -> Shape {
                let mut shape = Shape::new();
                $($input::describe(&mut shape);)+
                A::describe(&mut shape);
                shape
            }
        }
    )+};
}

endpoints! {
    (I1)
    (I1, I2)
    (I1, I2, I3)
    (I1, I2, I3, I4)
    (I1, I2, I3, I4, I5)
    (I1, I2, I3, I4, I5, I6)
}

/// Inputs that are no matter of the client's.
macro_rules! unseen {
    ($($type:ty),+) => {$(
        impl Input for $type {
            fn describe(_: &mut Shape) {}
        }
    )+};
}

unseen!(Context, HeaderMap, Served);

impl<T> Input for State<T> {
    fn describe(_: &mut Shape) {}
}

impl Input for User {
    fn describe(shape: &mut Shape) {
        shape.access(Access::User);
    }
}

impl Input for Admin {
    fn describe(shape: &mut Shape) {
        shape.access(Access::AnyAdmin);
    }
}

impl<G: Grant> Input for May<G> {
    fn describe(shape: &mut Shape) {
        shape.access(Access::Admin(G::PERMISSION));
    }
}

impl Input for Partner {
    fn describe(shape: &mut Shape) {
        shape.access(Access::Partner);
    }
}

impl Input for Caller {
    fn describe(shape: &mut Shape) {
        shape.access(Access::Either);
    }
}

impl<T: Field + JsonSchema> Input for Body<T> {
    fn describe(shape: &mut Shape) {
        shape.body = Some(|schemas| schemas.subschema_for::<T>());
        shape.fails(&[
            (400, "validation_failed"),
            (400, "malformed_json"),
            (408, "body_too_slow"),
            (413, "body_too_large"),
            (415, "unsupported_media_type"),
        ]);
    }
}

impl<T: Field + JsonSchema> Input for Query<T> {
    fn describe(shape: &mut Shape) {
        shape.query = Some(|schemas| T::json_schema(schemas));
        shape.fails(&[(400, "validation_failed"), (400, "malformed_query")]);
    }
}

impl Input for Key {
    fn describe(shape: &mut Shape) {
        shape.is_command = true;
        shape.fails(&[(400, "idempotency_key_required"), (400, "idempotency_key_invalid")]);
    }
}

impl Input for Wait {
    fn describe(shape: &mut Shape) {
        shape.waits = true;
    }
}

impl Input for Accept {
    fn describe(shape: &mut Shape) {
        shape.fails(&[(406, "not_acceptable")]);
    }
}

impl<T> Input for Path<T> {
    fn describe(shape: &mut Shape) {
        shape.fails(&[(400, "malformed_path"), (404, "not_found")]);
    }
}

impl Input for After {
    fn describe(shape: &mut Shape) {
        shape.after = true;
        shape.fails(&[
            (400, "invalid_after"),
            (400, "malformed_query"),
            (404, "not_found"),
            (425, "not_projected"),
        ]);
    }
}

impl<T: Serialize + JsonSchema> Answer for Json<T> {
    fn describe(shape: &mut Shape) {
        shape.json::<T>(StatusCode::OK);
    }
}

impl<T: Serialize + JsonSchema> Answer for Created<T> {
    fn describe(shape: &mut Shape) {
        shape.json::<T>(StatusCode::CREATED);
    }
}

impl<T: Serialize + JsonSchema> Answer for Read<T> {
    fn describe(shape: &mut Shape) {
        shape.json::<T>(StatusCode::OK);
    }
}

impl<T: Serialize + JsonSchema> Answer for Rendered<T> {
    fn describe(shape: &mut Shape) {
        shape.json::<T>(StatusCode::OK);
    }
}

impl Answer for Html {
    fn describe(shape: &mut Shape) {
        shape.other("text/html; charset=utf-8");
    }
}

impl Answer for Svg {
    fn describe(shape: &mut Shape) {
        shape.other(Self::MEDIA_TYPE);
    }
}

impl Answer for Streamed {
    fn describe(shape: &mut Shape) {
        shape.other("text/event-stream");
    }
}
