//! Answers in pages: `MaxResults` and `NextToken`.
//!
//! A token carries the id of the page's last item, so that it stays good while other items come and go.

use crate::Error;

/// What `MaxResults` may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Fewest; AWS refuses less.
    pub(crate) least: i32,
    /// Most.
    pub(crate) most: i32,
    /// Whether more than the most is taken as the most, or refused.
    pub(crate) clamp: bool,
}

/// The limits of most EC2 operations.
pub(crate) const USUAL: Limits = Limits { least: 5, most: 1000, clamp: false };

/// Which page a call asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    limits: Limits,
    max_results: Option<i32>,
    next_token: Option<&'a str>,
}

impl<'a> Page<'a> {
    pub(crate) fn new(limits: Limits, max_results: Option<i32>, next_token: &'a Option<String>) -> Self {
        Self { limits, max_results, next_token: next_token.as_deref() }
    }

    /// All items, or those of the page, with the token for the next one if there is one. `items` are in the
    /// order of `key`, which is unique.
    pub(crate) fn cut<T>(
        self,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), Error> {
        let size = self.size()?;
        let after = self.next_token.map(read_token).transpose()?;
        let mut rest = items.into_iter().filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
        let Some(size) = size else { return Ok((rest.collect(), None)) };
        let page: Vec<T> = rest.by_ref().take(size).collect();
        let token = rest.next().and(page.last()).map(|last| token(&key(last)));
        Ok((page, token))
    }

    /// The id that the page comes after; empty: it is the first.
    pub(crate) fn after(self) -> Result<String, Error> {
        self.next_token.map(read_token).transpose().map(Option::unwrap_or_default)
    }

    fn size(self) -> Result<Option<usize>, Error> {
        let Limits { least, most, clamp } = self.limits;
        let Some(size) = self.max_results else { return Ok(None) };
        let expecting = match size {
            _ if size < least => format!("greater than {least}"),
            _ if size > most && !clamp => format!("less than {most}"),
            _ => return Ok(usize::try_from(size.min(most)).ok()),
        };
        Err(Error::InvalidParameterValue(format!(
            "Value ( {size} ) for parameter maxResults is invalid. Expecting a value {expecting}."
        )))
    }
}

/// Marks our tokens, so that other text is refused.
const MARK: &[u8] = b"after:";

fn token(last: &str) -> String {
    hex::encode([MARK, last.as_bytes()].concat())
}

fn read_token(token: &str) -> Result<String, Error> {
    let read = || String::from_utf8(hex::decode(token).ok()?.strip_prefix(MARK)?.to_vec()).ok();
    read().ok_or_else(|| Error::InvalidNextToken(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(max_results: i32, token: Option<String>) -> Result<(Vec<u8>, Option<String>), Error> {
        let limits = Limits { least: 2, ..USUAL };
        Page::new(limits, Some(max_results), &token)
            .cut(b"abcde".to_vec(), |letter| char::from(*letter).to_string())
    }

    #[test]
    fn pages_are_whole_together() {
        let (first, token) = page(2, None).unwrap();
        let (second, token) = page(2, token).unwrap();
        let (third, token) = page(2, token).unwrap();
        assert_eq!([first, second, third].concat(), b"abcde");
        assert_eq!(token, None);
        // No token when nothing is left: clients would ask for an empty page.
        assert_eq!(page(5, None).unwrap().1, None);
    }

    #[test]
    fn bad_sizes_and_tokens_are_refused() {
        let message = |answer: Result<_, Error>| answer.map(|_: (Vec<u8>, _)| ()).unwrap_err().to_string();
        assert_eq!(
            message(page(1, None)),
            "Value ( 1 ) for parameter maxResults is invalid. Expecting a value greater than 2."
        );
        assert!(message(page(1001, None)).ends_with("less than 1000."));
        assert_eq!(page(2, Some("00".into())).unwrap_err().code(), "InvalidNextToken");
    }
}
