// Which authorities of a root are used, and which are left out with a note? And which of them issued a leaf?
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { issueIdentity } from '../../src/demo/bundle-assembly.ts';
import { basicConstraints, extension, KEY_PURPOSE, keyUsage } from '../../src/demo/certificate.ts';
import {
  createIntermediateAuthority,
  createRootAuthority,
  issueCertificate,
  type Issuer,
} from '../../src/demo/certificate-authority.ts';
import * as der from '../../src/demo/der.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { encodeTrustedRoot } from '../../src/demo/trusted-root.ts';
import { verifyLeafChain } from '../../src/signature/certificate-chain.ts';
import { parseLeafCertificate } from '../../src/signature/certificate.ts';
import { SignatureError } from '../../src/signature/error.ts';
import {
  preparedTrustOf,
  prepareTrust,
  requireIssuers,
  type PreparedTrust,
} from '../../src/signature/prepared-trust.ts';
import { loadPublicGoodRoot } from '../../src/trust/public-good.ts';
import { parseTrustedRoot } from '../../src/trust/trusted-root.ts';
import { ALICE, change, createWorld, keylessAuthority, STATEMENT, verify, type World } from './support.ts';

const AT = new Date();

describe('prepareTrust', () => {
  let world: World;

  before(async () => {
    world = await createWorld();
  });

  const encode = (...chains: (readonly Buffer[])[]): string =>
    encodeTrustedRoot({
      certificateAuthorities: chains,
      ctLogs: [world.sigstore.ctLog],
      logs: [world.sigstore.log],
      timestampAuthorities: [world.sigstore.timestampAuthority],
    });
  const prepare = (...chains: (readonly Buffer[])[]): PreparedTrust =>
    prepareTrust(parseTrustedRoot(Buffer.from(encode(...chains))));

  it('prepares a root once', () => {
    const root = parseTrustedRoot(Buffer.from(world.sigstore.trustedRootJson()));
    assert.equal(preparedTrustOf(root), preparedTrustOf(root));
    assert.deepEqual(preparedTrustOf(root).notes, []);
  });

  it('uses everything in the public-good root', () => {
    const root = loadPublicGoodRoot();
    const trust = prepareTrust(root);
    assert.deepEqual(trust.notes, []);
    assert.equal(trust.certificateAuthorities.length, root.certificateAuthorities.length);
    assert.equal(trust.timestampAuthorities.length, root.timestampAuthorities.length);
  });

  const root = createRootAuthority('root');
  const under = (parent: Issuer, ...extensions: Buffer[]): readonly Buffer[] => [
    issueCertificate(parent, {
      publicKey: generateSigningKey('p256').publicKey,
      commonName: 'int',
      extensions,
    }),
    ...parent.chain,
  ];
  const CA = [basicConstraints(true), keyUsage('certificateSigning')];
  const bad: Readonly<Record<string, [readonly Buffer[], RegExp]>> = {
    'an issuer that is no CA': [
      under(root, basicConstraints(false), keyUsage('certificateSigning')),
      /no CA/,
    ],
    'an issuer without basic constraints': [under(root, keyUsage('certificateSigning')), /no CA/],
    'an issuer that may not sign certificates': [
      under(root, basicConstraints(true), keyUsage('digitalSignature')),
      /may not sign/,
    ],
    'an issuer without key usage': [under(root, basicConstraints(true)), /may not sign/],
    'a path that is too long': [under(createRootAuthority('short', { pathLength: 0 }), ...CA), /path length/],
    'name constraints': [
      under(root, ...CA, extension('2.5.29.30', der.sequence(), true)),
      /critical|name constraints/,
    ],
    'name constraints that are not critical': [
      under(root, ...CA, extension('2.5.29.30', der.sequence())),
      /name constraints/,
    ],
    'an unknown critical extension': [
      under(root, ...CA, extension('1.2.3', der.nullValue(), true)),
      /unknown critical/,
    ],
    'a chain for another purpose': [
      createIntermediateAuthority(root, 'int', { purposes: [KEY_PURPOSE.serverAuth] }).chain,
      /other purposes/,
    ],
    'a chain in the wrong order': [
      createIntermediateAuthority(root, 'int').chain.toReversed(),
      /not issued by/,
    ],
    'a chain of two families': [
      [createIntermediateAuthority(root, 'int').certificate, createRootAuthority('root').certificate],
      /not issued by/,
    ],
    'a weak key': [
      [
        issueCertificate(root, {
          publicKey: generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey,
          commonName: 'int',
          extensions: CA,
        }),
        ...root.chain,
      ],
      /kind or size/,
    ],
  };
  for (const [what, [chain, pattern]] of Object.entries(bad))
    it(`leaves out ${what}, and refuses a root with nothing else`, () => {
      const trust = prepare(chain, world.sigstore.authority.chain);
      assert.equal(trust.certificateAuthorities.length, 1);
      assert.match(trust.notes.join(), pattern);
      const bare = prepare(chain);
      assert.deepEqual(bare.certificateAuthorities, []);
      assert.throws(() => requireIssuers(bare), { name: 'SignatureError', reason: 'TrustRootUnavailable' });
    });

  it('leaves out a timestamp authority whose signer is a CA', () => {
    const ca = createRootAuthority('tsa', { purposes: [KEY_PURPOSE.timeStamping] });
    const json = change(
      JSON.parse(world.sigstore.trustedRootJson()) as object,
      ['timestampAuthorities', 0, 'certChain'],
      { certificates: [{ rawBytes: ca.certificate.toString('base64') }] },
    );
    const trust = prepareTrust(parseTrustedRoot(Buffer.from(JSON.stringify(json))));
    assert.deepEqual(trust.timestampAuthorities, []);
    assert.match(trust.notes.join(), /signer is a CA/);
  });

  it('leaves out logs with weak keys', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const json = change(
      JSON.parse(world.sigstore.trustedRootJson()) as object,
      ['tlogs', 0, 'publicKey', 'rawBytes'],
      publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    );
    assert.deepEqual(prepareTrust(parseTrustedRoot(Buffer.from(JSON.stringify(json)))).logs, []);
  });

  describe('verifyLeafChain', () => {
    const leafBy = (authority: Issuer): ReturnType<typeof parseLeafCertificate> =>
      parseLeafCertificate(
        issueIdentity({ ...world.sigstore, authority }, generateSigningKey('p256'), ALICE, { at: AT }),
      );
    const refusal = (leaf: ReturnType<typeof leafBy>, trust: PreparedTrust, times = [AT]): string => {
      try {
        verifyLeafChain(leaf.certificate, trust.certificateAuthorities, times);
        return 'accepted';
      } catch (error) {
        assert.ok(error instanceof SignatureError);
        return error.message;
      }
    };

    it('takes leaves of an intermediate and of the root above it', () => {
      const intermediate = createIntermediateAuthority(root, 'int');
      assert.equal(refusal(leafBy(intermediate), prepare(intermediate.chain)), 'accepted');
      assert.equal(refusal(leafBy(root), prepare(intermediate.chain)), 'accepted');
      assert.equal(refusal(leafBy(root), prepare(root.chain)), 'accepted');
    });

    it('takes an intermediate as anchor, on which the library has no say', async () => {
      const { authority } = world.sigstore;
      const json = encode([authority.certificate]);
      const facts = verify(await world.sign({}, STATEMENT), keylessAuthority(json));
      assert.equal(facts.secondOpinion, 'cannotJudge');
      assert.match(refusal(leafBy(root), prepare([authority.certificate])), /no certificate authority/);
    });

    it('takes no leaf of another CA with the same name', () => {
      const [one, other] = [
        createIntermediateAuthority(root, 'int'),
        createIntermediateAuthority(root, 'int'),
      ];
      assert.match(refusal(leafBy(one), prepare(other.chain)), /no certificate authority/);
      assert.equal(refusal(leafBy(one), prepare(other.chain, one.chain)), 'accepted');
    });

    it('wants leaf and issuers to be valid at every time', () => {
      const expired = createIntermediateAuthority(root, 'int', { notAfter: new Date(AT.getTime() - 1000) });
      assert.match(refusal(leafBy(expired), prepare(expired.chain)), /authority was not valid/);
      const intermediate = createIntermediateAuthority(root, 'int');
      const leaf = leafBy(intermediate);
      const times = [leaf.notBefore, leaf.notAfter];
      assert.equal(refusal(leaf, prepare(intermediate.chain), times), 'accepted');
      for (const beyond of [leaf.notBefore.getTime() - 1, leaf.notAfter.getTime() + 1])
        assert.match(
          refusal(leaf, prepare(intermediate.chain), [...times, new Date(beyond)]),
          /certificate was not valid/,
        );
    });
  });
});
