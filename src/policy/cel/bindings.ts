// Which values do a rule's variables have? Facts become typed values, Kubernetes objects maps, all lazily.
// What may be in the facts is decided by model/ and signature/; which variables a scope sees by environment.ts.
import type { LayerFacts, ModelFacts } from '../../model/facts.ts';
import type { AttestationFacts, AttestationSignature } from '../../signature/attestation.ts';
import type { LogEvidence, SignatureFacts } from '../../signature/facts.ts';
import { toLazyValue } from './lazy-value.ts';
import { createTyped, defineLazily } from './types.ts';
import { toCelValue } from './value.ts';
import { createVariablesValue, NO_VARIABLES, type CelVariables } from './variables.ts';

export { toCelValue, type CelValue } from './value.ts';

const VARIABLES: unique symbol = Symbol('variables');

/** The values of one evaluation's variables; opaque, made by createCelBindings. */
export interface CelBindings {
  readonly [VARIABLES]: ReadonlyMap<string, unknown>;
}

/** What createCelBindings takes: Kubernetes objects as JSON or as toCelValue returned them, facts as they are. */
export interface CelInput {
  readonly pod: unknown;
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly request: unknown;
  readonly namespaceObject: unknown;
  readonly model: ModelFacts;
  readonly signatures: readonly (SignatureFacts & { readonly authority: string })[];
  /** Those that satisfied a requirement; default none. */
  readonly attestations?: readonly NamedAttestation[];
  /** The one that is judged, in scopes about one. */
  readonly attestation?: ReadAttestation;
  readonly now: Date;
  /** Variables of the policy; default none. */
  readonly variables?: CelVariables;
}

/** What conditions of policies see: only what neither author nor requester chooses beside where and what. */
export interface MatchInput {
  readonly namespaceObject: unknown;
  readonly namespace: string;
  readonly operation: string;
}

/** An attestation whose statement is parsed when a rule first reads it, and then once. */
export interface ReadAttestation {
  readonly predicateType: string;
  readonly hasPredicate: boolean;
  readonly signature: AttestationSignature & { readonly authority: string };
  /** The converted statement: a map. */
  readonly readStatement: () => unknown;
}

/** An attestation with the name of the requirement that it satisfies. */
export interface NamedAttestation extends ReadAttestation {
  readonly name: string;
}

/** Prepares a verified attestation for rules. */
export function toReadAttestation(facts: AttestationFacts & { readonly authority: string }): ReadAttestation {
  const { predicateType, hasPredicate, authority } = facts;
  let statement: unknown;
  return {
    predicateType,
    hasPredicate,
    signature: { ...facts.signature, authority },
    // Parsed strictly when it was verified: this only makes values of it.
    readStatement: () => (statement ??= toLazyValue(JSON.parse(facts.statement))),
  };
}

/** Binds the variables of one reference; each is converted when first read. Pass CelValues to share conversions. */
export function createCelBindings(input: CelInput): CelBindings {
  const values: LazyMap = new LazyMap({
    pod: () => toCelValue(input.pod),
    object: () => toCelValue(input.object),
    oldObject: () => toCelValue(input.oldObject ?? null),
    request: () => toCelValue(input.request),
    namespaceObject: () => toCelValue(input.namespaceObject),
    model: () => toModel(input.model),
    signatures: () => input.signatures.map(toSignature),
    attestations: () => (input.attestations ?? []).map(toAttestation),
    predicateType: () => input.attestation?.predicateType,
    predicate: () => input.attestation && readPredicate(input.attestation),
    statement: () => input.attestation?.readStatement(),
    signature: () => input.attestation && toSignature(input.attestation.signature),
    now: () => new Date(input.now),
    variables: () => createVariablesValue(input.variables ?? NO_VARIABLES, values),
  });
  return { [VARIABLES]: values };
}

