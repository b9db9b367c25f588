// Do translated globs select what the old ones select? Compared with policy-controller's own reading of a glob, a regular
// expression over `repository@digest`, on names made for the purpose.
import assert from 'node:assert/strict';
import { compileGlob } from '../../../src/policy/glob.ts';
import { migrateGlob } from '../../../src/policy/migrate/migrate-glob.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

// As its source says: dots are literal, ** is any text, * any text without a slash, and all of it must match.
function toTheirs(glob: string): (name: string) => boolean {
  const pattern = glob
    .replaceAll('.', String.raw`\.`)
    .replaceAll('**', '#')
    .replaceAll('*', '[^/]*')
    .replaceAll('#', '.*');
  const matcher = new RegExp(`^${pattern}$`);
  return (name) => matcher.test(`${name.replace(/^docker\.io/, 'index.docker.io')}@${DIGEST}`);
}

function toOurs(glob: string): (name: string) => boolean {
  const matchers = migrateGlob(glob).globs.map((one) => {
    const compiled = compileGlob(one);
    assert.ok(compiled.ok, `${one} of ${glob}`);
    return compiled.matches;
  });
  return (name) => matchers.some((matches) => matches(name));
}

const PARTS = ['a', 'b', 'ab', 'axb', 'xa', 'bx', 'ba'];
const NAMES = ['ghcr.io', 'docker.io', 'registry.test:5000'].flatMap((host) => [
  ...PARTS.map((one) => `${host}/${one}`),
  ...PARTS.flatMap((one) => PARTS.map((two) => `${host}/${one}/${two}`)),
  ...PARTS.flatMap((one) => PARTS.flatMap((two) => PARTS.map((three) => `${host}/${one}/${two}/${three}`))),
]);

describe('migrateGlob()', () => {
  for (const glob of [
    '**',
    'ghcr.io/**',
    'ghcr.io/*',
    'ghcr.io/a*',
    'ghcr.io/a**',
    'ghcr.io/a/**',
    'ghcr.io/a/*/**',
    'ghcr.io/**/a*',
    'ghcr.io/**x**',
    'ghcr.io/a**b*',
    'ghcr.io/a**/b**',
    'ghcr.io/*a*/**b*',
    'ghcr.io/a***',
    'ghcr.io/a/b@*',
    'ghcr.io/**@sha256:*',
    'ghcr.io/a**b@**',
    'index.docker.io/a/*',
    'registry.test:5000/a/**',
  ])
    it(`selects with ${glob} what it selects there`, () => {
      const [theirs, ours] = [toTheirs(glob), toOurs(glob)];
      const wrong = NAMES.filter((name) => theirs(name) !== ours(name));
      assert.deepEqual(wrong, []);
      assert.ok(NAMES.some(ours), 'it selects something');
      assert.deepEqual(migrateGlob(glob).notes, []);
    });

  for (const glob of [
    'ghcr.io/a',
    'ghcr.io/a/b:v1',
    'ghcr.io/a/b:**',
    'a/b*',
    '*.io/a*',
    'ghcr.*/**',
    `ghcr.io/a@sha256:00*`,
  ])
    it(`selects with ${glob} at least what it selects there, and says so`, () => {
      const [theirs, ours] = [toTheirs(glob), toOurs(glob)];
      assert.deepEqual(
        NAMES.filter((name) => theirs(name) && !ours(name)),
        [],
      );
      assert.deepEqual(
        migrateGlob(glob).notes.map(({ effect }) => effect),
        ['Wider'],
      );
    });

  it('reads the two short forms as Docker Hub', () => {
    assert.deepEqual(migrateGlob('*').globs, ['docker.io/library/*']);
    assert.deepEqual(migrateGlob('*/*').globs, ['docker.io/*/*']);
    assert.deepEqual(migrateGlob('constructor').globs, ['docker.io/library/constructor']);
  });

  it('keeps a whole digest', () => {
    const { globs, digest } = migrateGlob(`ghcr.io/a/b@${DIGEST}`);
    assert.deepEqual([globs, digest], [['ghcr.io/a/b'], DIGEST]);
  });

  it('selects everything where many globs would be needed', () => {
    assert.deepEqual(migrateGlob('ghcr.io/a**b**c**d**e**f*').globs, ['**']);
  });

  it('selects nothing with what policy-controller refuses or never finds', () => {
    for (const glob of ['', 'a b', 'ghcr.io/A*', 'ghcr.io//a*', 'ghcr.io'])
      assert.deepEqual(migrateGlob(glob).globs, [], glob);
  });
});
