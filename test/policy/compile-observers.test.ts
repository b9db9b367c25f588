// Who must have seen a long-lived signer's signatures? What authorities take from the TrustRoot that they name, and what
// is refused because nobody is named.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { createSigstore, type Sigstore } from '../../src/demo/sigstore.ts';
import { encodeTrustedRoot } from '../../src/demo/trusted-root.ts';
import { createWitness } from '../../src/demo/witness.ts';
import type { CompiledTrustRoot } from '../../src/policy/compile-trust-root.ts';
import type { NamedTrust } from '../../src/signature/authority.ts';
import { validateSpec } from '../../src/policy/validate.ts';
import { createPki, SIGNER } from '../signature/pki.ts';
import { compileTrustRoot } from '../support/trust.ts';
import { compile, toContext } from '../verdict/support.ts';

const PEM = generateSigningKey('p256').publicKeyPem;
const ROOT = certificatePem(createPki().root.certificate);
const REF = { trustRootRef: { name: 'private' } };
const witness = createWitness('one.test');

/** Both kinds of authority that take observers, with the same fields. */
const KINDS: Readonly<Record<string, (fields: object) => object>> = {
  key: (fields) => ({ name: 'a', key: { pem: PEM, ...fields } }),
  certificate: (fields) => ({
    name: 'a',
    certificate: { roots: { pem: ROOT }, identities: [{ subjectURI: SIGNER }], ...fields },
  }),
};

describe('compileObservers()', () => {
  let sigstore: Sigstore;
  let root: CompiledTrustRoot;

  before(async () => {
    sigstore = await createSigstore();
    root = compileTrustRoot(
      {
        trustedRoot: { json: sigstore.trustedRootJson() },
        requirements: { logEntries: 3, timestamps: 2, witnesses: 1 },
        witnesses: [{ name: witness.name, key: witness.verifierKey }],
        revoked: [{ certificateSerial: '01', reason: 'lost' }],
      },
      toContext(),
    );
  });

  const problemsOf = (authority: object, roots: Record<string, CompiledTrustRoot> = {}): string =>
    compile({ authorities: [authority] }, { trustRoots: roots })
      .problems.map(({ reason, message }) => `${reason} ${message}`)
      .join('\n');

  function observersOf(authority: object): NamedTrust | undefined {
    const { authorities, problems } = compile(
      { authorities: [authority] },
      { trustRoots: { private: root } },
    );
    assert.deepEqual(problems, []);
    const [compiled] = authorities;
    assert.ok(compiled?.kind === 'key' || compiled?.kind === 'certificate');
    return compiled.observers;
  }

  for (const [kind, toAuthority] of Object.entries(KINDS)) {
    it(`asks nobody about a ${kind} that names no TrustRoot`, () => {
      assert.equal(observersOf(toAuthority({})), undefined);
      assert.equal(observersOf(toAuthority({ minTimestamps: 0 })), undefined);
    });

    it(`demands of a ${kind} its own numbers, with the root’s witnesses and revocations`, () => {
      assert.ok(root.ok);
      const none = observersOf(toAuthority(REF));
      assert.deepEqual(none?.requirements, {
        logEntries: 0,
        timestamps: 0,
        certificateTimestamps: 0,
        witnesses: 1,
      });
      assert.equal(none.root, root.root);
      assert.equal(none.trustRoot, 'private');
      assert.deepEqual([...none.revoked.certificateSerials.keys()], ['1']);
      assert.deepEqual(
        none.witnesses?.map(({ name }) => name),
        ['one.test'],
      );
      assert.equal(observersOf(toAuthority({ ...REF, minTimestamps: 1 }))?.requirements.timestamps, 1);
    });

    it(`refuses a number beside a ${kind} that names no TrustRoot, exactly`, () => {
      assert.equal(
        problemsOf(toAuthority({ minTimestamps: 1 })),
        `PolicyInvalid spec.authorities[0].${kind}.minTimestamps: it needs trustRootRef: a TrustRoot says whose timestamps count`,
      );
    });

    it(`makes a ${kind} deny while its TrustRoot is missing or not usable`, () => {
      const spec = toAuthority({ ...REF, minTimestamps: 1 });
      assert.equal(
        problemsOf(spec),
        `TrustRootUnavailable spec.authorities[0].${kind}.trustRootRef: TrustRoot "private" does not exist`,
      );
      const broken = compileTrustRoot({ github: {} }, toContext());
      assert.match(
        problemsOf(spec, { private: broken }),
        /^TrustRootUnavailable .*trustRootRef: TrustRoot "private" is not usable: it has no root yet/,
      );
    });

    it(`bounds the numbers of a ${kind}`, () => {
      for (const minTimestamps of [-1, 9, 1.5, '1'])
        assert.match(problemsOf(toAuthority({ ...REF, minTimestamps })), /^PolicyInvalid .*minTimestamps/);
    });
  }

  it('counts log entries of keys, and refuses them without a TrustRoot, exactly', () => {
    const key = (fields: object): object => ({ name: 'a', key: { pem: PEM, ...fields } });
    assert.equal(observersOf(key({ ...REF, minLogEntries: 2 }))?.requirements.logEntries, 2);
    assert.equal(
      problemsOf(key({ minLogEntries: 1 })),
      'PolicyInvalid spec.authorities[0].key.minLogEntries: it needs trustRootRef: a TrustRoot says whose logs count',
    );
    for (const minLogEntries of [-1, 9])
      assert.match(problemsOf(key({ ...REF, minLogEntries })), /^PolicyInvalid .*minLogEntries/);
    assert.match(problemsOf(key({ trustRootRef: {} })), /name is required/);
    assert.match(problemsOf(key({ pem: 'x', ...REF }), { private: root }), /holds no PEM block/);
  });

  it('takes a root without certificate authorities, which keyless authorities refuse', () => {
    const json = encodeTrustedRoot({
      certificateAuthorities: [],
      ctLogs: [],
      logs: [sigstore.log],
      timestampAuthorities: [],
    });
    const bare = { private: compileTrustRoot({ trustedRoot: { json } }, toContext()) };
    for (const toAuthority of Object.values(KINDS)) assert.equal(problemsOf(toAuthority(REF), bare), '');
    const identities = [{ issuer: 'https://idp.test', subject: 'a@b.test' }];
    assert.equal(
      problemsOf({ name: 'a', keyless: { identities, ...REF } }, bare),
      'TrustRootUnavailable spec.authorities[0].keyless.trustRootRef: TrustRoot "private" has no certificate authority',
    );
  });

  it('gives keyless authorities the witnesses of their root', () => {
    const identities = [{ issuer: 'https://idp.test', subject: 'a@b.test' }];
    const { authorities } = compile(
      { authorities: [{ name: 'a', keyless: { identities, ...REF, minLogEntries: 4 } }] },
      { trustRoots: { private: root } },
    );
    const [compiled] = authorities;
    assert.ok(compiled?.kind === 'keyless');
    assert.deepEqual(compiled.requirements, {
      logEntries: 4,
      timestamps: 2,
      certificateTimestamps: 1,
      witnesses: 1,
    });
    assert.equal(compiled.witnesses?.length, 1);
  });

  it('has numbers without a TrustRoot pass the shape, so that the message is ours', () => {
    assert.deepEqual(
      validateSpec('ClusterModelPolicy', { authorities: [KINDS['key']?.({ minLogEntries: 1 })] }),
      [],
    );
  });
});
