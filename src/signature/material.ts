// When do two authorities ask the cryptography the same question? The part of an authority that decides signatures, with
// a name made of everything in it: the key under which what was proven may be used again.
import { createHash, KeyObject } from 'node:crypto';
import type { TrustedRoot } from '../trust/trusted-root.ts';
import type { AuthorityMaterial, SigningAuthority } from './authority.ts';
import type { PathCertificate } from './certificate-path.ts';

/** Material with its name: equal names mean equal verdicts on the same evidence at the same time. */
export interface NamedMaterial {
  readonly id: string;
  readonly material: AuthorityMaterial;
}

const known = new WeakMap<SigningAuthority, NamedMaterial>();

/** The material of an authority, remembered for it. */
export function toNamedMaterial(authority: SigningAuthority): NamedMaterial {
  const before = known.get(authority);
  if (before !== undefined) return before;
  const material = toMaterial(authority);
  const id = createHash('sha256')
    .update(JSON.stringify(describe(material)))
    .digest('base64url');
  const named = { id, material };
  known.set(authority, named);
  return named;
}

// Exactly what verification reads: identities are functions, and matched afterwards; where signatures are looked for is
// no part of what they are, and credentials go to no thread.
function toMaterial(authority: SigningAuthority): AuthorityMaterial {
  if (authority.kind === 'key') {
    const { name: _, signatureRepository: __, ...material } = authority;
    return material;
  }
  const { name: _, signatureRepository: __, identities: ___, ...material } = authority;
  return material;
}

function describe(material: AuthorityMaterial): unknown {
  return Object.entries(material)
    .toSorted(byMember)
    .map(([member, value]) => [member, describeValue(value)]);
}

// Members are described by what they hold, so that a member added later is never left out of the name.
function describeValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(describeValue);
  return describeClass(value) ?? describePart(value);
}

function describeClass(value: object): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Set)
    return [...(value as Set<unknown>)].map((entry) => [describeValue(entry)]).toSorted(byMember);
  if (value instanceof Map)
    return [...(value as Map<unknown, unknown>)].map((entry) => entry.map(describeValue)).toSorted(byMember);
  if (value instanceof KeyObject) return ['spki', sha256(value.export({ type: 'spki', format: 'der' }))];
  if (value instanceof Uint8Array) return ['bytes', sha256(value)];
  // Two things that look alike here would share their proofs: what is not known has no name.
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new Error('material of an unknown kind');
  return undefined;
}

function describePart(value: object): unknown {
  if (isTrustedRoot(value)) return ['root', toGeneration(value)];
  if (isPathCertificate(value)) return ['certificate', sha256(value.certificate.der)];
  if (isTrustedKey(value)) return ['key', value.fingerprint];
  return Object.entries(value)
    .toSorted(byMember)
    .map(([member, part]) => [member, describeValue(part)]);
}

function isTrustedRoot(value: object): value is TrustedRoot {
  return 'certificateAuthorities' in value && 'certificateLogs' in value;
}

function isPathCertificate(value: object): value is PathCertificate {
  return 'certificate' in value && 'key' in value;
}

function isTrustedKey(value: object): value is { fingerprint: string } {
  return 'fingerprint' in value && 'hints' in value;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

// A root is immutable: another generation is another object.
const generations = new WeakMap<TrustedRoot, number>();
let lastGeneration = 0;

function toGeneration(root: TrustedRoot): number {
  const generation = generations.get(root) ?? (lastGeneration += 1);
  generations.set(root, generation);
  return generation;
}

function byMember([left]: readonly unknown[], [right]: readonly unknown[]): number {
  return String(left) < String(right) ? -1 : 1;
}
