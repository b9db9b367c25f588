// What does Sigstore's public-good instance trust? The root that ships with @sigstore/tuf: no network, good until it
// is replaced by an update of that package. Refreshing it by TUF is not built yet.
import { createRequire } from 'node:module';
import { toRecord, toText } from '../lib/text.ts';
import { parseTrustedRoot, TrustedRootError, type TrustedRoot } from './trusted-root.ts';

const MIRROR = 'https://tuf-repo-cdn.sigstore.dev';

/** Reads the shipped public-good root. @throws TrustedRootError when the package holds none */
export function loadPublicGoodRoot(): TrustedRoot {
  const seeds = createRequire(import.meta.url)('@sigstore/tuf/seeds.json') as unknown;
  const targets = toRecord(toRecord(toRecord(seeds)[MIRROR])['targets']);
  const encoded = toText(targets['trusted_root.json']);
  if (encoded === undefined) throw new TrustedRootError('@sigstore/tuf ships no trusted_root.json');
  return parseTrustedRoot(Buffer.from(encoded, 'base64'));
}
