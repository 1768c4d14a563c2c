//! The properties of the server behind the streams, as the session learns them.

/// Whether it speaks tinysse/1, and if not, how it numbers its events.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// It is known not to speak tinysse/1.
    plain: bool,
    /// A hello arrived once: the server announces gaps by itself.
    saw_hello: bool,
    numbering: Numbering,
}

/// How a server that does not speak tinysse/1 numbers its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Numbering {
    /// Too few ids were seen.
    #[default]
    Unknown,
    /// Each id is the one before plus one: a jump where two streams meet is a loss.
    Dense,
    /// Ids jump within a stream, or are no numbers.
    Sparse,
}

impl Server {
    /// Records that a stream began without a hello.
    pub(super) fn mark_plain(&mut self) {
        self.plain = true;
    }

    /// Returns true if the server is known not to speak tinysse/1.
    pub(super) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Records a hello.
    pub(super) fn mark_hello(&mut self) {
        self.saw_hello = true;
    }

    /// Returns true if a hello arrived once.
    pub(super) fn saw_hello(&self) -> bool {
        self.saw_hello
    }

    /// Returns true if ids may still show a loss.
    pub(super) fn may_number(&self) -> bool {
        self.numbering != Numbering::Sparse
    }

    /// Learns from an id and the one before it. Returns true if ids between the two are missing.
    ///
    /// Where every id is the one before plus one, a jump from one stream to the next (`first`) is a
    /// loss.
    pub(super) fn number(&mut self, id: u64, last: u64, first: bool) -> bool {
        match (id > last.saturating_add(1), first) {
            (true, true) => return self.numbering == Numbering::Dense,
            (true, false) => self.numbering = Numbering::Sparse,
            (false, false) if id > last && self.numbering == Numbering::Unknown => self.numbering = Numbering::Dense,
            (false, _) => {}
        }
        false
    }

    /// Forgets how events are numbered: another user's may be numbered otherwise.
    pub(super) fn forget_numbering(&mut self) {
        self.numbering = Numbering::Unknown;
    }
}
