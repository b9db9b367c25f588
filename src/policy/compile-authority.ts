// Whom does this authority trust? Turns one authority of a spec into verification material, or into problems that
// make its policy deny.
import type { DenialReason } from '../reason.ts';
import { quote } from '../lib/text.ts';
import type { Authority, KeyAuthority, KeylessAuthority, Requirements } from '../signature/authority.ts';
import type { SignatureFormat } from '../signature/facts.ts';
import { CLAIM_NAMES } from '../signature/fulcio-claims.ts';
import type { IdentityMatcher, TextMatcher } from '../signature/identity.ts';
import { parsePublicKeys, type TrustedKey } from '../signature/public-key.ts';
import { AUTHORITY_KINDS, type PolicyScope } from './authority-schema.ts';
import { compileCertificate } from './compile-certificate.ts';
import { compileObservers, findTrustRoot, toNamedTrust, type ReportRef } from './compile-observers.ts';
import { compileSignatureRepository } from './compile-signature-repository.ts';
import { compileText } from './compile-text.ts';
import type { CompiledTrustRoot } from './compile-trust-root.ts';
import { readBytes, takePemBlocks, TOO_MANY_PEM_BLOCKS } from './read-bytes.ts';
import type { MaterialContext } from './source-material.ts';
import type { AuthoritySpec, Identity, KeySpec } from './types.ts';

/** Told every problem: `path` inside the authority, `reason` PolicyInvalid unless something it names is missing. */
export type ReportProblem = (path: string, problem: string, reason?: DenialReason) => void;

/** What authorities name. */
export interface AuthorityContext extends MaterialContext {
  readonly trustRoots: ReadonlyMap<string, CompiledTrustRoot>;
  /** Whose policy it is; default the cluster's. */
  readonly scope?: PolicyScope;
}

const DEFAULT_FORMATS: readonly SignatureFormat[] = ['CosignBundle', 'CosignSimpleSigning'];

/** Compiles one authority; undefined when a problem was reported. */
export function compileAuthority(
  spec: AuthoritySpec,
  context: AuthorityContext,
  report: ReportProblem,
): Authority | undefined {
  const kinds = [spec.key, spec.keyless, spec.certificate, spec.static, spec.tenant];
  if (kinds.filter((kind) => kind !== undefined).length !== 1) {
    const known = AUTHORITY_KINDS[context.scope ?? 'Cluster'].join(', ');
    report('', `exactly one of ${known} must be set`);
    return undefined;
  }
  const common = compileCommon(spec, context, report);
  if (common === undefined) return undefined;
  if (spec.static !== undefined) {
    const { action, message = 'denied by policy' } = spec.static;
    return { kind: 'static', name: spec.name, action, message };
  }
  if (spec.tenant !== undefined) return { ...common, kind: 'tenant' };
  const signing = compileSigning(spec, context, report);
  return signing && { ...common, ...signing };
}

function compileSigning(
  spec: AuthoritySpec,
  context: AuthorityContext,
  report: ReportProblem,
):
  | ({ kind: 'key' } & Key)
  | ReturnType<typeof compileCertificate>
  | ({ kind: 'keyless' } & Keyless)
  | undefined {
  if (spec.key !== undefined) {
    const key = compileKey(spec.key, context, report);
    return key && { kind: 'key', ...key };
  }
  if (spec.certificate !== undefined) return compileCertificate(spec.certificate, context, report);
  if (spec.keyless !== undefined) {
    const keyless = compileKeyless(spec.keyless, context, report);
    return keyless && { kind: 'keyless', ...keyless };
  }
  return undefined;
}

type Common = Pick<KeyAuthority, 'name' | 'signatureFormats' | 'signatureRepository'>;

function compileCommon(
  spec: AuthoritySpec,
  context: AuthorityContext,
  report: ReportProblem,
): Common | undefined {
  const signatureRepository = compileSignatureRepository(spec, context, report);
  if (signatureRepository === 'broken') return undefined;
  const signatureFormats = new Set(spec.signatureFormats ?? DEFAULT_FORMATS);
  return { name: spec.name, signatureFormats, ...(signatureRepository && { signatureRepository }) };
}

type Key = Omit<KeyAuthority, 'kind' | keyof Common>;

