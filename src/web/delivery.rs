//! Updates on their way to their subscribers. Their texts cross the border as one, since each that
//! crosses it costs.

use alloc::{string::String, vec::Vec};
use core::{
    cell::RefCell,
    mem::{replace, take},
};

use super::bindings::Page;
use crate::proto::{client::Client, registry::Subscriber, session::io::Update, wire::Frame};

/// Updates that follow one another.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    updates: Vec<Update>,
    /// Of each update type, id and data.
    text: String,
}

/// Bytes of text at which no other update is added. JavaScript may keep all of a text for the sake
/// of a word in it.
const ENOUGH: usize = 512;

impl Delivery {
    /// Adds one; true if that was enough.
    pub(super) fn push(&mut self, update: Update) -> bool {
        let Frame { event, id, data } = &update.frame;
        self.text.reserve(event.len() + id.len() + data.len());
        for part in [event, id, data] {
            self.text.push_str(part);
        }
        self.updates.push(update);
        self.text.len() >= ENOUGH
    }

    /// Gives each to those who want it by then: a callback may subscribe others, or close. Returns
    /// false if there was no update.
    pub(super) fn deliver(&mut self, page: &Page, core: &RefCell<Client>) -> bool {
        let Self { updates, text } = take(self);
        if updates.is_empty() {
            return false;
        }
        let (mut start, mut sent, last) = (0, false, updates.len() - 1);
        // A callback may set another user: the rest does not belong to that user.
        let changes = core.borrow().session().user_changes();
        let stale = || core.borrow().session().user_changes() != changes;
        for (at, Update { frame: Frame { event, id, data }, replayed, envelope }) in updates.iter().enumerate() {
            if stale() {
                break;
            }
            let to = core.borrow().matching(event);
            let type_ends = start + units(event);
            let id_ends = type_ends + units(id);
            // The last one ends where the text does: long ones are not counted.
            let end = if at == last { u32::MAX } else { id_ends + units(data) };
            if let Some((Subscriber(first), others)) = to.split_first() {
                if !replace(&mut sent, true) {
                    page.set_text(&text);
                }
                let object = page.deliver(start, type_ends, id_ends, end, *replayed, *envelope, *first as i32);
                for Subscriber(number) in others.iter().take_while(|_| !stale()) {
                    page.call(*number as i32, &object);
                }
            }
            start = end;
        }
        true
    }
}

/// The length of a text in JavaScript, whose strings are UTF-16.
fn units(text: &str) -> u32 {
    let unit = |byte: u8| u32::from(byte & 0xc0 != 0x80) + u32::from(byte >= 0xf0);
    text.bytes().map(unit).sum()
}
