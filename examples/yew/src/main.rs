//! Projects that stay fresh: the page fetches them again when the hub reports a change, from this
//! page or any other.
//!
//! `live` is the file to read: all of tinysse is there, but for the token in `api`.

mod api;
mod live;
mod projects;
mod status;

use tinysse::SseClient;
use yew::{platform::spawn_local, prelude::*};

use crate::{projects::Projects, status::StatusPill};

/// Signed in as a user, and connected, or what went wrong.
type Session = Result<SseClient, String>;

#[component]
fn App() -> Html {
    let user = use_memo((), |()| user());
    let session = use_state(|| None::<Session>);
    {
        let (user, session) = (user.clone(), session.clone());
        use_effect_with((), move |()| {
            spawn_local(async move { session.set(Some(begin(&user).await)) });
        });
    }
    html! {
        <>
            <header>
                <h1>{"tinysse"} <span class="with">{"in Yew"}</span></h1>
                if let Some(Ok(client)) = &*session { <StatusPill client={client.clone()} /> }
                <p class="who">{"as "}<b>{&*user}</b></p>
            </header>
            <main>{match &*session {
                None => html! { <p class="panel">{"Signing in …"}</p> },
                Some(Ok(client)) => html! { <Projects client={client.clone()} /> },
                Some(Err(error)) => html! { <p class="panel bad" role="alert">{error}</p> },
            }}</main>
            <footer>{"Open this page twice, as "}<a href="?user=bob" target="_blank">{"bob"}</a>{" too, and rename a project."}</footer>
        </>
    }
}

async fn begin(user: &str) -> Session {
    api::sign_in(user).await?;
    live::connect().map_err(|error| error.to_string())
}

/// `?user=bob` signs in as bob.
fn user() -> String {
    let query = web_sys::window().and_then(|window| window.location().search().ok()).unwrap_or_default();
    let named = web_sys::UrlSearchParams::new_with_str(&query).ok().and_then(|query| query.get("user"));
    named.unwrap_or_else(|| "ada".to_owned())
}

fn main() {
    yew::Renderer::<App>::new().render();
}
