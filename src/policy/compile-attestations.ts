// Which attestations does this policy demand, and from whom? Compiles `attestations`, and holds `minAuthorities: 0` to
// its condition: without signatures everything rests on attestations, so each must say whose counts.
import { isSignaturePredicate } from '../model/predicate-type.ts';
import { quote } from '../lib/text.ts';
import type { CelEngine, CelVariables } from './cel/engine.ts';
import { compileValidation } from './compile-validation.ts';
import type { CompiledAttestation } from './compiled.ts';
import type { AttestationSpec, ClusterModelPolicySpec } from './types.ts';

type Report = (path: string, problem: string) => void;

/** How attestations are compiled: `variables` are those that their rules see. */
export interface AttestationContext {
  readonly engine: CelEngine;
  readonly variables: CelVariables;
  readonly report: Report;
}

/** Compiles the attestations of a spec; problems are reported with their paths. */
export function compileAttestations(
  spec: ClusterModelPolicySpec,
  { engine, variables, report }: AttestationContext,
): readonly CompiledAttestation[] {
  const { attestations = [], authorities, minAuthorities } = spec;
  const names = attestations.map(({ name }) => name);
  if (new Set(names).size !== names.length)
    report('spec.attestations', 'two attestations have the same name');
  if (attestations.length > 0 && authorities.some((authority) => authority.static !== undefined))
    report(
      'spec.attestations',
      'a static authority signs nothing, so no attestation can be demanded beside it',
    );
  if (minAuthorities === 0 && !isProvenance(attestations))
    report('spec.minAuthorities', '0 needs attestations, each of which names its authorities');
  // What namespaces attest to each other is theirs: it never stands for what the cluster demands.
  const known = authorities.filter(({ tenant }) => tenant === undefined).map(({ name }) => name);
  if (attestations.length > 0 && known.length === 0)
    report('spec.attestations', 'a tenant authority vouches for no attestation, so another one is needed');
  return attestations.map((attestation, index) => {
    const path = `spec.attestations[${index}]`;
    checkPredicateTypes(attestation, path, report);
    checkAuthorities(attestation, known, { path, report });
    return {
      name: attestation.name,
      predicateTypes: attestation.predicateTypes,
      authorities: attestation.authorities ?? known,
      validations: (attestation.validations ?? []).flatMap((validation, at) =>
        compileValidation(validation, `${path}.validations[${at}]`, {
          engine,
          report,
          variables,
          scopes: { expression: 'attestation', message: 'attestationMessage' },
        }),
      ),
    };
  });
}

function isProvenance(attestations: readonly AttestationSpec[]): boolean {
  return attestations.length > 0 && attestations.every(({ authorities }) => authorities !== undefined);
}

function checkPredicateTypes({ predicateTypes }: AttestationSpec, path: string, report: Report): void {
  for (const [index, type] of predicateTypes.entries())
    if (isSignaturePredicate(type))
      report(
        `${path}.predicateTypes[${index}]`,
        `${quote(type, 80)} is the predicate type of a signature, which authorities are for`,
      );
}

function checkAuthorities(
  { authorities = [] }: AttestationSpec,
  known: readonly string[],
  { path, report }: { readonly path: string; readonly report: Report },
): void {
  for (const [index, name] of authorities.entries())
    if (!known.includes(name))
      report(`${path}.authorities[${index}]`, `the policy has no authority ${quote(name, 63)}`);
}
