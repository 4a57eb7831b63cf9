//! Documents under keys, in transactions, with a watch: SQLite built in.
