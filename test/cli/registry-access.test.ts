// Is what an operator says about registries understood, or refused before anything is served?
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UsageError } from '../../src/cli/arguments.ts';
import { createRegistryAccess, type RegistryAccess } from '../../src/cli/registry-access.ts';
import type { OptionValues } from '../../src/config.ts';
import { createServerCertificate } from '../../src/demo/server-certificate.ts';

describe('createRegistryAccess()', () => {
  const opened: RegistryAccess[] = [];
  let directory: string;

  beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'registries-'))));
  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await Promise.all(opened.splice(0).map(({ transport }) => transport.close()));
  });

  const write = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const open = (values: OptionValues, environment: Readonly<Record<string, string>> = {}): RegistryAccess => {
    const observer = { observeRegistryRequest: () => undefined, observeCache: () => undefined };
    const access = createRegistryAccess(values, observer, { environment });
    opened.push(access);
    return access;
  };
  const refuses = (why: RegExp, values: OptionValues, environment = {}): void =>
    assert.throws(
      () => open(values, environment),
      (error) => error instanceof UsageError && why.test(error.message),
    );

  it('reads files beside the registries file', () => {
    const { ca, cert, key } = createServerCertificate();
    for (const [name, text] of Object.entries({ ca, cert, key })) write(`${name}.pem`, text);
    const file = write(
      'registries.yaml',
      'registries: [{ host: a.test, caFile: ca.pem, certFile: cert.pem, keyFile: key.pem }, { host: "b.test:80", plainHttp: true }]',
    );
    const { transport } = open({ registries: file, 'plain-http': ['c.test:5000'] });
    assert.deepEqual(
      ['a.test', 'b.test:80', 'b.test', 'c.test:5000'].map((host) => transport.isPlainHttp(host)),
      [false, true, false, true],
    );
  });

  it('refuses files that are missing, of another form, or hold no certificates', () => {
    refuses(/cannot read registries file/, { registries: path.join(directory, 'none.yaml') });
    refuses(/registries file .*additional properties/, {
      registries: write('a.yaml', 'registries: [{ host: a.test, insecure: true }]'),
    });
    refuses(/cannot read file/, {
      registries: write('b.yaml', 'registries: [{ host: a.test, caFile: none.pem }]'),
    });
    write('junk.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    refuses(/certificates of a.test cannot be used/, {
      registries: write('c.yaml', 'registries: [{ host: a.test, caFile: junk.pem }]'),
    });
  });

  it('refuses ranges, hosts and proxies that are none', () => {
    refuses(/--blocked-ranges "10.0.0.0" is no CIDR range/, { 'blocked-ranges': ['10.0.0.0'] });
    refuses(/--plain-http .* is no host/, { 'plain-http': ['-a-:5000'] });
    refuses(/HTTPS_PROXY is no http or https URL/, {}, { HTTPS_PROXY: 'socks5://a.test' });
  });
});
