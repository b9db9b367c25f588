// Which certificate timestamps count? Over the precertificate, by known logs, inside their windows, each operator once.
import assert from 'node:assert/strict';
import { encodeCertificate, encodeTbs, extension } from '../../src/demo/certificate.ts';
import {
  certificateFields,
  createIntermediateAuthority,
  createRootAuthority,
} from '../../src/demo/certificate-authority.ts';
import { createCtLog, type CtLog } from '../../src/demo/ct-log.ts';
import * as der from '../../src/demo/der.ts';
import { identityExtensions } from '../../src/demo/identity-certificate.ts';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { parseLeafCertificate, type LeafCertificate } from '../../src/signature/certificate.ts';
import { SignatureError } from '../../src/signature/error.ts';
import type { PreparedLog } from '../../src/signature/prepared-trust.ts';
import { verifyCertificateTimestamps } from '../../src/signature/sct.ts';
import { readCertificate } from '../../src/signature/x509.ts';
import { ALICE } from './support.ts';

const AT = new Date('2026-05-05T12:00:00Z');
const OID = '1.3.6.1.4.1.11129.2.4.2';
const authority = createIntermediateAuthority(createRootAuthority('root'), 'int');
const issuer = readCertificate(authority.certificate);
const [one, two] = [createCtLog('https://one.test', false), createCtLog('https://two.test', true)];

/** A leaf whose list holds what `write` makes of the timestamps of these logs. */
function leafSeenBy(
  logs: readonly CtLog[],
  write: (scts: readonly Buffer[]) => Buffer = toList,
): LeafCertificate {
  const fields = certificateFields(authority, {
    publicKey: generateSigningKey('p256').publicKey,
    extensions: identityExtensions(ALICE),
  });
  const { privateKey, publicKey } = authority.key;
  const tbs = encodeTbs(fields, privateKey);
  const scts = logs.map((log) => {
    const written = log.sctExtension(tbs, publicKey, AT);
    return written.subarray(written.indexOf(log.logId) - 1);
  });
  const list = extension(OID, der.octetString(write(scts)));
  return parseLeafCertificate(
    encodeCertificate({ ...fields, extensions: [...fields.extensions, list] }, privateKey),
  );
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function toList(scts: readonly Buffer[]): Buffer {
  return withLength(Buffer.concat(scts.map(withLength)));
}

function known({ baseUrl, logId, key }: CtLog, more: Partial<PreparedLog> = {}): PreparedLog {
  const validFor = { start: new Date(0), end: new Date(8e15) };
  return { baseUrl, operator: '', logId, publicKey: key.publicKey, validFor, ...more };
}

function refusal(leaf: LeafCertificate, logs: readonly PreparedLog[], required = 1, notAfter = AT): string {
  try {
    verifyCertificateTimestamps(leaf, issuer, { logs, required, notAfter });
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof SignatureError, String(error));
    assert.equal(error.reason, 'CertificateInvalid');
    return error.message;
  }
}

