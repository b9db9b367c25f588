// Can a stranger's name lead us to this machine or to the metadata of its cloud?
import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import {
  BLOCKED_MESSAGE,
  createAddressGuard,
  parseRange,
  type AddressRange,
  type Resolve,
} from '../../src/registry/address-guard.ts';
import { RegistryError } from '../../src/registry/error.ts';
import { soon, Stage, TLS } from './servers.ts';

const rangesOf = (...texts: string[]): readonly AddressRange[] =>
  texts.flatMap((text) => {
    const range = parseRange(text);
    assert.ok(range !== undefined, text);
    return [range];
  });

describe('parseRange()', () => {
  it('reads address and bits of either family', () => {
    assert.deepEqual(rangesOf('10.96.0.0/12', 'fd00:10:96::/112'), [
      { address: '10.96.0.0', prefixBits: 12 },
      { address: 'fd00:10:96::', prefixBits: 112 },
    ]);
  });

  for (const text of ['', '10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0/8', '10.0.0.0/-1', 'a/8', '/8'])
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseRange(text), undefined));
});

describe('createAddressGuard()', () => {
  const { isBlocked } = createAddressGuard();
  const blocked = [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '169.254.0.1',
    '::1',
    '::',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::FFFF:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:169.254.169.254',
    '::ffff:0.0.0.0',
    'fe80::1',
    'FE80::1',
    'febf::1',
    'fe80::1%lo',
    '64:ff9b::7f00:1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::7f00:1',
    '::127.0.0.1',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::',
    '2002:0a60:0001::',
    '2001:0:a9fe:a9fe::1',
    '::ffff:0:7f00:1',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'localhost',
    '',
    '127.1',
    '2130706433',
    '0x7f.1',
    '1.2.3.4.5',
  ];
  for (const address of blocked) {
    it(`blocks ${address || 'nothing'}`, () => assert.equal(isBlocked(address), true));
  }

  for (const address of [
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '8.8.8.8',
    'fd00::1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '169.253.1.1',
    '128.0.0.1',
  ]) {
    it(`lets ${address} pass`, () => assert.equal(isBlocked(address), false));
  }
});

describe('createAddressGuard() with ranges of services and pods', () => {
  const { isBlocked } = createAddressGuard(rangesOf('10.96.0.0/12', '10.244.0.0/16', 'fd00:10:96::/112'));
  for (const address of ['10.96.0.1', '10.111.255.255', '::ffff:10.96.0.1', '10.244.3.4', 'fd00:10:96::a'])
    it(`blocks ${address}`, () => assert.equal(isBlocked(address), true));
  for (const address of ['10.95.255.255', '10.112.0.1', '10.245.0.1', '192.168.0.1', 'fd00:10:97::a'])
    it(`lets ${address} pass`, () => assert.equal(isBlocked(address), false));
  it('blocks what is always blocked', () => assert.equal(isBlocked('169.254.169.254'), true));
});

describe('createAddressGuard() lookup', () => {
  const guardedLookup = createAddressGuard().lookup;
  const look = (name: string, all: boolean): Promise<string | LookupAddress[]> =>
    new Promise((resolve, reject) =>
      guardedLookup(name, { all }, (error, found) => (error === null ? resolve(found) : reject(error))),
    );

  for (const name of ['localhost', '127.0.0.1', '2130706433', '0x7f.1', '127.1', '0177.0.0.1']) {
    it(`fails for ${name}`, async () => {
      for (const all of [true, false])
        await assert.rejects(look(name, all), (error: NodeJS.ErrnoException) =>
          /EBLOCKED|ENOTFOUND|EAI_AGAIN/.test(error.code ?? ''),
        );
    });
  }

  it('answers in the form that was asked for', async () => {
    assert.equal(await look('10.1.2.3', false), '10.1.2.3');
    assert.deepEqual(await look('10.1.2.3', true), [{ address: '10.1.2.3', family: 4 }]);
  });

  it('blocks a name of which one address is blocked, and hands out the very addresses it saw', async () => {
    const found: Record<string, string[]> = {
      'mixed.test': ['10.1.1.1', '127.0.0.1'],
      'mapped.test': ['::ffff:169.254.169.254'],
      'none.test': [],
      'fine.test': ['10.1.1.1', 'fd01::1'],
    };
    let asked = 0;
    const resolve: Resolve = (hostname, _, callback) => {
      asked += 1;
      const addresses = found[hostname] ?? [];
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
    const { lookup } = createAddressGuard([], resolve);
    const lookAt = (name: string): Promise<unknown> =>
      new Promise((settle) =>
        lookup(name, { all: true }, (error, addresses) => settle(error?.code ?? addresses)),
      );
    for (const name of ['mixed.test', 'mapped.test', 'none.test'])
      assert.equal(await lookAt(name), 'EBLOCKED', name);
    assert.deepEqual(await lookAt('fine.test'), [
      { address: '10.1.1.1', family: 4 },
      { address: 'fd01::1', family: 6 },
    ]);
    assert.equal(asked, 4);
  });

  it('passes resolver errors on', async () => {
    await assert.rejects(
      look('no-such-host.invalid', true),
      (error: NodeJS.ErrnoException) => error.code !== 'EBLOCKED',
    );
  });
});

describe('createTransport() without configuration', () => {
  const stage = new Stage();
  afterEach(() => stage.end());

  const refuses = async (url: string, transport = stage.transport({ caPem: TLS.ca })): Promise<void> => {
    await assert.rejects(
      transport.send({ url: new URL(url), headers: {}, maxBytes: 10, signal: soon() }),
      (error) =>
        error instanceof RegistryError &&
        error.kind === 'unreachable' &&
        error.message.includes(BLOCKED_MESSAGE),
      url,
    );
  };

  const spellings = [
    '127.0.0.1',
    '[::1]',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '127.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '①②⑦.0.0.1',
  ];
  for (const host of [...spellings, 'localhost', 'LOCALHOST']) {
    it(`dials nobody at ${host}`, async () => {
      const server = await stage.serve((_, response) => response.end(), { isTls: true });
      await refuses(`https://${host}:${server.address.split(':')[1]}/`);
      assert.equal(server.connections(), 0);
    });
  }

  for (const host of ['169.254.169.254', '[fe80::1]', '[64:ff9b::a9fe:a9fe]', '0xa9fea9fe', '[::]', '0']) {
    it(`refuses ${host}`, () => refuses(`https://${host}/latest/meta-data`));
  }

  it('lets a configured host have such an address, with its very port only', async () => {
    const server = await stage.serve((_, response) => response.end('ok'), { isTls: true });
    const transport = stage.transport({ caPem: TLS.ca, configuredHosts: new Set([server.address]) });
    const url = new URL(server.url);
    const { body } = await transport.send({ url, headers: {}, maxBytes: 10, signal: soon() });
    assert.equal(body.toString(), 'ok');
    await refuses('https://127.0.0.1:1/', transport);
    await refuses(`https://localhost:${url.port}/`, transport);
  });
});
