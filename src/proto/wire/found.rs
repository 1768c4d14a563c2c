//! What a stream says, as pieces of its bytes.

/// What a stream says. The bytes are as they came: UTF-8, or what ought to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A dispatched event.
    Event {
        /// The event's type; empty means `message`.
        kind: &'a [u8],
        /// The id if this event named one; otherwise that of the events before holds.
        id: Option<&'a [u8]>,
        /// The data lines, joined with LF.
        data: &'a [u8],
    },
    /// A block without data: no event, but the last event id moves.
    Id(&'a [u8]),
    /// A new reconnection time in milliseconds, saturated at `u32::MAX`.
    Retry(u32),
}

/// The length of what is not there.
pub const ABSENT: usize = usize::MAX;

/// One finding as ranges: `data`, `kind` and `id` follow one another in `held` of the scanner, from `start` on. [`ABSENT`] is the length of what
/// is not there. The layout is read by JavaScript.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Mark {
    /// Where the data begins.
    pub start: usize,
    /// Length of the data; absent in a block that dispatches nothing.
    pub data: usize,
    /// Length of the type.
    pub kind: usize,
    /// Length of the id; absent if the block named none.
    pub id: usize,
    /// Milliseconds; then everything else is absent.
    pub retry: usize,
}

/// The mark of nothing at all.
pub(super) const NOTHING: Mark = Mark { start: 0, data: ABSENT, kind: ABSENT, id: ABSENT, retry: ABSENT };
