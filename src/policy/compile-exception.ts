// What does this exception cover, and until when? Compiles a ModelPolicyException once per change; one that cannot be
// compiled covers nothing.
import { quote, toRecord, toText } from '../lib/text.ts';
import { parseReference, toCanonicalName } from '../model/reference.ts';
import { compileGlob } from './glob.ts';
import type { ModelPolicyExceptionSpec } from './types.ts';
import { toFieldPath, validateSpec } from './validate.ts';

/** Longest life of an exception, in milliseconds: 90 days from when the object was made. */
export const MAX_EXCEPTION_LIFE_MS = 90 * 24 * 60 * 60 * 1000;

/** An exception as it was read. */
export interface ExceptionSource {
  readonly name: string;
  readonly spec: unknown;
  /** RFC 3339; absent in files, whose exceptions end when they say. */
  readonly createdAt?: string;
}

/** An exception that counts. */
export interface CompiledException {
  readonly name: string;
  readonly policies: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
  /** True for a model by its `registry/repository` and digest. */
  readonly covers: (name: string, digest: string | undefined) => boolean;
  readonly reason: string;
  readonly requestedBy: string;
  /** From this instant on it has no effect. */
  readonly endsAt: Date;
}

/** An exception, or why it has no effect. */
export type ExceptionResult =
  | { readonly ok: true; readonly exception: CompiledException }
  | { readonly ok: false; readonly name: string; readonly problem: string };

/** Compiles an exception; never throws. */
export function compileException({ name, spec, createdAt }: ExceptionSource): ExceptionResult {
  const refuse = (problem: string): ExceptionResult => ({ ok: false, name, problem });
  const [fault] = validateSpec('ModelPolicyException', spec ?? null);
  if (fault !== undefined) return refuse(`${toFieldPath(['spec', ...fault.path])}: ${fault.message}`);
  const {
    policies,
    namespaces,
    models,
    anyDigest = false,
    expiresAt,
    ...rest
  } = spec as ModelPolicyExceptionSpec;
  const endsAt = toEnd(expiresAt, createdAt);
  if (endsAt === undefined) return refuse('spec.expiresAt: it is no RFC 3339 time in UTC');
  const matchers: CompiledException['covers'][] = [];
  for (const [index, model] of models.entries()) {
    const matcher = compileModel(model, anyDigest);
    if (typeof matcher === 'string') return refuse(`spec.models[${index}]: ${matcher}`);
    matchers.push(matcher);
  }
  return {
    ok: true,
    exception: {
      name,
      policies: new Set(policies),
      namespaces: new Set(namespaces),
      covers: (repository, digest) => matchers.some((matches) => matches(repository, digest)),
      reason: rest.reason,
      requestedBy: rest.requestedBy,
      endsAt,
    },
  };
}

function toEnd(expiresAt: string, createdAt: string | undefined): Date | undefined {
  const end = new Date(expiresAt);
  // 30 February is a date to `Date`, and another one to people.
  if (Number.isNaN(end.getTime()) || end.toISOString().slice(0, 19) !== expiresAt.slice(0, 19))
    return undefined;
  const created = createdAt === undefined ? Number.NaN : new Date(createdAt).getTime();
  return Number.isNaN(created) ? end : new Date(Math.min(end.getTime(), created + MAX_EXCEPTION_LIFE_MS));
}

function compileModel(model: string, anyDigest: boolean): CompiledException['covers'] | string {
  if (model.includes('@')) {
    const parsed = parseReference(model, 'Deny');
    if (!parsed.ok) return `${quote(model, 120)} is no reference: ${parsed.problem}`;
    // What parses with an @ has a digest; without one nothing would be covered.
    const { digest = '' } = parsed.reference;
    const repository = toCanonicalName(parsed.reference);
    return (name, asked) => name === repository && asked === digest;
  }
  if (!anyDigest) return 'a model must be named by digest, or anyDigest must be true';
  const glob = compileGlob(model);
  return glob.ok ? (name) => glob.matches(name) : glob.problem;
}

/** When an object was made, as its metadata says. */
export function toCreatedAt(object: unknown): { readonly createdAt?: string } {
  const createdAt = toText(toRecord(toRecord(object)['metadata'])['creationTimestamp']);
  return createdAt === undefined ? {} : { createdAt };
}
