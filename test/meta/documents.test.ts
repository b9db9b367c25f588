// Do the documents about verification tell the truth? Every test that docs/security-cases.md names exists, every test that
// is named by an advisory stands there; the tables of docs/verification.md are those of the mutation suite; docs/e2e.md names
// every flow of policy-controller, and the story of each that applies.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS, UNAUTHENTICATED } from '../signature/unauthenticated.ts';
import { readDocument, ROOT } from './source-files.ts';

/** Titles as the source writes them, `${…}` of a template and all. */
function titlesOf(file: string): ReadonlySet<string> {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const titles = text.matchAll(/\b(?:it|describe)\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g);
  return new Set([...titles].map(([, plain, template]) => plain ?? template ?? ''));
}

describe('docs/security-cases.md', () => {
  const rows = [
    ...readDocument('docs', 'security-cases.md').matchAll(
      /^\|(?<id>[^|]+)\|[^|]+\|[^|]+\| `(?<file>test\/[^`]+)`: (?<title>[^|]+?) \|$/gm,
    ),
  ].map(({ groups = {} }) => ({ id: '', file: '', title: '', ...groups }));

  it('has a row for each hole, and for advisories', () => {
    const ids = rows.map(({ id }) => id.trim());
    const holes = Array.from({ length: 10 }, (_, n) => `H${n + 1}`);
    const others = Array.from({ length: 8 }, (_, n) => `M${n + 1}`);
    assert.deepEqual(
      [...holes, ...others].filter((id) => !ids.includes(id)),
      [],
    );
    assert.ok(ids.filter((id) => /^(?:CVE|GHSA)-/.test(id)).length > 30);
  });

  for (const file of new Set(rows.map((row) => row.file)))
    it(`names only tests that ${file} has`, () => {
      const titles = titlesOf(file);
      const named = rows.filter((row) => row.file === file).map(({ title }) => title);
      assert.deepEqual(
        named.filter((title) => !titles.has(title)),
        [],
      );
    });

  it('leaves out no row for want of its form', () => {
    const lines = readDocument('docs', 'security-cases.md').match(/^\|.*`test\/.*$/gm) ?? [];
    assert.equal(lines.length, rows.length);
  });

  it('names every test that is called after an advisory', () => {
    const named = new Set(rows.map(({ title }) => title));
    const called = globSync('test/**/advisories*.test.ts', { cwd: ROOT }).flatMap((file) => [
      ...titlesOf(file),
    ]);
    assert.deepEqual(
      called.filter((title) => /(?:CVE|GHSA)-/.test(title) && !named.has(title)),
      [],
    );
  });
});

describe('docs/verification.md', () => {
  const lines = readDocument('docs', 'verification.md').split('\n');
  const rowsOf = (heading: string): readonly string[] => {
    const from = lines.indexOf(heading);
    assert.notEqual(from, -1);
    const rest = lines.slice(from + 2);
    return rest.slice(0, rest.indexOf(''));
  };

  it('lists the fields that nothing authenticates, and no others', () => {
    assert.deepEqual(
      rowsOf('| signature | field | changes | why it does not matter |'),
      UNAUTHENTICATED.map(
        ({ kinds, path, changes, why }) =>
          `| ${kinds.join('; ')} | \`${path}\` | ${changes.join(', ')} | ${why} |`,
      ),
    );
  });

  it('counts the mutants of each kind of signature', () => {
    const expected = Object.entries(MUTANTS).map(([kind, mutants]) => {
      const fields = UNAUTHENTICATED.filter(({ kinds }) => kinds.some((name) => name === kind));
      const accepted = fields.reduce((sum, { changes }) => sum + changes.length, 0);
      return `| ${kind} | ${mutants} | ${accepted} |`;
    });
    assert.deepEqual(rowsOf('| signature | mutants | accepted changes |'), expected);
  });
});

describe('docs/e2e.md', () => {
  const rows = [
    ...readDocument('docs', 'e2e.md').matchAll(
      /^\| (?<flow>\d+) +\| [^|]+? +\| (?<story>[^|]+?) +\|(?<differs>[^|]*)\|$/gm,
    ),
  ].map(({ groups = {} }) => ({ flow: '', story: '', differs: '', ...groups }));
  const titles = globSync('e2e/flows/*.ts', { cwd: ROOT }).flatMap((file) => [...titlesOf(file)]);

  it('has a row for each suite', () => {
    const rows = readDocument('docs', 'e2e.md').matchAll(/^\| `(?<file>e2e\/[^`]+)`/gm);
    const named = [...rows].map(({ groups }) => groups?.['file'] ?? '');
    assert.deepEqual(named.toSorted(), globSync('e2e/*.e2e.ts', { cwd: ROOT }).toSorted());
  });

  it('has a row for each of the 31 flows', () => {
    assert.deepEqual(
      rows.map(({ flow }) => Number(flow)),
      Array.from({ length: 31 }, (_, n) => n + 1),
    );
  });

  it('names the story of each flow that applies, and no other', () => {
    const named = rows
      .filter(({ story }) => story !== '–')
      .map(({ flow, story }) => `flow ${flow}: ${story}`);
    assert.deepEqual(named.toSorted(), titles.toSorted());
  });

  it('says why where a flow does not apply', () => {
    const without = rows.filter(({ story }) => story === '–');
    assert.ok(without.length > 0 && without.every(({ differs }) => / does not apply: \S/.test(differs)));
  });
});
