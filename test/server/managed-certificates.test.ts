// Are certificates renewed in time, and is none served before it is believed?
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createRootAuthority, issueCertificate } from '../../src/demo/certificate-authority.ts';
import { certificatePem, extension } from '../../src/demo/certificate.ts';
import * as der from '../../src/demo/der.ts';
import { generateSigningKey, type SigningKeyKind } from '../../src/demo/keys.ts';
import {
  CA_LIFE_MS,
  OVERLAP_MS,
  parseManagedCertificates,
  renewCertificates,
  type ManagedCertificates,
} from '../../src/server/managed-certificates.ts';
import { createAuthority, issueServing, SERVING_LIFE_MS } from '../../src/server/self-signed.ts';

const DAY_MS = 86_400_000;
const START = new Date('2026-11-21T12:00:00Z');
const HOSTS = ['model-policy.own.svc', '127.0.0.1'];
const after = (ms: number): Date => new Date(START.getTime() + ms);
const renew = (
  current: ManagedCertificates | undefined,
  now: Date,
  more: object = {},
): Promise<ManagedCertificates | undefined> =>
  renewCertificates(current, { now, hosts: HOSTS, isBelieved: () => false, ...more });
const mustRenew = async (
  current: ManagedCertificates | undefined,
  now: Date,
  more: object = {},
): Promise<ManagedCertificates> => {
  const next = await renew(current, now, more);
  assert.ok(next !== undefined);
  return next;
};
/** Index of the authority that a certificate is from. */
const issuerOf = ({ cert, authorities }: ManagedCertificates): number =>
  authorities.findIndex((pem) => new X509Certificate(cert).verify(new X509Certificate(pem).publicKey));

/** What somebody may store in the Secret: an authority of another kind than ours, and a certificate under it. */
function createForeign(kind: SigningKeyKind): ManagedCertificates {
  const root = createRootAuthority('foreign', { kind });
  const { publicKey, privateKey } = generateSigningKey('p256');
  const extensions = [extension('2.5.29.17', der.sequence(der.taggedPrimitive(2, Buffer.from('other'))))];
  const toPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    cert: certificatePem(issueCertificate(root, { publicKey, commonName: 'other', extensions })),
    key: toPem(privateKey),
    authorities: [certificatePem(root.certificate).trim()],
    caKey: toPem(root.key.privateKey),
  };
}

