// Which of our keyless authorities accepts whom one of policy-controller accepts? Identities, and the TrustRoot with what it
// asks of evidence.
import { quote, toArray, toRecord, toText } from '../../lib/text.ts';
import { MAX_PATTERN_CHARS } from '../schema.ts';
import type { AuthoritySpec, Identity } from '../types.ts';
import { findRoots, type AuthorityWorld, type Place, type Untranslatable } from './authority-world.ts';
import { findUnknown } from './difference.ts';
import { migratePattern } from './migrate-pattern.ts';

/** Translates the keyless part of an authority. */
export function migrateKeyless(
  authority: Record<string, unknown>,
  world: AuthorityWorld,
  place: Place,
): Pick<AuthoritySpec, 'keyless'> | Untranslatable {
  const keyless = toRecord(authority['keyless']);
  const unknown = findUnknown(keyless, ['url', 'identities', 'ca-cert', 'trustRootRef', 'insecureIgnoreSCT']);
  if (unknown.length > 0)
    return { problem: `keyless has members that are not known: ${quote(unknown.join(', '), 64)}` };
  if (keyless['ca-cert'] !== undefined)
    return {
      problem: 'keyless.ca-cert never verifies there, and has no counterpart: write a certificate authority',
    };
  const identities = toArray(keyless['identities'])
    .map((identity, index) =>
      migrateIdentity(toRecord(identity), {
        field: `${place.field}.keyless.identities[${index}]`,
        note: place.note,
      }),
    )
    .filter((identity) => identity !== undefined);
  if (identities.length === 0) return { problem: 'keyless names no identity that can be written' };
  return { keyless: { identities, trustRootRef: { name: findRoot(authority, world, place) } } };
}

// There, a TrustRoot of one's own without ctlog, and every timestamp authority, turn the log off.
function findRoot(
  authority: Record<string, unknown>,
  { needRoot }: AuthorityWorld,
  { field, note }: Place,
): string {
  const { ctlog, rfc3161timestamp } = authority;
  const keyless = toRecord(authority['keyless']);
  const [name] = findRoots(authority);
  const usesTimestamp = rfc3161timestamp !== undefined;
  const usesLog = !usesTimestamp && (ctlog !== undefined || name === undefined);
  const log = toText(toRecord(ctlog)['url']);
  if (log !== undefined && !PUBLIC_LOG.test(log))
    note(
      'Same',
      `${field}.ctlog.url`,
      `${quote(log)} is not asked: entries of the TrustRoot's logs are proven offline`,
    );
  if (usesLog && name !== undefined && findRoots({ ctlog }).length === 0)
    note(
      'Same',
      `${field}.ctlog`,
      `logs are those of TrustRoot ${quote(name, 253)} here, not of the controller's own root`,
    );
  if (!usesLog && !usesTimestamp)
    note(
      'Stricter',
      field,
      'neither log nor timestamp is asked for there; here a trusted time is always needed',
    );
  const request = {
    name,
    url: toText(keyless['url']),
    ignoresSct: keyless['insecureIgnoreSCT'] === true,
    ignoresLog: !usesLog,
  };
  return needRoot(request, note, `${field}.keyless`);
}

const PUBLIC_LOG = /^https?:\/\/rekor\.sigstore\.dev\/?$/;

function migrateIdentity(identity: Record<string, unknown>, at: Place): Identity | undefined {
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
  { field, note }: Place,
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
