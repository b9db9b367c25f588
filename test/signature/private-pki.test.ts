// Does a private PKI's signature count exactly when RFC 5280 and the policy say so? Every way in which a path, a leaf
// or an identity can be wrong, made by a PKI of our own.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import * as der from '../../src/demo/der.ts';
import {
  AUTHORITY_VALIDITY,
  certificateFields,
  createIntermediateAuthority,
  createRootAuthority,
  issueCertificate,
  type Issuer,
} from '../../src/demo/certificate-authority.ts';
import {
  basicConstraints,
  certificatePem,
  distinguishedName,
  encodeCertificate,
  extendedKeyUsage,
  extension,
  KEY_PURPOSE,
  keyUsage,
  randomSerial,
} from '../../src/demo/certificate.ts';
import { generateSigningKey, type SigningKey } from '../../src/demo/keys.ts';
import { modelSigningStatement } from '../../src/demo/statement.ts';
import { parseCertificates } from '../../src/signature/certificate-pem.ts';
import { createExactMatcher } from '../../src/signature/identity.ts';
import { change, DIGEST, outcome, toManifest, verify } from './support.ts';
import {
  alternativeNames,
  AUTHORITY_EXTENSIONS,
  certificatesOf,
  createAuthorityWith,
  createPki,
  encodeSignedBy,
  leafExtensions,
  pkiAuthority,
  SIGNER,
  signAs,
  signWith,
} from './pki.ts';

const pki = createPki();
const authority = pkiAuthority([pki.root.certificate]);
const any = { matches: () => true, describe: 'any' };
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const ago = (years: number): Date => new Date(Date.now() - years * YEAR_MS);

