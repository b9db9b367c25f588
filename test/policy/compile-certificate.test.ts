// What does a `certificate` authority of a policy mean, and which ones deny because they mean nothing?
import assert from 'node:assert/strict';
import { createPki, SIGNER } from '../signature/pki.ts';
import { certificatePem } from '../../src/demo/certificate.ts';
import { countWork } from '../../src/lib/counted-work.ts';
import { PEM_BLOCK_WORK } from '../../src/policy/read-bytes.ts';
import { compile } from '../verdict/support.ts';

const pki = createPki();
const ROOT = certificatePem(pki.root.certificate);
const IDENTITY = { subjectURI: SIGNER };
const good = { roots: { pem: ROOT }, identities: [IDENTITY] };
const spec = (certificate: object): object => ({ authorities: [{ name: 'pki', certificate }] });

function problemsOf(certificate: object, material: Record<string, Record<string, string>> = {}): string {
  return compile(spec(certificate), { material })
    .problems.map(({ reason, message }) => `${reason} ${message}`)
    .join('\n');
}

describe('compileCertificate()', () => {
  it('takes roots from the policy, a Secret or a ConfigMap, with everything else by default', () => {
    const sources: readonly (readonly [object, Record<string, Record<string, string>>])[] = [
      [{ pem: ROOT }, {}],
      [{ secretKeyRef: { name: 'ca', key: 'ca.crt' } }, { 'Secret/system/ca': { 'ca.crt': ROOT } }],
      [{ configMapKeyRef: { name: 'ca', key: 'ca.crt' } }, { 'ConfigMap/system/ca': { 'ca.crt': ROOT } }],
    ];
    for (const [roots, material] of sources) {
      const { authorities, problems } = compile(spec({ ...good, roots }), { material });
      assert.deepEqual(problems, []);
      const [authority] = authorities;
      assert.ok(authority?.kind === 'certificate');
      assert.equal(authority.roots.length, 1);
      assert.deepEqual(authority.intermediates, []);
      assert.equal(authority.extendedKeyUsage, 'CodeSigning');
      assert.equal(authority.notAfter, undefined);
    }
  });

  it('takes intermediates, purposes, an end and patterns', () => {
    const { authorities, problems } = compile(
      spec({
        ...good,
        intermediates: { pem: certificatePem(pki.intermediate.certificate) },
        extendedKeyUsage: 'Any',
        notAfter: '2027-01-01T00:00:00Z',
        identities: [{ subjectDNRegExp: 'CN=.*', spki: 'ab'.repeat(32) }],
      }),
    );
    assert.deepEqual(problems, []);
    const [authority] = authorities;
    assert.ok(authority?.kind === 'certificate');
    assert.equal(authority.intermediates.length, 1);
    assert.deepEqual(authority.notAfter, new Date('2027-01-01T00:00:00Z'));
    const [identity] = authority.identities;
    assert.deepEqual(Object.keys(identity ?? {}), ['subjectDN', 'spki']);
    assert.ok(identity?.subjectDN?.matches('CN=x') === true && !identity.subjectDN.matches('O=CN=x'));
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ['no roots', { identities: [IDENTITY] }, /roots is required/],
    ['no identities', { roots: { pem: ROOT } }, /identities is required/],
    ['an empty list of identities', { ...good, identities: [] }, /fewer than 1/],
    ['an empty identity', { ...good, identities: [{}] }, /identities\[0\]: at least one name must be set/],
    ['an unknown name', { ...good, identities: [{ subjectIP: '1.2.3.4' }] }, /unknown field "subjectIP"/],
    [
      'a name twice',
      { ...good, identities: [{ ...IDENTITY, subjectURIRegExp: '.*' }] },
      /subjectURI: exactly one/,
    ],
    [
      'a broken pattern',
      { ...good, identities: [{ subjectDNRegExp: '(' }] },
      /subjectDN: the pattern is invalid/,
    ],
    ['a fingerprint that is none', { ...good, identities: [{ spki: 'AB' }] }, /spki: must match/],
    ['an unknown purpose', { ...good, extendedKeyUsage: 'ServerAuth' }, /CodeSigning, Any/],
    ['an end that is no time', { ...good, notAfter: '2027-02-30T00:00:00Z' }, /no RFC 3339 time/],
    [
      'timestamps of nobody',
      { ...good, minTimestamps: 1 },
      /authorities\[0\]\.certificate\.minTimestamps: it needs trustRootRef: a TrustRoot says whose timestamps count$/,
    ],
    ['log entries', { ...good, minLogEntries: 1 }, /unknown field "minLogEntries"/],
    [
      'a root that is no certificate',
      { ...good, roots: { pem: 'x' } },
      /certificate\.roots: it holds no PEM block/,
    ],
    [
      'a broken intermediate',
      { ...good, intermediates: { pem: 'x' } },
      /certificate\.intermediates: it holds no/,
    ],
    [
      'two sources of roots',
      { ...good, roots: { pem: ROOT, secretKeyRef: { name: 'a', key: 'b' } } },
      /exactly one/,
    ],
  ];
  for (const [what, certificate, message] of refused)
    it(`is PolicyInvalid with ${what}`, () => {
      assert.match(problemsOf(certificate), message);
      assert.match(problemsOf(certificate), /^PolicyInvalid/);
    });

  it('blames the operator for a root that is missing or broken elsewhere', () => {
    const roots = { configMapKeyRef: { name: 'ca', key: 'ca.crt' } };
    assert.match(problemsOf({ ...good, roots }), /^CredentialsUnavailable .*does not exist/);
    assert.match(
      problemsOf({ ...good, roots }, { 'ConfigMap/system/ca': { 'ca.crt': 'x' } }),
      /^CredentialsUnavailable .*no PEM block/,
    );
  });

  it('reads no certificates beyond what may be counted', () => {
    const certificate = { ...good, intermediates: { pem: certificatePem(pki.intermediate.certificate) } };
    const problemsWithin = (work: number): string => countWork(work, () => problemsOf(certificate)).value;
    assert.equal(problemsWithin(2 * PEM_BLOCK_WORK), '');
    assert.match(
      problemsWithin(2 * PEM_BLOCK_WORK - 1),
      /^PolicyInvalid .*certificate\.intermediates: .* too many together$/,
    );
  });
});
