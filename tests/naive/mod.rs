//! The standard, read naively: the whole stream at once, as WHATWG HTML §9.2.5 and §9.2.6 specify
//! it, word by word.
//!
//! Nothing of the decoder is used here, and nothing is incremental: what a cut could break cannot
//! break here.

pub(crate) mod vectors;

/// What a stream means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A dispatched event.
    Event { kind: String, id: String, data: String },
    /// The last event id was set by a block that dispatches nothing.
    Id(String),
    /// The reconnection time was set.
    Retry(u32),
}

/// A dispatched event, in short.
pub(crate) fn event(kind: &str, id: &str, data: &str) -> Said {
    Said::Event { kind: kind.into(), id: id.into(), data: data.into() }
}

/// The buffers of §9.2.6.
#[derive(Default)]
struct Buffers {
    data: String,
    event_type: String,
    last_event_id: String,
    id_was_set: bool,
    said: Vec<Said>,
}

/// Reads a whole stream that resumes from `last_id`.
pub(crate) fn read(stream: &[u8], last_id: &str) -> Vec<Said> {
    // "Streams must be decoded using the UTF-8 decode algorithm", which "strips one leading BOM, if
    // any".
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // "Lines must be separated by either a CRLF pair, a single LF, or a single CR".
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    // "Once the end of the file is reached, any pending data must be discarded": what no line end
    // closes is no line.
    lines.pop();

    let mut buffers = Buffers { last_event_id: last_id.to_owned(), ..Buffers::default() };
    for line in lines {
        if line.is_empty() {
            dispatch(&mut buffers);
        } else if line.starts_with(':') {
            // "Ignore the line."
        } else if let Some((field, value)) = line.split_once(':') {
            // "If value starts with a U+0020 SPACE character, remove it from value": one.
            process(&mut buffers, field, value.strip_prefix(' ').unwrap_or(value));
        } else {
            process(&mut buffers, line, "");
        }
    }
    buffers.said
}

fn process(buffers: &mut Buffers, field: &str, value: &str) {
    if field == "event" {
        buffers.event_type = value.to_owned();
    } else if field == "data" {
        buffers.data.push_str(value);
        buffers.data.push('\n');
    } else if field == "id" {
        if !value.contains('\0') {
            buffers.last_event_id = value.to_owned();
            buffers.id_was_set = true;
        }
    } else if field == "retry" && !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) {
        let digits = value.trim_start_matches('0');
        let ms = if digits.len() > 10 { u64::from(u32::MAX) } else { digits.parse().unwrap_or(0) };
        buffers.said.push(Said::Retry(u32::try_from(ms).unwrap_or(u32::MAX)));
    }
    // "Otherwise: the field is ignored."
}

fn dispatch(buffers: &mut Buffers) {
    let id_was_set = std::mem::take(&mut buffers.id_was_set);
    let event_type = std::mem::take(&mut buffers.event_type);
    let mut data = std::mem::take(&mut buffers.data);
    let id = buffers.last_event_id.clone();
    // "If the data buffer is an empty string, set the data buffer and the event type buffer to the
    // empty string and return."
    if data.is_empty() {
        if id_was_set {
            buffers.said.push(Said::Id(id));
        }
        return;
    }
    // "If the data buffer's last character is a U+000A LINE FEED, remove it": again, one.
    data.pop();
    let kind = if event_type.is_empty() { String::from("message") } else { event_type };
    buffers.said.push(Said::Event { kind, id, data });
}
