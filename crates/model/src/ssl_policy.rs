//! Elastic Load Balancing's predefined security policies: which versions and ciphers of TLS a listener speaks.
//!
//! Source: "Security policies for your Network Load Balancer" of AWS's documentation; the order of the ciphers of the
//! policies with TLS 1.3, the cipher preferences of AWS's own s2n-tls.

/// A policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SslPolicy {
    /// Its name.
    pub name: &'static str,
    /// Versions, as `TLSv1.2`.
    pub protocols: &'static [&'static str],
    /// Which ciphers.
    pub ciphers: Ciphers,
}

/// Which of the ciphers a policy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ciphers {
    /// Those of TLS 1.3.
    tls13: bool,
    /// Of TLS 1.2 and older, the least that is in.
    older: Older,
    /// Those without forward secrecy, too.
    without_forward_secrecy: bool,
    /// And triple DES.
    triple_des: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Older {
    None,
    Gcm,
    Sha2,
    Sha1,
}

/// A cipher's name, and what it takes to be in a policy.
const ALL: &[(&str, Older, bool)] = &[
    ("ECDHE-ECDSA-AES128-GCM-SHA256", Older::Gcm, true),
    ("ECDHE-RSA-AES128-GCM-SHA256", Older::Gcm, true),
    ("ECDHE-ECDSA-AES128-SHA256", Older::Sha2, true),
    ("ECDHE-RSA-AES128-SHA256", Older::Sha2, true),
    ("ECDHE-ECDSA-AES128-SHA", Older::Sha1, true),
    ("ECDHE-RSA-AES128-SHA", Older::Sha1, true),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", Older::Gcm, true),
    ("ECDHE-RSA-AES256-GCM-SHA384", Older::Gcm, true),
    ("ECDHE-ECDSA-AES256-SHA384", Older::Sha2, true),
    ("ECDHE-RSA-AES256-SHA384", Older::Sha2, true),
    ("ECDHE-RSA-AES256-SHA", Older::Sha1, true),
    ("ECDHE-ECDSA-AES256-SHA", Older::Sha1, true),
    ("AES128-GCM-SHA256", Older::Gcm, false),
    ("AES128-SHA256", Older::Sha2, false),
    ("AES128-SHA", Older::Sha1, false),
    ("AES256-GCM-SHA384", Older::Gcm, false),
    ("AES256-SHA256", Older::Sha2, false),
    ("AES256-SHA", Older::Sha1, false),
];

