// Which of our TrustRoots trusts what a TrustRoot of policy-controller trusts, and which are needed? Keys become a
// trusted_root.json; what is asked of evidence stands in the TrustRoot here, so one root can be needed in several forms.
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { quote, toArray, toErrorMessage, toRecord, toText } from '../../lib/text.ts';
import type { TrustRootSpec } from '../types.ts';
import type { Place, RootRequest } from './authority-world.ts';
import { findUnknown, type Note } from './difference.ts';

/** Name of the TrustRoot of Sigstore's public-good instance. */
export const PUBLIC_GOOD = 'sigstore-public-good';

/** A TrustRoot that is needed. */
export interface NeededRoot {
  readonly name: string;
  readonly base: string;
  readonly requirements: TrustRootSpec['requirements'];
}

/** Says which TrustRoot a request leads to; one that is not written here is noted. @param known names of given TrustRoots */
export function toNeededRoot(
  { name: named, url, ignoresSct, ignoresLog }: RootRequest,
  known: ReadonlySet<string>,
  place: Place,
): NeededRoot {
  const base = named ?? toBase(url);
  noteMissing({ named, url, base }, known, place);
  const suffix = `${ignoresLog === true ? '-without-log' : ''}${ignoresSct === true ? '-without-sct' : ''}`;
  if (suffix === '') return { name: base, base, requirements: undefined };
  const name = `${base}${suffix}`;
  place.note('Same', place.field, `what evidence must hold stands in the TrustRoot here: ${name}`);
  const requirements = {
    ...(ignoresLog === true && { logEntries: 0 }),
    ...(ignoresSct === true && { certificateTimestamps: 0 }),
  };
  return { name, base, requirements };
}

interface FoundRoot {
  readonly named: string | undefined;
  readonly url: string | undefined;
  readonly base: string;
}

function noteMissing(
  { named, url = '', base }: FoundRoot,
  known: ReadonlySet<string>,
  { field, note }: Place,
): void {
  if (named !== undefined && !known.has(base))
    note('Denies', `${field}.trustRootRef`, `TrustRoot ${quote(base, 253)} was not given: translate it too`);
  if (named === undefined && base !== PUBLIC_GOOD)
    note(
      'Denies',
      `${field}.url`,
      `${quote(url)} only names the instance: there its keys come from the TUF root that the controller was started with. Write TrustRoot ${base}`,
    );
}

const PUBLIC_HOST = /^(?:fulcio|rekor)\.sigstore\.dev$/;

function toBase(url: string | undefined): string {
  if (url === undefined || url === '') return PUBLIC_GOOD;
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  if (PUBLIC_HOST.test(host)) return PUBLIC_GOOD;
  return (
    host
      .toLowerCase()
      .replaceAll(/[^-a-z0-9.]+/g, '-')
      .replaceAll(/^[-.]+|[-.]+$/g, '') || 'private-sigstore'
  );
}

/** Translates the spec of a TrustRoot; undefined when it cannot be written, which is noted. */
export function migrateTrustRoot(spec: Record<string, unknown>, note: Note): TrustRootSpec | undefined {
  const unknown = findUnknown(spec, ['remote', 'repository', 'sigstoreKeys']);
  const [kind, ...others] = Object.keys(spec);
  if (unknown.length > 0 || kind === undefined || others.length > 0) {
    note(
      'Denies',
      'spec',
      'exactly one of remote, repository, sigstoreKeys must be set: the TrustRoot is not written',
    );
    return undefined;
  }
  if (kind === 'remote') return migrateRemote(toRecord(spec['remote']), note);
  if (kind === 'sigstoreKeys') return migrateKeys(toRecord(spec['sigstoreKeys']), note);
  note(
    'Denies',
    'spec.repository',
    'a packed TUF repository is not read here: take trusted_root.json out of it and write it as trustedRoot.json. The TrustRoot is not written',
  );
  return undefined;
}

function migrateRemote(remote: Record<string, unknown>, note: Note): TrustRootSpec | undefined {
  const { targets = 'targets', mirror, trustedRootTarget } = remote;
  if (targets !== 'targets' || typeof mirror !== 'string') {
    note(
      'Denies',
      'spec.remote',
      'only targets below targets/ of a mirror are read here: the TrustRoot is not written',
    );
    return undefined;
  }
  const json = decode(remote['root']).toString('utf8');
  const target = toText(trustedRootTarget);
  note(
    'Stricter',
    'spec.remote',
    'the target must be a trusted_root.json; single keys as targets are not read',
  );
  return { tuf: { mirror, root: { json }, ...(target !== undefined && { trustedRootTarget: target }) } };
}

// Bytes in YAML are base64; some write the PEM or JSON itself, which is no base64.
function decode(value: unknown): Buffer {
  const text = (toText(value) ?? '').trim();
  return /^[-{]/.test(text) ? Buffer.from(text) : Buffer.from(text, 'base64');
}

// Keys there have no window; every window must begin somewhere.
const VALID_FOR = { start: '1970-01-01T00:00:00Z' };

function migrateKeys(keys: Record<string, unknown>, note: Note): TrustRootSpec | undefined {
  try {
    const root = {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: toArray(keys['tLogs']).map(toLog),
      certificateAuthorities: toArray(keys['certificateAuthorities']).map(toAuthority),
      ctlogs: toArray(keys['ctLogs']).map(toLog),
      timestampAuthorities: toArray(keys['timestampAuthorities']).map(toAuthority),
    };
    note(
      'Same',
      'spec.sigstoreKeys',
      'the keys are one trusted_root.json here; as there, they have no window but that of certificates',
    );
    return { trustedRoot: { json: `${JSON.stringify(root, undefined, 2)}\n` } };
  } catch (error) {
    note(
      'Denies',
      'spec.sigstoreKeys',
      `a key cannot be read: ${quote(toErrorMessage(error), 120)}: the TrustRoot is not written`,
    );
    return undefined;
  }
}

function toLog(entry: unknown): object {
  const { baseURL, publicKey } = toRecord(entry);
  const key = createPublicKey(decode(publicKey));
  const der = key.export({ format: 'der', type: 'spki' });
  const details: Readonly<Record<string, string>> = {
    ed25519: 'PKIX_ED25519',
    ec: 'PKIX_ECDSA_P256_SHA_256',
  };
  const keyDetails = details[key.asymmetricKeyType ?? ''];
  return {
    baseUrl: toText(baseURL) ?? '',
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: der.toString('base64'),
      ...(keyDetails !== undefined && { keyDetails }),
      validFor: VALID_FOR,
    },
    // RFC 6962 §3.2: a log is known by the hash of its key.
    logId: { keyId: createHash('sha256').update(der).digest('base64') },
  };
}

function toAuthority(entry: unknown): object {
  const { uri, certChain, subject } = toRecord(entry);
  const chain =
    decode(certChain)
      .toString('latin1')
      .match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  if (chain.length === 0) throw new Error('certChain holds no certificate');
  return {
    subject: toRecord(subject),
    uri: toText(uri) ?? '',
    certChain: {
      certificates: chain.map((pem) => ({ rawBytes: new X509Certificate(pem).raw.toString('base64') })),
    },
    validFor: VALID_FOR,
  };
}
