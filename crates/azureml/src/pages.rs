use std::{collections::VecDeque, fmt};

use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use crate::{
    Result,
    http::{Call, Pipeline, Scope, check_origin},
};

/// A list that Azure hands out page by page: [`next`](Self::next) takes one item after the other and asks for a page when it needs
/// one, [`collect`](Self::collect) takes them all.
#[must_use = "nothing is asked for before `next` or `collect`"]
pub struct Pages<T> {
    pipeline: Pipeline,
    scope: Scope,
    items: VecDeque<T>,
    next: Option<Url>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    value: Vec<T>,
    next_link: Option<String>,
}

impl<T: DeserializeOwned> Pages<T> {
    pub(crate) fn new(pipeline: &Pipeline, url: Url) -> Self {
        Self {
            pipeline: pipeline.clone(),
            scope: Scope::ResourceManager,
            items: VecDeque::new(),
            next: Some(url),
        }
    }

    pub(crate) fn with_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The next item; `None` behind the last.
    ///
    /// # Errors
    ///
    /// What a request may fail with; asking again asks for the same page.
    pub async fn next(&mut self) -> Result<Option<T>> {
        while self.items.is_empty() {
            let Some(url) = self.next.clone() else { return Ok(None) };
            let call = Call::get(url.clone()).scope(self.scope);
            let reply = self.pipeline.send(call).await?;
            let page: Page<T> = reply.json()?;
            self.next = match page.next_link.filter(|link| !link.is_empty()) {
                Some(link) => {
                    let link =
                        url.join(&link).map_err(|_| reply.error("its nextLink is no address"))?;
                    check_origin(&url, &link)?;
                    if link == url {
                        return Err(reply.error("its nextLink is the page itself"));
                    }
                    Some(link)
                }
                None => None,
            };
            self.items = page.value.into();
        }
        Ok(self.items.pop_front())
    }

    /// All items.
    ///
    /// # Errors
    ///
    /// As for [`next`](Self::next).
    pub async fn collect(mut self) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await? {
            items.push(item);
        }
        Ok(items)
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("at_hand", &self.items.len()).finish_non_exhaustive()
    }
}
