//! Tools that are lent credentials.

use std::collections::BTreeMap;
use std::pin::Pin;

use hallpass::Running;
use hallpass::vault::Secrets;
use rmcp::ErrorData;
use rmcp::model::CallToolResult;

/// What a tool gives while it borrows its call.
pub(crate) type Lending<'a> =
    Pin<Box<dyn Future<Output = Result<CallToolResult, ErrorData>> + Send + 'a>>;

pub(crate) type Tool = Box<dyn for<'a> Fn(&'a Running, &'a Secrets) -> Lending<'a> + Send + Sync>;

/// By their names.
#[derive(Default)]
pub(crate) struct SecretTools(BTreeMap<String, Tool>);

impl SecretTools {
    pub(crate) fn insert(&mut self, name: String, tool: Tool) {
        self.0.insert(name, tool);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Tool> {
        self.0.get(name)
    }
}
