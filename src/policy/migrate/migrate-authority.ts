// Which of our authorities accepts whom an authority of policy-controller accepts? What cannot be written is left out:
// authorities are alternatives, so one less admits less.
import { quote, toArray, toRecord, toText } from '../../lib/text.ts';
import { MAX_PATTERN_CHARS } from '../schema.ts';
import type { AttestationSpec, AuthoritySpec, Identity, KeySpec } from '../types.ts';
import { findUnknown, type Note } from './difference.ts';
import { migrateAttestations } from './migrate-attestations.ts';
import { migratePattern } from './migrate-pattern.ts';
import type { RootRequest } from './migrate-trust-root.ts';

/** What authorities are translated with. */
export interface AuthorityWorld {
  /** Asks for a TrustRoot; returns its name. */
  readonly needRoot: (request: RootRequest, note: Note, field: string) => string;
  /** Keys of the data of a Secret; undefined when it was not given. */
  readonly findSecretKeys: (name: string) => readonly string[] | undefined;
}

/** An authority: signing, decided without a signature, or left out. */
export type MigratedAuthority =
  | {
      readonly kind: 'signing';
      readonly spec: AuthoritySpec;
      readonly attestations: readonly AttestationSpec[];
    }
  | { readonly kind: 'pass' | 'fail'; readonly message: string | undefined }
  | { readonly kind: 'none' };

const NONE: MigratedAuthority = { kind: 'none' };
const KNOWN = 'name key keyless static source ctlog attestations rfc3161timestamp signatureFormat'.split(' ');

/** Translates one authority. @param field its path in the old object */
export function migrateAuthority(
  authority: Record<string, unknown>,
  name: string,
  world: AuthorityWorld,
  at: { readonly field: string; readonly note: Note },
): MigratedAuthority {
  const { field, note } = at;
  const leaveOut = (message: string, source?: string): MigratedAuthority => {
    note('Denies', field, `${message}: the authority is left out`, source);
    return NONE;
  };
  const unknown = findUnknown(authority, KNOWN);
  if (unknown.length > 0) return leaveOut(`${unknown.map((one) => quote(one, 64)).join(', ')} is not known`);
  const { key, keyless, static: fixed } = authority;
  if ([key, keyless, fixed].filter((kind) => kind !== undefined).length !== 1)
    return leaveOut('exactly one of key, keyless, static must be set');
  if (fixed !== undefined) return migrateStatic(toRecord(fixed), leaveOut);
  const roots = findRoots(authority);
  if (roots.length > 1)
    return leaveOut(
      `it names the TrustRoots ${roots.map((root) => quote(root, 253)).join(', ')}; here one TrustRoot holds everything: put their keys into one`,
    );
  const signing =
    key === undefined
      ? migrateKeyless(authority, world, { ...at, leaveOut })
      : migrateKey(authority, world, { ...at, leaveOut });
  if ('kind' in signing) return signing;
  noteSources(authority, at);
  return {
    kind: 'signing',
    spec: { name, ...signing, ...migrateFormat(authority, at) },
    attestations: migrateAttestations(toArray(authority['attestations']), name, at),
  };
}

type LeaveOut = (message: string, source?: string) => MigratedAuthority;
type At = { readonly field: string; readonly note: Note; readonly leaveOut: LeaveOut };

function migrateStatic({ action, message }: Record<string, unknown>, leaveOut: LeaveOut): MigratedAuthority {
  if (action !== 'pass' && action !== 'fail') return leaveOut('static.action is neither pass nor fail');
  return { kind: action, message: toText(message)?.slice(0, 512) };
}

function findRoots({ keyless, ctlog, rfc3161timestamp }: Record<string, unknown>): readonly string[] {
  const names = [keyless, ctlog, rfc3161timestamp].map(
    (part) => toText(toRecord(part)['trustRootRef']) ?? '',
  );
  return [...new Set(names.filter((name) => name !== ''))];
}