describe('renewCertificates()', () => {
  let first: ManagedCertificates;
  before(async () => {
    first = await mustRenew(undefined, START);
  });

  it('begins with a CA and a certificate under it, for the hosts', () => {
    assert.equal(first.authorities.length, 1);
    assert.equal(issuerOf(first), 0);
    const leaf = new X509Certificate(first.cert);
    assert.ok(HOSTS.every((host) => (leaf.checkHost(host) ?? leaf.checkIP(host)) !== undefined));
    assert.equal(
      new X509Certificate(first.authorities[0] ?? '').validToDate.getTime(),
      START.getTime() + CA_LIFE_MS,
    );
  });

  it('changes nothing while both are young', async () => {
    assert.equal(await renew(first, after(59 * DAY_MS)), undefined);
  });

  it('renews the certificate at two thirds of its life, under the same CA', async () => {
    const next = await mustRenew(first, after((SERVING_LIFE_MS * 2) / 3));
    assert.notEqual(next.cert, first.cert);
    assert.notEqual(next.key, first.key);
    assert.deepEqual(next.authorities, first.authorities);
    assert.equal(issuerOf(next), 0);
  });

  it('renews the certificate when it is for other hosts', async () => {
    const next = await mustRenew(first, START, { hosts: [...HOSTS, 'other.test'] });
    assert.equal(new X509Certificate(next.cert).checkHost('other.test'), 'other.test');
  });

  it('replaces the CA with an overlap: believed first, then used, and the old one dropped a day later', async () => {
    const due = (CA_LIFE_MS * 2) / 3;
    const old = {
      ...first,
      ...(await issueServing(
        { cert: first.authorities[0] ?? '', key: first.caKey },
        HOSTS,
        after(due - DAY_MS),
      )),
    };
    const announced = await mustRenew(old, after(due));
    assert.equal(announced.authorities.length, 2);
    assert.equal(announced.authorities[1], first.authorities[0]);
    assert.equal(announced.cert, old.cert);
    assert.equal(issuerOf(announced), 1);

    assert.equal(await renew(announced, after(due + 60_000)), undefined);

    const isBelieved = (pem: string): boolean => pem === announced.authorities[0];
    const used = await mustRenew(announced, after(due + 60_000), { isBelieved });
    assert.equal(issuerOf(used), 0);
    assert.deepEqual(used.authorities, announced.authorities);

    assert.equal(await renew(used, after(due + OVERLAP_MS / 2)), undefined);
    const alone = await mustRenew(used, after(due + 60_000 + OVERLAP_MS));
    assert.deepEqual(alone.authorities, used.authorities.slice(0, 1));
    assert.equal(alone.cert, used.cert);
  });

  it('uses a new CA after a day though nobody saw that it is believed', async () => {
    const announced = await mustRenew({ ...first, caKey: '' }, START);
    assert.equal(issuerOf(announced), 1);
    assert.equal(issuerOf(await mustRenew(announced, after(DAY_MS))), 0);
  });

  it('issues at once when the certificate has expired', async () => {
    const next = await mustRenew({ ...first, caKey: '' }, after(SERVING_LIFE_MS + 1));
    assert.equal(issuerOf(next), 0);
    assert.equal(next.authorities.length, 2);
  });

  it('makes a new CA where the key is lost or another one, and keeps serving', async () => {
    const other = await createAuthority(START, CA_LIFE_MS);
    for (const caKey of ['', 'no key', other.key]) {
      const next = await mustRenew({ ...first, caKey }, START);
      assert.equal(next.authorities.length, 2);
      assert.equal(next.cert, first.cert);
    }
  });

  it('does not collect authorities', async () => {
    let current = first;
    for (let times = 0; times < 6; times += 1) current = await mustRenew({ ...current, caKey: '' }, START);
    assert.equal(current.authorities.length, 4);
  });

  it('never drops the authority of what is served, however often the Secret is deleted meanwhile', async () => {
    let current = first;
    for (let times = 0; times < 6; times += 1) {
      current = await mustRenew({ ...current, caKey: '' }, START);
      assert.equal(current.cert, first.cert);
      assert.notEqual(issuerOf(current), -1);
    }
  });

  it('replaces what a clock made that was far ahead, by what holds by either clock', async () => {
    const wrong = after(10 * 365 * DAY_MS);
    const ahead = await mustRenew(undefined, wrong);
    const announced = await mustRenew(ahead, START);
    assert.equal(announced.cert, ahead.cert);
    const next = await mustRenew(announced, START, { isBelieved: () => true });
    assert.equal(issuerOf(next), 0);
    for (const pem of [next.cert, next.authorities[0] ?? ''])
      for (const when of [START, wrong]) {
        const { validFromDate, validToDate } = new X509Certificate(pem);
        assert.ok(validFromDate <= when && when < validToDate);
      }
    assert.equal(await renew(next, START), undefined);
  });

  it('replaces a certificate from the future at once under an authority that is none', async () => {
    const authority = await createAuthority(START, CA_LIFE_MS);
    const serving = await issueServing(authority, HOSTS, after(30 * DAY_MS));
    const next = await mustRenew(
      { ...serving, authorities: [authority.cert], caKey: authority.key },
      after(DAY_MS),
    );
    assert.equal(issuerOf(next), 0);
    assert.ok(new X509Certificate(next.cert).validFromDate <= after(DAY_MS));
    assert.deepEqual(next.authorities, [authority.cert]);
  });

  it('makes a CA of its own beside one whose key is of another kind', async () => {
    for (const kind of ['rsa2048', 'p384'] as const) {
      const foreign = createForeign(kind);
      const next = await mustRenew(foreign, START);
      assert.deepEqual(next.authorities.slice(1), foreign.authorities);
      assert.equal(next.cert, foreign.cert);
    }
  });

  it('signs with the key of its CA in whatever form of PEM it stands', async () => {
    const caKey = createPrivateKey(first.caKey).export({ format: 'pem', type: 'sec1' }).toString();
    const next = await mustRenew({ ...first, caKey }, after((SERVING_LIFE_MS * 2) / 3));
    assert.equal(issuerOf(next), 0);
    assert.deepEqual(next.authorities, first.authorities);
  });
});

describe('parseManagedCertificates()', () => {
  let good: ManagedCertificates;
  const toData = (values: Record<string, string>): ReadonlyMap<string, Buffer> =>
    new Map(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
  const dataOf = ({ cert, key, authorities, caKey }: ManagedCertificates): Record<string, string> => ({
    'tls.crt': cert,
    'tls.key': key,
    'ca.crt': authorities.join('\n'),
    'ca.key': caKey,
  });
  before(async () => {
    good = await mustRenew({ ...(await mustRenew(undefined, START)), caKey: '' }, START);
  });

  it('reads what was written', () => {
    assert.deepEqual(parseManagedCertificates(toData(dataOf(good))), {
      ...good,
      authorities: good.authorities.map((pem) => pem.trim()),
    });
  });

  it('refuses what cannot be served with', async () => {
    const other = await mustRenew(undefined, START);
    for (const change of [
      { 'tls.crt': '' },
      { 'tls.key': other.key },
      { 'tls.key': 'x' },
      { 'ca.crt': '' },
      { 'ca.crt': good.cert },
    ])
      assert.equal(parseManagedCertificates(toData({ ...dataOf(good), ...change })), undefined);
    assert.equal(parseManagedCertificates(new Map()), undefined);
  });
});
