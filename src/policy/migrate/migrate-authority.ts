// Which of our authorities accepts whom an authority of policy-controller accepts? What cannot be written is left out:
// authorities are alternatives, so one less admits less.
import { quote, toArray, toRecord, toText } from '../../lib/text.ts';
import type { AttestationSpec, AuthoritySpec } from '../types.ts';
import { findRoots, type AuthorityWorld, type Place } from './authority-world.ts';
import { findUnknown } from './difference.ts';
import { migrateAttestations } from './migrate-attestations.ts';
import { migrateKey } from './migrate-key.ts';
import { migrateKeyless } from './migrate-keyless.ts';

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
  at: Place,
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
  const scattered = findScatteredRoots(authority);
  if (scattered !== undefined) return leaveOut(scattered);
  const translate = key === undefined ? migrateKeyless : migrateKey;
  const signing = translate(authority, world, at);
  if ('problem' in signing) return leaveOut(signing.problem, signing.source);
  return {
    kind: 'signing',
    spec: { name, ...signing, ...migrateFormat(authority, at), ...migrateSources(authority, at) },
    attestations: migrateAttestations(toArray(authority['attestations']), name, at),
  };
}

type LeaveOut = (message: string, source?: string) => MigratedAuthority;

// Taking all from one of several TrustRoots would trust certificates or logs that were not trusted for this.
function findScatteredRoots(authority: Record<string, unknown>): string | undefined {
  const { keyless } = authority;
  const roots = findRoots(authority);
  const isPartly =
    keyless !== undefined && roots.length === 1 && !roots.includes(String(toRecord(keyless)['trustRootRef']));
  if (roots.length < 2 && !isPartly) return undefined;
  const shown = roots.map((root) => quote(root, 253)).join(', ');
  return `it takes its certificate authority, logs and timestamps from different roots, ${shown} among them; here one TrustRoot holds everything: put them into one`;
}

function migrateStatic({ action, message }: Record<string, unknown>, leaveOut: LeaveOut): MigratedAuthority {
  if (action !== 'pass' && action !== 'fail') return leaveOut('static.action is neither pass nor fail');
  return { kind: action, message: toText(message)?.slice(0, 512) };
}

function migrateFormat(
  { signatureFormat }: Record<string, unknown>,
  { field, note }: Place,
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

// One other repository is one authority's; several would be several authorities, of which one is enough here and was there.
function migrateSources(
  authority: Record<string, unknown>,
  { field, note }: Place,
): Pick<AuthoritySpec, 'signatureRepository'> {
  const sources = toArray(authority['source']).map(toRecord);
  const [source, ...others] = sources;
  if (source === undefined) return {};
  const { oci, tagPrefix, signaturePullSecrets } = source;
  for (const [index, { oci: other }] of others.entries())
    note(
      'Denies',
      `${field}.source[${index + 1}]`,
      `an authority looks in one repository: write another authority for ${quote(JSON.stringify(other ?? null))}`,
    );
  if (tagPrefix !== undefined)
    note(
      'Denies',
      `${field}.source[0].tagPrefix`,
      `signatures are looked for without a prefix only: copy those of ${quote(JSON.stringify(tagPrefix))}`,
    );
  const pullSecrets = toArray(signaturePullSecrets).flatMap((secret) => {
    const name = toText(toRecord(secret)['name']);
    return name === undefined ? [] : [{ name }];
  });
  const repository = toText(oci);
  if (repository === undefined) {
    if (pullSecrets.length > 0)
      note(
        'Denies',
        `${field}.source[0].signaturePullSecrets`,
        'the model is read with the credentials of the pod and of the controller: see --pull-secrets and --registry-config',
      );
    return {};
  }
  if (pullSecrets.length > 0)
    note(
      'Same',
      `${field}.source[0].signaturePullSecrets`,
      "they are read in the controller's namespace: copy the Secrets there",
    );
  return { signatureRepository: { repository, ...(pullSecrets.length > 0 && { pullSecrets }) } };
}
