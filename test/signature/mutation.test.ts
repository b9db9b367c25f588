// Does any change to a good bundle survive? Every JSON leaf deleted, nulled, emptied, flipped and doubled; what may be
// changed is listed here, and nothing of it is ever a fact.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createWitness } from '../../src/demo/witness.ts';
import type { SigningAuthority } from '../../src/signature/authority.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { SignatureFacts } from '../../src/signature/facts.ts';
import {
  change,
  cosign,
  createWorld,
  keyAuthority,
  observersOf,
  STATEMENT,
  toBytes,
  toWitnessKey,
  valueAt,
  verify,
  type Json,
  type Path,
} from './support.ts';

interface Mutant {
  readonly path: string;
  readonly what: string;
  readonly bytes: Buffer;
}

const FLIPS_PER_LEAF = 24;

function* nodesOf(value: Json, path: Path = []): Generator<{ path: Path; value: Json }> {
  if (path.length > 0) yield { path, value };
  if (value === null || typeof value !== 'object') return;
  const children: [string | number, Json][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  for (const [step, child] of children) yield* nodesOf(child, [...path, step]);
}

// One bit of one character, at places spread over the whole text, its ends among them.
function flipsOf(text: string): string[] {
  const count = Math.min(FLIPS_PER_LEAF, text.length);
  return Array.from({ length: count }, (_, n) => {
    const at = count === 1 ? 0 : Math.round((n * (text.length - 1)) / (count - 1));
    return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
  });
}

function valuesOf(value: Json): [string, unknown][] {
  const common: [string, unknown][] = [
    ['deleted', undefined],
    ['nulled', null],
    ['emptied to text', ''],
    ['made an object', {}],
    ['made a list', []],
  ];
  if (Array.isArray(value)) return [...common, ['doubled', [...value, ...value]]];
  if (typeof value === 'number') return [...common, ['plus one', value + 1], ['negated', -value]];
  if (typeof value !== 'string') return common;
  const flips = flipsOf(value).map((text): [string, unknown] => ['flipped', text]);
  const digits: [string, unknown][] = /^\d+$/.test(value)
    ? [
        ['plus one', String(Number(value) + 1)],
        ['negated', `-${value}`],
      ]
    : [];
  return [
    ...common,
    ...flips,
    ...digits,
    ['doubled', value + value],
    ['cut', value.slice(0, -1)],
    ['longer', `${value}A`],
  ];
}

function* mutantsOf(bundle: object): Generator<Mutant> {
  const good = JSON.stringify(bundle);
  for (const { path, value } of nodesOf(JSON.parse(good) as Json)) {
    for (const [what, next] of valuesOf(value)) {
      const bytes = toBytes(change(bundle, path, next));
      if (bytes.toString() !== good) yield { path: path.join('.'), what, bytes };
    }
    const name = path.at(-1);
    if (typeof name !== 'string') continue;
    // The same member twice: JSON.stringify cannot write that, so a marker makes room for it.
    const marked = JSON.stringify(change(bundle, path, '@HERE@'));
    const twice = `${JSON.stringify(value)},${JSON.stringify(name)}:${JSON.stringify(value)}`;
    yield {
      path: path.join('.'),
      what: 'member twice',
      bytes: Buffer.from(marked.replace('"@HERE@"', () => twice)),
    };
  }
}

interface Outcome {
  readonly count: number;
  /** Paths of accepted mutants with what was done to them. */
  readonly accepted: ReadonlyMap<string, ReadonlySet<string>>;
  readonly changedFacts: readonly string[];
}

function run(bundle: object, authority: SigningAuthority): Outcome {
  const good: SignatureFacts = verify(bundle, authority);
  const accepted = new Map<string, Set<string>>();
  const changedFacts: string[] = [];
  let count = 0;
  for (const { path, what, bytes } of mutantsOf(bundle)) {
    count += 1;
    try {
      const facts = verify(bytes, authority);
      accepted.set(path, (accepted.get(path) ?? new Set()).add(what));
      if (JSON.stringify(facts) !== JSON.stringify(good)) changedFacts.push(`${path} ${what}`);
    } catch (error) {
      assert.ok(error instanceof SignatureError, `${path} ${what}: ${String(error)}`);
    }
  }
  return { count, accepted, changedFacts };
}

const TLOG = 'verificationMaterial.tlogEntries.0';
const STAMP = 'verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp';

// What CMS wraps around the signed time (status granted or granted with changes, list of digest algorithms) is not
// signed, and nothing is reported from it.
function requireUnsignedWrappers({ accepted }: Outcome): void {
  assert.deepEqual([...(accepted.get(STAMP) ?? ['flipped'])], ['flipped']);
}

const pathsOf = ({ accepted }: Outcome): string[] => [...accepted.keys()].toSorted();
const withoutWrappers = (paths: string[]): string[] => paths.filter((path) => path !== STAMP);

describe('verifySignature() of mutated bundles', function () {
  this.timeout(120_000);

  it('accepts only another hint of a key bundle', () => {
    const key = generateSigningKey('p256');
    const result = run(signBundleWithKey(STATEMENT, key), keyAuthority(key.publicKeyPem));
    assert.ok(result.count > 100);
    assert.deepEqual(result.changedFacts, []);
    // A looking aid that nothing trusts. Its object must be there: it says which kind of signer this is.
    assert.deepEqual(pathsOf(result), [
      'verificationMaterial.publicKey',
      'verificationMaterial.publicKey.hint',
    ]);
    assert.deepEqual([...(result.accepted.get('verificationMaterial.publicKey') ?? [])], ['made an object']);
  });

  it('accepts only unread fields of a model_signing key bundle', () => {
    const key = generateSigningKey('p384');
    const result = run(
      signBundleWithKey(STATEMENT, key, { style: 'model_signing' }),
      keyAuthority(key.publicKeyPem),
    );
    assert.deepEqual(result.changedFacts, []);
    assert.deepEqual(pathsOf(result), [
      'dsseEnvelope.signatures.0.keyid',
      'verificationMaterial.publicKey',
      'verificationMaterial.publicKey.hint',
      'verificationMaterial.tlogEntries',
    ]);
    // Only absent: an entry of another type or with content that is no entry is refused.
    assert.deepEqual(
      [...(result.accepted.get('verificationMaterial.tlogEntries') ?? [])],
      ['deleted', 'nulled'],
    );
  });

  it('accepts only unread fields of a key bundle that a log, a clock and a witness must have seen', async () => {
    const { sigstore } = await createWorld('v2');
    const [key, witness] = [generateSigningKey('p256'), createWitness('one.test')];
    const needs = { logEntries: 1, timestamps: 1, witnesses: 1 };
    const witnesses = [toWitnessKey(witness)];
    const observers = observersOf(sigstore.trustedRootJson(), needs, { witnesses });
    const bundle = cosign(await sigstore.signLogged(STATEMENT, key), witness);
    const result = run(bundle, keyAuthority(key.publicKeyPem, { observers }));
    assert.ok(result.count > 400);
    assert.deepEqual(result.changedFacts, []);
    requireUnsignedWrappers(result);
    assert.deepEqual(withoutWrappers(pathsOf(result)), [
      'verificationMaterial.publicKey',
      'verificationMaterial.publicKey.hint',
      `${TLOG}.logIndex`,
    ]);
  });

  it('accepts only an unread index in a Rekor v2 bundle', async () => {
    const { authority, sign } = await createWorld('v2');
    const result = run(await sign(), authority);
    assert.ok(result.count > 400);
    assert.deepEqual(result.changedFacts, []);
    requireUnsignedWrappers(result);
    // An index that nobody promised is not read: the proof has its own.
    assert.deepEqual(withoutWrappers(pathsOf(result)), [`${TLOG}.logIndex`]);
  });

  it('accepts no change of a Rekor v1 bundle', async () => {
    const { authority, sign } = await createWorld('v1');
    const result = run(await sign(), authority);
    assert.ok(result.count > 400);
    assert.deepEqual(result.changedFacts, []);
    assert.deepEqual(withoutWrappers(pathsOf(result)), []);
  });

  it('accepts a Rekor v1 bundle with a timestamp also without the promise, and then reports one time less', async () => {
    const { authority, sign } = await createWorld('v1');
    const bundle = await sign({ omitTimestamp: false });
    const result = run(bundle, authority);
    const known = new Set([
      `${TLOG}.inclusionPromise`,
      'verificationMaterial.timestampVerificationData',
      'verificationMaterial.timestampVerificationData.rfc3161Timestamps',
      'verificationMaterial.timestampVerificationData.rfc3161Timestamps.0',
    ]);
    assert.deepEqual(
      withoutWrappers(pathsOf(result)).filter((path) => !known.has(path)),
      [],
    );
    // Left out whole, either way of telling time is enough alone; broken, each spoils the bundle.
    for (const path of known)
      assert.ok(
        [...(result.accepted.get(path) ?? [])].every((what) =>
          ['deleted', 'nulled', 'made an object', 'made a list'].includes(what),
        ),
        path,
      );
    assert.deepEqual(verify(bundle, authority).timeSources, ['tsa', 'transparency-log']);
    const unpromised = change(
      bundle,
      ['verificationMaterial', 'tlogEntries', 0, 'inclusionPromise'],
      undefined,
    );
    assert.deepEqual(verify(unpromised, authority).timeSources, ['tsa']);
  });

  it('accepts no field of one bundle in another one of the same signer', async () => {
    const { authority, sign } = await createWorld('v2');
    const [one, other] = [await sign(), await sign({}, { ...STATEMENT, predicate: { other: true } })];
    const inert = new Set([`${TLOG}.logIndex`]);
    for (const { path } of nodesOf(JSON.parse(JSON.stringify(one)) as Json)) {
      const swapped = change(one, path, valueAt(other, path));
      if (JSON.stringify(swapped) === JSON.stringify(one) || inert.has(path.join('.'))) continue;
      assert.throws(() => verify(swapped, authority), SignatureError, path.join('.'));
    }
  });
});
