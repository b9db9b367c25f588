// Would the published mistakes of others work here? Credentials, digests and tags. Each case first makes the check as the
// vulnerable product made it, in a few lines, and shows that it accepts; then ours must not.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { parseDockerConfig } from '../../src/registry/docker-config.ts';
import { parseRegistry } from '../../src/model/reference.ts';
import { RegistryError } from '../../src/registry/error.ts';
import { soon, Stage } from './servers.ts';

describe('advisories about registries', () => {
  const stage = new Stage();
  let registry: RegistryHandle;

  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(async () => {
    await stage.end();
    await registry.close();
  });

  it('CVE-2026-59891, CVE-2025-27403: has no credentials for hosts that look alike', () => {
    const auths = {
      'gcr.io': { username: 'u', password: 'p' },
      'docker.io': { username: 'u', password: 'p' },
    };
    const keychain = parseDockerConfig(Buffer.from(JSON.stringify({ auths })));
    const find = (host: string): unknown => keychain.entries.find((entry) => entry.host === host);
    const findLoosely = (host: string): boolean =>
      Object.keys(auths).some((key) => host.includes(key) || key.includes(host));
    for (const host of [
      'gcr.io.evil.test',
      'notgcr.io',
      'evildocker.io',
      'gcr.io:8443',
      'evil.test:443/gcr.io',
    ]) {
      assert.ok(findLoosely(host), host);
      assert.equal(find(parseRegistry(host) ?? host), undefined, host);
    }
    assert.ok(find('gcr.io') !== undefined);
  });

  it('CVE-2023-47630: hashes what it gets, whatever digest the registry names', async () => {
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const digest = registry.putManifest('team/model', Buffer.from('{"schemaVersion":2}'), type, 'v1');
    registry.replaceManifest(digest, Buffer.from('{"schemaVersion":2,"evil":true}'));
    registry.setFault(() => ({ headers: { 'docker-content-digest': digest } }));
    const response = await fetch(`${registry.url}/v2/team/model/manifests/${digest}`);
    const body = Buffer.from(await response.arrayBuffer());
    assert.equal(response.headers.get('docker-content-digest'), digest);
    assert.notEqual(`sha256:${createHash('sha256').update(body).digest('hex')}`, digest);
    const name = { registry: registry.address, repository: 'team/model' };
    await assert.rejects(
      stage.client([registry.address]).fetchManifest(name, digest, soon()),
      (error) => error instanceof RegistryError && error.kind === 'mismatch',
    );
  });
});
