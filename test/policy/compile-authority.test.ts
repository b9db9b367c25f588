// Does an authority that cannot be compiled become nothing, and say why, each fault once?
import assert from 'node:assert/strict';
import { certificatePem } from '../../src/demo/certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { encodeTrustedRoot } from '../../src/demo/trusted-root.ts';
import { countWork } from '../../src/lib/counted-work.ts';
import { compileAuthority } from '../../src/policy/compile-authority.ts';
import type { CompiledTrustRoot } from '../../src/policy/compile-trust-root.ts';
import { PEM_BLOCK_WORK } from '../../src/policy/read-bytes.ts';
import type { Authority } from '../../src/signature/authority.ts';
import { createPki, SIGNER } from '../signature/pki.ts';
import { compileTrustRoot } from '../support/trust.ts';
import { toContext } from '../verdict/support.ts';

const PEM = generateSigningKey('p256').publicKeyPem;
const ROOT = { pem: certificatePem(createPki().root.certificate) };
const [NAMED, MISSING] = [{ trustRootRef: { name: 'root' } }, { trustRootRef: { name: 'missing' } }];
const ABSENT = { name: 'absent', key: 'k' };
const IDENTITY = { issuer: 'https://idp.test', subject: 'a@b.test' };

const key = (more: object = {}): object => ({ key: { pem: PEM, ...more } });
const keyless = (more: object = {}, identity: object = IDENTITY): object => ({
  keyless: { ...NAMED, identities: [identity], ...more },
});
const certificate = (more: object = {}): object => ({
  certificate: { roots: ROOT, identities: [{ subjectURI: SIGNER }], ...more },
});
const elsewhere = (repository: string): object => ({ signatureRepository: { repository } });

