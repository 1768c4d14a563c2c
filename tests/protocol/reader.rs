//! A client that was written from `docs/PROTOCOL.md` alone: it uses nothing of the crate. Section
//! numbers are those of the document.

/// The position of an update: epoch and seq (6.1).
type Id = (String, u64);

/// What a client keeps from stream to stream.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    cursor: Option<Id>,
    /// Updates and resyncs in their order, for the application.
    pub(crate) events: Vec<Event>,
}

/// What the application receives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Update { id: String, kind: String, envelope: String },
    Resync { gap: String, types: Vec<String> },
}

/// What a client knows of one stream.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    buffer: String,
    greeted: bool,
    pub(crate) ended: bool,
}

impl Reader {
    /// Returns the cursor for the next stream request; empty if there is none (4.1).
    pub(crate) fn cursor(&self) -> String {
        self.cursor.as_ref().map_or_else(String::new, |(epoch, seq)| format!("{epoch}.{seq}"))
    }

    /// Takes the next octets of a stream, cut anywhere.
    pub(crate) fn read(&mut self, stream: &mut Stream, text: &str) {
        stream.buffer.push_str(text);
        while let Some((frame, rest)) = stream.buffer.split_once("\n\n") {
            let (frame, rest) = (frame.to_owned(), rest.to_owned());
            stream.buffer = rest;
            self.frame(stream, &frame);
        }
    }

    fn frame(&mut self, stream: &mut Stream, frame: &str) {
        let field = |wanted: &str| {
            let values = frame.lines().filter_map(|line| line.split_once(": ")).filter(|(name, _)| *name == wanted);
            values.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
        };
        let (mut kind, mut data) = (field("event").concat(), field("data").join("\n"));
        if kind == "tinysse.update" {
            let (own, rest) = data.split_once('\n').expect("a folded update has two lines (9)");
            (kind, data) = (own.to_owned(), rest.to_owned());
        }
        let id = field("id").pop().map(|text| parse(&text));
        let pairs: Vec<_> = data.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let pair = |wanted: &str| pairs.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| *value);
        match (kind.as_str(), id) {
            ("tinysse.hello", Some(after)) => {
                let had = self.has(&after);
                match pair("gap") {
                    "none" | "trimmed" if had => {}
                    "none" => self.resync("unknown", "", after),
                    gap => self.resync(gap, "", after),
                }
                stream.greeted = true;
            }
            ("tinysse.resync", Some(at)) => {
                let below = self.has(&at) && self.cursor.as_ref() != Some(&at);
                let next = if below { self.cursor.clone().expect("it has a cursor") } else { at };
                if !below || pair("gap") != "overflow" {
                    self.resync(pair("gap"), pair("types"), next);
                }
            }
            ("tinysse.beat", Some(at)) => {
                if self.cursor.as_ref().is_none_or(|(epoch, seq)| *epoch == at.0 && at.1 > *seq) {
                    self.cursor = Some(at);
                }
            }
            ("tinysse.bye", None) => stream.ended = true,
            (_, Some(id)) if !kind.starts_with("tinysse.") => {
                assert!(stream.greeted, "the first frame is a hello (7.1)");
                if !self.has(&id) {
                    self.events.push(Event::Update { id: format!("{}.{}", id.0, id.1), kind, envelope: data });
                    self.cursor = Some(id);
                }
            }
            other => panic!("a hub of version 1 does not send {other:?}"),
        }
    }

    fn resync(&mut self, gap: &str, types: &str, cursor: Id) {
        let types = types.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
        self.events.push(Event::Resync { gap: gap.to_owned(), types });
        self.cursor = Some(cursor);
    }

    /// Returns true for positions at or before the cursor, in its epoch.
    fn has(&self, id: &Id) -> bool {
        self.cursor.as_ref().is_some_and(|(epoch, seq)| *epoch == id.0 && id.1 <= *seq)
    }
}

fn parse(text: &str) -> Id {
    let (epoch, seq) = text.split_once('.').expect("an id has a point");
    (epoch.to_owned(), seq.parse().expect("a seq is a number"))
}
