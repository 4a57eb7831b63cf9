//! What exists in Linkway: identifiers, addresses, resources and the rules they keep. No I/O.
