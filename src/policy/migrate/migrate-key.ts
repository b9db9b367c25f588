// Which of our key authorities accepts what a key of policy-controller signed? One public key, written out or in a Secret,
// and who else must have seen the signature.
import { quote, toRecord, toText } from '../../lib/text.ts';
import type { AuthoritySpec, KeySpec } from '../types.ts';
import { findRoots, type AuthorityWorld, type Place, type Untranslatable } from './authority-world.ts';
import { findUnknown } from './difference.ts';

/** Translates the key of an authority. */
export function migrateKey(
  authority: Record<string, unknown>,
  world: AuthorityWorld,
  place: Place,
): Pick<AuthoritySpec, 'key'> | Untranslatable {
  const { field, note } = place;
  const key = toRecord(authority['key']);
  const unknown = findUnknown(key, ['data', 'kms', 'secretRef', 'hashAlgorithm']);
  if (unknown.length > 0)
    return { problem: `key has members that are not known: ${quote(unknown.join(', '), 64)}` };
  const kms = toText(key['kms']);
  if (kms !== undefined)
    return {
      problem:
        'keys are not read from key management services: export the public key and write it as key.pem',
      source: kms,
    };
  const material = migrateMaterial(key, world, place);
  if (material === undefined) return { problem: 'exactly one of key.data, key.secretRef must be set' };
  if (!['', 'sha256'].includes(toText(key['hashAlgorithm']) ?? ''))
    note(
      'Same',
      `${field}.key.hashAlgorithm`,
      "it is not configured here: signatures over the curve's own hash and over SHA-256 count, no others",
    );
  return { key: { ...material, ...migrateObservers(authority, world, place) } };
}

function migrateMaterial(
  key: Record<string, unknown>,
  { findSecretKeys }: AuthorityWorld,
  place: Place,
): KeySpec | undefined {
  const data = toText(key['data']) ?? '';
  const name = toText(toRecord(key['secretRef'])['name']) ?? '';
  if ((data === '') === (name === '')) return undefined;
  return data === '' ? migrateSecret(name, findSecretKeys(name) ?? [], place) : migratePem(data, place);
}

// There only the first counts; here every one would.
function migratePem(data: string, { field, note }: Place): KeySpec {
  const [first = data, ...others] = data.match(/-----BEGIN [^-]+-----[^]*?-----END [^-]+-----/g) ?? [];
  if (others.length > 0)
    note('Same', `${field}.key.data`, 'only the first key counts there: the others are left out');
  return { pem: `${first.trim()}\n` };
}

function migrateSecret(name: string, keys: readonly string[], { field, note }: Place): KeySpec {
  const [only = 'cosign.pub'] = keys;
  const guess =
    keys.length === 1 ? '' : `; there its only entry is read, here key names one: ${only} is a guess`;
  note(
    'Denies',
    `${field}.key.secretRef`,
    `Secret ${quote(name, 253)} must be moved to the namespace of this controller: until it is there, what is selected is denied${guess}`,
  );
  return { secretKeyRef: { name, key: only } };
}

function migrateObservers(
  authority: Record<string, unknown>,
  { needRoot }: AuthorityWorld,
  { field, note }: Place,
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
