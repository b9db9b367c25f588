// Is the chart what the kustomizations say? By digests of both sides: whether they really render the same is compared
// with helm and kubectl by e2e/chart.e2e.ts.
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Change, ComponentChanges } from '../../deploy/chart-changes.ts';
import { digestChart } from '../../deploy/chart-digests.ts';
import { toCustomResourceDefinitions } from '../../src/policy/crd.ts';
import { toRecord } from '../../src/lib/text.ts';
import { ROOT } from '../meta/source-files.ts';

const read = (...path: string[]): string => readFileSync(join(ROOT, 'deploy', ...path), 'utf8');

describe('deploy/chart', () => {
  const values = toRecord(parse(read('chart/values.yaml')));
  const components = readdirSync(join(ROOT, 'deploy/components'));

  it('was rendered from deploy/base and deploy/components as they are (npm run chart)', () => {
    assert.deepEqual(digestChart(), JSON.parse(read('chart/digests.json')));
  });

  it('defines the resources that deploy/crds defines (npm run crds)', () => {
    assert.deepEqual(
      globSync('chart/rendered/crds/*', { cwd: join(ROOT, 'deploy') }).length,
      toCustomResourceDefinitions().size,
    );
    for (const [file, definition] of toCustomResourceDefinitions())
      assert.deepEqual(parse(read('chart/rendered/crds', file)), JSON.parse(JSON.stringify(definition)));
  });

  it('has a switch for every component, and all are off', () => {
    assert.deepEqual(
      values['components'],
      Object.fromEntries(components.map((component) => [component, false])),
    );
    const schema = toRecord(JSON.parse(read('chart/values.schema.json')));
    const described = toRecord(toRecord(toRecord(schema['properties'])['components'])['properties']);
    assert.deepEqual(Object.keys(described).toSorted(), components.toSorted());
  });

  it('lets no component undo what another does', () => {
    const all = components.flatMap((component) => {
      const { changes } = parse(read('chart/rendered', `${component}.yaml`)) as ComponentChanges;
      return changes.map((change) => ({ component, ...change }));
    });
    const place = ({ kind, name, path, key }: Change): string => [kind, name, ...path, key].join(' ');
    const undone = all.flatMap((one) =>
      all
        .filter((other) => other.component !== one.component && place(other) === place(one))
        // Whole values, and the same element; what is appended stands beside the rest.
        .filter(({ element }) => one.append === undefined && (one.element ?? element) === element)
        .map((other) => `${one.component} ${other.component} ${one.key}`),
    );
    // Which the template refuses to have together.
    assert.deepEqual(undone, ['audit warn failurePolicy', 'warn audit failurePolicy']);
  });

  it('has the version of package.json', () => {
    const { version } = toRecord(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
    const chart = toRecord(parse(read('chart/Chart.yaml')));
    assert.deepEqual([chart['version'], chart['appVersion']], [version, version]);
    assert.equal(toRecord(values['image'])['tag'], version);
  });
});
