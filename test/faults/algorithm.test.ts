// Does a signature only count under an algorithm that is strong and meant for its key? Weak keys and hashes, signatures
// in another scheme than the key's, and chains without end: each is answered, and denied.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { ed25519ctx, ed25519ph } from '@noble/curves/ed25519.js';
import { attachBundle } from '../../src/demo/artifacts.ts';
import {
  certificateFields,
  createIntermediateAuthority,
  issueCertificate,
  type Issuer,
} from '../../src/demo/certificate-authority.ts';
import { certificatePem, distinguishedName } from '../../src/demo/certificate.ts';
import * as der from '../../src/demo/der.ts';
import { identityExtensions } from '../../src/demo/identity-certificate.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { dsseEnvelope, signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { attachSimpleSignatures } from '../../src/demo/signature-tag.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { signSimple, simpleSigningPayload } from '../../src/demo/simple-signing.ts';
import {
  cosignSignStatement,
  IN_TOTO_PAYLOAD_TYPE,
  preAuthenticationEncoding,
  statementBytes,
} from '../../src/demo/statement.ts';
import type { DenialReason } from '../../src/reason.ts';
import {
  AUTHORITY_EXTENSIONS,
  createPki,
  encodeSignedBy,
  leafExtensions,
  signWith,
  SIGNER,
} from '../signature/pki.ts';
import { change, valueAt, type Path } from '../signature/support.ts';
import { pushModel, startController, TEAM_KEY, type Controller } from '../support/controller.ts';
import { expectAllowed, expectDenied } from '../support/expect.ts';
import {
  ALICE,
  policyOf,
  pushSignedBy,
  signCertified,
  startKeyless,
  trustedRootOf,
  type Sign,
} from '../support/keyless.ts';
import { reviewOf, volumePod } from '../support/review.ts';

const SHA1_WITH_ECDSA = { oid: '1.2.840.10045.4.1', hash: 'sha1' };
const SHA1_WITH_RSA = { oid: '1.2.840.113549.1.1.5', hash: 'sha1' };
const MD5_WITH_RSA = { oid: '1.2.840.113549.1.1.4', hash: 'md5' };
const SIGNATURE: Path = ['dsseEnvelope', 'signatures', 0, 'sig'];

function rsaKey(bits: number): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return { privateKey, publicKey, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

/** A bundle of a key whose signature is made by whatever the test says. */
function signBy(key: SigningKey, toSignature: (bytes: Buffer, privateKey: KeyObject) => Uint8Array): Sign {
  return (statement) => {
    const payload = statementBytes(statement);
    const bytes = preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload);
    const signature = Buffer.from(toSignature(bytes, key.privateKey));
    const envelope = dsseEnvelope(payload, IN_TOTO_PAYLOAD_TYPE, signature);
    return { ...signBundleWithKey(statement, key), dsseEnvelope: envelope };
  };
}

const seedOf = (key: KeyObject): Buffer => Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
const sha512 = (bytes: Uint8Array): Buffer => createHash('sha512').update(bytes).digest();

