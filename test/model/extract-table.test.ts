// Is every model found in what the projects themselves write? Manifests with the project and version they come from,
// and what must be seen in each: nothing more, nothing less.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { extractModels } from '../../src/model/extract.ts';
import type { ModelReference, UnnamedUse } from '../../src/model/model-reference.ts';
import { MODEL_SOURCES } from '../../src/model/model-reference.ts';
import { toWorkload } from '../../src/model/pod-template.ts';

interface Entry {
  readonly name: string;
  /** Project and version. */
  readonly from: string;
  readonly object: { readonly apiVersion: string; readonly kind: string };
  /** `SOURCE[+OTHER] REFERENCE PATH`; what only policies make models stands in `images`, without path. */
  readonly references?: readonly string[];
  readonly images?: readonly string[];
  /** `REASON SOURCE[+OTHER] PATH`. */
  readonly findings?: readonly string[];
  readonly isRead?: boolean;
}

const DIGEST = `sha256:${'a'.repeat(64)}`;
const DIRECTORY = join(import.meta.dirname, 'extract-table');
const files = globSync('*.yaml', { cwd: DIRECTORY }).toSorted();
const entries = files.flatMap((file) => {
  const text = readFileSync(join(DIRECTORY, file), 'utf8').replaceAll('@DIGEST', `@${DIGEST}`);
  return (parse(text) as readonly Entry[]).map((entry) => ({ file, ...entry }));
});

const showReference = ({ reference, source, otherSources = [], fieldPath }: ModelReference): string =>
  `${[source, ...otherSources].join('+')} ${reference.original} ${fieldPath}`;
const showFinding = ({ reason, sources, field }: UnnamedUse): string =>
  `${reason} ${sources.join('+')} ${field}`;

describe('extractModels() of real manifests', () => {
  for (const file of files)
    describe(file, () => {
      for (const entry of entries.filter((candidate) => candidate.file === file)) {
        it(`sees ${entry.name} (${entry.from})`, () => {
          const [group = ''] = entry.object.apiVersion.includes('/')
            ? entry.object.apiVersion.split('/')
            : [];
          const workload = toWorkload(group, entry.object.kind, entry.object);
          assert.equal(workload !== undefined, entry.isRead ?? true);
          if (workload === undefined) return;
          const { references, findings, images, unreadableImages } = extractModels(workload, {
            modelCsiDrivers: ['csi.models.example'],
            modelStorageClasses: ['qwen3'],
          });
          assert.deepEqual(references.map(showReference).toSorted(), (entry.references ?? []).toSorted());
          assert.deepEqual(findings.map(showFinding).toSorted(), (entry.findings ?? []).toSorted());
          assert.deepEqual(
            images.map(({ reference }) => reference.original).toSorted(),
            [...(entry.images ?? [])].toSorted(),
          );
          assert.deepEqual(unreadableImages, []);
        });
      }
    });

  it('has a manifest of every source, each with its origin', () => {
    const seen = new Set(
      entries.flatMap(({ references = [], images = [] }) => [
        ...references.flatMap((line) => (line.split(' ')[0] ?? '').split('+')),
        ...(images.length > 0 ? ['ContainerImage'] : []),
      ]),
    );
    assert.deepEqual([...seen].toSorted(), [...MODEL_SOURCES].toSorted());
    assert.deepEqual(
      entries.filter(({ from }) => !/\d/.test(from)).map(({ name }) => name),
      [],
    );
    assert.ok(entries.length >= 60, `${entries.length} entries`);
  });
});
