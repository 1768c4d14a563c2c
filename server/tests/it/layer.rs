//! The layer around handlers, without a socket.

use axum::{Router, body::Body, http::StatusCode, routing::get};
use tower::ServiceExt;

use crate::support::SECRET;
use axum::http::Request;
use std::sync::Arc;
use tinysse::proto::wire::names::{H_CURSOR, H_ORIGIN};
use tinysse_hub::{
    app::App,
    http::response::{Broadcast, Response},
    hub::Update,
    publish::delivery::Notice,
    settings::Settings,
    values::Secret,
};
use tower::Layer;

#[tokio::test]
async fn only_a_success_is_published() {
    let app = App::new(Settings::in_memory(Secret::from(SECRET.to_owned()))).expect("memory");
    let answer = |status| async move { (status, Response::new(1).broadcast("projects")) };
    let routes = Router::new()
        .route("/fine", get(move || answer(StatusCode::ACCEPTED)))
        .route("/conflict", get(move || answer(StatusCode::CONFLICT)))
        .route("/moved", get(move || answer(StatusCode::FOUND)))
        .layer(app.services.publishing());
    for (path, published) in [("/conflict", 0), ("/moved", 0), ("/fine", 1), ("/conflict", 1)] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = routes.clone().oneshot(request).await.expect("an answer");
        assert_eq!(app.services.streams.cursor().seq, published, "{path}");
        assert_eq!(response.headers()[H_CURSOR], app.services.streams.cursor().text());
    }
}

#[tokio::test]
async fn a_service_without_axum_is_as_good() {
    let app = App::new(Settings::in_memory(Secret::from(SECRET.to_owned()))).expect("memory");
    let mut notices = app.services.updates.subscribe();
    let plain = tower::service_fn(|request: Request<&'static str>| async move {
        let mut response = axum::http::Response::new(request.into_body().len());
        let own = Update { origin: Some("mine".into()), ..Update::new("b") };
        response.extensions_mut().insert(Broadcast(vec!["a".into(), own]));
        Ok::<_, String>(response)
    });
    let request = Request::get("/").header(H_ORIGIN, "tab").body("four").expect("a request");
    let response = app.services.publishing().layer(plain).oneshot(request).await.expect("an answer");
    assert_eq!((response.into_body(), app.services.streams.cursor().seq), (4, 2));
    let origin = |notice: Arc<Notice>| notice.update.origin.clone();
    assert_eq!(notices.recv().await.map(origin).ok().flatten().as_deref(), Some("tab"));
    assert_eq!(notices.recv().await.map(origin).ok().flatten().as_deref(), Some("mine"));
}
