// Is a host asked through the proxy that the environment names, and directly where it says so?
import assert from 'node:assert/strict';
import { createProxyFinder, ProxyError } from '../../src/registry/proxy.ts';

const PROXIES = { HTTP_PROXY: 'http://plain.test:3128', HTTPS_PROXY: 'http://tls.test:3129' };

describe('createProxyFinder()', () => {
  const via = (url: string, environment: Readonly<Record<string, string>> = PROXIES): string | undefined =>
    createProxyFinder(environment)(new URL(url))?.host;

  it('goes by the protocol of what is asked', () => {
    assert.equal(via('https://registry.test/v2/'), 'tls.test:3129');
    assert.equal(via('http://registry.test/v2/'), 'plain.test:3128');
    assert.equal(via('https://registry.test/', { HTTP_PROXY: 'http://plain.test:1' }), undefined);
    assert.equal(via('https://registry.test/', {}), undefined);
  });

  it('prefers lower case, takes empty for absent, and needs no scheme', () => {
    assert.equal(via('https://a.test/', { ...PROXIES, https_proxy: 'low.test:1' }), 'low.test:1');
    assert.equal(via('https://a.test/', { ...PROXIES, https_proxy: '' }), 'tls.test:3129');
  });

  for (const url of [
    'https://127.0.0.1:5000/',
    'https://127.9.9.9/',
    'https://[::1]:5000/',
    'https://localhost/',
  ])
    it(`never asks a proxy for ${url}`, () => assert.equal(via(url), undefined));

  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['*', ['https://a.test/', 'https://10.0.0.1/'], []],
    [
      'a.test',
      ['https://a.test/', 'https://b.a.test/', 'https://A.TEST/'],
      ['https://ba.test/', 'https://a.test.evil/'],
    ],
    ['.a.test', ['https://b.a.test/'], ['https://a.test/', 'https://ba.test/']],
    ['*.a.test', ['https://b.a.test/'], ['https://a.test/']],
    [
      'a.test:5000',
      ['https://a.test:5000/'],
      ['https://a.test/', 'https://a.test:5001/', 'https://b.test:5000/'],
    ],
    ['a.test:443', ['https://a.test/'], ['https://a.test:5000/', 'http://a.test/']],
    ['10.0.0.0/8', ['https://10.1.2.3/', 'https://10.1.2.3:5000/'], ['https://11.1.2.3/', 'https://a.test/']],
    ['10.1.2.3', ['https://10.1.2.3/'], ['https://10.1.2.4/']],
    ['10.1.2.3:5000', ['https://10.1.2.3:5000/'], ['https://10.1.2.3/']],
    ['fd00::/8', ['https://[fd01::1]/'], ['https://[2001:db8::1]/']],
    ['fd00::1', ['https://[fd00::1]:5000/'], ['https://[fd00::2]/']],
    ['[fd00::1]:5000', ['https://[fd00::1]:5000/'], ['https://[fd00::1]/']],
    ['x.test, .svc ,10.0.0.0/8', ['https://reg.models.svc/', 'https://10.0.0.1/'], ['https://y.test/']],
  ];
  for (const [list, direct, proxied] of table) {
    it(`reads NO_PROXY ${list}`, () => {
      for (const url of direct) assert.equal(via(url, { ...PROXIES, NO_PROXY: list }), undefined, url);
      for (const url of proxied) assert.ok(via(url, { ...PROXIES, NO_PROXY: list }) !== undefined, url);
    });
  }

  for (const proxy of [
    'socks5://a.test:1',
    'ftp://a.test',
    'http://',
    'http://a b',
    'https://10.0.0.1:3128',
    'https://[fd00::1]:3128',
  ]) {
    it(`refuses ${proxy}, without showing it`, () => {
      assert.throws(
        () => createProxyFinder({ HTTPS_PROXY: proxy }),
        (error) => error instanceof ProxyError && !error.message.includes('a.test'),
      );
    });
  }
});
