//! Values of an `IN (…)`.

use sqlx::{Database, Encode, QueryBuilder, Type};

/// Binds them after an `IN (`, and closes it. Of no values nothing is one, which SQL has no empty list to say with.
pub(crate) fn push_list<'t, DB, T>(query: &mut QueryBuilder<DB>, values: impl IntoIterator<Item = T>)
where
    DB: Database,
    T: Encode<'t, DB> + Type<DB>,
{
    let mut values = values.into_iter().peekable();
    if values.peek().is_none() {
        query.push("NULL");
    }
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    query.push(")");
}
