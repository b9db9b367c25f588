// Would the published mistakes of others work here? Signers, statements and names. Each case first makes the check as the
// vulnerable product made it, in a few lines, and shows that it accepts the forgery; then ours must refuse it.
import assert from 'node:assert/strict';
import { createPublicKey, verify as verifyBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { createIntermediateAuthority, createRootAuthority } from '../../src/demo/certificate-authority.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import {
  SIMPLE_SIGNING_ANNOTATIONS as NAMES,
  signSimple,
  simpleSigningPayload,
  type SimpleSignature,
} from '../../src/demo/simple-signing.ts';
import { preAuthenticationEncoding } from '../../src/demo/statement.ts';
import { compileText } from '../../src/policy/compile-text.ts';
import { CLAIM_NAMES } from '../../src/signature/fulcio-claims.ts';
import { createExactMatcher } from '../../src/signature/identity.ts';
import { pkiAuthority, signAs } from './pki.ts';
import { SIMPLE_SIGNING, simpleOutcome } from './simple-support.ts';
import {
  ALICE,
  createWorld,
  DIGEST,
  exactIdentity,
  keyAuthority,
  outcome,
  STATEMENT,
  valueAt,
  verify,
  type World,
} from './support.ts';

/** True when the key signed the envelope, whatever is in it. */
function isSigned(bundle: object, key: KeyObject): boolean {
  const { payload, payloadType, signatures } = valueAt(bundle, ['dsseEnvelope']) as {
    payload: string;
    payloadType: string;
    signatures: { sig: string }[];
  };
  const encoded = preAuthenticationEncoding(payloadType, Buffer.from(payload, 'base64'));
  return verifyBytes('sha256', encoded, key, Buffer.from(signatures[0]?.sig ?? '', 'base64'));
}