function rsaKey(bits: number): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return { privateKey, publicKey, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

function messageOf(bundle: object, trusted = authority, now = new Date()): string {
  try {
    verify(bundle, trusted, { now });
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('verifyPrivatePki()', () => {
  it('reports the name that matched, the issuer and the certificate', () => {
    const { bundle } = signAs(pki.intermediate);
    const facts = verify(bundle, authority);
    assert.equal(facts.subject, SIGNER);
    assert.equal(facts.issuer, 'CN=pki-int,O=models.test');
    assert.match(facts.keyFingerprint, /^[0-9a-f]{64}$/);
    assert.match(facts.trustAnchor ?? '', /^[0-9a-f]{64}$/);
    assert.match(facts.certificate?.serial ?? '', /^[0-9a-f]{40}$/);
    assert.deepEqual(facts.certificate?.notBefore, AUTHORITY_VALIDITY.notBefore);
    assert.equal(facts.signedAt, undefined);
    assert.deepEqual(facts.timeSources, []);
    assert.deepEqual(facts.annotations, { team: 'red' });
  });

  it('accepts the single certificate of a bundle with the policy’s intermediates', () => {
    const { bundle, leaf } = signAs(pki.intermediate);
    const single = change(bundle, ['verificationMaterial'], {
      certificate: { rawBytes: leaf.toString('base64') },
    });
    assert.equal(outcome(single, authority), 'CertificateInvalid');
    const helped = { ...authority, intermediates: certificatesOf(pki.intermediate.certificate) };
    assert.equal(outcome(single, helped), 'accepted');
  });

  it('accepts model signing bundles where the authority lists them', () => {
    const hex = 'ab'.repeat(32);
    const statement = modelSigningStatement('m', [{ name: 'w.safetensors', digest: hex }]);
    const { key, leaf } = signAs(pki.intermediate);
    const bundle = signWith(key, [leaf, pki.intermediate.certificate], statement);
    const manifest = toManifest([
      {
        mediaType: 'application/vnd.acme.weights',
        digest: `sha256:${hex}`,
        size: 1,
        annotations: { 'org.opencontainers.image.title': 'w.safetensors' },
      },
    ]);
    assert.equal(outcome(bundle, authority, { manifest }), 'SignerNotTrusted');
    const listed = { ...authority, signatureFormats: new Set(['ModelSigning'] as const) };
    assert.equal(outcome(bundle, listed, { manifest }), 'accepted');
  });

  it('accepts certificates in any order and with strangers among them', () => {
    const deep = createIntermediateAuthority(createIntermediateAuthority(pki.root, 'one'), 'two');
    const { key, leaf } = signAs(deep);
    const [two = leaf, one = leaf] = deep.chain;
    const stranger = createRootAuthority('stranger').certificate;
    assert.equal(
      outcome(signWith(key, [leaf, one, stranger, Buffer.from('junk'), two]), authority),
      'accepted',
    );
  });

  it('accepts RSA, P-384 and P-521 authorities', () => {
    for (const kind of ['rsa2048', 'p384', 'p521', 'ed25519'] as const) {
      const root = createRootAuthority('root', { kind });
      const { bundle } = signAs(createIntermediateAuthority(root, 'int', { kind }));
      assert.equal(outcome(bundle, pkiAuthority([root.certificate])), 'accepted', kind);
    }
  });

  it('refuses what another key signed, and another digest', () => {
    const { leaf } = signAs(pki.intermediate);
    const forged = signWith(generateSigningKey('p256'), [leaf, pki.intermediate.certificate]);
    assert.equal(outcome(forged, authority), 'SignatureInvalid');
    const { bundle } = signAs(pki.intermediate);
    assert.equal(outcome(bundle, authority, { digest: DIGEST.replaceAll('ab', 'ef') }), 'SubjectMismatch');
  });

  it('refuses key bundles, and key authorities refuse its bundles', () => {
    const { bundle } = signAs(pki.intermediate);
    const keyBundle = change(bundle, ['verificationMaterial'], { publicKey: { hint: 'x' } });
    assert.equal(outcome(keyBundle, authority), 'SignerNotTrusted');
  });

  it('ends with the instant that the authority names', () => {
    const { bundle } = signAs(pki.intermediate);
    assert.equal(outcome(bundle, { ...authority, notAfter: new Date(Date.now() + YEAR_MS) }), 'accepted');
    assert.match(messageOf(bundle, { ...authority, notAfter: ago(1) }), /counts no more since/);
  });
});

describe('a path', () => {
  it('is refused from another root, also one of the same name and key identifier', () => {
    const twin = createRootAuthority('pki-root');
    assert.equal(outcome(signAs(twin).bundle, authority), 'CertificateInvalid');
    // The attacker copies the intermediate's name and key identifier, and sends the real certificate along.
    const fake: Issuer = { ...pki.intermediate, key: generateSigningKey('p256') };
    const key = generateSigningKey('p256');
    const fields = certificateFields(pki.intermediate, {
      publicKey: key.publicKey,
      commonName: 'signer',
      extensions: leafExtensions(),
    });
    const leaf = encodeCertificate(fields, fake.key.privateKey);
    assert.match(
      messageOf(signWith(key, [leaf, pki.intermediate.certificate])),
      /none of the authority’s roots leads to it/,
    );
  });

  it('never ends at a root that the bundle brings', () => {
    const foreign = createRootAuthority('foreign');
    assert.equal(outcome(signAs(foreign, {}, [foreign.certificate]).bundle, authority), 'CertificateInvalid');
  });

  const authorities: readonly (readonly [string, readonly Buffer[], RegExp])[] = [
    ['without CA flag', [basicConstraints(false), keyUsage('certificateSigning')], /is no CA/],
    ['without basic constraints', [keyUsage('certificateSigning')], /is no CA/],
    [
      'that may not sign certificates',
      [basicConstraints(true), keyUsage('digitalSignature')],
      /may not sign/,
    ],
    ['without key usage', [basicConstraints(true)], /may not sign/],
    [
      'with an unknown critical extension',
      [...AUTHORITY_EXTENSIONS, extension('1.2.3.4', Buffer.from([5, 0]), true)],
      /unknown critical extension 1\.2\.3\.4/,
    ],
    [
      'with name constraints',
      [...AUTHORITY_EXTENSIONS, extension('2.5.29.30', der.sequence())],
      /name constraints, which are not supported/,
    ],
    [
      'with critical name constraints',
      [...AUTHORITY_EXTENSIONS, extension('2.5.29.30', der.sequence(), true)],
      /unknown critical extension 2\.5\.29\.30/,
    ],
    [
      'for servers only',
      [...AUTHORITY_EXTENSIONS, extendedKeyUsage([KEY_PURPOSE.serverAuth])],
      /for other purposes/,
    ],
  ];
  for (const [what, extensions, message] of authorities)
    it(`is refused over an intermediate ${what}`, () => {
      const issuer = createAuthorityWith(pki.root, 'bad', extensions);
      assert.match(messageOf(signAs(issuer).bundle), message);
    });

  it('lets an intermediate for code signing, or for anything, issue', () => {
    for (const purpose of [KEY_PURPOSE.codeSigning, '2.5.29.37.0']) {
      const issuer = createAuthorityWith(pki.root, 'good', [
        ...AUTHORITY_EXTENSIONS,
        extendedKeyUsage([purpose]),
      ]);
      assert.equal(outcome(signAs(issuer).bundle, authority), 'accepted');
    }
  });

  it('is refused beyond a path length', () => {
    const below = createIntermediateAuthority(pki.intermediate, 'below');
    assert.match(messageOf(signAs(below).bundle), /path length is exceeded/);
    const root = createRootAuthority('short', { pathLength: 0 });
    const { bundle } = signAs(createIntermediateAuthority(root, 'int'));
    assert.match(messageOf(bundle, pkiAuthority([root.certificate])), /path length is exceeded/);
  });

  it('is refused over an expired or future intermediate or root', () => {
    for (const window of [
      { notBefore: ago(3), notAfter: ago(1) },
      { notBefore: ago(-1), notAfter: ago(-2) },
    ]) {
      const late = createIntermediateAuthority(pki.root, 'late', window);
      assert.match(messageOf(signAs(late).bundle), /one of its issuers is not valid at/);
      const root = createRootAuthority('late-root', window);
      assert.match(messageOf(signAs(root).bundle, pkiAuthority([root.certificate])), /not valid at/);
    }
  });

  it('is found beside an expired certificate of the same authority', () => {
    const key = generateSigningKey('p256');
    const issue = (notAfter: Date): Buffer =>
      issueCertificate(pki.root, {
        publicKey: key.publicKey,
        commonName: 'renewed',
        notBefore: ago(3),
        notAfter,
        extensions: AUTHORITY_EXTENSIONS,
      });
    const [old, current] = [issue(ago(1)), issue(ago(-1))];
    const issuer = { certificate: current, name: distinguishedName('renewed'), key, chain: [] };
    const signer = signAs(issuer);
    assert.equal(outcome(signWith(signer.key, [signer.leaf, old, current]), authority), 'accepted');
  });

  it('never uses a certificate twice: cross-signed loops end', () => {
    const [a, b] = [generateSigningKey('p256'), generateSigningKey('p256')];
    const asIssuer = (commonName: string, key: SigningKey): Issuer => ({
      certificate: Buffer.alloc(0),
      name: distinguishedName(commonName),
      key,
      chain: [],
    });
    const cross = (by: Issuer, commonName: string, key: SigningKey): Buffer =>
      issueCertificate(by, { publicKey: key.publicKey, commonName, extensions: AUTHORITY_EXTENSIONS });
    const [left, right] = [asIssuer('left', a), asIssuer('right', b)];
    const loop = [
      cross(left, 'right', b),
      cross(right, 'left', a),
      cross(left, 'left', a),
      cross(right, 'right', b),
    ];
    const signer = signAs(left);
    assert.equal(outcome(signWith(signer.key, [signer.leaf, ...loop]), authority), 'CertificateInvalid');
    const way = cross(pki.root, 'right', b);
    assert.equal(outcome(signWith(signer.key, [signer.leaf, ...loop, way]), authority), 'accepted');
  });

  it('is given up when certificates of one name make it expensive', () => {
    const name = distinguishedName('maze');
    const keys = Array.from({ length: 9 }, () => generateSigningKey('p384'));
    const [first] = keys;
    assert.ok(first);
    const maze = keys.map((key, index) =>
      encodeCertificate(
        {
          serial: randomSerial(),
          issuer: name,
          subject: name,
          ...AUTHORITY_VALIDITY,
          publicKey: key.publicKey,
          extensions: AUTHORITY_EXTENSIONS,
        },
        (keys[index + 1] ?? first).privateKey,
      ),
    );
    const signer = signAs({ certificate: Buffer.alloc(0), name, key: first, chain: [] });
    assert.throws(() => verify(signWith(signer.key, [signer.leaf, ...maze]), authority), {
      reason: 'CertificateInvalid',
      message: /too many paths/,
    });
  });

  it('of a hundred certificates is no bundle', () => {
    const { key, leaf } = signAs(pki.intermediate);
    const chain = Array.from({ length: 99 }, () => pki.intermediate.certificate);
    assert.match(messageOf(signWith(key, [leaf, ...chain])), /more than 10 entries/);
    assert.match(messageOf(signWith(key, [])), /chain is empty/);
  });

  it('is refused with weak keys and hashes', () => {
    const weak = rsaKey(1024);
    const issuer = createAuthorityWith(pki.root, 'weak', AUTHORITY_EXTENSIONS, weak);
    assert.equal(outcome(signAs(issuer).bundle, authority), 'CertificateInvalid');
    const leaf = issueCertificate(pki.intermediate, {
      publicKey: weak.publicKey,
      extensions: leafExtensions(),
    });
    assert.match(messageOf(signWith(weak, [leaf, pki.intermediate.certificate])), /kind or size/);
    const strong = createRootAuthority('rsa', { kind: 'rsa2048' });
    for (const algorithm of [
      { oid: '1.2.840.113549.1.1.5', hash: 'sha1' },
      { oid: '1.2.840.113549.1.1.4', hash: 'md5' },
    ]) {
      const key = generateSigningKey('p256');
      const fields = certificateFields(strong, { publicKey: key.publicKey, extensions: leafExtensions() });
      const signed = encodeSignedBy(fields, strong.key.privateKey, algorithm);
      assert.match(messageOf(signWith(key, [signed]), pkiAuthority([strong.certificate])), /not supported/);
    }
  });
});

describe('a signing certificate', () => {
  const profiles: readonly (readonly [string, readonly Buffer[], RegExp])[] = [
    ['for servers', leafExtensions(undefined, [KEY_PURPOSE.serverAuth]), /not for code signing/],
    ['for anything', leafExtensions(undefined, ['2.5.29.37.0']), /not for code signing/],
    ['without extended key usage', leafExtensions(undefined, []), /not for code signing/],
    [
      'that may sign certificates',
      [basicConstraints(true), keyUsage('certificateSigning'), extendedKeyUsage([KEY_PURPOSE.codeSigning])],
      /not for digital signatures/,
    ],
    [
      'of a CA without key usage',
      [basicConstraints(true), extendedKeyUsage([KEY_PURPOSE.codeSigning])],
      /is a CA certificate/,
    ],
    [
      'for both signatures and certificates',
      [
        basicConstraints(false),
        extension('2.5.29.15', der.bitString(Buffer.from([0x84]), 2), true),
        extendedKeyUsage([KEY_PURPOSE.codeSigning]),
      ],
      /is a CA certificate/,
    ],
    [
      'with an unknown critical extension',
      leafExtensions([alternativeNames([6, SIGNER]), extension('1.2.3.4', Buffer.from([5, 0]), true)]),
      /unknown critical extension 1\.2\.3\.4/,
    ],
    [
      'with two alternative name extensions',
      leafExtensions([alternativeNames([6, 'https://other.test/']), alternativeNames([6, SIGNER])]),
      /extension 2\.5\.29\.17 twice/,
    ],
    ['with an empty list of names', leafExtensions([alternativeNames()]), /none or more than 64/],
    [
      'with a name that is not ASCII',
      leafExtensions([alternativeNames([6, SIGNER], [1, 'sign\u00e9r@acme.test'])]),
      /not printable ASCII/,
    ],
    ['with a name that has a NUL', leafExtensions([alternativeNames([6, `${SIGNER}\0`])]), /not printable/],
    [
      'with name constraints',
      leafExtensions([alternativeNames([6, SIGNER]), extension('2.5.29.30', der.sequence())]),
      /name constraints/,
    ],
  ];
  for (const [what, extensions, message] of profiles)
    it(`is refused ${what}`, () => {
      assert.match(messageOf(signAs(pki.intermediate, { extensions }).bundle), message);
    });

  it('may be for anything where the authority says Any', () => {
    const { bundle } = signAs(pki.intermediate, { extensions: leafExtensions(undefined, []) });
    assert.equal(outcome(bundle, { ...authority, extendedKeyUsage: 'Any' }), 'accepted');
  });

  it('may leave key usage and basic constraints out', () => {
    const extensions = [extendedKeyUsage([KEY_PURPOSE.codeSigning]), alternativeNames([6, SIGNER])];
    assert.equal(outcome(signAs(pki.intermediate, { extensions }).bundle, authority), 'accepted');
  });

  it('may say CA where its key usage lets it issue nothing, as model_signing writes it', () => {
    const extensions = [
      basicConstraints(true),
      keyUsage('digitalSignature'),
      extendedKeyUsage([KEY_PURPOSE.codeSigning]),
    ];
    const { bundle } = signAs(pki.intermediate, { commonName: 'pki-int', extensions });
    const byName = {
      ...authority,
      identities: [{ subjectDN: createExactMatcher('CN=pki-int,O=models.test') }],
    };
    assert.equal(outcome(bundle, byName), 'accepted');
  });

  it('counts from its first second to its last', () => {
    const [notBefore, notAfter] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')];
    const { bundle } = signAs(pki.intermediate, { notBefore, notAfter });
    const at = (time: string): string => outcome(bundle, authority, { now: new Date(time) });
    assert.equal(at('2025-12-31T23:59:59.999Z'), 'CertificateInvalid');
    assert.equal(at('2026-01-01T00:00:00Z'), 'accepted');
    assert.equal(at('2026-02-01T00:00:00.999Z'), 'accepted');
    assert.equal(at('2026-02-01T00:00:01Z'), 'CertificateInvalid');
  });

  it('that cannot be read is refused with a reason', () => {
    const { key, leaf } = signAs(pki.intermediate);
    for (const bytes of [Buffer.from('junk'), leaf.subarray(0, -1), Buffer.concat([leaf, Buffer.from([0])])])
      assert.equal(outcome(signWith(key, [bytes]), authority), 'CertificateInvalid');
    for (let at = 0; at < leaf.length; at += 7) {
      const flipped = Buffer.from(leaf);
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      const bundle = signWith(key, [flipped, pki.intermediate.certificate]);
      assert.notEqual(outcome(bundle, authority), 'accepted', `byte ${at}`);
    }
  });
});

describe('an identity', () => {
  const names = alternativeNames(
    [1, 'signer@acme.test'],
    [6, 'https://one.test/'],
    [2, 'build.acme.test'],
    [6, SIGNER],
  );
  const { bundle, leaf } = signAs(pki.intermediate, { extensions: leafExtensions([names]) });
  const [spki] = certificatesOf(pki.root.certificate).map(() => verify(bundle, authority).keyFingerprint);
  const exact = createExactMatcher;
  const cases: readonly (readonly [string, object, string])[] = [
    ['one URI of several', { subjectURI: exact(SIGNER) }, SIGNER],
    ['the e-mail address', { subjectEmail: exact('signer@acme.test') }, 'signer@acme.test'],
    ['the DNS name', { subjectDNS: exact('build.acme.test') }, 'build.acme.test'],
    ['the DN', { subjectDN: exact('CN=signer,O=models.test') }, 'CN=signer,O=models.test'],
    ['the key', { spki: exact(spki ?? '') }, 'CN=signer,O=models.test'],
    ['two at once', { subjectDNS: exact('build.acme.test'), spki: exact(spki ?? '') }, 'build.acme.test'],
  ];
  for (const [what, identity, subject] of cases)
    it(`matches by ${what}`, () => {
      assert.equal(verify(bundle, { ...authority, identities: [identity] }).subject, subject);
    });

  const others: readonly (readonly [string, object])[] = [
    ['another URI', { subjectURI: exact('https://other.test/') }],
    ['a URI that is an e-mail address', { subjectURI: exact('signer@acme.test') }],
    ['one of two that does not hold', { subjectURI: exact(SIGNER), subjectEmail: exact('x@acme.test') }],
    ['nothing at all', {}],
  ];
  for (const [what, identity] of others)
    it(`does not match by ${what}`, () => {
      assert.equal(outcome(bundle, { ...authority, identities: [identity] }), 'IdentityMismatch');
    });

  it('of an empty subject matches no pattern', () => {
    const key = generateSigningKey('p256');
    const nameless = issueCertificate(pki.intermediate, {
      publicKey: key.publicKey,
      extensions: leafExtensions(),
    });
    const signed = signWith(key, [nameless, pki.intermediate.certificate]);
    assert.equal(outcome(signed, { ...authority, identities: [{ subjectDN: any }] }), 'IdentityMismatch');
    assert.equal(verify(signed, { ...authority, identities: [{ spki: any }] }).subject, SIGNER);
  });

  it('is read from the bytes that were signed', () => {
    assert.ok(leaf.includes(SIGNER));
  });
});

describe('parseCertificates()', () => {
  const pem = certificatePem(pki.root.certificate);
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /no PEM block/],
    ['a public key', generateSigningKey('p256').publicKeyPem, /"PUBLIC KEY", not CERTIFICATE/],
    ['a cut-off block', `${pem}-----BEGIN CERTIFICATE-----\nAAAA`, /PEM blocks is broken/],
    ['no base64', '-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----', /no base64/],
    ['too many', pem.repeat(17), /more than 16/],
    ['a leaf', certificatePem(signAs(pki.intermediate).leaf), /is no CA/],
    ['a weak root', certificatePem(weakRoot()), /kind or size/],
  ];
  for (const [what, text, message] of cases)
    it(`refuses ${what}`, () => {
      const parsed = parseCertificates(text);
      assert.match(parsed.ok ? 'accepted' : parsed.problem, message);
    });

  it('reads several blocks with text around them', () => {
    const parsed = parseCertificates(`# roots\n${pem}subject=x\n${pem}`);
    assert.equal(parsed.ok ? parsed.certificates.length : 0, 2);
  });
});

function weakRoot(): Buffer {
  const key = rsaKey(1024);
  const name = distinguishedName('weak');
  return encodeCertificate(
    {
      serial: randomSerial(),
      issuer: name,
      subject: name,
      ...AUTHORITY_VALIDITY,
      publicKey: key.publicKey,
      extensions: AUTHORITY_EXTENSIONS,
    },
    key.privateKey,
  );
}
