// Does this authority trust whom its author meant? Patterns that match too much, issuers that nobody certifies, keys of
// few bits, and certificates and dates that run out.
import type { KeyObject } from 'node:crypto';
import { quote, toRecord, toText } from '../lib/text.ts';
import type { Authority } from '../signature/authority.ts';
import { describeEnd, type Advise, type AdviceWorld } from './advice.ts';
import { compileRegularExpression } from './cel/regular-expression.ts';
import { findKnownIssuers } from './known-issuers.ts';
import { lintPattern } from './lint-pattern.ts';
import type { AuthoritySpec, Identity } from './types.ts';

/** NIST SP 800-57 part 1, table 2: 2048 bits are 112 bits of security, below what is asked for from 2031 on. */
const STRONG_RSA_BITS = 3072;

/** Gives advice on one authority. @param compiled the same authority; undefined when what it names is missing */
export function adviseOnAuthority(
  spec: AuthoritySpec,
  compiled: Authority | undefined,
  world: AdviceWorld,
  advise: Advise,
): void {
  if (spec.keyless !== undefined) lintKeyless(spec.keyless, world, advise);
  for (const [index, identity] of (spec.certificate?.identities ?? []).entries())
    lintPatterns(identity, `certificate.identities[${index}]`, advise);
  if (spec.static?.action === 'Pass')
    advise(
      'static.action',
      'Pass admits every model that the policy selects, signed or not; use it only for models that cannot be signed',
    );
  if (compiled !== undefined) lintMaterial(spec, compiled, world.now, advise);
}

function lintMaterial(spec: AuthoritySpec, compiled: Authority, now: Date | undefined, advise: Advise): void {
  if (compiled.kind === 'certificate') lintCertificate(spec, compiled, now, advise);
  if (compiled.kind !== 'key') return;
  for (const { key, fingerprint } of compiled.keys) lintKey(key, `key ${fingerprint.slice(0, 16)}…`, advise);
}

function lintKeyless(
  { identities, trustRootRef }: NonNullable<AuthoritySpec['keyless']>,
  world: AdviceWorld,
  advise: Advise,
): void {
  for (const [index, identity] of identities.entries()) {
    const path = `keyless.identities[${index}]`;
    lintPatterns(identity, path, advise);
    lintIssuer(identity, trustRootRef.name, world, (field, message) => advise(`${path}.${field}`, message));
  }
}

function lintPatterns(identity: object, path: string, advise: Advise): void {
  for (const [field, value] of Object.entries(identity))
    for (const [name, pattern] of toPatterns(field, value))
      for (const problem of lintPattern(pattern)) advise(`${path}.${name}`, problem);
}

function toPatterns(field: string, value: unknown): readonly (readonly [string, string])[] {
  if (!field.endsWith('RegExp')) return [];
  if (typeof value === 'string') return [[field, value]];
  return Object.entries(toRecord(value)).map(([name, pattern]) => [
    `${field}.${name}`,
    toText(pattern) ?? '',
  ]);
}

function lintIssuer(
  { issuer, issuerRegExp }: Identity,
  trustRoot: string,
  { trustRoots }: AdviceWorld,
  advise: Advise,
): void {
  const known = findKnownIssuers(toRecord(trustRoots.get(trustRoot)));
  if (known === undefined) return;
  const advice = (what: string): string =>
    `${known.name} is not known to certify ${what}: nobody may ever match; name an issuer of TrustRoot ${quote(trustRoot, 63)}, or another TrustRoot`;
  if (issuer !== undefined && !known.takes(issuer))
    advise('issuer', advice(`tokens of ${quote(issuer, 80)}`));
  if (issuerRegExp === undefined) return;
  const compiled = compileRegularExpression(issuerRegExp);
  if (compiled.ok && !known.samples.some((sample) => compiled.matches(sample)))
    advise('issuerRegExp', advice('an issuer that this matches'));
}

function lintKey({ asymmetricKeyDetails }: KeyObject, what: string, advise: Advise): void {
  // Keys of other kinds have no modulus.
  const bits = asymmetricKeyDetails?.modulusLength ?? STRONG_RSA_BITS;
  if (bits < STRONG_RSA_BITS)
    advise(
      'key',
      `${what} is RSA with ${bits} bits; use ${STRONG_RSA_BITS} or more, ECDSA, Ed25519 or ML-DSA`,
    );
}

function lintCertificate(
  { certificate }: AuthoritySpec,
  { roots, notAfter }: Extract<Authority, { kind: 'certificate' }>,
  now: Date | undefined,
  advise: Advise,
): void {
  for (const root of roots) {
    const end = describeEnd(root.certificate.notAfter, now);
    const cure = certificate?.trustRootRef === undefined ? ', and then nothing counts' : '';
    if (end !== undefined)
      advise(
        'certificate.roots',
        `the root with serial ${root.serial.slice(0, 40)} ${end}${cure}; add its successor`,
      );
  }
  const end = notAfter === undefined ? undefined : describeEnd(notAfter, now);
  if (end !== undefined)
    advise(
      'certificate.notAfter',
      `it ${end}: what is signed later does not count; move it when that is not meant`,
    );
}
