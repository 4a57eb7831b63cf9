//! What a caller may do: every operation as a transaction, every life cycle as a reconciler.