function compileKey(spec: KeySpec, context: AuthorityContext, report: ReportProblem): Key | undefined {
  const keys = compileKeys(spec, context, report);
  const observers = compileObservers(spec, context, (path, ...problem) => report(`key.${path}`, ...problem));
  if (keys === undefined || observers === 'broken') return undefined;
  return { keys, ...(observers && { observers }) };
}

function compileKeys(
  { pem, secretKeyRef, configMapKeyRef }: KeySpec,
  context: AuthorityContext,
  report: ReportProblem,
): readonly TrustedKey[] | undefined {
  const bytes = readBytes({ text: pem, secretKeyRef, configMapKeyRef }, context);
  if (!bytes.ok) {
    report('key', bytes.problem, bytes.reason);
    return undefined;
  }
  if (!takePemBlocks(bytes.bytes)) {
    report('key', TOO_MANY_PEM_BLOCKS);
    return undefined;
  }
  const parsed = parsePublicKeys(bytes.bytes.toString('latin1'));
  if (parsed.ok) return parsed.keys;
  // A Secret with a broken key is the operator's to mend, a broken key in the policy its author's.
  report('key', parsed.problem, pem === undefined ? 'CredentialsUnavailable' : 'PolicyInvalid');
  return undefined;
}

type KeylessSpec = NonNullable<AuthoritySpec['keyless']>;
type Keyless = Omit<KeylessAuthority, 'kind' | keyof Common>;

function compileKeyless(
  spec: KeylessSpec,
  context: AuthorityContext,
  report: ReportProblem,
): Keyless | undefined {
  const { name } = spec.trustRootRef;
  const identities = spec.identities.map((identity, index) =>
    compileIdentity(identity, (path, problem) => report(`keyless.identities[${index}]${path}`, problem)),
  );
  const reportRef: ReportRef = (...problem) => report('keyless.trustRootRef', ...problem);
  const root = findTrustRoot(name, context, reportRef);
  const usable = identities.filter((identity) => identity !== undefined);
  if (root === undefined || usable.length < identities.length) return undefined;
  if (root.root.certificateAuthorities.length === 0) {
    reportRef(`TrustRoot ${quote(name, 253)} has no certificate authority`, 'TrustRootUnavailable');
    return undefined;
  }
  return { identities: usable, ...toNamedTrust(name, root, raise(root.requirements, spec)) };
}

// An authority can ask for more evidence than its root, never for less.
function raise(requirements: Requirements, spec: KeylessSpec): Requirements {
  return {
    ...requirements,
    logEntries: Math.max(requirements.logEntries, spec.minLogEntries ?? 0),
    timestamps: Math.max(requirements.timestamps, spec.minTimestamps ?? 0),
  };
}

function compileIdentity(identity: Identity, report: ReportProblem): IdentityMatcher | undefined {
  const compile = (field: 'issuer' | 'subject'): TextMatcher | undefined => {
    const [exact, pattern] = [identity[field], identity[`${field}RegExp`]];
    const path = exact === undefined && pattern !== undefined ? `.${field}RegExp` : `.${field}`;
    return compileText(exact, pattern, (problem) => report(path, problem));
  };
  const [issuer, subject] = [compile('issuer'), compile('subject')];
  const claims = compileClaims(identity, report);
  if (issuer === undefined || subject === undefined || claims === undefined) return undefined;
  return { issuer, subject, claims };
}

function compileClaims(
  identity: Identity,
  report: ReportProblem,
): ReadonlyMap<string, TextMatcher> | undefined {
  const claims = new Map<string, TextMatcher>();
  let isGood = true;
  const add = (name: string, exact: string | undefined, pattern: string | undefined): void => {
    const matcher = compileText(exact, pattern, (problem) => report(`.claims.${name}`, problem));
    if (!CLAIM_NAMES.has(name)) report('.claims', `${quote(name, 64)} is no Fulcio extension`);
    if (claims.has(name)) report('.claims', `${quote(name, 64)} is set twice`);
    if (matcher === undefined || !CLAIM_NAMES.has(name) || claims.has(name)) isGood = false;
    else claims.set(name, matcher);
  };
  for (const [name, value] of Object.entries(identity.claims ?? {})) add(name, value, undefined);
  for (const [name, pattern] of Object.entries(identity.claimsRegExp ?? {})) add(name, undefined, pattern);
  return isGood ? claims : undefined;
}
