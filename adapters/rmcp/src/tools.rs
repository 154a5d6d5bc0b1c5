//! The tools of a server, over all pages of its list.
//!
//! A tool that is there twice can be on two pages, and a page by itself does not show it. So the gate reads all of them, and shows
//! one list without pages: which tools are doubled does not depend on how far a client has read.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rmcp::ErrorData;
use rmcp::model::{ClientRequest, ListToolsResult, PaginatedRequestParams, ServerResult};
use rmcp::service::{RequestContext, RoleServer, Service};

/// The most pages and tools that a server may have.
const MOST_PAGES: usize = 1000;
const MOST_TOOLS: usize = 65_536;

/// The names that the server's last list had twice.
#[derive(Debug, Default)]
pub(crate) struct Doubled(Mutex<BTreeSet<String>>);

impl Doubled {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    fn are(&self, names: BTreeSet<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }
}

/// Reads all pages of a server's list: as one, without the tools that are there twice, and the names of these.
///
/// # Errors
/// The server's own, and if its list does not end. A client that names a page is told that there is none.
pub(crate) async fn list<S: Service<RoleServer>>(
    server: &S,
    request: ClientRequest,
    context: &RequestContext<RoleServer>,
    doubled: &Doubled,
) -> Result<(ListToolsResult, BTreeSet<String>), ErrorData> {
    let ClientRequest::ListToolsRequest(mut asked) = request else {
        return Err(ErrorData::internal_error("not a list of tools", None));
    };
    if asked.params.as_ref().is_some_and(|params| params.cursor.is_some()) {
        return Err(ErrorData::invalid_params("the list has one page, and no such cursor", None));
    }
    let mut whole: Option<ListToolsResult> = None;
    for _ in 0..MOST_PAGES {
        let request = ClientRequest::ListToolsRequest(asked.clone());
        let ServerResult::ListToolsResult(mut page) =
            server.handle_request(request, context.clone()).await?
        else {
            return Err(ErrorData::internal_error("the server gave no list of tools", None));
        };
        let next = page.next_cursor.take();
        match &mut whole {
            None => whole = Some(page),
            Some(whole) => whole.tools.append(&mut page.tools),
        }
        let many = whole.as_ref().map_or(0, |own| own.tools.len());
        if many > MOST_TOOLS {
            break;
        }
        let Some(next) = next else {
            let mut whole = whole.unwrap_or_default();
            let names = names_twice(&whole);
            whole.tools.retain(|tool| !names.contains(&*tool.name));
            doubled.are(names.clone());
            return Ok((whole, names));
        };
        let params: PaginatedRequestParams = asked.params.take().unwrap_or_default();
        asked.params = Some(params.with_cursor(Some(next)));
    }
    Err(ErrorData::internal_error("the server's list of tools does not end", None))
}

fn names_twice(list: &ListToolsResult) -> BTreeSet<String> {
    let mut once = BTreeSet::new();
    let twice = list.tools.iter().filter(|tool| !once.insert(&*tool.name));
    twice.map(|tool| tool.name.to_string()).collect()
}
