// Is a URL read as Go reads it, and refused where Go refuses it?
import assert from 'node:assert/strict';
import { parseQuery, parseUrl, splitHost, type Url } from '../../../src/policy/cel/url.ts';

const INVALID = { code: 'invalid_url' };
const MAX_TEXT_LENGTH = 8192;

const PARTS: Readonly<Record<string, Partial<Url>>> = {
  '*': { scheme: '', host: '', escapedPath: '*' },
  '/*': { scheme: '', host: '', escapedPath: '/*' },
  '/a/b': { scheme: '', host: '', escapedPath: '/a/b' },
  'file:/a/b': { scheme: 'file', host: '', escapedPath: '/a/b' },
  'file:///a/b': { scheme: 'file', host: '', escapedPath: '/a/b' },
  '//e.example:80/a': { scheme: '', host: 'e.example:80', escapedPath: '/a' },
  '//u@e.example': { scheme: '', user: 'u', host: 'e.example', escapedPath: '' },
  '///e.example/a': { scheme: '', host: '', escapedPath: '///e.example/a' },
  'mailto:a@e.example': { scheme: 'mailto', opaque: 'a@e.example', host: '', escapedPath: '' },
  'https://e.example?a=/b#c d': { host: 'e.example', escapedPath: '', query: 'a=/b', fragment: 'c%20d' },
  'https://u:p%40@e.example/': { user: 'u:p%40', host: 'e.example', escapedPath: '/' },
  'https://a@b@e.example/': { user: 'a@b', host: 'e.example' },
  'https://@e.example/': { user: '', host: 'e.example' },
  'https://é.example/é': { host: 'é.example', escapedPath: '/%C3%A9' },
  'https://%C3%A9.example/a"b': { host: 'é.example', escapedPath: '/a%22b' },
  'https://e.example:/': { host: 'e.example:' },
  'https://[::1]:80/': { host: '[::1]:80' },
  'https://[fe80::1%25é%20%2D]/': { host: '[fe80::1%é -]' },
  'https://a%25b/': { host: 'a%b' },
  '/a+ b': { escapedPath: '/a+%20b' },
  'https://e.example/%41 b': { escapedPath: '/A%20b' },
  'https://e.example/%41': { escapedPath: '/%41' },
};

const REFUSED: readonly string[] = [
  '',
  ':/a',
  'a/b',
  '?a',
  '*#a',
  '/a\u0001',
  '/a\u007f',
  '/%4',
  '/%zz',
  '/a#%zz',
  'https://a"b@e.example/',
  'https://%zz@e.example/',
  'https://e.example:x/',
  'https://e.example#a',
  'https://e example/',
  'https://e.example%41/',
  '//e.example:x/',
  'https://[::1/',
  'https://[::1]x/',
  'https://[::1]:x/',
  'https://[fe80::1%25a{b]/',
  'https://[fe80::1%25%7B]/',
  'https://[fe80::1%41]/',
];

describe('parseUrl()', () => {
  for (const [text, parts] of Object.entries(PARTS)) {
    it(`reads ${text}`, () => {
      const url = Object.fromEntries(Object.entries(parseUrl(text)));
      assert.deepEqual({ ...url, ...parts }, url);
    });
  }

  for (const text of REFUSED) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseUrl(text), INVALID);
    });
  }

  it('takes texts of at most 8,192 characters', () => {
    const longest = `/${'a'.repeat(MAX_TEXT_LENGTH - 1)}`;
    assert.equal(parseUrl(longest).escapedPath, longest);
    assert.throws(() => parseUrl(`${longest}a`), INVALID);
  });
});

describe('splitHost()', () => {
  const hosts: Readonly<Record<string, readonly [string, string]>> = {
    'https://e.example': ['e.example', ''],
    'https://e.example:': ['e.example', ''],
    'https://e.example:80': ['e.example', '80'],
    'https://[::1]': ['::1', ''],
    'https://[::1]:80': ['::1', '80'],
  };
  for (const [text, [name, port]] of Object.entries(hosts)) {
    it(`finds name and port of ${text}`, () => {
      assert.deepEqual(splitHost(parseUrl(text)), { name, port });
    });
  }
});

describe('parseQuery()', () => {
  it('collects values by key and leaves out what is malformed', () => {
    const url = parseUrl('/?a=1&&b&a=x+%2B=y&c;d=1&%zz=1&e=%4');
    assert.deepEqual(
      [...parseQuery(url)],
      [
        ['a', ['1', 'x +=y']],
        ['b', ['']],
      ],
    );
  });
});
