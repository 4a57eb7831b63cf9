//! AWS's protocols at the server's end: EC2 query, query, SigV4. Generated shapes, no behaviour.
