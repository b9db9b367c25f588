// Is the chart what the kustomizations say? By digests of both sides: whether they really render the same is compared
// with helm and kubectl by e2e/chart.e2e.ts.
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
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

  it('has the version of package.json', () => {
    const { version } = toRecord(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));
    const chart = toRecord(parse(read('chart/Chart.yaml')));
    assert.deepEqual([chart['version'], chart['appVersion']], [version, version]);
    assert.equal(toRecord(values['image'])['tag'], version);
  });
});
