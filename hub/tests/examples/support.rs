//! A reader of streams, and waits. A wait ends when its condition holds; the bound is only there to
//! fail.

use std::{collections::VecDeque, time::Duration};

use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tinysse::proto::wire::{
    Frame,
    control::{Control, Hello},
    decode::{Decoder, Item},
};
use tokio::time::{sleep, timeout};

pub const BOUND: Duration = Duration::from_secs(60);

/// A stream behind its hello.
pub struct Stream {
    pub hello: Hello,
    reader: Reader,
}

struct Reader {
    response: Response,
    decoder: Decoder,
    frames: VecDeque<Frame>,
}

impl Reader {
    /// Returns the next frame; `None` at the end of the stream, however it ends.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let chunk = timeout(BOUND, self.response.chunk()).await.expect("a frame or an end");
            let (chunk, frames) = (chunk.ok().flatten()?, &mut self.frames);
            let keep = &mut |item| match item {
                Item::Frame(frame) => frames.push_back(frame),
                Item::Id(_) | Item::Retry(_) => {}
            };
            self.decoder.feed(&chunk, keep).unwrap();
        }
    }
}

impl Stream {
    pub async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut reader = Reader { response, decoder: Decoder::new("", 1 << 22), frames: VecDeque::new() };
        let frame = reader.next().await.expect("a hello");
        let Some(Control::Hello(hello)) = Control::read(&frame) else { panic!("first came {frame:?}") };
        Self { hello, reader }
    }

    /// Returns the next update that is no beat.
    pub async fn update(&mut self) -> Frame {
        let read = async {
            loop {
                let frame = self.reader.next().await.expect("an update");
                if frame.event != "tinysse.beat" {
                    assert!(!frame.event.starts_with("tinysse."), "{frame:?}");
                    return frame;
                }
            }
        };
        timeout(BOUND, read).await.expect("an update among the beats")
    }

    /// Reads on to the bye, and to the end behind it. Returns its reason.
    pub async fn bye(&mut self) -> String {
        let read = async {
            loop {
                let frame = self.reader.next().await.expect("a bye");
                if let Some(Control::Bye(bye)) = Control::read(&frame) {
                    assert_eq!(self.reader.next().await, None, "the stream ends behind the bye");
                    return bye.reason.as_str().to_owned();
                }
            }
        };
        timeout(BOUND, read).await.expect("a bye among the beats")
    }
}

pub async fn body_of(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// Sends, and expects a problem of this status and code.
pub async fn refused(request: RequestBuilder, status: u16, code: &str) {
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), body_of(response).await["code"].as_str()), (status, Some(code)));
}

/// Waits until `condition` holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let wait = async {
        while !condition().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(BOUND, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}
