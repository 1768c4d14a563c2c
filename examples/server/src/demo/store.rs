//! Rows in memory, each with an id, in the order in which they were added.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::error::Problem;

/// The most rows of a table: it is an example, and memory is finite.
const MAX_ROWS: usize = 1_000;

/// A table of rows.
#[derive(Debug)]
pub(crate) struct Store<T> {
    prefix: &'static str,
    rows: Mutex<Rows<T>>,
}

#[derive(Debug)]
struct Rows<T> {
    last: u64,
    by_number: BTreeMap<u64, T>,
}

impl<T: Clone> Store<T> {
    /// Returns an empty table. Ids are the prefix and a number: `p1`.
    pub(crate) fn new(prefix: &'static str) -> Self {
        Self { prefix, rows: Mutex::new(Rows { last: 0, by_number: BTreeMap::new() }) }
    }

    /// Returns all rows.
    pub(crate) fn list(&self) -> Vec<T> {
        self.rows().by_number.values().cloned().collect()
    }

    /// Adds the row that `make` makes for its id.
    ///
    /// # Errors
    /// 422 `full`.
    pub(crate) fn add(&self, make: impl FnOnce(String) -> T) -> Result<T, Problem> {
        let mut rows = self.rows();
        if rows.by_number.len() >= MAX_ROWS {
            return Err(Problem::unprocessable("full", "there are 1000 already; delete some"));
        }
        rows.last += 1;
        let number = rows.last;
        let row = make(format!("{}{number}", self.prefix));
        rows.by_number.insert(number, row.clone());
        Ok(row)
    }

    /// Changes the row of this id.
    ///
    /// # Errors
    /// 404.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut T)) -> Result<T, Problem> {
        let mut rows = self.rows();
        let row = self.number(id).and_then(|number| rows.by_number.get_mut(&number)).ok_or_else(|| missing(id))?;
        change(row);
        Ok(row.clone())
    }

    /// Removes the row of this id.
    ///
    /// # Errors
    /// 404.
    pub(crate) fn remove(&self, id: &str) -> Result<T, Problem> {
        self.number(id).and_then(|number| self.rows().by_number.remove(&number)).ok_or_else(|| missing(id))
    }

    fn number(&self, id: &str) -> Option<u64> {
        id.strip_prefix(self.prefix)?.parse().ok()
    }

    fn rows(&self) -> MutexGuard<'_, Rows<T>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no {id:?}"))
}
