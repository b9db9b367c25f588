// Which of our attestations demand what those of policy-controller demand? Short names become the types they stand for;
// CUE and Rego become CEL where that is exact, else a rule that nothing satisfies.
import { quote, toRecord, toText } from '../../lib/text.ts';
import type { AttestationSpec, ValidationSpec } from '../types.ts';
import { findUnknown, type Note } from './difference.ts';
import { migrateCue } from './migrate-cue.ts';
import { toName } from './names.ts';

/** Predicate types by the short names that cosign gives them. */
export const PREDICATE_TYPES: Readonly<Record<string, string>> = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
};

/** Translates the attestations of one authority, all of which it demands. */
export function migrateAttestations(
  attestations: readonly unknown[],
  authority: string,
  { field, note }: At,
): readonly AttestationSpec[] {
  const taken = new Set<string>();
  return attestations.map((attestation, index) => {
    const record = toRecord(attestation);
    const at = { field: `${field}.attestations[${index}]`, note };
    const written = toText(record['name']) ?? '';
    const name = toName(written, `attestation-${index}`, taken);
    if (name !== written) note('Same', `${at.field}.name`, `it is ${quote(name, 63)} here`);
    const rules = migrateDemands(record, at);
    return {
      name,
      predicateTypes: [migrateType(toText(record['predicateType']) ?? '', at)],
      authorities: [authority],
      ...(rules.length > 0 && { validations: rules }),
    };
  });
}

interface At {
  readonly field: string;
  readonly note: Note;
}

function migrateType(type: string, { field, note }: At): string {
  const predicateType = Object.hasOwn(PREDICATE_TYPES, type) ? PREDICATE_TYPES[type] : undefined;
  if (predicateType === undefined) return type;
  note('Same', `${field}.predicateType`, `${quote(type, 64)} stands for ${predicateType}`);
  return predicateType;
}

function migrateDemands(record: Record<string, unknown>, { field, note }: At): readonly ValidationSpec[] {
  const unknown = findUnknown(record, ['name', 'predicateType', 'policy']);
  if (unknown.length > 0) {
    note('Denies', field, `${quote(unknown.join(', '), 64)} is not known`);
    return [toRefusal('it had members that are not known')];
  }
  const policy = record['policy'];
  if (policy === undefined) return [];
  return migrateRules(toRecord(policy), ROOTS, { field: `${field}.policy`, note });
}

const ROOTS = { predicateType: 'predicateType', predicate: 'predicate' };
const KNOWN =
  'type data configMapRef remote fetchConfigFile includeSpec includeObjectMeta includeTypeMeta'.split(' ');

/** Translates a CUE or Rego policy: exactly, or into a rule that nothing satisfies. */
export function migrateRules(
  policy: Record<string, unknown>,
  roots: Readonly<Record<string, string>>,
  { field, note }: At,
): readonly ValidationSpec[] {
  const data = toText(policy['data']);
  const isPlain = isWhole(policy) && policy['type'] === 'cue';
  const expression = isPlain ? migrateCue(data ?? '', roots) : undefined;
  if (expression !== undefined) {
    note('Stricter', `${field}.data`, 'CUE lets a member be absent that it names; here it must be there');
    return [{ expression, message: 'translated from CUE' }];
  }
  const type = toText(policy['type']) ?? 'unknown';
  const where = data === undefined ? describePlace(policy) : '';
  note(
    'Denies',
    field,
    `${quote(type, 16)} policy${where} must be translated to CEL: until then a rule stands here that nothing satisfies`,
    data,
  );
  return [toRefusal('its policy was not translated to CEL')];
}

function isWhole(policy: Record<string, unknown>): boolean {
  const elsewhere = [policy['configMapRef'], policy['remote']].some((place) => place !== undefined);
  return findUnknown(policy, KNOWN).length === 0 && !elsewhere;
}

function toRefusal(message: string): ValidationSpec {
  return { expression: 'false', message: `TODO: ${message}` };
}

function describePlace({ configMapRef, remote }: Record<string, unknown>): string {
  if (configMapRef !== undefined)
    return ` of ConfigMap ${quote(String(toRecord(configMapRef)['name']), 253)}`;
  return remote === undefined ? '' : ` of ${quote(String(toRecord(remote)['url']))}`;
}
