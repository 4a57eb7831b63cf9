//! Regions and their availability zones, under AWS's names.

/// An availability zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    /// Such as `us-east-1a`.
    pub name: &'static str,
    /// Such as `use1-az6`: the same place for every account.
    pub id: &'static str,
}

/// A region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Such as `us-east-1`.
    pub name: &'static str,
    /// Its zones, by name.
    pub zones: &'static [Zone],
}
