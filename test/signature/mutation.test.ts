// Does any change to a good signature survive? What may be changed is the closed list of unauthenticated.ts, and nothing of
// it is ever a fact.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { createWitness } from '../../src/demo/witness.ts';
import {
  SIMPLE_SIGNING_ANNOTATIONS as NAMES,
  signSimple,
  signSimpleKeyless,
  simpleSigningPayload,
  type SimpleSignature,
} from '../../src/demo/simple-signing.ts';
import { modelSigningStatement } from '../../src/demo/statement.ts';
import type { SigningAuthority } from '../../src/signature/authority.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { flippedBytesOf, judgeMutants, mutantsOf, nodesOf, type Mutant, type Outcome } from './mutants.ts';
import { createPki, pkiAuthority, signAs } from './pki.ts';
import { SIMPLE_SIGNING, verifySimple } from './simple-support.ts';
import {
  ALICE,
  change,
  cosign,
  createWorld,
  DIGEST,
  keyAuthority,
  observersOf,
  STATEMENT,
  toManifest,
  toWitnessKey,
  valueAt,
  verify,
  type Against,
  type Json,
  type Path,
} from './support.ts';
import { MUTANTS, UNAUTHENTICATED, type Kind } from './unauthenticated.ts';

interface Case {
  readonly bundle: object;
  readonly authority: SigningAuthority;
  readonly against?: Against;
}

const MATERIAL = 'verificationMaterial';
const STAMP: Path = [MATERIAL, 'timestampVerificationData', 'rfc3161Timestamps', 0, 'signedTimestamp'];
const SIGNATURE: Path = ['dsseEnvelope', 'signatures', 0, 'sig'];
const LEAF: Path = [MATERIAL, 'certificate', 'rawBytes'];
const PROMISE: Path = [MATERIAL, 'tlogEntries', 0, 'inclusionPromise', 'signedEntryTimestamp'];

async function keyless(rekor: 'v1' | 'v2', omitTimestamp = rekor === 'v1'): Promise<Case> {
  const { authority, sign } = await createWorld(rekor);
  return { bundle: await sign({ omitTimestamp }), authority };
}

function byKey(): Case {
  const key = generateSigningKey('p256');
  return { bundle: signBundleWithKey(STATEMENT, key), authority: keyAuthority(key.publicKeyPem) };
}

async function byLoggedKey(): Promise<Case> {
  const { sigstore } = await createWorld('v2');
  const [key, witness] = [generateSigningKey('p256'), createWitness('one.test')];
  const needs = { logEntries: 1, timestamps: 1, witnesses: 1 };
  const witnesses = [toWitnessKey(witness)];
  const observers = observersOf(sigstore.trustedRootJson(), needs, { witnesses });
  return {
    bundle: cosign(await sigstore.signLogged(STATEMENT, key), witness),
    authority: keyAuthority(key.publicKeyPem, { observers }),
  };
}

function byModelSigning(): Case {
  const key = generateSigningKey('p384');
  const digest = 'ab'.repeat(32);
  const statement = modelSigningStatement('model', [{ name: 'model.safetensors', digest }]);
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.raw',
    digest: `sha256:${digest}`,
    size: 5,
    annotations: { 'org.opencontainers.image.title': 'model.safetensors' },
  };
  return {
    bundle: signBundleWithKey(statement, key, { style: 'model_signing' }),
    authority: keyAuthority(key.publicKeyPem, { signatureFormats: new Set(['ModelSigning']) }),
    against: { manifest: toManifest([layer]) },
  };
}

function byPrivatePki(): Case {
  const { root, intermediate } = createPki();
  return { bundle: signAs(intermediate).bundle, authority: pkiAuthority([root.certificate]) };
}

const CASES: Readonly<Partial<Record<Kind, () => Case | Promise<Case>>>> = {
  key: byKey,
  'key with log and timestamp': byLoggedKey,
  'keyless, Rekor v1': () => keyless('v1'),
  'keyless, Rekor v1 and timestamp': () => keyless('v1', false),
  'keyless, Rekor v2 and timestamp': () => keyless('v2'),
  'model signing by key': byModelSigning,
  'private PKI chain': byPrivatePki,
};

function judge({ bundle, authority, against }: Case, mutants: Iterable<Mutant> = mutantsOf(bundle)): Outcome {
  return judgeMutants(
    mutants,
    (bytes) => verify(bytes, authority, against),
    verify(bundle, authority, against),
  );
}

function expectedOf(kind: Kind): readonly string[] {
  return UNAUTHENTICATED.filter(({ kinds }) => kinds.includes(kind))
    .flatMap(({ path, changes }) => changes.map((what) => `${path}: ${what}`))
    .toSorted();
}

function check(kind: Kind, { mutants, accepted }: Outcome): void {
  assert.deepEqual({ mutants, accepted }, { mutants: MUTANTS[kind], accepted: expectedOf(kind) });
}

