// Do alerts and the dashboard ask about metrics that there are? Names, and the labels that they select and group by.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { ROOT } from '../meta/source-files.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}
interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const read = (file: string): string => readFileSync(join(ROOT, 'deploy/components/monitoring', file), 'utf8');
const { spec } = parse(read('prometheusrule.yaml')) as {
  spec: { groups: readonly [{ rules: readonly Rule[] }] };
};
const { rules } = spec.groups[0];
const dashboard = JSON.parse(read('dashboard.json')) as Dashboard;
const expressions = [
  ...rules.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [`panel ${title}`, expr] as const),
  ),
];

/** Labels by name of the series, those of histograms included. */
function readSeries(): ReadonlyMap<string, ReadonlySet<string>> {
  const registry = new Registry();
  createMetrics(registry, { version: '0', node: '0' });
  const series = registry
    .getMetricsAsArray()
    .flatMap(({ name, type, ...metric }): [string, ReadonlySet<string>][] => {
      const { labelNames } = metric as unknown as { labelNames: readonly string[] };
      return String(type) === 'histogram'
        ? [[`${name}_bucket`, new Set([...labelNames, 'le'])]]
        : [[name, new Set(labelNames)]];
    });
  return new Map(series);
}

describe('deploy/components/monitoring', () => {
  const series = readSeries();
  const ours = [...series.keys()].filter((name) => name.startsWith('model_policy_'));
  const namesIn = (expression: string): readonly string[] =>
    [...expression.matchAll(/model_policy_[a-z_]+/g)].map(([name]) => name);

  for (const [where, expression] of expressions)
    it(`${where} asks for a metric that there is, by labels that it has`, () => {
      const names = namesIn(expression);
      assert.ok(names.length > 0);
      const known = new Set(names.flatMap((name) => [...(series.get(name) ?? assert.fail(name))]));
      const selected = [...expression.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
      const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
        list.split(',').map((label) => label.trim()),
      );
      for (const label of [...selected, ...grouped])
        assert.ok(known.has(label), `${label} of ${names.join()}`);
    });

  it('shows every metric of ours on the dashboard', () => {
    const shown = new Set(
      dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr))),
    );
    assert.deepEqual(
      ours.filter((name) => !shown.has(name)),
      [],
    );
  });

  it('says of every alert how bad it is and what it means', () => {
    for (const { alert, labels, annotations } of rules) {
      assert.match(labels.severity, /^(?:warning|critical)$/, alert);
      assert.ok(annotations.summary.length > 20, alert);
    }
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  });
});