describe('compileAuthority()', () => {
  let trustRoots: Readonly<Record<string, CompiledTrustRoot>>;

  before(async () => {
    const sigstore = await createSigstore();
    const logsAlone = encodeTrustedRoot({
      certificateAuthorities: [],
      ctLogs: [],
      logs: [sigstore.log],
      timestampAuthorities: [],
    });
    trustRoots = {
      root: compileTrustRoot({ trustedRoot: { json: sigstore.trustedRootJson() } }, toContext()),
      logs: compileTrustRoot({ trustedRoot: { json: logsAlone } }, toContext()),
    };
  });

  function compiled(spec: object): readonly [Authority | undefined, readonly string[]] {
    const said: string[] = [];
    const report = (path: string, problem: string): void => {
      said.push(`${path}: ${problem}`);
    };
    const context = toContext({ trustRoots });
    return [compileAuthority({ name: 'a', ...spec }, context, report), said];
  }

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ['no kind', {}, /^: exactly one of key, keyless, certificate, static, tenant must be set$/],
    ['two kinds', { ...key(), static: { action: 'Pass' } }, /^: exactly one of /],
    ['a place that is none', { ...key(), ...elsewhere('a b') }, /^signatureRepository: repository: /],
    [
      'a place of nothing that signs',
      { static: { action: 'Pass' }, ...elsewhere('x.test/y') },
      /^signatureRepository: a static /,
    ],
    ['a key that is none', key({ pem: 'x' }), /^key: .*holds no PEM block/],
    [
      'a key that is missing',
      { key: { secretKeyRef: ABSENT } },
      /^key: Secret system\/absent does not exist$/,
    ],
    ['observers of a key that are missing', key(MISSING), /^key\.trustRootRef: .* does not exist$/],
    ['identities of no root', keyless(MISSING), /^keyless\.trustRootRef: .* does not exist$/],
    [
      'identities of a root that certifies nobody',
      keyless({ trustRootRef: { name: 'logs' } }),
      /^keyless\.trustRootRef: TrustRoot "logs" has no certificate authority$/,
    ],
    ['an identity without an issuer', keyless({}, { subject: 'a' }), /^keyless\.identities\[0\]\.issuer: /],
    ['an identity without a subject', keyless({}, { issuer: 'a' }), /^keyless\.identities\[0\]\.subject: /],
    [
      'an issuer that is no pattern',
      keyless({}, { subject: 'a', issuerRegExp: '(' }),
      /^keyless\.identities\[0\]\.issuerRegExp: the pattern is invalid/,
    ],
    [
      'a claim that is no pattern, beside one that is good',
      keyless(
        {},
        { ...IDENTITY, claims: { runInvocationURI: 'x' }, claimsRegExp: { sourceRepositoryURI: '(' } },
      ),
      /^keyless\.identities\[0\]\.claims\.sourceRepositoryURI: the pattern is invalid/,
    ],
    [
      'a claim that nobody certifies',
      keyless({}, { ...IDENTITY, claims: { team: 'x' } }),
      /^keyless\.identities\[0\]\.claims: "team" is no Fulcio extension$/,
    ],
    [
      'a claim that is set twice',
      keyless(
        {},
        { ...IDENTITY, claims: { sourceRepositoryURI: 'x' }, claimsRegExp: { sourceRepositoryURI: '.*' } },
      ),
      /^keyless\.identities\[0\]\.claims: "sourceRepositoryURI" is set twice$/,
    ],
    ['roots that are none', certificate({ roots: { pem: 'x' } }), /^certificate\.roots: /],
    [
      'roots that are missing',
      certificate({ roots: { configMapKeyRef: ABSENT } }),
      /^certificate\.roots: ConfigMap system\/absent does not exist$/,
    ],
    [
      'intermediates that are none',
      certificate({ intermediates: { pem: 'x' } }),
      /^certificate\.intermediates: /,
    ],
    ['observers of certificates that are missing', certificate(MISSING), /^certificate\.trustRootRef: /],
    [
      'a name that is no pattern, beside one that is good',
      certificate({ identities: [{ subjectURI: SIGNER, subjectDNRegExp: '(' }] }),
      /^certificate\.identities\[0\]: subjectDN: the pattern is invalid/,
    ],
    [
      'a name that is no pattern alone',
      certificate({ identities: [{ subjectDNRegExp: '(' }] }),
      /^certificate\.identities\[0\]: subjectDN: the pattern is invalid/,
    ],
    [
      'nobody',
      certificate({ identities: [{}] }),
      /^certificate\.identities\[0\]: at least one name must be set$/,
    ],
    [
      'nobody beside somebody',
      certificate({ identities: [{ subjectURI: SIGNER }, {}] }),
      /^certificate\.identities\[1\]: at least one name must be set$/,
    ],
    ...['x', '2027-13-01T00:00:00Z', '2027-02-30T00:00:00Z'].map(
      (notAfter) =>
        [
          `an end at ${notAfter}`,
          certificate({ notAfter }),
          /^certificate\.notAfter: it is no RFC 3339 time in UTC$/,
        ] as const,
    ),
  ];

  for (const [what, spec, problem] of refused)
    it(`makes nothing of ${what}`, () => {
      const [authority, [said = '', ...more]] = compiled(spec);
      assert.deepEqual([authority, more], [undefined, []]);
      assert.match(said, problem);
    });

  it('makes nothing of one identity that is good beside one that is not', () => {
    const [authority, said] = compiled(keyless({ identities: [IDENTITY, { issuer: 'x' }] }));
    assert.deepEqual([authority, said.length], [undefined, 1]);
  });

  it('reads no keys beyond what may be counted', () => {
    const two = key({ pem: PEM + generateSigningKey('p256').publicKeyPem });
    const problemsWithin = (work: number) => countWork(work, () => compiled(two)).value[1];
    assert.deepEqual(problemsWithin(2 * PEM_BLOCK_WORK), []);
    assert.match(problemsWithin(2 * PEM_BLOCK_WORK - 1).join('\n'), /^key: .* too many together$/);
  });

  it('gives each kind what it needs, and no member that is not there', () => {
    const membersOf = (spec: object): string[] => {
      const [authority, said] = compiled(spec);
      assert.deepEqual(said, []);
      return Object.keys(authority ?? {}).toSorted();
    };
    const common = ['kind', 'name', 'signatureFormats'];
    const [trust, place] = [
      ['requirements', 'revoked', 'root', 'trustRoot', 'witnesses'],
      elsewhere('x.test/y'),
    ];
    const chain = ['extendedKeyUsage', 'identities', 'intermediates', 'roots'];
    assert.deepEqual(membersOf(key()), [...common, 'keys'].toSorted());
    assert.deepEqual(membersOf({ tenant: {} }), common);
    assert.deepEqual(membersOf({ static: { action: 'Fail' } }), ['action', 'kind', 'message', 'name']);
    assert.deepEqual(membersOf(keyless()), [...common, ...trust, 'identities'].toSorted());
    assert.deepEqual(membersOf(certificate()), [...common, ...chain].toSorted());
    assert.deepEqual(
      membersOf({ ...certificate({ ...NAMED, notAfter: '2027-01-01T00:00:00Z' }), ...place }),
      [...common, ...chain, 'notAfter', 'observers', 'signatureRepository'].toSorted(),
    );
    assert.deepEqual(
      membersOf({ ...key(NAMED), ...place }),
      [...common, 'keys', 'observers', 'signatureRepository'].toSorted(),
    );
  });
});