describe('verifyCertificateTimestamps', () => {
  it('takes timestamps with and without extensions', () => {
    assert.equal(refusal(leafSeenBy([one]), [known(one)]), 'accepted');
    assert.equal(refusal(leafSeenBy([two]), [known(two)]), 'accepted');
  });

  it('leaves out unknown logs without counting them', () => {
    assert.equal(refusal(leafSeenBy([one, two]), [known(one)]), 'accepted');
    assert.match(refusal(leafSeenBy([two]), [known(one)]), /seen by 0/);
    assert.equal(refusal(leafSeenBy([two]), [known(one)], 0), 'accepted');
    assert.match(refusal(leafSeenBy([one]), []), /seen by 0/);
  });

  it('counts operators, and unnamed ones as one', () => {
    const leaf = leafSeenBy([one, two]);
    assert.match(refusal(leaf, [known(one), known(two)], 2), /seen by 1/);
    const [a, b] = [known(one, { operator: 'a' }), known(two, { operator: 'b' })];
    assert.equal(refusal(leaf, [a, b], 2), 'accepted');
    assert.match(refusal(leaf, [a, { ...b, operator: 'a' }], 2), /seen by 1/);
  });

  it('refuses a wrong one of a known log also where none is required', () => {
    const other = generateSigningKey('p256').publicKey;
    assert.match(refusal(leafSeenBy([one]), [known(one, { publicKey: other })], 0), /did not sign/);
    assert.match(
      refusal(leafSeenBy([one, two]), [known(one), known(two, { publicKey: other })]),
      /did not sign/,
    );
    const edwards = generateSigningKey('ed25519').publicKey;
    assert.match(refusal(leafSeenBy([one]), [known(one, { publicKey: edwards })]), /did not sign/);
  });

  it('wants the time inside the window of the log’s key, and not in the future', () => {
    const leaf = leafSeenBy([one]);
    const during = (start: number, end: number): PreparedLog[] => [
      known(one, { validFor: { start: new Date(start), end: new Date(end) } }),
    ];
    const at = AT.getTime();
    assert.equal(refusal(leaf, during(at, at)), 'accepted');
    assert.match(refusal(leaf, during(0, at - 1)), /not valid/);
    assert.match(refusal(leaf, during(at + 1, at + 2)), /not valid/);
    assert.equal(refusal(leaf, [...during(0, at - 1), ...during(at, at + 1)]), 'accepted');
    assert.match(refusal(leaf, [known(one)], 1, new Date(at - 1)), /future/);
  });

  it('binds the timestamp to certificate and issuer', () => {
    const other = readCertificate(
      createIntermediateAuthority(createRootAuthority('root'), 'int').certificate,
    );
    const sct = { logs: [known(one)], required: 1, notAfter: AT };
    assert.throws(() => verifyCertificateTimestamps(leafSeenBy([one]), other, sct), SignatureError);
    let first: Buffer | undefined;
    leafSeenBy([one], (scts) => {
      [first] = scts;
      return toList(scts);
    });
    assert.match(
      refusal(
        leafSeenBy([one], () => toList([first ?? Buffer.alloc(0)])),
        [known(one)],
      ),
      /did not sign/,
    );
  });

  it('refuses malformed lists', () => {
    const writers: ((scts: readonly Buffer[]) => Buffer)[] = [
      () => Buffer.alloc(0),
      (scts) => Buffer.concat([toList(scts), Buffer.from([0])]),
      (scts) => toList(scts).subarray(0, -1),
      ([sct = Buffer.alloc(0)]) => toList([sct, sct]),
      ([sct = Buffer.alloc(0)]) => toList([Buffer.concat([sct, Buffer.from([0])])]),
      ([sct = Buffer.alloc(0)]) => toList([sct.subarray(0, 40)]),
      ([sct = Buffer.alloc(0)]) => toList([Buffer.concat([Buffer.from([1]), sct.subarray(1)])]),
      ([sct = Buffer.alloc(0)]) =>
        toList(
          Array.from({ length: 17 }, (_, n) =>
            Buffer.concat([sct.subarray(0, 1), Buffer.alloc(32, n), sct.subarray(33)]),
          ),
        ),
    ];
    for (const write of writers) assert.notEqual(refusal(leafSeenBy([one], write), [known(one)]), 'accepted');
    assert.match(
      refusal(
        leafSeenBy([one], () => withLength(Buffer.alloc(0))),
        [known(one)],
      ),
      /seen by 0/,
    );
  });

  it('refuses more timestamps than certificates have, although one of them is good', () => {
    const write = ([sct = Buffer.alloc(0)]: readonly Buffer[]): Buffer =>
      toList([
        sct,
        ...Array.from({ length: 16 }, (_, n) =>
          Buffer.concat([sct.subarray(0, 1), Buffer.alloc(32, n), sct.subarray(33)]),
        ),
      ]);
    assert.match(refusal(leafSeenBy([one], write), [known(one)]), /more than 16/);
  });

  for (const algorithm of [
    [7, 3],
    [4, 2],
    [2, 3],
  ])
    it(`refuses the signature algorithm ${algorithm.join()}`, () => {
      const write = ([sct = Buffer.alloc(0)]: readonly Buffer[]): Buffer => {
        const at = 43 + sct.readUInt16BE(41);
        return toList([Buffer.concat([sct.subarray(0, at), Buffer.from(algorithm), sct.subarray(at + 2)])]);
      };
      assert.match(refusal(leafSeenBy([one], write), [known(one)]), /unknown signature algorithm/);
    });
});
