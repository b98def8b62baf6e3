//! Which family lists a conversation through an API of its own.

use model::Uri;

use super::{Flavour, Software, conversation::Conversation, friendica, lemmy, misskey, origin::Origin, peertube};
use crate::Error;

/// Lists the conversation around `uri` through the API of the software's own and says how. `None` where there is no
/// such API, or it tells nothing: ActivityPub may.
///
/// # Errors
/// The host's own trouble only.
pub(super) async fn context(
    api: &mut Origin<'_>,
    pages: &mut Origin<'_>,
    talk: &mut Conversation,
    software: &Software,
    uri: &Uri,
) -> Result<Option<&'static str>, Error> {
    let listed = match software.flavour {
        Flavour::Misskey => misskey::context(api, talk, uri).await,
        Flavour::Lemmy | Flavour::PieFed => lemmy::context(api, talk, software, uri).await,
        Flavour::PeerTube => peertube::context(api, talk, uri).await,
        Flavour::Friendica => friendica::context(api, pages, talk, uri).await,
        _ => return Ok(None),
    };
    match listed {
        Ok(source) => Ok(source),
        Err(error) if error.is_of_host() => Err(error),
        Err(error) => {
            tracing::debug!(%error, "the API of {} tells nothing", software.name);
            Ok(None)
        }
    }
}
