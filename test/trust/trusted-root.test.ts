// Is a trusted root judged when it is loaded, and refused whole when anything in it is unclear?
import assert from 'node:assert/strict';
import { KEY_PURPOSE } from '../../src/demo/certificate.ts';
import { createSigstore } from '../../src/demo/sigstore.ts';
import { createTimestampAuthority } from '../../src/demo/timestamp-authority.ts';
import { loadPublicGoodRoot } from '../../src/trust/public-good.ts';
import {
  isWithin,
  MAX_TRUSTED_ROOT_BYTES,
  parseTrustedRoot,
  TrustedRootError,
} from '../../src/trust/trusted-root.ts';
import { change, type Path } from '../signature/support.ts';

describe('parseTrustedRoot', () => {
  let good: object;

  before(async () => {
    good = JSON.parse((await createSigstore()).trustedRootJson()) as object;
  });

  const refusal = (document: object | string | Buffer): string => {
    const bytes =
      typeof document === 'string' || Buffer.isBuffer(document)
        ? Buffer.from(document as string)
        : Buffer.from(JSON.stringify(document));
    try {
      parseTrustedRoot(bytes);
      return 'parsed';
    } catch (error) {
      assert.ok(error instanceof TrustedRootError, String(error));
      return error.message;
    }
  };

  it('reads every kind of authority', () => {
    const root = parseTrustedRoot(Buffer.from(JSON.stringify(good)));
    assert.equal(root.certificateAuthorities.length, 1);
    assert.equal(root.timestampAuthorities.length, 1);
    assert.equal(root.certificateLogs.length, 1);
    assert.equal(root.logs[0]?.baseUrl, 'https://rekor.models.test');
    assert.equal(root.logs[0].operator, '');
    assert.equal(root.logs[0].validFor.start.toISOString(), '2020-01-01T00:00:00.000Z');
    assert.ok(isWithin(new Date('2999-01-01'), root.logs[0].validFor));
  });

  it('reads both media types, and no look-alike', () => {
    assert.equal(
      refusal(change(good, ['mediaType'], 'application/vnd.dev.sigstore.trustedroot.v0.2+json')),
      'parsed',
    );
    for (const mediaType of [
      '',
      'application/vnd.dev.sigstore.trustedroot+json;version=9',
      'xapplication/vnd.dev.sigstore.trustedroot+json;version=0.1',
      null,
      7,
      undefined,
    ])
      assert.match(refusal(change(good, ['mediaType'], mediaType)), /mediaType/);
  });

  it('refuses what is no root', () => {
    for (const text of ['{}', 'null', '[]', '', '{', '"x"', '\ufeff{}'])
      assert.notEqual(refusal(text), 'parsed', text);
    assert.notEqual(refusal(Buffer.alloc(MAX_TRUSTED_ROOT_BYTES + 1, 0x20)), 'parsed');
    assert.match(refusal(JSON.stringify(good).replace('"tlogs":', '"tlogs":[],"tlogs":')), /twice/);
  });

  it('reads a root without certificate authorities: managed keys need none', () => {
    for (const value of [[], null, undefined])
      assert.equal(refusal(change(good, ['certificateAuthorities'], value)), 'parsed');
    assert.match(
      refusal(change(good, ['certificateAuthorities'], {})),
      /^certificateAuthorities is no list$/,
    );
  });

  it('refuses a root without any authority that counts', () => {
    const { mediaType, ctlogs } = good as Record<string, unknown>;
    assert.match(refusal({ mediaType, ctlogs }), /no certificateAuthorities, timestampAuthorities or tlogs/);
    for (const member of ['certificateAuthorities', 'timestampAuthorities', 'tlogs'])
      assert.equal(refusal({ mediaType, [member]: (good as Record<string, unknown>)[member] }), 'parsed');
  });

  const windows: Path[] = [
    ['tlogs', 0, 'publicKey', 'validFor'],
    ['ctlogs', 0, 'publicKey', 'validFor'],
    ['certificateAuthorities', 0, 'validFor'],
    ['timestampAuthorities', 0, 'validFor'],
  ];
  for (const path of windows) {
    it(`wants a start of ${path.join('.')}`, () => {
      for (const value of [
        undefined,
        null,
        {},
        { end: '2030-01-01T00:00:00Z' },
        { start: null },
        { start: '' },
      ])
        assert.match(refusal(change(good, path, value)), /start is no RFC 3339 time/);
    });

    it(`takes an open end of ${path.join('.')}, and no broken one`, () => {
      const start = '2020-01-01T00:00:00Z';
      for (const end of [null, undefined, '2030-01-01T00:00:00.123456789Z', '2030-01-01T00:00:00+02:00'])
        assert.equal(refusal(change(good, path, { start, end })), 'parsed');
      for (const end of [
        '',
        'soon',
        1_900_000_000,
        '2030-01-01',
        '2030-13-01T00:00:00Z',
        '2030-01-01T00:00:00',
        '2030-01-01T00:00:00Z\n',
        '+275760-09-13T00:00:00Z',
      ])
        assert.match(refusal(change(good, path, { start, end })), /end is no RFC 3339 time/);
    });
  }

  for (const list of ['tlogs', 'ctlogs'])
    it(`refuses bad keys and ids of ${list}`, () => {
      for (const value of [undefined, null, '', 'AAAA', '!!!!', 7]) {
        assert.notEqual(refusal(change(good, [list, 0, 'publicKey', 'rawBytes'], value)), 'parsed');
        if (value !== 'AAAA')
          assert.match(refusal(change(good, [list, 0, 'logId', 'keyId'], value)), /logId/);
      }
      for (const value of [null, 'x', []]) assert.notEqual(refusal(change(good, [list, 0], value)), 'parsed');
    });

  for (const list of ['certificateAuthorities', 'timestampAuthorities'])
    it(`refuses bad chains of ${list}`, () => {
      for (const value of [
        undefined,
        null,
        {},
        { certificates: [] },
        { certificates: null },
        { certificates: [null] },
        { certificates: [{ rawBytes: 'AAAA' }] },
        { certificates: [{ rawBytes: '' }] },
      ])
        assert.match(refusal(change(good, [list, 0, 'certChain'], value)), new RegExp(list));
    });

  it('refuses a timestamp authority whose certificate is for something else (H5)', () => {
    for (const purposes of [
      [KEY_PURPOSE.serverAuth],
      [KEY_PURPOSE.codeSigning],
      [KEY_PURPOSE.timeStamping, KEY_PURPOSE.serverAuth],
    ]) {
      const { chain } = createTimestampAuthority('https://tsa.test', 'tsa', purposes);
      const certificates = chain.map((der) => ({ rawBytes: der.toString('base64') }));
      assert.match(
        refusal(change(good, ['timestampAuthorities', 0, 'certChain'], { certificates })),
        /time stamping/,
      );
    }
  });

  it('bounds and escapes what it shows', () => {
    const shown = refusal(change(good, ['mediaType'], `\u001b\n${'x'.repeat(10_000)}`));
    assert.ok(shown.length < 300 && !/\p{Cc}/u.test(shown));
  });
});

describe('isWithin', () => {
  it('counts both ends in', () => {
    const [start, end] = [new Date(1000), new Date(2000)];
    assert.deepEqual(
      [999, 1000, 2000, 2001, Number.NaN].map((at) => isWithin(new Date(at), { start, end })),
      [false, true, true, false, false],
    );
  });
});

describe('loadPublicGoodRoot', () => {
  it('has the authorities of the public-good instance', () => {
    const root = loadPublicGoodRoot();
    assert.ok(root.certificateAuthorities.length > 0);
    assert.ok(root.certificateLogs.length > 0);
    assert.ok(root.logs.some(({ baseUrl }) => baseUrl === 'https://rekor.sigstore.dev'));
  });
});
