// Is each kind of log entry bound to signature, content and signer? Every member changed alone.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { certificatePem } from '../../src/demo/certificate.ts';
import { createRootAuthority } from '../../src/demo/certificate-authority.ts';
import type { LogEntry } from '../../src/signature/bundle.ts';
import { toEnvelopeContent } from '../../src/signature/content.ts';
import { toPreAuthenticationEncoding } from '../../src/signature/dsse.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { verifyLogBody } from '../../src/signature/log-body.ts';
import { change, type Path } from './support.ts';

const envelope = {
  payloadType: 'application/vnd.in-toto+json',
  payload: Buffer.from('{}'),
  signature: Buffer.from('a signature'),
};
const content = toEnvelopeContent(envelope);
const signer = createRootAuthority('signer').certificate;
const pem = Buffer.from(certificatePem(signer)).toString('base64');
const sig = envelope.signature.toString('base64');
const hash = (bytes: Buffer, encoding: 'hex' | 'base64', name = 'sha256'): string =>
  createHash(name).update(bytes).digest(encoding);
const encoded = toPreAuthenticationEncoding(envelope.payloadType, envelope.payload);
const verifier = { x509Certificate: { rawBytes: signer.toString('base64') } };

const SPECS: Readonly<Record<string, object>> = {
  'hashedrekord/0.0.1': {
    data: { hash: { algorithm: 'sha256', value: hash(encoded, 'hex') } },
    signature: { content: sig, publicKey: { content: pem } },
  },
  'dsse/0.0.1': {
    payloadHash: { algorithm: 'sha256', value: hash(envelope.payload, 'hex') },
    signatures: [{ signature: sig, verifier: pem }],
  },
  'intoto/0.0.2': {
    content: {
      envelope: { signatures: [{ sig: Buffer.from(sig).toString('base64'), publicKey: pem }] },
      payloadHash: { algorithm: 'sha256', value: hash(envelope.payload, 'hex') },
    },
  },
  'hashedrekord/0.0.2': {
    hashedRekordV002: {
      data: { algorithm: 'SHA2_256', digest: hash(encoded, 'base64') },
      signature: { content: sig, verifier },
    },
  },
  'dsse/0.0.2': {
    dsseV002: {
      payloadHash: { algorithm: 'SHA2_256', digest: hash(envelope.payload, 'base64') },
      signatures: [{ content: sig, verifier }],
    },
  },
};

function toEntry(kindVersion: string, spec: object, more: object = {}): LogEntry {
  const [kind = '', version = ''] = kindVersion.split('/');
  const body = Buffer.from(JSON.stringify({ kind, apiVersion: version, spec, ...more }));
  return {
    logIndex: '0',
    logId: Buffer.alloc(32),
    kind,
    version,
    integratedTime: '0',
    signedEntryTimestamp: undefined,
    proof: undefined,
    body,
  };
}

const refuses = (entry: LogEntry, what: string): void =>
  assert.throws(() => verifyLogBody(entry, content, signer), SignatureError, what);

function* leavesOf(value: unknown, path: Path = []): Generator<{ path: Path; value: string }> {
  if (typeof value === 'string') yield { path, value };
  else if (typeof value === 'object' && value !== null)
    for (const [name, child] of Object.entries(value))
      yield* leavesOf(child, [...path, Array.isArray(value) ? Number(name) : name]);
}

describe('verifyLogBody', () => {
  for (const [kindVersion, spec] of Object.entries(SPECS)) {
    it(`takes ${kindVersion}, and nothing with a member changed`, () => {
      verifyLogBody(toEntry(kindVersion, spec), content, signer);
      for (const { path, value } of leavesOf(spec)) {
        const mutants = [
          undefined,
          null,
          '',
          value.slice(0, -8),
          `${value}AAAA`,
          value.replace(/[0-9a-zA-Z]/, (c) => (c === 'a' ? 'b' : 'a')),
          value.toUpperCase() === value ? value.toLowerCase() : value.toUpperCase(),
        ];
        for (const other of mutants)
          if (other !== value)
            refuses(
              toEntry(kindVersion, change(spec, path, other)),
              `${path.join('.')} ${String(other).slice(0, 40)}`,
            );
      }
    });

    it(`binds ${kindVersion} to its own kind and version`, () => {
      refuses(toEntry(kindVersion, spec, { kind: 'rekord' }), 'kind');
      refuses(toEntry(kindVersion, spec, { apiVersion: '0.0.3' }), 'version');
      for (const other of Object.keys(SPECS)) if (other !== kindVersion) refuses(toEntry(other, spec), other);
    });

    it(`binds ${kindVersion} to signature, content and signer`, () => {
      const entry = toEntry(kindVersion, spec);
      const others = [
        { ...envelope, signature: Buffer.from('another') },
        { ...envelope, payload: Buffer.from('{"a":1}') },
      ];
      for (const other of others)
        assert.throws(() => verifyLogBody(entry, toEnvelopeContent(other), signer), SignatureError);
      const stranger = createRootAuthority('signer').certificate;
      assert.throws(() => verifyLogBody(entry, content, stranger), /names another signer/);
    });
  }

  it('takes other hashes under their own name', () => {
    const spec = {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_384', digest: hash(encoded, 'base64', 'sha384') },
        signature: { content: sig, verifier },
      },
    };
    verifyLogBody(toEntry('hashedrekord/0.0.2', spec), content, signer);
    refuses(
      toEntry('hashedrekord/0.0.2', change(spec, ['hashedRekordV002', 'data', 'algorithm'], 'SHA2_256')),
      'label',
    );
  });

  it('refuses two verifiers and two signatures', () => {
    const publicKey = { rawBytes: 'AAAA' };
    refuses(
      toEntry(
        'dsse/0.0.2',
        change(SPECS['dsse/0.0.2'] ?? {}, ['dsseV002', 'signatures', 0, 'verifier', 'publicKey'], publicKey),
      ),
      'two verifiers',
    );
    const twice = [
      { content: sig, verifier },
      { content: sig, verifier },
    ];
    refuses(
      toEntry('dsse/0.0.2', change(SPECS['dsse/0.0.2'] ?? {}, ['dsseV002', 'signatures'], twice)),
      'two signatures',
    );
  });

  it('takes no payload entry for a plain message', () => {
    const message = { ...content, payloadDigest: () => undefined };
    for (const kindVersion of ['dsse/0.0.1', 'dsse/0.0.2', 'intoto/0.0.2'])
      assert.throws(
        () => verifyLogBody(toEntry(kindVersion, SPECS[kindVersion] ?? {}), message, signer),
        /other content/,
      );
  });
});