describe('verifySignature() of mutated bundles', function () {
  this.timeout(120_000);

  for (const [kind, make] of Object.entries(CASES) as [Kind, () => Case | Promise<Case>][])
    it(`accepts nothing but the closed list: ${kind}`, async () => {
      const good = await make();
      const result = judge(good);
      check(kind, result);
      // Left out whole, a promise or a timestamp is a time less, which is a fact less and none more.
      const lessTimes = kind === 'keyless, Rekor v1 and timestamp';
      assert.deepEqual(lessTimes ? [] : result.changedFacts, []);
    });

  it('reports a time less of a Rekor v1 bundle without its promise or its timestamp', async () => {
    const { bundle, authority } = await keyless('v1', false);
    const without = (...path: Path): readonly string[] =>
      verify(change(bundle, [MATERIAL, ...path], undefined), authority).timeSources;
    assert.deepEqual(verify(bundle, authority).timeSources, ['tsa', 'transparency-log']);
    assert.deepEqual(without('tlogEntries', 0, 'inclusionPromise'), ['tsa']);
    assert.deepEqual(without('timestampVerificationData'), ['transparency-log']);
  });

  it('accepts no field of one bundle in another one of the same signer', async () => {
    const { authority, sign } = await createWorld('v2');
    const [one, other] = [await sign(), await sign({}, { ...STATEMENT, predicate: { other: true } })];
    for (const { path } of nodesOf(JSON.parse(JSON.stringify(one)) as Json)) {
      const swapped = change(one, path, valueAt(other, path));
      if (JSON.stringify(swapped) === JSON.stringify(one)) continue;
      assert.throws(() => verify(swapped, authority), SignatureError, path.join('.'));
    }
  });
});

describe('verifySignature() of turned bytes', function () {
  this.timeout(120_000);

  const parts: readonly (readonly [string, () => Case | Promise<Case>, Path])[] = [
    ['a signature', byKey, SIGNATURE],
    ['a leaf', () => keyless('v2'), LEAF],
    [
      'a leaf of a private PKI',
      byPrivatePki,
      [MATERIAL, 'x509CertificateChain', 'certificates', 0, 'rawBytes'],
    ],
    ['an intermediate', byPrivatePki, [MATERIAL, 'x509CertificateChain', 'certificates', 1, 'rawBytes']],
    ['a signed entry timestamp', () => keyless('v1'), PROMISE],
  ];
  for (const [what, make, path] of parts)
    it(`accepts none in ${what}`, async () => {
      const good = await make();
      const { mutants, accepted } = judge(good, flippedBytesOf(good.bundle, path));
      assert.ok(mutants > 64);
      assert.deepEqual(accepted, []);
    });

  it('accepts one in a timestamp: granted, or granted with changes', async () => {
    const good = await keyless('v2');
    const { mutants, accepted, changedFacts } = judge(good, flippedBytesOf(good.bundle, STAMP));
    assert.ok(mutants > 500);
    // The status is the first integer of the response, which is longer than 255 bytes.
    const response = Buffer.from(valueAt(good.bundle, STAMP) as string, 'base64');
    const status = response.indexOf(Buffer.from([0x02, 0x01, 0x00])) + 2;
    assert.deepEqual(accepted, [`${STAMP.join('.')}: byte ${status}`]);
    assert.deepEqual(changedFacts, []);
  });
});

describe('verifySignature() of mutated simple signing', function () {
  this.timeout(120_000);

  interface Written {
    readonly payload: string;
    readonly annotations: Readonly<Record<string, string>>;
  }
  const toWritten = ({ payload, annotations }: SimpleSignature): Written => ({
    payload: payload.toString('latin1'),
    annotations,
  });

  // Annotations are texts, or the manifest that carries them is refused before anybody looks at them.
  function* textMutants(written: Written): Generator<Mutant> {
    for (const mutant of mutantsOf(written)) {
      const isTextual = ['deleted', 'emptied to text', 'flipped', 'doubled', 'cut', 'longer'].includes(
        mutant.what,
      );
      if (
        mutant.path !== 'annotations' &&
        isTextual &&
        !(mutant.path === 'payload' && mutant.what === 'deleted')
      )
        yield mutant;
    }
  }

  function judgeSimple(signature: SimpleSignature, authority: SigningAuthority): Outcome {
    const good = verifySimple(signature, authority);
    const written = toWritten(signature);
    const read = (bytes: Buffer): SimpleSignature => {
      const { payload, annotations } = JSON.parse(bytes.toString()) as Written;
      return { payload: Buffer.from(payload, 'latin1'), annotations };
    };
    const outer = judgeMutants(textMutants(written), (bytes) => verifySimple(read(bytes), authority), good);
    const inner = [NAMES.bundle, NAMES.timestamp].flatMap((name) => {
      const text = signature.annotations[name];
      if (text === undefined) return [];
      const mutants = [...mutantsOf(JSON.parse(text) as object)].map((mutant) => ({
        ...mutant,
        path: `${name}.${mutant.path}`,
      }));
      const verifyWith = (bytes: Buffer): ReturnType<typeof verifySimple> => {
        const annotations = { ...signature.annotations, [name]: bytes.toString() };
        return verifySimple({ ...signature, annotations }, authority);
      };
      return [judgeMutants(mutants, verifyWith, good)];
    });
    const all = [outer, ...inner];
    return {
      mutants: all.reduce((sum, { mutants }) => sum + mutants, 0),
      accepted: all.flatMap(({ accepted }) => accepted).toSorted(),
      changedFacts: all.flatMap(({ changedFacts }) => changedFacts),
    };
  }

  const payload = simpleSigningPayload(DIGEST, { optional: { team: 'red' } });

  it('accepts nothing but the closed list: simple signing by key', () => {
    const key = generateSigningKey('p256');
    const authority = keyAuthority(key.publicKeyPem, { signatureFormats: SIMPLE_SIGNING });
    const result = judgeSimple(signSimple(payload, key), authority);
    check('simple signing by key', result);
    assert.deepEqual(result.changedFacts, []);
  });

  it('accepts nothing but the closed list: simple signing, keyless', async () => {
    const world = await createWorld('v1');
    const authority = { ...world.authority, signatureFormats: SIMPLE_SIGNING };
    const result = judgeSimple(signSimpleKeyless(world.sigstore, payload, ALICE), authority);
    check('simple signing, keyless', result);
    assert.deepEqual(result.changedFacts, []);
  });
});
