//! What one round gives to the streams: bytes, and the streams that get them. Streams that are due
//! the same frames share their bytes.

use std::{collections::HashMap, hash::BuildHasherDefault, sync::Arc};

use tinysse_hub::hub::{EncodedFrame, FrameSink, Spread};

/// Bytes for one or more streams.
#[derive(Debug)]
pub struct Group {
    due: Due,
    /// The bytes, unless they are those of one frame that the log keeps.
    joined: Option<Vec<u8>>,
    ends: bool,
    slots: Vec<u32>,
}

/// The outcome of a round.
#[derive(Debug, Default)]
pub struct Round {
    groups: Vec<Group>,
    /// Streams whose connections are to be cut, because they are too slow.
    cut: Vec<u32>,
    /// Groups by a mix of the addresses of their frames. The frames are compared, too.
    known: HashMap<u64, usize, BuildHasherDefault<Spread>>,
}

/// What one stream is due.
#[derive(Debug)]
pub(crate) struct Due {
    chunked: bool,
    size: usize,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Shared(EncodedFrame),
    Own(Vec<u8>),
}

impl Group {
    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match (&self.joined, self.due.parts.first()) {
            (Some(joined), _) => joined,
            (None, Some(Part::Shared(frame))) if self.due.chunked => frame.chunk(),
            (None, Some(Part::Shared(frame))) => frame.bare(),
            (None, Some(Part::Own(_)) | None) => &[],
        }
    }

    /// Returns the streams that get them.
    #[must_use]
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Returns true if the streams end behind them.
    #[must_use]
    pub fn ends(&self) -> bool {
        self.ends
    }
}

impl Round {
    /// Returns the groups.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns the streams to cut.
    #[must_use]
    pub fn cut(&self) -> &[u32] {
        &self.cut
    }

    pub(crate) fn clear(&mut self) {
        self.groups.clear();
        self.cut.clear();
        self.known.clear();
    }

    pub(crate) fn cut_off(&mut self, slot: u32) {
        if !self.cut.contains(&slot) {
            self.cut.push(slot);
        }
    }

    /// Gives a stream what it is due.
    pub(crate) fn give(&mut self, slot: u32, due: Due, ends: bool) {
        let mix = due.mix();
        let known = mix.and_then(|mix| self.known.get(&mix)).and_then(|at| self.groups.get_mut(*at));
        if let Some(group) = known.filter(|group| group.ends == ends && group.due.is_same(&due)) {
            group.slots.push(slot);
            return;
        }
        if let Some(mix) = mix {
            self.known.entry(mix).or_insert(self.groups.len());
        }
        let joined = due.joined();
        self.groups.push(Group { due, joined, ends, slots: vec![slot] });
    }
}

impl Due {
    pub(crate) fn new(chunked: bool) -> Self {
        Self { chunked, size: 0, parts: Vec::new() }
    }

    /// Returns a mix of the addresses of its frames; `None` if one of them is its own.
    fn mix(&self) -> Option<u64> {
        let mut mix = u64::from(self.chunked);
        for part in &self.parts {
            let Part::Shared(frame) = part else { return None };
            // The step of FNV-1a, over words.
            let word = frame.chunk().as_ptr() as u64;
            mix = (mix ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
        }
        Some(mix)
    }

    /// Returns true if both have the same shared frames.
    fn is_same(&self, other: &Self) -> bool {
        let same = |(a, b): (&Part, &Part)| match (a, b) {
            (Part::Shared(a), Part::Shared(b)) => Arc::ptr_eq(a.chunk(), b.chunk()),
            (Part::Own(_), _) | (_, Part::Own(_)) => false,
        };
        self.chunked == other.chunked
            && self.parts.len() == other.parts.len()
            && self.parts.iter().zip(&other.parts).all(same)
    }

    /// Joins the parts, unless there is just one that the log keeps.
    fn joined(&self) -> Option<Vec<u8>> {
        if let [Part::Shared(_)] = self.parts[..] {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.size + 16 * self.parts.len());
        for part in &self.parts {
            match part {
                Part::Shared(frame) if self.chunked => bytes.extend_from_slice(frame.chunk()),
                Part::Shared(frame) => bytes.extend_from_slice(frame.bare()),
                Part::Own(frame) if self.chunked => {
                    EncodedFrame::write(frame, &mut bytes);
                }
                Part::Own(frame) => bytes.extend_from_slice(frame),
            }
        }
        Some(bytes)
    }
}

impl FrameSink for Due {
    fn size(&self) -> usize {
        self.size
    }

    fn shared(&mut self, form: &EncodedFrame) {
        self.size += form.chunk().len();
        self.parts.push(Part::Shared(form.clone()));
    }

    fn own(&mut self, frame: &[u8]) {
        self.size += frame.len();
        self.parts.push(Part::Own(frame.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(chunked: bool, frames: &[&EncodedFrame]) -> Due {
        let mut due = Due::new(chunked);
        frames.iter().for_each(|frame| due.shared(frame));
        due
    }

    #[test]
    fn streams_with_the_same_frames_share_bytes() {
        let [a, b] = [b"data: a\n\n", b"data: b\n\n"].map(|frame| EncodedFrame::new(frame));
        let mut round = Round::default();
        round.give(1, due(true, &[&a]), false);
        round.give(2, due(true, &[&a, &b]), false);
        round.give(3, due(true, &[&a]), false);
        round.give(4, due(false, &[&a]), false);
        round.give(5, due(true, &[&b, &a]), false);
        round.give(6, due(true, &[&a, &b]), false);
        round.give(7, due(true, &[&a]), true);
        let groups: Vec<_> = round.groups().iter().map(|group| (group.slots(), group.ends())).collect();
        assert_eq!(groups, [(&[1, 3][..], false), (&[2, 6], false), (&[4], false), (&[5], false), (&[7], true)]);
        assert_eq!(round.groups()[0].bytes().as_ptr(), a.chunk().as_ptr());
        assert_eq!(round.groups()[1].bytes(), b"9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n");
        assert_eq!(round.groups()[2].bytes(), b"data: a\n\n");
    }

    #[test]
    fn a_frame_of_its_own_is_not_shared() {
        let mut round = Round::default();
        for slot in [1, 2] {
            let mut due = Due::new(false);
            due.own(b"data: x\n\n");
            round.give(slot, due, false);
        }
        assert_eq!(round.groups().len(), 2);
    }
}
