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
  at: { readonly field: string; readonly note: Note },
): readonly AttestationSpec[] {
  const taken = new Set<string>();
  return attestations.map((attestation, index) => {
    const record = toRecord(attestation);
    const field = `${at.field}.attestations[${index}]`;
    const { note } = at;
    const written = toText(record['name']) ?? '';
    const name = toName(written, `attestation-${index}`, taken);
    if (name !== written) note('Same', `${field}.name`, `it is ${quote(name, 63)} here`);
    const type = toText(record['predicateType']) ?? '';
    const predicateType = Object.hasOwn(PREDICATE_TYPES, type) ? (PREDICATE_TYPES[type] ?? type) : type;
    if (predicateType !== type)
      note('Same', `${field}.predicateType`, `${quote(type, 64)} stands for ${predicateType}`);
    const unknown = findUnknown(record, ['name', 'predicateType', 'policy']);
    if (unknown.length > 0) note('Denies', field, `${quote(unknown.join(', '), 64)} is not known`);
    const rules = [
      ...(record['policy'] === undefined
        ? []
        : migrateRules(toRecord(record['policy']), ROOTS, { field: `${field}.policy`, note })),
      ...(unknown.length > 0 ? [toRefusal('it had members that are not known')] : []),
    ];
    return {
      name,
      predicateTypes: [predicateType],
      authorities: [authority],
      ...(rules.length > 0 && { validations: rules }),
    };
  });
}

const ROOTS = { predicateType: 'predicateType', predicate: 'predicate' };
const KNOWN =
  'type data configMapRef remote fetchConfigFile includeSpec includeObjectMeta includeTypeMeta'.split(' ');

/** Translates a CUE or Rego policy: exactly, or into a rule that nothing satisfies. */
export function migrateRules(
  policy: Record<string, unknown>,
  roots: Readonly<Record<string, string>>,
  { field, note }: { readonly field: string; readonly note: Note },
): readonly ValidationSpec[] {
  const type = toText(policy['type']) ?? '';
  const data = toText(policy['data']);
  const isWhole =
    findUnknown(policy, KNOWN).length === 0 &&
    policy['configMapRef'] === undefined &&
    policy['remote'] === undefined;
  const expression = type === 'cue' && isWhole && data !== undefined ? migrateCue(data, roots) : undefined;
  if (expression !== undefined) {
    note('Stricter', `${field}.data`, 'CUE lets a member be absent that it names; here it must be there');
    return [{ expression, message: 'translated from CUE' }];
  }
  const where = data === undefined ? describePlace(policy) : '';
  note(
    'Denies',
    field,
    `${type === '' ? 'a policy' : type}${where} must be translated to CEL: until then a rule stands here that nothing satisfies`,
    data,
  );
  return [toRefusal(`${type === '' ? 'its policy' : `its ${type} policy`} was not translated to CEL`)];
}

function toRefusal(message: string): ValidationSpec {
  return { expression: 'false', message: `TODO: ${message}` };
}

function describePlace({ configMapRef, remote }: Record<string, unknown>): string {
  if (configMapRef !== undefined)
    return ` of ConfigMap ${quote(String(toRecord(configMapRef)['name']), 253)}`;
  return remote === undefined ? '' : ` of ${quote(String(toRecord(remote)['url']))}`;
}
