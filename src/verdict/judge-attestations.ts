// Is every attestation there that a policy demands? For each requirement one statement must be of its type, signed by an
// authority that it names, and satisfy all of its rules. Says for each one that is not, which of the three is missing.
import type { EvidenceProblem } from '../evidence/evidence.ts';
import { quote } from '../lib/text.ts';
import {
  bindAttestation,
  createCelBindings,
  toReadAttestation,
  type CelBindings,
  type CelInput,
  type NamedAttestation,
  type ReadAttestation,
} from '../policy/cel/bindings.ts';
import type { CelMeter } from '../policy/cel/meter.ts';
import type { CompiledAttestation, CompiledPolicy } from '../policy/compiled.ts';
import { REASONS, type DenialReason } from '../reason.ts';
import { describeLooked } from './evidence-places.ts';
import { evaluateRule } from './evaluate-rule.ts';
import { pickVaried } from './limits.ts';
import type { AttestationProof, ProvenAttestation } from './prove-attestations.ts';

/** What the rules of attestations see beside the statement, and what pays for them. */
export type AttestationInput = Omit<CelInput, 'attestation' | 'attestations'> & { readonly meter: CelMeter };

/** One thing that is wrong. */
export interface AttestationProblem {
  readonly reason: DenialReason;
  readonly message: string;
  readonly authority?: string;
}

/** What satisfied the requirements of a policy, and what is wrong with the rest. */
export interface AttestationVerdict {
  readonly satisfying: readonly NamedAttestation[];
  readonly problems: readonly AttestationProblem[];
}

const NOTHING: AttestationProof = { proven: [], failures: [], found: [], problems: [] };
/** Predicate types that are named in one message. */
const MAX_SHOWN_TYPES = 8;

/**
 * Judges every requirement of a policy about one manifest.
 * @param others problems with candidates that could be attestations too
 */
export function judgeAttestations(
  { attestations, variables }: CompiledPolicy,
  proof: AttestationProof = NOTHING,
  others: readonly EvidenceProblem[],
  values: AttestationInput,
): AttestationVerdict {
  const bindings = createCelBindings({ ...values, variables: variables.attestations });
  const input = { bindings, meter: values.meter };
  const satisfying: NamedAttestation[] = [];
  const problems: AttestationProblem[] = [];
  for (const [index, required] of attestations.entries()) {
    const candidates = proof.proven.filter((one) => isMeant(required, one));
    const judged = candidates.map((one) => judgeStatement(required, index, one, input));
    const good = judged.flatMap(({ attestation, failure }) =>
      failure === undefined ? [{ ...attestation, name: required.name }] : [],
    );
    satisfying.push(...good);
    if (good.length > 0) continue;
    const failures = judged.flatMap(({ failure }) => failure ?? []);
    const hidden = pickVaried([...others, ...proof.problems]);
    const reasons = explain(required, proof, failures) ?? explainAbsence(required, proof, hidden);
    problems.push(
      ...(reasons.length + hidden.length > 0 ? [...reasons, ...hidden] : [toUnexplained(required)]),
    );
  }
  return { satisfying, problems };
}

function isMeant(
  { predicateTypes, authorities }: CompiledAttestation,
  { predicateType, authority }: { readonly predicateType: string; readonly authority: string },
): boolean {
  return predicateTypes.includes(predicateType) && authorities.includes(authority);
}

interface StatementInput {
  readonly bindings: CelBindings;
  readonly meter: CelMeter;
}

interface Judged {
  readonly attestation: ReadAttestation;
  readonly failure: AttestationProblem | undefined;
}

function judgeStatement(
  { name, validations }: CompiledAttestation,
  index: number,
  proven: ProvenAttestation,
  { bindings: shared, meter }: StatementInput,
): Judged {
  const attestation = toReader(proven, meter);
  const bindings = bindAttestation(shared, attestation);
  for (const [at, validation] of validations.entries()) {
    const failed = evaluateRule(validation, bindings, meter);
    if (failed === undefined) continue;
    const message = `attestation ${name} by ${proven.authority}: spec.attestations[${index}].validations[${at}]: ${failed.message}`;
    return { attestation, failure: { reason: 'AttestationRejected', message, authority: proven.authority } };
  }
  return { attestation, failure: undefined };
}

// Parsed once a request, however many requirements, policies and manifests of an index read it.
const readers = new WeakMap<CelMeter, Map<ProvenAttestation, ReadAttestation>>();

function toReader(proven: ProvenAttestation, meter: CelMeter): ReadAttestation {
  const known = readers.get(meter) ?? new Map<ProvenAttestation, ReadAttestation>();
  readers.set(meter, known);
  const reader = known.get(proven) ?? toReadAttestation(proven);
  known.set(proven, reader);
  return reader;
}

// Present, and yet it does not count; undefined when nothing of its types is there.
function explain(
  required: CompiledAttestation,
  { failures, found }: AttestationProof,
  violations: readonly AttestationProblem[],
): readonly AttestationProblem[] | undefined {
  const { name, predicateTypes } = required;
  if (!predicateTypes.some((type) => found.includes(type))) return undefined;
  const refused = pickVaried(failures.filter((failure) => isMeant(required, failure))).map(
    ({ reason, message, authority, predicateType }): AttestationProblem => ({
      reason: 'AttestationRejected',
      message: `attestation ${name} of type ${quote(predicateType, 120)}: ${reason}: ${message}`,
      authority,
    }),
  );
  return [...pickVaried(violations), ...refused];
}

// A requirement that nothing satisfies never passes for want of a reason.
function toUnexplained({ name }: CompiledAttestation): AttestationProblem {
  return { reason: 'AttestationRejected', message: `attestation ${name}: no statement satisfies it` };
}

// Transport trouble is never absence.
function explainAbsence(
  { name, predicateTypes }: CompiledAttestation,
  { found, ...looked }: AttestationProof,
  hidden: readonly EvidenceProblem[],
): readonly AttestationProblem[] {
  if (hidden.some(({ reason }) => REASONS[reason].transient)) return [];
  const shown = found.length === 0 ? 'none at all' : toShownTypes(found);
  return [
    {
      reason: 'AttestationMissing',
      message: `attestation ${name}: none of type ${toShownTypes(predicateTypes)} is attached to this digest${describeLooked(looked)}; found: ${shown}`,
    },
  ];
}

function toShownTypes(types: readonly string[]): string {
  const shown = types.slice(0, MAX_SHOWN_TYPES).map((type) => quote(type, 80));
  const rest = types.length - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
