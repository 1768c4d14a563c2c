//! The state of the connection in one word, and what comes next.

use tinysse::Phase;
use yew::prelude::*;

use crate::{
    live::{label, use_seconds_left, use_status},
    projects::Live,
};

#[component]
pub fn StatusPill(Live { client }: &Live) -> Html {
    let status = use_status(client);
    let seconds = use_seconds_left(&status);
    let detail = match (status.phase, &status.error) {
        (Phase::Failed, Some(error)) => error.to_string(),
        (Phase::Reconnecting, _) if status.attempt > 0 => match *seconds {
            0 => format!("try {}", status.attempt),
            seconds => format!("try {} in {seconds} s", status.attempt),
        },
        _ => String::new(),
    };
    html! {
        <p class="pill" data-testid="status" data-status={status.phase.as_str()}>
            <span class="dot" aria-hidden="true" />
            <span role="status">{label(status.phase)}</span>
            <span class="detail" aria-hidden="true">{detail}</span>
        </p>
    }
}