describe('an algorithm (fault 19)', () => {
  let registry: RegistryHandle;
  let controllers: Controller[];

  before(async () => {
    registry = await startRegistry();
  });
  beforeEach(() => {
    controllers = [];
  });
  afterEach(() => Promise.all(controllers.map((controller) => controller.stop())));
  after(() => registry.close());

  const start = async (authority: object): Promise<Controller> => {
    const policies = { team: policyOf(registry, [{ name: 'team', ...authority }]) };
    const controller = await startController({ registry, policies });
    controllers.push(controller);
    return controller;
  };
  const trusting = (key: SigningKey): Promise<Controller> => start({ key: { pem: key.publicKeyPem } });
  const trustingPki = (root: Buffer, more: object = {}): Promise<Controller> =>
    start({
      certificate: {
        roots: { pem: certificatePem(root) },
        identities: [{ subjectURI: SIGNER }],
        ...more,
      },
    });
  const reviewOfSigned = async (way: Sign): Promise<object> =>
    reviewOf(volumePod((await pushSignedBy(registry, way)).reference));
  const deny = async (
    controller: Controller,
    review: object,
    reason: DenialReason,
    problem: RegExp,
  ): Promise<void> => {
    const { message } = await expectDenied(controller, review, { code: 403, reasons: [reason] });
    assert.match(message, problem);
  };

  describe('of a key', () => {
    const NOT_BY_KEY = /it names a trusted key, but that key did not sign it; sign the digest again/;
    const rsa = rsaKey(2048);
    const keys = {
      p256: generateSigningKey('p256'),
      p384: generateSigningKey('p384'),
      p521: generateSigningKey('p521'),
      ed25519: generateSigningKey('ed25519'),
      mldsa44: generateSigningKey('mldsa44'),
      rsa,
    };
    type Way = readonly [keyof typeof keys, (bytes: Buffer, key: KeyObject) => Uint8Array];
    const hashed =
      (hash: string): Way[1] =>
      (bytes, key) =>
        sign(hash, bytes, key);

    const good: Readonly<Record<string, Way>> = {
      'P-256 with SHA-256': ['p256', hashed('sha256')],
      'P-384 with SHA-384': ['p384', hashed('sha384')],
      'P-384 with SHA-256, which older tools wrote': ['p384', hashed('sha256')],
      'RSA with SHA-256': ['rsa', hashed('sha256')],
      'Ed25519, pure': ['ed25519', (bytes, key) => sign(null, bytes, key)],
      'Ed25519, prehashed': ['ed25519', (bytes, key) => ed25519ph.sign(bytes, seedOf(key))],
    };
    for (const [what, [kind, toSignature]] of Object.entries(good))
      it(`is good when it is ${what}`, async () => {
        const controller = await trusting(keys[kind]);
        await expectAllowed(controller, await reviewOfSigned(signBy(keys[kind], toSignature)));
      });

    const bad: Readonly<Record<string, Way>> = {
      'P-256 with SHA-1': ['p256', hashed('sha1')],
      'P-256 with SHA-384': ['p256', hashed('sha384')],
      'P-256 with SHA-512': ['p256', hashed('sha512')],
      'P-256 with SHA3-256': ['p256', hashed('sha3-256')],
      'P-384 with SHA-1': ['p384', hashed('sha1')],
      'P-384 with SHA-512': ['p384', hashed('sha512')],
      'P-521 with SHA-384': ['p521', hashed('sha384')],
      'RSA with SHA-1': ['rsa', hashed('sha1')],
      'RSA with MD5': ['rsa', hashed('md5')],
      'P-256 over the hash': ['p256', (bytes, key) => sign('sha256', sha512(bytes), key)],
      'P-256 in the other encoding (r and s alone)': [
        'p256',
        (bytes, key) => sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }),
      ],
      'P-256 with zeros for r and s': ['p256', () => der.sequence(der.integer(0), der.integer(0))],
      'P-256 without the envelope around the payload': [
        'p256',
        (bytes, key) => sign('sha256', bytes.subarray(bytes.indexOf('{')), key),
      ],
      'Ed25519, pure over the SHA-512': ['ed25519', (bytes, key) => sign(null, sha512(bytes), key)],
      'Ed25519, prehashed twice': ['ed25519', (bytes, key) => ed25519ph.sign(sha512(bytes), seedOf(key))],
      'Ed25519, prehashed with a context': [
        'ed25519',
        (bytes, key) => ed25519ph.sign(bytes, seedOf(key), { context: Buffer.from('models') }),
      ],
      'Ed25519 with a context': [
        'ed25519',
        (bytes, key) => ed25519ctx.sign(bytes, seedOf(key), { context: Buffer.from('models') }),
      ],
      'Ed25519 with zeros for the signature': ['ed25519', () => Buffer.alloc(64)],
      'ML-DSA with a context': [
        'mldsa44',
        (bytes, key) => sign(null, bytes, { key, context: Buffer.from('models') }),
      ],
    };
    for (const [what, [kind, toSignature]] of Object.entries(bad))
      it(`19: is denied when it is ${what}`, async () => {
        const controller = await trusting(keys[kind]);
        const review = await reviewOfSigned(signBy(keys[kind], toSignature));
        await deny(controller, review, 'SignatureInvalid', NOT_BY_KEY);
      });

    it('19: is denied with SHA-1 in a simple signing signature too', async () => {
      const model = pushModel(registry);
      const payload = simpleSigningPayload(model.digest);
      const { annotations } = signSimple(payload, TEAM_KEY);
      const signature = sign('sha1', payload, TEAM_KEY.privateKey).toString('base64');
      const names = Object.fromEntries(Object.keys(annotations).map((name) => [name, signature]));
      attachSimpleSignatures(registry, model, [{ payload, annotations: names }]);
      const controller = await trusting(TEAM_KEY);
      const review = reviewOf(volumePod(model.reference));
      await deny(controller, review, 'SignerNotTrusted', /none of the authority’s keys signed it/);
    });

    for (const [what, pem, problem] of [
      ['RSA of 1024 bits', rsaKey(1024).publicKeyPem, /a key of type rsa with 1024 bits is not supported/],
      [
        'a curve for other things',
        generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({
          type: 'spki',
          format: 'pem',
        }),
        /a key of type ec secp256k1 is not supported/,
      ],
      [
        'a DSA key',
        generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).publicKey.export({
          type: 'spki',
          format: 'pem',
        }),
        /a key of type dsa with 2048 bits is not supported/,
      ],
    ] as const)
      it(`19: is refused in a policy when it is ${what}`, async () => {
        const controller = await start({ key: { pem } });
        const review = await reviewOfSigned((statement) => signBundleWithKey(statement, TEAM_KEY));
        await deny(controller, review, 'PolicyInvalid', problem);
      });
  });

  describe('of a private PKI', () => {
    const pki = createPki();
    const rsaRoot = ((): Issuer => {
      const key = rsaKey(2048);
      const name = distinguishedName('rsa-root');
      const blank = { name, key, certificate: Buffer.alloc(0), chain: [] };
      const certificate = issueCertificate(blank, {
        publicKey: key.publicKey,
        commonName: 'rsa-root',
        extensions: AUTHORITY_EXTENSIONS,
      });
      return { ...blank, certificate, chain: [certificate] };
    })();

    const leafOf = (issuer: Issuer, key: SigningKey): Parameters<typeof encodeSignedBy>[0] =>
      certificateFields(issuer, {
        publicKey: key.publicKey,
        commonName: 'signer',
        extensions: leafExtensions(),
      });

    for (const [what, issuer, algorithm] of [
      ['ECDSA with SHA-1', pki.root, SHA1_WITH_ECDSA],
      ['RSA with SHA-1', rsaRoot, SHA1_WITH_RSA],
      ['RSA with MD5', rsaRoot, MD5_WITH_RSA],
    ] as const) {
      it(`19: is denied when the signing certificate is signed by ${what}`, async () => {
        const key = generateSigningKey('p256');
        const leaf = encodeSignedBy(leafOf(issuer, key), issuer.key.privateKey, algorithm);
        const controller = await trustingPki(issuer.certificate);
        const review = await reviewOfSigned((statement) => signWith(key, [leaf], statement));
        await deny(
          controller,
          review,
          'CertificateInvalid',
          new RegExp(`signature algorithm ${algorithm.oid.replaceAll('.', '\\.')} is not supported`),
        );
      });

      it(`19: is denied when an intermediate is signed by ${what}`, async () => {
        const middle = generateSigningKey('p256');
        const fields = certificateFields(issuer, {
          publicKey: middle.publicKey,
          commonName: 'weak',
          extensions: AUTHORITY_EXTENSIONS,
        });
        const certificate = encodeSignedBy(fields, issuer.key.privateKey, algorithm);
        const weak = { certificate, name: distinguishedName('weak'), key: middle, chain: [] };
        const key = generateSigningKey('p256');
        const leaf = issueCertificate(weak, { publicKey: key.publicKey, extensions: leafExtensions() });
        const controller = await trustingPki(issuer.certificate);
        const review = await reviewOfSigned((statement) => signWith(key, [leaf, certificate], statement));
        await deny(controller, review, 'CertificateInvalid', /none of the authority’s roots leads to it/);
      });
    }

    it('19: is denied when the signing key is RSA of 1024 bits', async () => {
      const key = rsaKey(1024);
      const leaf = issueCertificate(pki.root, { publicKey: key.publicKey, extensions: leafExtensions() });
      const controller = await trustingPki(pki.root.certificate);
      const review = await reviewOfSigned((statement) => signWith(key, [leaf], statement));
      await deny(
        controller,
        review,
        'CertificateInvalid',
        /has a key of a kind or size that is not accepted/,
      );
    });

    it('19: is denied when an issuer’s key is RSA of 1024 bits', async () => {
      const weakKey = rsaKey(1024);
      const certificate = issueCertificate(pki.root, {
        publicKey: weakKey.publicKey,
        commonName: 'weak',
        extensions: AUTHORITY_EXTENSIONS,
      });
      const weak = { certificate, name: distinguishedName('weak'), key: weakKey, chain: [] };
      const key = generateSigningKey('p256');
      const leaf = issueCertificate(weak, { publicKey: key.publicKey, extensions: leafExtensions() });
      const controller = await trustingPki(pki.root.certificate);
      const review = await reviewOfSigned((statement) => signWith(key, [leaf, certificate], statement));
      await deny(controller, review, 'CertificateInvalid', /none of the authority’s roots leads to it/);
    });

    describe('with a thousand intermediates', () => {
      let deepest: Issuer;
      let leaf: Buffer;
      const key = generateSigningKey('p256');

      before(() => {
        deepest = pki.root;
        for (let depth = 0; depth < 1000; depth += 1) {
          const shared = generateSigningKey('p256');
          const name = `int-${depth}`;
          const certificate = issueCertificate(deepest, {
            publicKey: shared.publicKey,
            commonName: name,
            extensions: AUTHORITY_EXTENSIONS,
          });
          const chain = [certificate, ...deepest.chain];
          deepest = { certificate, name: distinguishedName(name), key: shared, chain };
        }
        leaf = issueCertificate(deepest, { publicKey: key.publicKey, extensions: leafExtensions() });
      });

      it('19: is denied in a bundle', async () => {
        const controller = await trustingPki(pki.root.certificate);
        const chain = [leaf, ...deepest.chain.slice(0, -1)];
        const review = await reviewOfSigned((statement) => signWith(key, chain, statement));
        await deny(
          controller,
          review,
          'SignatureInvalid',
          /x509CertificateChain has more than 10 entries; sign the digest again/,
        );
      });

      it('19: is denied in a chain annotation, above and below its size', async () => {
        const controller = await trustingPki(pki.root.certificate);
        for (const [count, reason, problem] of [
          [
            1000,
            'ArtifactTooLarge',
            /annotation dev\.sigstore\.cosign\/chain of \d+ characters exceeds 65536/,
          ],
          [50, 'CertificateInvalid', /the chain annotation holds more than 10 certificates/],
        ] as const) {
          const model = pushModel(registry);
          const payload = simpleSigningPayload(model.digest);
          const { annotations } = signSimple(payload, key);
          const chain = deepest.chain.slice(0, count).map((one) => certificatePem(one));
          const more = {
            'dev.sigstore.cosign/certificate': certificatePem(leaf),
            'dev.sigstore.cosign/chain': chain.join(''),
          };
          attachSimpleSignatures(registry, model, [{ payload, annotations: { ...annotations, ...more } }]);
          await deny(controller, reviewOf(volumePod(model.reference)), reason, problem);
        }
      });

      it('19: is refused in a policy', async () => {
        const pem = deepest.chain.map((one) => certificatePem(one)).join('');
        const controller = await trustingPki(pki.root.certificate, { intermediates: { pem } });
        const review = await reviewOfSigned((statement) => signWith(key, [leaf], statement));
        await deny(controller, review, 'PolicyInvalid', /intermediates/);
      });
    });
  });

  describe('of a keyless signature', () => {
    const startTrusting = async (trustedRoot: string | object): Promise<Controller> => {
      const controller = await startKeyless(registry, trustedRoot);
      controllers.push(controller);
      return controller;
    };

    it('19: is denied when the certificate’s key is RSA of 1024 bits', async () => {
      const sigstore = await createSigstore();
      const controller = await startTrusting(sigstore.trustedRootJson());
      const key = rsaKey(1024);
      const request = { extensions: identityExtensions(ALICE), key };
      await expectAllowed(
        controller,
        await reviewOfSigned((statement) =>
          signCertified(sigstore, statement, { ...request, key: rsaKey(2048) }),
        ),
      );
      const review = await reviewOfSigned((statement) => signCertified(sigstore, statement, request));
      await deny(
        controller,
        review,
        'CertificateInvalid',
        /the signing certificate has a key of a kind or size that is not accepted/,
      );
    });

    it('19: is denied below an authority with RSA of 1024 bits, which is no trust', async () => {
      const sigstore = await createSigstore();
      const weakKey = rsaKey(1024);
      const root = createPki().root;
      const certificate = issueCertificate(root, {
        publicKey: weakKey.publicKey,
        commonName: 'fulcio',
        extensions: AUTHORITY_EXTENSIONS,
      });
      const authority = {
        certificate,
        name: distinguishedName('fulcio'),
        key: weakKey,
        chain: [certificate, root.certificate],
      };
      const services = { ...sigstore, authority };
      const extensions = identityExtensions(ALICE);
      const review = await reviewOfSigned((statement) => signCertified(services, statement, { extensions }));
      const controller = await startTrusting(trustedRootOf(services));
      const { message } = await expectDenied(controller, review, {
        code: 503,
        reasons: ['TrustRootUnavailable'],
      });
      assert.match(message, /no usable certificate authority: .*its key is of a kind or size that is not/);
    });

    it('19: is denied when the certificate is signed with SHA-1', async () => {
      const sigstore = await createSigstore();
      const { authority } = sigstore;
      const key = generateSigningKey('p256');
      const fields = certificateFields(authority, {
        publicKey: key.publicKey,
        extensions: identityExtensions(ALICE),
      });
      const weak = encodeSignedBy(fields, authority.key.privateKey, SHA1_WITH_ECDSA);
      const controller = await startTrusting(sigstore.trustedRootJson());
      const review = await reviewOfSigned(async (statement) =>
        change(
          await sigstore.signKeyless(statement, ALICE),
          ['verificationMaterial', 'certificate', 'rawBytes'],
          weak.toString('base64'),
        ),
      );
      await deny(
        controller,
        review,
        'CertificateInvalid',
        /the signing certificate cannot be read: signature algorithm 1\.2\.840\.10045\.4\.1 is not supported/,
      );
    });

    it('19: is denied when its timestamp is over a SHA-1', async () => {
      const sigstore = await createSigstore();
      const controller = await startTrusting(sigstore.trustedRootJson());
      const review = await reviewOfSigned(async (statement) => {
        const bundle = await sigstore.signKeyless(statement, ALICE);
        const signature = Buffer.from(valueAt(bundle, SIGNATURE) as string, 'base64');
        const stamp = sigstore.timestampAuthority.timestamp(signature, new Date(), { imprint: 'sha1' });
        return change(
          bundle,
          ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps'],
          [{ signedTimestamp: stamp.toString('base64') }],
        );
      });
      await deny(
        controller,
        review,
        'TimestampInvalid',
        /a timestamp cannot be read: hash algorithm 1\.3\.14\.3\.2\.26 is not supported/,
      );
    });

    for (const [label, rekor] of [
      ['SHA2_384', 'v2'],
      ['sha384', 'v1'],
      ['sha1', 'v1'],
      ['SHA256', 'v1'],
    ] as const)
      it(`19: is denied when its log entry calls a SHA-256 ${label}`, async () => {
        const sigstore = await createSigstore({ rekor });
        const controller = await startTrusting(sigstore.trustedRootJson());
        const entry: Path = ['verificationMaterial', 'tlogEntries', 0];
        const review = await reviewOfSigned(async (statement) => {
          const bundle = await sigstore.signKeyless(statement, ALICE);
          const text = Buffer.from(
            valueAt(bundle, [...entry, 'canonicalizedBody']) as string,
            'base64',
          ).toString();
          const body = Buffer.from(text.replaceAll(/"(?:SHA2_256|sha256)"/g, JSON.stringify(label)));
          assert.notEqual(body.toString(), text);
          const { kind, version } = valueAt(bundle, [...entry, 'kindVersion']) as {
            kind: string;
            version: string;
          };
          return change(bundle, entry, sigstore.log.append({ kind, version, body }, new Date()));
        });
        await deny(
          controller,
          review,
          'TransparencyLogInvalid',
          /the transparency log entry has a digest that its hash algorithm does not make/,
        );
      });

    it('19: is denied when the log prehashed its checkpoint', async () => {
      const sigstore = await createSigstore({ rekor: 'v2' });
      const controller = await startTrusting(sigstore.trustedRootJson());
      const path: Path = [
        'verificationMaterial',
        'tlogEntries',
        0,
        'inclusionProof',
        'checkpoint',
        'envelope',
      ];
      const review = await reviewOfSigned(async (statement) => {
        const bundle = await sigstore.signKeyless(statement, ALICE);
        const [text = ''] = (valueAt(bundle, path) as string).split('\n\n');
        const signature = ed25519ph.sign(Buffer.from(`${text}\n`), seedOf(sigstore.log.key.privateKey));
        const line = Buffer.concat([sigstore.log.logId.subarray(0, 4), signature]).toString('base64');
        return change(bundle, path, `${text}\n\n\u2014 rekor.models.test ${line}\n`);
      });
      await deny(controller, review, 'TransparencyLogInvalid', /checkpoint has a wrong signature of the log/);
    });
  });

  it('19: costs nobody else a signature: a good one counts beside all that', async () => {
    const model = pushModel(registry);
    const statement = cosignSignStatement(model.digest);
    for (const hash of ['sha1', 'sha384', 'md5'])
      attachBundle(
        registry,
        model,
        await signBy(TEAM_KEY, (bytes, key) => sign(hash, bytes, key))(statement),
      );
    attachBundle(registry, model, signBundleWithKey(statement, TEAM_KEY));
    await expectAllowed(await trusting(TEAM_KEY), reviewOf(volumePod(model.reference)));
  });

  it('19: leaves intermediates of strong keys alone', async () => {
    const pki = createPki();
    const issuer = createIntermediateAuthority(pki.root, 'strong', { kind: 'rsa2048' });
    const key = generateSigningKey('p384');
    const leaf = issueCertificate(issuer, { publicKey: key.publicKey, extensions: leafExtensions() });
    const controller = await trustingPki(pki.root.certificate);
    const review = await reviewOfSigned((statement) => signWith(key, [leaf, issuer.certificate], statement));
    await expectAllowed(controller, review);
  });
});
