// Is the registries file read as it is written, and refused where it could be misread?
import assert from 'node:assert/strict';
import {
  MAX_REGISTRIES_BYTES,
  parseRegistriesFile,
  RegistriesFileError,
  toNamedHosts,
  type RegistriesDocument,
} from '../../src/registry/host-settings.ts';

const parse = (text: string): RegistriesDocument => parseRegistriesFile(Buffer.from(text));

describe('parseRegistriesFile()', () => {
  it('reads every field, and hosts in their canonical form', () => {
    const { settings, files } = parse(`
registries:
  - host: Registry.Example.com:443
    caFile: ca.pem
    certFile: cert.pem
    keyFile: key.pem
    tagAbsentStatuses: [403]
    mirrorsOnly: true
    mirrors:
      - host: mirror.example.com:5000
        prefix: proxy/registry.example.com
      - { host: other.example.com, resolves: true }
  - { host: "localhost:5000", plainHttp: true }
`);
    assert.deepEqual(
      [...settings],
      [
        [
          'registry.example.com',
          {
            plainHttp: false,
            mirrorsOnly: true,
            tagAbsentStatuses: new Set([403]),
            mirrors: [
              { host: 'mirror.example.com:5000', prefix: 'proxy/registry.example.com', resolves: false },
              { host: 'other.example.com', prefix: '', resolves: true },
            ],
          },
        ],
        [
          'localhost:5000',
          { plainHttp: true, mirrorsOnly: false, tagAbsentStatuses: new Set(), mirrors: [] },
        ],
      ],
    );
    assert.deepEqual(files.get('registry.example.com'), {
      caFile: 'ca.pem',
      certFile: 'cert.pem',
      keyFile: 'key.pem',
    });
    assert.deepEqual(
      [...toNamedHosts(settings)],
      ['registry.example.com', 'mirror.example.com:5000', 'other.example.com', 'localhost:5000'],
    );
  });

  it('reads JSON', () => {
    assert.equal(parse('{"registries":[{"host":"a.test"}]}').settings.size, 1);
    assert.equal(parse('{"registries":[]}').settings.size, 0);
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /must be object/],
    ['registries: {}', /must be array/],
    ['registries: []\nmirrors: []', /additional properties.*mirrors/],
    ['registries: [{ host: a.test, insecure: true }]', /additional properties.*insecure/],
    ['registries: [{ host: a.test, skipVerify: true }]', /additional properties.*skipVerify/],
    ['registries: [{ plainHttp: true }]', /required property 'host'/],
    ['registries: [{ host: "https://a.test" }]', /no host and port/],
    ['registries: [{ host: a.test/models }]', /no host and port/],
    ['registries: [{ host: a.test, plainHttp: "yes" }]', /must be boolean/],
    ['registries: [{ host: a.test }, { host: "A.test:443" }]', /is there twice/],
    ['registries: [{ host: a.test, mirrors: [{ host: a.test }] }]', /mirror of itself/],
    ['registries: [{ host: a.test, mirrorsOnly: true }]', /no mirror that resolves/],
    [
      'registries: [{ host: a.test, mirrorsOnly: true, mirrors: [{ host: b.test }] }]',
      /no mirror that resolves/,
    ],
    ['registries: [{ host: a.test, mirrors: [{ host: b.test, prefix: ../x }] }]', /pattern/],
    ['registries: [{ host: a.test, mirrors: [{ host: b.test, prefix: /x }] }]', /pattern/],
    ['registries: [{ host: a.test, tagAbsentStatuses: [401] }]', /allowed values/],
    ['registries: [{ host: a.test, tagAbsentStatuses: [429] }]', /allowed values/],
    ['registries: [{ host: a.test, tagAbsentStatuses: [500] }]', /allowed values/],
    ['registries: [{ host: a.test, certFile: c.pem }]', /belong together/],
    ['registries: [{ host: a.test, plainHttp: true, caFile: c.pem }]', /certificates and plainHttp/],
    ['registries: [', /YAML does not parse/],
    ['a: 1\na: 2', /YAML does not parse/],
    [' '.repeat(MAX_REGISTRIES_BYTES + 1), /larger than/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 70))}`, () => {
      assert.throws(
        () => parse(text),
        (error) =>
          error instanceof RegistriesFileError &&
          why.test(error.message) &&
          /^[\x20-\x7e…]{1,400}$/.test(error.message),
      );
    });
  }
});
