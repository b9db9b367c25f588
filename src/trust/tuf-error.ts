// How does a refresh fail? One typed error of the TUF edge; whatever it says, the last good root stays.

/** A mirror, its metadata or the cache could not be used; the message is one clause for operators. */
export class TufRefreshError extends Error {
  override readonly name = 'TufRefreshError';
}