function migrateKeyless(
  authority: Record<string, unknown>,
  { needRoot }: AuthorityWorld,
  { field, note, leaveOut }: At,
): Pick<AuthoritySpec, 'keyless'> | MigratedAuthority {
  const keyless = toRecord(authority['keyless']);
  const unknown = findUnknown(keyless, ['url', 'identities', 'ca-cert', 'trustRootRef', 'insecureIgnoreSCT']);
  if (unknown.length > 0)
    return leaveOut(`keyless has members that are not known: ${quote(unknown.join(', '), 64)}`);
  if (keyless['ca-cert'] !== undefined)
    return leaveOut(
      'keyless.ca-cert never verifies there, and has no counterpart: write a certificate authority',
    );
  const identities = toArray(keyless['identities']).map((identity, index) =>
    migrateIdentity(toRecord(identity), { field: `${field}.keyless.identities[${index}]`, note }),
  );
  const usable = identities.filter((identity) => identity !== undefined);
  if (usable.length === 0) return leaveOut('keyless names no identity that can be written');
  const usesTimestamp = authority['rfc3161timestamp'] !== undefined;
  const [named] = findRoots(authority);
  // There, a TrustRoot of one's own without ctlog, and every timestamp authority, turn the log off.
  const usesLog = !usesTimestamp && (authority['ctlog'] !== undefined || named === undefined);
  const root = needRoot(
    {
      name: named,
      url: toText(keyless['url']),
      ignoresSct: keyless['insecureIgnoreSCT'] === true,
      ignoresLog: !usesLog,
    },
    note,
    `${field}.keyless`,
  );
  const log = toText(toRecord(authority['ctlog'])['url']);
  if (log !== undefined && !/^https?:\/\/rekor\.sigstore\.dev\/?$/.test(log))
    note(
      'Same',
      `${field}.ctlog.url`,
      `${quote(log)} is not asked: entries of the TrustRoot's logs are proven offline`,
    );
  if (!usesLog && !usesTimestamp)
    note(
      'Stricter',
      field,
      'neither log nor timestamp is asked for there; here a trusted time is always needed',
    );
  return { keyless: { identities: usable, trustRootRef: { name: root } } };
}

function migrateIdentity(
  identity: Record<string, unknown>,
  at: { readonly field: string; readonly note: Note },
): Identity | undefined {
  const { field, note } = at;
  const unknown = findUnknown(identity, ['issuer', 'subject', 'issuerRegExp', 'subjectRegExp']);
  const issuer = migrateName(identity, 'issuer', at);
  const subject = migrateName(identity, 'subject', at);
  if (unknown.length === 0 && issuer !== undefined && subject !== undefined) return { ...issuer, ...subject };
  note(
    'Denies',
    field,
    'it must have one issuer and one subject, each exact or as a pattern: the identity is left out',
  );
  return undefined;
}

function migrateName(
  identity: Record<string, unknown>,
  name: 'issuer' | 'subject',
  { field, note }: { readonly field: string; readonly note: Note },
): Identity | undefined {
  const exact = toText(identity[name]) ?? '';
  const written = toText(identity[`${name}RegExp`]) ?? '';
  if ((exact === '') === (written === '')) return undefined;
  if (exact !== '') return { [name]: exact };
  const { pattern, isOpen } = migratePattern(written);
  if (pattern.length > MAX_PATTERN_CHARS) return undefined;
  if (isOpen)
    note(
      'Same',
      `${field}.${name}RegExp`,
      `${quote(written, 256)} is found anywhere there, and here the whole text must match: ${quote(pattern, 256)}. Anything may stand where it says .*; write out what is meant`,
    );
  return { [`${name}RegExp`]: pattern };
}

function migrateKey(
  authority: Record<string, unknown>,
  world: AuthorityWorld,
  at: At,
): Pick<AuthoritySpec, 'key'> | MigratedAuthority {
  const { field, note, leaveOut } = at;
  const key = toRecord(authority['key']);
  const unknown = findUnknown(key, ['data', 'kms', 'secretRef', 'hashAlgorithm']);
  if (unknown.length > 0)
    return leaveOut(`key has members that are not known: ${quote(unknown.join(', '), 64)}`);
  if (toText(key['kms']) !== undefined)
    return leaveOut(
      'keys are not read from key management services: export the public key and write it as key.pem',
      toText(key['kms']),
    );
  const material = migrateMaterial(key, world, at);
  if (material === undefined) return leaveOut('exactly one of key.data, key.secretRef must be set');
  if (!['', 'sha256'].includes(toText(key['hashAlgorithm']) ?? ''))
    note(
      'Same',
      `${field}.key.hashAlgorithm`,
      "it is not configured here: signatures over the curve's own hash and over SHA-256 count, no others",
    );
  return { key: { ...material, ...migrateObservers(authority, world, at) } };
}

