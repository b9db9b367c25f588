// Does a file that changes have no digest, and does one that does not have the right one, whatever its size?
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../../src/files/error.ts';
import { hashFile, PIECE_BYTES } from '../../src/files/hash-file.ts';
import { listFiles, type FoundFile } from '../../src/files/list-files.ts';

const NOTHING = { isIgnored: () => false, allowSymlinks: false };

describe('hashFile()', () => {
  let folder = '';
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'hash-file-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  async function find(): Promise<FoundFile> {
    const found = (await listFiles(folder, NOTHING)).get('f');
    assert.ok(found);
    return found;
  }

  it('hashes files around the size of a piece', async () => {
    for (const size of [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 5]) {
      const content = Buffer.alloc(size, 'abc');
      writeFileSync(join(folder, 'f'), content);
      let bytes = 0;
      const digests = await hashFile(await find(), [{ end: undefined, hash: 'sha256' }], (count) => {
        bytes += count;
      });
      assert.deepEqual(digests, [createHash('sha256').update(content).digest('hex')]);
      assert.equal(bytes, size);
    }
  });

  it('hashes parts that lie across pieces', async () => {
    const content = Buffer.from(Array.from({ length: 2 * PIECE_BYTES + 10 }, (_, index) => index % 251));
    writeFileSync(join(folder, 'f'), content);
    const ends = [1, PIECE_BYTES - 1, PIECE_BYTES + 3, content.length];
    const digests = await hashFile(
      await find(),
      ends.map((end) => ({ end, hash: 'sha256' })),
      () => undefined,
    );
    const expected = ends.map((end, index) =>
      createHash('sha256')
        .update(content.subarray(ends[index - 1] ?? 0, end))
        .digest('hex'),
    );
    assert.deepEqual(digests, expected);
  });

  const changes: readonly (readonly [string, (file: string) => void])[] = [
    ['was replaced', (file) => (rmSync(file), writeFileSync(file, 'abc'))],
    ['grew', (file) => appendFileSync(file, 'd')],
    ['became a link', (file) => (rmSync(file), symlinkSync('/etc/hostname', file))],
    ['is gone', (file) => rmSync(file)],
  ];
  for (const [what, change] of changes)
    it(`refuses a file that ${what} before`, async () => {
      writeFileSync(join(folder, 'f'), 'abc');
      const found = await find();
      change(join(folder, 'f'));
      await assert.rejects(
        hashFile(found, [{ end: undefined, hash: 'sha256' }], () => undefined),
        FileError,
      );
    });

  it('refuses a file that is written to meanwhile', async () => {
    writeFileSync(join(folder, 'f'), Buffer.alloc(4 * PIECE_BYTES));
    const touch = (): void => appendFileSync(join(folder, 'f'), 'x');
    await assert.rejects(
      hashFile(await find(), [{ end: undefined, hash: 'sha256' }], touch),
      /changed while/,
    );
  });
});

describe('listFiles()', () => {
  it('refuses names that are not valid UTF-8', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'list-files-'));
    try {
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]), '');
      await assert.rejects(listFiles(folder, NOTHING), /not valid UTF-8/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