const TLS13: &[&str] = &["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/// What a listener has whose maker names none.
pub const DEFAULT: &str = "ELBSecurityPolicy-2016-08";

const V1_0: &[&str] = &["TLSv1", "TLSv1.1", "TLSv1.2"];
const V1_1: &[&str] = &["TLSv1.1", "TLSv1.2"];
const V1_2: &[&str] = &["TLSv1.2"];
const V1_3: &[&str] = &["TLSv1.3"];
const V1_2_3: &[&str] = &["TLSv1.2", "TLSv1.3"];
const V1_1_3: &[&str] = &["TLSv1.1", "TLSv1.2", "TLSv1.3"];
const V1_0_3: &[&str] = &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

const fn policy(name: &'static str, protocols: &'static [&'static str], ciphers: Ciphers) -> SslPolicy {
    SslPolicy { name, protocols, ciphers }
}

const fn with_tls13(older: Older, without_forward_secrecy: bool) -> Ciphers {
    Ciphers { tls13: true, older, without_forward_secrecy, triple_des: false }
}

const fn without_tls13(older: Older, without_forward_secrecy: bool) -> Ciphers {
    Ciphers { tls13: false, older, without_forward_secrecy, triple_des: false }
}

/// Those for Network Load Balancers, but for the ones that promise a FIPS 140 module or post-quantum key exchange,
/// which this TLS library has neither of.
pub const POLICIES: &[SslPolicy] = &[
    policy("ELBSecurityPolicy-2015-05", V1_0, without_tls13(Older::Sha1, true)),
    policy(DEFAULT, V1_0, without_tls13(Older::Sha1, true)),
    policy("ELBSecurityPolicy-FS-1-1-2019-08", V1_1, without_tls13(Older::Sha1, false)),
    policy("ELBSecurityPolicy-FS-1-2-2019-08", V1_2, without_tls13(Older::Sha1, false)),
    policy("ELBSecurityPolicy-FS-1-2-Res-2019-08", V1_2, without_tls13(Older::Sha2, false)),
    policy("ELBSecurityPolicy-FS-1-2-Res-2020-10", V1_2, without_tls13(Older::Gcm, false)),
    policy("ELBSecurityPolicy-FS-2018-06", V1_0, without_tls13(Older::Sha1, false)),
    policy(
        "ELBSecurityPolicy-TLS-1-0-2015-04",
        V1_0,
        Ciphers { triple_des: true, ..without_tls13(Older::Sha1, true) },
    ),
    policy("ELBSecurityPolicy-TLS-1-1-2017-01", V1_1, without_tls13(Older::Sha1, true)),
    policy("ELBSecurityPolicy-TLS-1-2-2017-01", V1_2, without_tls13(Older::Sha2, true)),
    policy("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", V1_2, without_tls13(Older::Sha1, true)),
    policy("ELBSecurityPolicy-TLS13-1-0-2021-06", V1_0_3, with_tls13(Older::Sha1, true)),
    policy("ELBSecurityPolicy-TLS13-1-1-2021-06", V1_1_3, with_tls13(Older::Sha1, true)),
    policy("ELBSecurityPolicy-TLS13-1-2-2021-06", V1_2_3, with_tls13(Older::Sha2, false)),
    policy("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", V1_2_3, with_tls13(Older::Sha2, true)),
    policy("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", V1_2_3, with_tls13(Older::Sha1, true)),
    policy("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", V1_2_3, with_tls13(Older::Gcm, false)),
    policy("ELBSecurityPolicy-TLS13-1-3-2021-06", V1_3, with_tls13(Older::None, false)),
];

impl SslPolicy {
    /// The policy of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        POLICIES.iter().find(|policy| policy.name == name)
    }

    /// Its ciphers in the order of preference, under OpenSSL's names for those of TLS 1.2, as AWS gives them.
    pub fn ciphers(&self) -> Vec<&'static str> {
        let Ciphers { tls13, older, without_forward_secrecy, triple_des } = self.ciphers;
        let is_in = |(_, kind, forward): &&(&str, Older, bool)| {
            *kind <= older && (*forward || without_forward_secrecy)
        };
        let tls13 = TLS13.iter().filter(|_| tls13).copied();
        let older = ALL.iter().filter(is_in).map(|(name, ..)| *name);
        tls13.chain(older).chain(triple_des.then_some("DES-CBC3-SHA")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_the_ciphers_of_awss_tables() {
        let ciphers = |name: &str| SslPolicy::find(name).unwrap().ciphers();
        assert_eq!(ciphers(DEFAULT).len(), 18);
        assert_eq!(ciphers("ELBSecurityPolicy-TLS-1-0-2015-04").last(), Some(&"DES-CBC3-SHA"));
        assert_eq!(ciphers("ELBSecurityPolicy-TLS-1-2-2017-01").len(), 12);
        assert_eq!(ciphers("ELBSecurityPolicy-FS-2018-06").len(), 12);
        assert_eq!(ciphers("ELBSecurityPolicy-FS-1-2-Res-2019-08").len(), 8);
        assert_eq!(ciphers("ELBSecurityPolicy-TLS13-1-3-2021-06"), TLS13);
        assert_eq!(
            ciphers("ELBSecurityPolicy-TLS13-1-2-Res-2021-06")[3..],
            [
                "ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-RSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-RSA-AES256-GCM-SHA384",
            ]
        );
        assert_eq!(ciphers("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06").len(), 21);
        assert!(POLICIES.is_sorted_by_key(|policy| policy.name));
    }
}