describe('advisories about identity and content', () => {
  let world: World;

  before(async () => {
    world = await createWorld('v2');
  });

  it('GHSA-fx35-mq7g-6g98: refuses a bare key in the place of a certificate', () => {
    const forger = generateSigningKey('p256');
    const payload = simpleSigningPayload(DIGEST);
    const signed = signSimple(payload, forger);
    const signature: SimpleSignature = {
      payload,
      annotations: { ...signed.annotations, [NAMES.certificate]: forger.publicKeyPem },
    };
    // What is no certificate was taken for a key, and no identity was asked of it.
    const toKey = (pem: string): KeyObject => {
      try {
        return new X509Certificate(pem).publicKey;
      } catch {
        return createPublicKey(pem);
      }
    };
    const key = toKey(signature.annotations[NAMES.certificate] ?? '');
    const bytes = Buffer.from(signature.annotations[NAMES.signature] ?? '', 'base64');
    assert.ok(verifyBytes('sha256', payload, key, bytes));
    const authority = { ...world.authority, signatureFormats: SIMPLE_SIGNING };
    assert.equal(simpleOutcome(signature, authority), 'CertificateInvalid');
  });

  it('CVE-2026-39395: takes no payload that cannot be read for a verified one', () => {
    const key = generateSigningKey('p256');
    const authority = keyAuthority(key.publicKeyPem);
    const verifyLoosely = (bundle: object): boolean => {
      if (!isSigned(bundle, key.publicKey)) return false;
      const payload = Buffer.from(valueAt(bundle, ['dsseEnvelope', 'payload']) as string, 'base64');
      try {
        const { subject } = JSON.parse(payload.toString()) as { subject: { digest: { sha256: string } }[] };
        return subject.every(({ digest }) => `sha256:${digest.sha256}` === DIGEST);
      } catch {
        // The error was written to the log, and the signature stayed verified.
        return true;
      }
    };
    for (const [payload, reason] of [
      [Buffer.from('no statement'), 'SignatureInvalid'],
      [Buffer.from('[]'), 'SignatureInvalid'],
      [Buffer.from('null'), 'SignatureInvalid'],
      [Buffer.from('{}'), 'SignatureMissing'],
      [{ ...STATEMENT, subject: [] }, 'SignatureInvalid'],
      [{ ...STATEMENT, subject: null }, 'SignatureInvalid'],
    ] as const) {
      const bundle = signBundleWithKey(payload, key);
      assert.ok(verifyLoosely(bundle), JSON.stringify(payload));
      assert.equal(outcome(bundle, authority), reason, JSON.stringify(payload));
    }
  });

  it('CVE-2022-35929, CVE-2022-35930: takes no attestation by the right key for a signature', () => {
    const key = generateSigningKey('p256');
    for (const predicateType of [
      'https://slsa.dev/provenance/v1',
      'https://spdx.dev/Document',
      'https://cosign.sigstore.dev/attestation/v1',
    ]) {
      const bundle = signBundleWithKey({ ...STATEMENT, predicateType }, key);
      assert.ok(isSigned(bundle, key.publicKey));
      assert.equal(outcome(bundle, keyAuthority(key.publicKeyPem)), 'SignatureMissing');
    }
  });

  it('CVE-2026-24122: refuses a chain over an expired intermediate where no log is asked for', () => {
    const root = createRootAuthority('pki-root');
    const expired = createIntermediateAuthority(root, 'pki-int', {
      notBefore: new Date('2021-01-01T00:00:00Z'),
      notAfter: new Date('2022-01-01T00:00:00Z'),
    });
    const { bundle, leaf } = signAs(expired);
    const chain = [leaf, expired.certificate, root.certificate].map((der) => new X509Certificate(der));
    const isLinked = chain.slice(1).every((issuer, index) => {
      const child = chain[index];
      return child?.checkIssued(issuer) === true && child.verify(issuer.publicKey);
    });
    assert.ok(isLinked);
    assert.equal(outcome(bundle, pkiAuthority([root.certificate])), 'CertificateInvalid');
  });

  it('CVE-2026-22772: matches the whole issuer, not a part of it', async () => {
    const pattern = 'https://idp\\.models\\.test';
    const matcher = compileText(undefined, pattern, assert.fail);
    assert.ok(matcher !== undefined);
    const identities = [{ ...exactIdentity(), issuer: matcher }];
    assert.equal(outcome(await world.sign(), { ...world.authority, identities }), 'accepted');
    for (const issuer of [
      `${ALICE.issuer}.evil.test`,
      `https://evil.test/?${ALICE.issuer}`,
      `${ALICE.issuer}\n.evil.test`,
    ]) {
      assert.match(issuer, new RegExp(pattern));
      const bundle = await world.sigstore.signKeyless(STATEMENT, { ...ALICE, issuer });
      assert.equal(outcome(bundle, { ...world.authority, identities }), 'IdentityMismatch');
    }
  });

  it('CVE-2026-48815, CVE-2025-29778: ignores no claim that a policy names', async () => {
    const claims = { sourceRepository: 'https://git.models.test/red/chat', runnerEnvironment: 'hosted' };
    const bundle = await world.sigstore.signKeyless(STATEMENT, { ...ALICE, claims });
    const facts = verify(bundle, world.authority);
    assert.equal(facts.claims['sourceRepository'], claims.sourceRepository);
    for (const name of CLAIM_NAMES) {
      const wanted = new Map([[name, createExactMatcher('something else')]]);
      // The claims of the policy never reached the comparison.
      assert.ok(facts.issuer === ALICE.issuer && facts.subject === ALICE.subject);
      const authority = { ...world.authority, identities: [{ ...exactIdentity(), claims: wanted }] };
      assert.equal(outcome(bundle, authority), 'IdentityMismatch', name);
    }
    for (const [name, value] of Object.entries(claims))
      assert.equal(
        outcome(bundle, { ...world.authority, identities: [exactIdentity(ALICE, { [name]: value })] }),
        'accepted',
      );
  });
});