/** The same variables with the attestation that is judged: what is read once is shared by all attestations. */
export function bindAttestation(base: CelBindings, attestation: ReadAttestation): CelBindings {
  const own = {
    predicateType: () => attestation.predicateType,
    predicate: () => readPredicate(attestation),
    statement: () => attestation.readStatement(),
    signature: () => toSignature(attestation.signature),
  };
  return { [VARIABLES]: new LazyMap(own, base[VARIABLES]) };
}

/** Binds the variables of match conditions. */
export function createMatchBindings({ namespaceObject, namespace, operation }: MatchInput): CelBindings {
  return {
    [VARIABLES]: new LazyMap({
      namespaceObject: () => toCelValue(namespaceObject),
      request: () => createTyped('MatchRequest', { namespace, operation }),
    }),
  };
}

/** The variables as the library reads them; for engine.ts only. */
export function variablesOf(bindings: CelBindings): ReadonlyMap<string, unknown> {
  return bindings[VARIABLES];
}

// The library looks variables up with get(), so a map that fills itself needs no conversion in advance.
class LazyMap extends Map<string, unknown> {
  readonly #sources: Readonly<Record<string, () => unknown>>;

  readonly #others: ReadonlyMap<string, unknown> | undefined;

  constructor(sources: Readonly<Record<string, () => unknown>>, others?: ReadonlyMap<string, unknown>) {
    super();
    this.#sources = sources;
    this.#others = others;
  }

  override get(name: string): unknown {
    if (!this.has(name) && Object.hasOwn(this.#sources, name)) this.set(name, this.#sources[name]?.());
    return this.has(name) ? super.get(name) : this.#others?.get(name);
  }
}

function toModel(model: ModelFacts): object {
  const { registry, repository, tag, digest, original } = model.reference;
  return createTyped('Model', {
    reference: createTyped('Reference', { registry, repository, tag, digest, original }),
    source: model.source,
    fieldPath: model.fieldPath,
    format: model.format,
    binding: model.binding,
    mediaType: model.mediaType,
    artifactType: model.artifactType,
    configMediaType: model.configMediaType,
    annotations: toStringMap(model.annotations),
    layers: model.layers?.map(toLayer),
    size: toInt(model.size),
  });
}

function toLayer(layer: LayerFacts): object {
  return createTyped('Layer', {
    class: layer.class,
    digest: layer.digest,
    title: layer.title,
    mediaType: layer.mediaType,
    size: toInt(layer.size),
    annotations: toStringMap(layer.annotations),
  });
}

function toAttestation(attestation: NamedAttestation): object {
  const { name, predicateType, signature, hasPredicate, readStatement } = attestation;
  const value = createTyped('Attestation', { name, predicateType, signature: toSignature(signature) });
  defineLazily(value, 'statement', readStatement);
  if (hasPredicate) defineLazily(value, 'predicate', () => readPredicate(attestation));
  return value;
}

function readPredicate({ readStatement }: ReadAttestation): unknown {
  const statement = readStatement();
  return statement instanceof Map ? statement.get('predicate') : undefined;
}

function toSignature(
  facts: (SignatureFacts | AttestationSignature) & { readonly authority: string },
): object {
  const { certificate } = facts;
  return createTyped('Signature', {
    authority: facts.authority,
    format: facts.format,
    issuer: facts.issuer,
    subject: facts.subject,
    claims: toStringMap(facts.claims),
    keyFingerprint: facts.keyFingerprint,
    certificate: certificate && createTyped('Certificate', { ...certificate }),
    signedAt: facts.signedAt,
    existedBy: facts.existedBy,
    timeSources: [...facts.timeSources],
    logs: facts.logs.map(toLog),
    annotations: toStringMap(facts.annotations),
  });
}

function toLog(log: LogEvidence): object {
  // An index that is not a decimal number is left out: reading it fails, nothing else does.
  const index = /^\d{1,19}$/.test(log.index) ? BigInt(log.index) : undefined;
  return createTyped('Log', { origin: log.origin, index, witnesses: [...log.witnesses] });
}

function toInt(value: number | undefined): bigint | undefined {
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
}

function toStringMap(record: Readonly<Record<string, string>> | undefined): Map<string, string> | undefined {
  return record && new Map(Object.entries(record));
}
