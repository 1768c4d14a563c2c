//! The list: every row can be renamed, and flashes when it was.

use tinysse::SseClient;
use web_sys::HtmlInputElement;
use yew::{platform::spawn_local, prelude::*};

use crate::{
    api::{self, Project},
    live::use_projects,
};

#[derive(PartialEq, Properties)]
pub struct Live {
    pub client: SseClient,
}

#[component]
pub fn Projects(Live { client }: &Live) -> Html {
    let projects = use_projects(client);
    match &*projects {
        Ok(list) => html! {
            <section class="panel" aria-labelledby="projects">
                <h2 id="projects">{"Projects"} <span class="count">{list.len()}</span></h2>
                <ul>{for list.iter().map(|project| {
                    // Another time is another row: it appears anew, and flashes.
                    html! { <Row key={format!("{} {}", project.id, project.updated_at)} project={project.clone()} /> }
                })}</ul>
                <Create />
            </section>
        },
        Err(error) => html! { <p class="panel bad" role="alert">{error}</p> },
    }
}

#[derive(PartialEq, Properties)]
struct RowOf {
    project: Project,
}

#[component]
fn Row(RowOf { project }: &RowOf) -> Html {
    let field = use_node_ref();
    let onsubmit = {
        let (project, field) = (project.clone(), field.clone());
        // The list is not touched here: the update that the hub sends fetches it, in this page as
        // in every other.
        submit(field, move |name| {
            let project = project.clone();
            async move { if name == project.name { Ok(()) } else { api::rename(&project.id, &name).await } }
        })
    };
    let touched = project.updated_at > 0;
    html! {
        <li class={classes!(touched.then_some("touched"))} data-testid="project-row">
            <form {onsubmit}>
                <input ref={field} value={project.name.clone()} aria-label="Name" maxlength="100" required=true />
                <span class="by">{if touched { format!("by {}", project.by) } else { String::new() }}</span>
                <button class="quiet">{"Rename"}</button>
            </form>
        </li>
    }
}

#[component]
fn Create() -> Html {
    let field = use_node_ref();
    let onsubmit = submit(field.clone(), {
        let field = field.clone();
        move |name| {
            let field = field.clone();
            async move {
                api::create(&name).await?;
                if let Some(input) = field.cast::<HtmlInputElement>() {
                    input.set_value("");
                }
                Ok(())
            }
        }
    });
    html! {
        <form class="create" {onsubmit}>
            <input ref={field} placeholder="New project" aria-label="New project" maxlength="100" required=true />
            <button>{"Add"}</button>
        </form>
    }
}

/// Does something with the field's text, and shows in the field what went wrong.
fn submit<F>(field: NodeRef, work: impl Fn(String) -> F + 'static) -> Callback<SubmitEvent>
where
    F: Future<Output = Result<(), String>> + 'static,
{
    Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        let Some(input) = field.cast::<HtmlInputElement>() else { return };
        let work = work(input.value());
        spawn_local(async move {
            if let Err(error) = work.await {
                input.set_custom_validity(&error);
                input.report_validity();
                input.set_custom_validity("");
            }
        });
    })
}
