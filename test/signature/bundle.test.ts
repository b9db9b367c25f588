// Is every malformed bundle refused before anything in it is used?
import assert from 'node:assert/strict';
import { generateSigningKey } from '../../src/demo/keys.ts';
import { signBundleWithKey } from '../../src/demo/sign-with-key.ts';
import { MAX_BUNDLE_BYTES } from '../../src/evidence/evidence.ts';
import { MAX_TIMESTAMPS_BYTES, parseBundle } from '../../src/signature/bundle.ts';
import { SignatureError } from '../../src/signature/error.ts';
import { change, createWorld, STATEMENT, toBytes, valueAt, type Json, type Path } from './support.ts';

const KEY = generateSigningKey('p256');
const GOOD = signBundleWithKey(STATEMENT, KEY);
const MATERIAL = 'verificationMaterial';
const ENVELOPE = 'dsseEnvelope';

function reasonOf(bundle: object): string {
  try {
    parseBundle(toBytes(bundle));
    return 'parsed';
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    assert.ok(error.message.length < 400 && !/\p{Cc}/u.test(error.message), error.message);
    return error.reason;
  }
}

describe('parseBundle', () => {
  let keyless: object;

  before(async () => {
    keyless = await (await createWorld('v1')).sign({ omitTimestamp: false });
  });

  it('reads a key bundle', () => {
    const bundle = parseBundle(toBytes(GOOD));
    assert.equal(bundle.material.kind, 'publicKey');
    assert.deepEqual(bundle.logEntries, []);
    assert.deepEqual(bundle.timestamps, []);
    assert.equal(bundle.envelope.payload.toString(), JSON.stringify(STATEMENT));
  });

  it('reads a keyless bundle with log entry and timestamp', () => {
    const bundle = parseBundle(toBytes(keyless));
    assert.equal(bundle.material.kind, 'certificate');
    assert.equal(bundle.logEntries.length, 1);
    assert.ok(bundle.logEntries[0]?.signedEntryTimestamp !== undefined);
    assert.ok(bundle.logEntries[0].proof !== undefined);
    assert.equal(bundle.timestamps.length, 1);
  });

  it('reads both media types of version 0.3', () => {
    assert.equal(
      reasonOf(change(GOOD, ['mediaType'], 'application/vnd.dev.sigstore.bundle+json;version=0.3')),
      'parsed',
    );
  });

  for (const mediaType of [
    'application/vnd.dev.sigstore.bundle.v0.3+jsonEVIL',
    'xapplication/vnd.dev.sigstore.bundle.v0.3+json',
    'application/vnd.dev.sigstore.bundle.v0.3+json ',
    'application/vnd.dev.sigstore.bundle.v0.3+json\n',
    'application/vnd.dev.sigstore.bundle+json;version=0.4',
    'application/vnd.dev.sigstore.bundle+json;version=0.1',
    'application/vnd.dev.sigstore.bundle+json; version=0.3',
    'application/vnd.dev.sigstore.bundle.v9.9+json',
    'application/vnd-dev.sigstore.bundle.v0.3+json',
    'APPLICATION/vnd.dev.sigstore.bundle.v0.3+json',
    '',
    null,
    3,
    ['application/vnd.dev.sigstore.bundle.v0.3+json'],
    { toString: 'application/vnd.dev.sigstore.bundle.v0.3+json' },
  ]) {
    it(`names the media type ${JSON.stringify(mediaType)} unsupported`, () => {
      assert.equal(reasonOf(change(GOOD, ['mediaType'], mediaType)), 'UnsupportedFormat');
    });
  }

  it('names an absent media type unsupported', () => {
    assert.equal(reasonOf(change(GOOD, ['mediaType'], undefined)), 'UnsupportedFormat');
  });

  describe('about its oneofs', () => {
    const signers: Readonly<Record<string, Json>> = {
      publicKey: { hint: 'h' },
      certificate: { rawBytes: 'AAAA' },
      x509CertificateChain: { certificates: [{ rawBytes: 'AAAA' }] },
    };

    it('refuses no kind of signer', () => {
      assert.equal(reasonOf(change(GOOD, [MATERIAL], {})), 'SignatureInvalid');
      assert.equal(reasonOf(change(GOOD, [MATERIAL], { publicKey: null })), 'SignatureInvalid');
    });

    for (const one of Object.keys(signers))
      for (const other of Object.keys(signers).filter((name) => name > one))
        it(`refuses ${one} beside ${other}`, () => {
          const material = { [one]: signers[one], [other]: signers[other] };
          assert.equal(reasonOf(change(GOOD, [MATERIAL], material)), 'SignatureInvalid');
          const empty = { [one]: signers[one], [other]: {} };
          assert.equal(reasonOf(change(GOOD, [MATERIAL], empty)), 'SignatureInvalid');
        });

    it('takes null for absent', () => {
      assert.equal(reasonOf(change(GOOD, [MATERIAL, 'certificate'], null)), 'parsed');
      assert.equal(reasonOf(change(GOOD, ['messageSignature'], null)), 'parsed');
      assert.equal(reasonOf(change(GOOD, [MATERIAL, 'timestampVerificationData'], null)), 'parsed');
      assert.equal(reasonOf(change(GOOD, [MATERIAL, 'tlogEntries'], null)), 'parsed');
    });

    it('refuses a message signature beside an envelope', () => {
      assert.equal(reasonOf(change(GOOD, ['messageSignature'], {})), 'SignatureInvalid');
    });

    it('names a message signature alone unsupported', () => {
      const message = { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' };
      const bundle = change(change(GOOD, ['messageSignature'], message), [ENVELOPE], undefined);
      assert.equal(reasonOf(bundle), 'UnsupportedFormat');
    });

    it('refuses neither', () => {
      assert.equal(reasonOf(change(GOOD, [ENVELOPE], undefined)), 'SignatureInvalid');
      assert.equal(reasonOf(change(GOOD, [MATERIAL], undefined)), 'SignatureInvalid');
    });
  });

  describe('about its envelope', () => {
    const signature = { sig: 'AAAA' };
    for (const signatures of [
      [],
      [signature, signature],
      null,
      {},
      [null],
      [{}],
      [{ sig: '' }],
      [[]],
      ['AAAA'],
    ])
      it(`refuses the signatures ${JSON.stringify(signatures)}`, () => {
        assert.equal(reasonOf(change(GOOD, [ENVELOPE, 'signatures'], signatures)), 'SignatureInvalid');
      });

    for (const type of [
      'text/plain',
      'application/vnd.in-toto+json ',
      'application/vnd.in-toto+jsonx',
      'application/vnd.in-toto+jso\u016e',
      '',
    ])
      it(`names the payload type ${JSON.stringify(type)} unsupported`, () => {
        assert.equal(reasonOf(change(GOOD, [ENVELOPE, 'payloadType'], type)), 'UnsupportedFormat');
      });

    for (const type of [null, 7, 'x'.repeat(256)])
      it(`refuses the payload type ${String(type).slice(0, 10)}`, () => {
        assert.equal(reasonOf(change(GOOD, [ENVELOPE, 'payloadType'], type)), 'SignatureInvalid');
      });
  });

  describe('about base64', () => {
    const fields: Path[] = [
      [ENVELOPE, 'payload'],
      [ENVELOPE, 'signatures', 0, 'sig'],
      [MATERIAL, 'certificate', 'rawBytes'],
      [MATERIAL, 'tlogEntries', 0, 'canonicalizedBody'],
      [MATERIAL, 'tlogEntries', 0, 'logId', 'keyId'],
      [MATERIAL, 'tlogEntries', 0, 'inclusionPromise', 'signedEntryTimestamp'],
      [MATERIAL, 'tlogEntries', 0, 'inclusionProof', 'rootHash'],
      [MATERIAL, 'tlogEntries', 0, 'inclusionProof', 'hashes', 0],
      [MATERIAL, 'timestampVerificationData', 'rfc3161Timestamps', 0, 'signedTimestamp'],
    ];
    const spoil: Readonly<Record<string, (text: string) => unknown>> = {
      'a line break': (text) => `${text.slice(0, 4)}\n${text.slice(4)}`,
      'a space at the end': (text) => `${text} `,
      junk: (text) => `!${text}`,
      'four characters of junk': (text) => `${text}!!!!`,
      'no padding': (text) => `${text}A`,
      'the URL alphabet': (text) => `-_-_${text}`,
      'unused bits': () => 'QUJDRA=='.replace('A==', 'B=='),
      'too much padding': (text) => `${text}====`,
      'nothing in it': () => '',
      'a number': () => 4,
      'a list': (text) => [text],
      null: () => null,
    };
    for (const path of fields)
      it(`refuses ${path.join('.')} that is not canonical`, () => {
        assert.equal(reasonOf(keyless), 'parsed');
        for (const [what, edit] of Object.entries(spoil)) {
          const old = valueAt(keyless, path) as string;
          assert.equal(reasonOf(change(keyless, path, edit(old))), 'SignatureInvalid', what);
        }
      });
  });

  describe('about integers', () => {
    const path: Path = [MATERIAL, 'tlogEntries', 0, 'logIndex'];
    for (const value of [
      '-1',
      '01',
      '1.5',
      '1e3',
      ' 1',
      '1\n',
      '0x10',
      '12345678901234567',
      '',
      -1,
      1.5,
      1e21,
      true,
      [],
      ['1'],
      {},
    ])
      it(`refuses ${JSON.stringify(value)}`, () => {
        assert.equal(reasonOf(change(keyless, path, value)), 'SignatureInvalid');
      });

    it('takes numbers and absent for integers', () => {
      assert.equal(reasonOf(change(keyless, path, 12)), 'parsed');
      assert.equal(reasonOf(change(keyless, path, undefined)), 'parsed');
    });

    it('refuses endless digits fast and without showing them', () => {
      const digits = '9'.repeat(500_000);
      assert.equal(reasonOf(change(keyless, path, digits)), 'SignatureInvalid');
      const raw = JSON.stringify(change(keyless, path, 'HERE')).replace('"HERE"', digits);
      assert.equal(reasonOf(Buffer.from(raw)), 'SignatureInvalid');
    });
  });

  describe('about its caps', () => {
    const entries: Path = [MATERIAL, 'tlogEntries'];
    const stamps: Path = [MATERIAL, 'timestampVerificationData', 'rfc3161Timestamps'];

    it('takes 32 log entries and refuses 33', () => {
      const entry = valueAt(keyless, [...entries, 0]);
      const many = (count: number): object => change(keyless, entries, Array<Json>(count).fill(entry));
      assert.equal(reasonOf(many(32)), 'parsed');
      assert.equal(reasonOf(many(33)), 'SignatureInvalid');
    });

    it('takes 32 timestamps and refuses 33', () => {
      const many = (count: number): object =>
        change(
          keyless,
          stamps,
          Array.from({ length: count }, () => ({ signedTimestamp: 'AAAA' })),
        );
      assert.equal(reasonOf(many(32)), 'parsed');
      assert.equal(reasonOf(many(33)), 'SignatureInvalid');
    });

    it('refuses timestamps of more bytes than real ones have: reading them is slow', () => {
      const half = Buffer.alloc(MAX_TIMESTAMPS_BYTES / 2).toString('base64');
      const one = { signedTimestamp: half };
      assert.equal(reasonOf(change(keyless, stamps, [one, one])), 'parsed');
      assert.equal(
        reasonOf(change(keyless, stamps, [one, one, { signedTimestamp: 'AAAA' }])),
        'SignatureInvalid',
      );
    });

    it('takes 64 proof hashes and refuses 65', () => {
      const path = [...entries, 0, 'inclusionProof', 'hashes'];
      assert.equal(reasonOf(change(keyless, path, Array<Json>(64).fill('AAAA'))), 'parsed');
      assert.equal(reasonOf(change(keyless, path, Array<Json>(65).fill('AAAA'))), 'SignatureInvalid');
    });

    it('refuses long checkpoints, kinds and versions', () => {
      const checkpoint = [...entries, 0, 'inclusionProof', 'checkpoint', 'envelope'];
      assert.equal(reasonOf(change(keyless, checkpoint, 'x'.repeat(16_385))), 'SignatureInvalid');
      assert.equal(
        reasonOf(change(keyless, [...entries, 0, 'kindVersion', 'kind'], 'x'.repeat(33))),
        'SignatureInvalid',
      );
      assert.equal(
        reasonOf(change(keyless, [...entries, 0, 'kindVersion', 'version'], '1'.repeat(17))),
        'SignatureInvalid',
      );
    });

    it('refuses a bundle beyond its size before reading it', () => {
      assert.equal(reasonOf(Buffer.alloc(MAX_BUNDLE_BYTES + 1, '{')), 'SignatureInvalid');
    });
  });

  describe('about null and other types', () => {
    const nodes: Path[] = [
      [MATERIAL, 'tlogEntries', 0],
      [MATERIAL, 'tlogEntries', 0, 'kindVersion'],
      [MATERIAL, 'tlogEntries', 0, 'logId'],
      [MATERIAL, 'tlogEntries', 0, 'inclusionProof', 'checkpoint'],
      [MATERIAL, 'timestampVerificationData', 'rfc3161Timestamps', 0],
      [ENVELOPE, 'signatures', 0],
    ];
    for (const path of nodes)
      it(`refuses ${path.join('.')} of another type`, () => {
        for (const value of [null, 'text', 1, true, []])
          assert.equal(reasonOf(change(keyless, path, value)), 'SignatureInvalid');
      });

    for (const path of [
      [MATERIAL, 'tlogEntries'],
      [MATERIAL, 'timestampVerificationData'],
      [MATERIAL, 'tlogEntries', 0, 'inclusionProof'],
      [MATERIAL, 'tlogEntries', 0, 'inclusionPromise'],
    ])
      it(`refuses ${path.join('.')} of another type than object or list`, () => {
        for (const value of ['text', 1, true])
          assert.equal(reasonOf(change(keyless, path, value)), 'SignatureInvalid');
      });
  });

  describe('about JSON', () => {
    const text = JSON.stringify(GOOD);
    const documents: Readonly<Record<string, string | Buffer>> = {
      nothing: '',
      null: 'null',
      'a list': '[]',
      'a string': '"bundle"',
      'a cut document': text.slice(0, -1),
      'trailing text': `${text} x`,
      'a byte order mark': `\ufeff${text}`,
      'no UTF-8': Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff]), Buffer.from('}')]),
      'a member twice': text.replace('{', '{"mediaType":"x",'),
      'a member twice, once escaped': text.replace('{', '{"media\\u0054ype":"x",'),
      'an inner member twice': text.replace('"payload":', '"payload":"AAAA","payload":'),
      'deep nesting': `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'a huge number': `{"a":${'1'.repeat(100_000)}}`,
    };
    for (const [what, document] of Object.entries(documents))
      it(`refuses ${what}`, () => {
        assert.equal(reasonOf(Buffer.from(document)), 'SignatureInvalid');
      });

    it('reads no member through a prototype', () => {
      const polluting = `{"__proto__":${text}}`;
      assert.equal(reasonOf(Buffer.from(polluting)), 'UnsupportedFormat');
      const inner = text.replace(
        '"verificationMaterial":{',
        '"verificationMaterial":{"__proto__":{"certificate":{"rawBytes":"AAAA"}},',
      );
      assert.equal(parseBundle(Buffer.from(inner)).material.kind, 'publicKey');
    });
  });
});
