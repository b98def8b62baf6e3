//! The server itself.

use model::Instance;
use serde_json::Value;

use crate::{Client, Error, answer, call::Call};

impl Client {
    /// `GET /api/v2/instance`, else v1. Public.
    pub async fn instance(&self) -> Result<Instance, Error> {
        match self.instance_of("v2").await {
            Err(Error::NotFound { .. } | Error::NotJson { .. } | Error::Gone { .. } | Error::Forbidden { .. }) => {
                self.instance_of("v1").await
            }
            other => other,
        }
    }

    async fn instance_of(&self, version: &str) -> Result<Instance, Error> {
        let call = Call::get(&["api", version, "instance"]);
        let value = match self.value(&call.clone().anonymous()).await {
            // In limited-federation mode before 4.4.
            Err(Error::NoToken { .. }) => self.value(&call).await?.0,
            other => other?.0,
        };
        let asked = self.asked(&call);
        let instance: Instance = answer::object(without_double_domain(value), &asked)?;
        if instance.version.is_empty() {
            return Err(asked.not_json("no version in it; is this a server with Mastodon's API?"));
        }
        Ok(instance)
    }
}

/// Some software sends v1's `uri` and v2's `domain` together; they are one field to us.
fn without_double_domain(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut()
        && object.contains_key("domain")
    {
        object.remove("uri");
    }
    value
}