function migrateMaterial(
  key: Record<string, unknown>,
  { findSecretKeys }: AuthorityWorld,
  { field, note }: At,
): KeySpec | undefined {
  const data = toText(key['data']) ?? '';
  const reference = toRecord(key['secretRef']);
  const name = toText(reference['name']) ?? '';
  if ((data === '') === (name === '')) return undefined;
  if (data !== '') {
    const [first = data, ...others] = data.match(/-----BEGIN [^-]+-----[^]*?-----END [^-]+-----/g) ?? [];
    // There only the first counts; here every one would.
    if (others.length > 0)
      note('Same', `${field}.key.data`, 'only the first key counts there: the others are left out');
    return { pem: `${first.trim()}\n` };
  }
  const keys = findSecretKeys(name);
  const [only = 'cosign.pub', ...rest] = keys ?? [];
  const move = `Secret ${quote(name, 253)} must be moved to the namespace of this controller`;
  if (keys === undefined || keys.length === 0 || rest.length > 0)
    note(
      'Denies',
      `${field}.key.secretRef`,
      `${move}; there its only entry is read, here key names one: ${only} is a guess`,
    );
  else note('Denies', `${field}.key.secretRef`, `${move}: until it is there, what is selected is denied`);
  return { secretKeyRef: { name, key: only } };
}

function migrateObservers(
  authority: Record<string, unknown>,
  { needRoot }: AuthorityWorld,
  { field, note }: At,
): Pick<KeySpec, 'trustRootRef' | 'minLogEntries' | 'minTimestamps'> {
  const { ctlog, rfc3161timestamp } = authority;
  if (ctlog === undefined && rfc3161timestamp === undefined) return {};
  const [named] = findRoots(authority);
  const url = toText(toRecord(ctlog)['url']);
  const name = needRoot(
    { name: named, url },
    note,
    `${field}.${ctlog === undefined ? 'rfc3161timestamp' : 'ctlog'}`,
  );
  const count = rfc3161timestamp === undefined ? { minLogEntries: 1 } : { minTimestamps: 1 };
  return { trustRootRef: { name }, ...count };
}

function migrateFormat(
  { signatureFormat }: Record<string, unknown>,
  { field, note }: { readonly field: string; readonly note: Note },
): Pick<AuthoritySpec, 'signatureFormats'> {
  if (signatureFormat === undefined || signatureFormat === '') return {};
  const isBundle = signatureFormat === 'bundle';
  note(
    'Same',
    `${field}.signatureFormat`,
    `it is signatureFormats here; attestations of either format count`,
  );
  return { signatureFormats: [isBundle ? 'CosignBundle' : 'CosignSimpleSigning'] };
}

function noteSources(
  authority: Record<string, unknown>,
  { field, note }: { readonly field: string; readonly note: Note },
): void {
  for (const [index, source] of toArray(authority['source']).entries()) {
    const { oci, tagPrefix, signaturePullSecrets } = toRecord(source);
    const at = `${field}.source[${index}]`;
    if (oci !== undefined)
      note(
        'Denies',
        `${at}.oci`,
        `signatures are looked for beside the model only: copy those of ${quote(JSON.stringify(oci))} there`,
      );
    if (tagPrefix !== undefined)
      note(
        'Denies',
        `${at}.tagPrefix`,
        `signatures are looked for without a prefix only: copy those of ${quote(JSON.stringify(tagPrefix))}`,
      );
    if (toArray(signaturePullSecrets).length > 0)
      note(
        'Denies',
        `${at}.signaturePullSecrets`,
        'policies have no pull secrets: see --pull-secrets and --registry-config',
      );
  }
}
