// Does a layout on disk come back from the registry byte for byte?
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startRegistry, type RegistryHandle } from '../../src/demo/registry.ts';
import { sha256Digest } from '../../src/demo/registry-store.ts';
import { seedFromLayout } from '../../src/demo/seed-from-layout.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('seedFromLayout', () => {
  let directory: string;
  let registry: RegistryHandle;

  function write(content: object): string {
    const bytes = Buffer.from(JSON.stringify(content));
    const digest = sha256Digest(bytes);
    writeFileSync(path.join(directory, 'blobs', 'sha256', digest.slice(7)), bytes);
    return digest;
  }

  function writeIndex(...manifests: object[]): void {
    writeFileSync(path.join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  }

  async function typeOf(reference: string): Promise<string | null> {
    const response = await fetch(`${registry.url}/v2/vec/model/manifests/${reference}`);
    return response.status === 200 ? response.headers.get('content-type') : null;
  }

  beforeEach(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'layout-'));
    mkdirSync(path.join(directory, 'blobs', 'sha256'), { recursive: true });
    registry = await startRegistry();
  });

  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await registry.close();
  });

  it('puts blobs, and manifests under the media type of their descriptor', async () => {
    const blob = write({ file: true });
    const digest = write({ schemaVersion: 2, layers: [] });
    writeIndex({ mediaType: MANIFEST, digest, size: 1 });
    seedFromLayout(registry, 'vec/model', directory, new Map([[digest, ['v1', 'v2']]]));
    assert.equal(await typeOf('v1'), MANIFEST);
    assert.equal(await typeOf('v2'), MANIFEST);
    assert.equal(await typeOf(blob), null);
    assert.equal(await (await fetch(`${registry.url}/v2/vec/model/blobs/${blob}`)).text(), '{"file":true}');
  });

  it('follows an index to its children', async () => {
    const child = write({ schemaVersion: 2, child: true });
    const parent = write({ manifests: [{ mediaType: MANIFEST, digest: child }, { mediaType: MANIFEST }] });
    writeIndex({ mediaType: INDEX, digest: parent });
    seedFromLayout(registry, 'vec/model', directory, new Map());
    assert.equal(await typeOf(child), MANIFEST);
    assert.equal(await typeOf(parent), INDEX);
  });

  it('takes the type from the manifest when only a tag names it', async () => {
    const typed = write({ mediaType: INDEX, manifests: [] });
    const untyped = write({ schemaVersion: 2 });
    writeIndex();
    const tags = new Map([
      [typed, ['a']],
      [untyped, ['b']],
      ['sha256:00', ['c']],
    ]);
    seedFromLayout(registry, 'vec/model', directory, tags);
    assert.equal(await typeOf('a'), INDEX);
    assert.equal(await typeOf('b'), MANIFEST);
    assert.equal(await typeOf('c'), null);
  });
});
