// Do alerts fire and dashboards show what happened? Asked of a real Prometheus: promtool runs the rules on series that are
// written down, and a server scrapes a running controller. Runs where both are found, in PROMETHEUS (a directory) or PATH.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { startRegistry } from '../src/demo/registry.ts';
import { pushModel, pushSigned, startController, teamPolicy } from '../test/support/controller.ts';
import { reviewOf, volumePod } from '../test/support/review.ts';
import { MONITORING_DIRECTORY } from './support/manifests.ts';
import { serveText } from './support/metrics-server.ts';
import { freePorts, startProcess, waitFor } from './support/processes.ts';

const run = promisify(execFile);
const START_BOUND_MS = 60_000;
const DECISIONS = 'model_policy_decisions_total{policy="team",namespace="a",action="Deny"';
const HEALTHY = {
  model_policy_build_info: '1x60',
  'model_policy_leader{pod="one"}': '1x60',
  'model_policy_leader{pod="other"}': '0x60',
  'model_policy_webhook_in_order{pod="one"}': '1x60',
  'model_policy_webhook_in_order{pod="other"}': '0x60',
};

/** What happens after a quarter of an hour in which all is well, and which alert fires by the end of the hour. */
const TROUBLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ModelPolicyDown: { model_policy_build_info: '1x15 stale' },
  ModelPolicyInternalError: { [`${DECISIONS},reason="InternalError"}`]: '_x50 1x10' },
  ModelPolicySlow: {
    'model_policy_stage_duration_seconds_bucket{stage="total",le="5"}': '0x60',
    'model_policy_stage_duration_seconds_bucket{stage="total",le="10"}': '0+1x60',
    'model_policy_stage_duration_seconds_bucket{stage="total",le="+Inf"}': '0+1x60',
  },
  ModelPolicyRegistryTrouble: { [`${DECISIONS},reason="RegistryUnavailable"}`]: '_x40 1+1x20' },
  ModelPolicyOverloaded: { [`${DECISIONS},reason="Overloaded"}`]: '0x30 0+2x30' },
  ModelPolicyWatchStale: { 'model_policy_watch_age_seconds{collection="policies"}': '10x15 10+60x45' },
  ModelPolicyCertificateExpires: {
    'model_policy_certificate_expiry_timestamp_seconds{certificate="serving"}': '1000000x60',
  },
  ModelPolicyRegistrationDiffers: { 'model_policy_webhook_in_order{pod="one"}': '1x15 0x45' },
  ModelPolicyNobodyWrites: { 'model_policy_leader{pod="one"}': '1x15 0x45' },
  ModelPolicyInvalid: { 'model_policy_policies{state="invalid"}': '0x15 1x45' },
  ModelPolicyTrustRootExpires: {
    'model_policy_trust_root_expiry_timestamp_seconds{trust_root="public-good"}': '100000x60',
  },
  ModelPolicyTrustRootRefreshFails: {
    'model_policy_trust_root_refresh_total{trust_root="public-good",result="failed"}': '0+1x60',
  },
  ModelPolicyClockDiffers: {
    'model_policy_trust_root_clock_difference_seconds{trust_root="public-good"}': '0x15 -400x45',
  },
  ModelPolicyVerifiersDisagree: { model_policy_second_opinion_disagreements_total: '0x15 1x45' },
  ModelPolicyProofThreadsEnd: { model_policy_proof_thread_restarts_total: '0x15 2x45' },
};

describe('deploy/components/monitoring, in Prometheus', () => {
  let directory = '';
  const tools = process.env['PROMETHEUS'];
  const env = { PATH: [tools, process.env['PATH']].filter(Boolean).join(delimiter) };
  const promtool = async (...args: readonly string[]): Promise<string> =>
    (await run('promtool', args, { env, cwd: directory })).stdout;
  const read = (file: string): string => readFileSync(join(MONITORING_DIRECTORY, file), 'utf8');
  const { spec } = parse(read('prometheusrule.yaml')) as {
    spec: { groups: readonly [{ rules: readonly { alert: string }[] }] };
  };

  before(async function () {
    directory = mkdtempSync(join(tmpdir(), 'model-policy-monitoring-'));
    try {
      await promtool('--version');
      await run('prometheus', ['--version'], { env });
    } catch {
      console.error(
        'deploy/components/monitoring: no prometheus and promtool in PROMETHEUS or PATH; not tried',
      );
      this.skip();
    }
    writeFileSync(join(directory, 'rules.yaml'), stringify(spec));
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it('has rules that promtool reads, and a story of trouble for each alert', async () => {
    assert.match(await promtool('check', 'rules', 'rules.yaml'), /SUCCESS/u);
    assert.deepEqual(
      spec.groups[0].rules.map(({ alert }) => alert).toSorted(),
      Object.keys(TROUBLE).toSorted(),
    );
  });

  for (const [alert, trouble] of Object.entries(TROUBLE))
    it(`${alert} fires in trouble, and nothing else does`, async () => {
      const series = Object.entries({ ...HEALTHY, ...trouble });
      const tests = {
        rule_files: ['rules.yaml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: series.map(([name, values]) => ({ series: name, values })),
            promql_expr_test: spec.groups[0].rules.map((rule) => ({
              expr: `count(ALERTS{alertname="${rule.alert}",alertstate="firing"}) > 0 or vector(0)`,
              eval_time: '55m',
              exp_samples: [{ labels: '{}', value: rule.alert === alert ? 1 : 0 }],
            })),
          },
        ],
      };
      writeFileSync(join(directory, 'tests.yaml'), stringify(tests));
      await promtool('test', 'rules', 'tests.yaml');
    });

  it('shows a denial the first time it happens, and asks nothing that Prometheus does not understand', async () => {
    const registry = await startRegistry();
    const controller = await startController({ registry, policies: { team: teamPolicy(registry) } });
    const metrics = await serveText(() => controller.metrics());
    const [port = 0] = await freePorts(1);
    const scrape = { job_name: 'controller', static_configs: [{ targets: [metrics.address] }] };
    writeFileSync(
      join(directory, 'prometheus.yml'),
      stringify({ global: { scrape_interval: '1s' }, rule_files: ['rules.yaml'], scrape_configs: [scrape] }),
    );
    const program = startProcess({
      name: 'prometheus',
      command: tools === undefined ? 'prometheus' : join(tools, 'prometheus'),
      args: [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      directory,
    });
    const query = async (expression: string): Promise<readonly Sample[]> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      const { status, error, data } = (await (await fetch(url)).json()) as QueryAnswer;
      assert.equal(status, 'success', `${expression}: ${error ?? ''}`);
      return data.result;
    };
    try {
      const isScraped = async (): Promise<boolean> => (await query('model_policy_build_info')).length === 1;
      await waitFor('a scrape', isScraped, { boundMs: START_BOUND_MS, program });
      await controller.ask(reviewOf(volumePod(pushModel(registry).reference)));
      await controller.ask(reviewOf(volumePod(pushSigned(registry).reference)));
      const dashboard = JSON.parse(read('dashboard.json')) as Dashboard;
      const panels = new Map(dashboard.panels.map(({ title, targets }) => [title, targets[0].expr]));
      const denials = panels.get('Who is denied, and why') ?? assert.fail('no such panel');
      await waitFor('the denial', async () => (await query(denials)).length > 0, {
        boundMs: START_BOUND_MS,
        program,
      });
      assert.deepEqual(
        (await query(denials)).map(({ metric, value }) => [metric, value[1]]),
        [[{ namespace: 'default', policy: 'team', reason: 'SignatureMissing' }, '1']],
      );
      for (const { targets } of dashboard.panels) for (const { expr } of targets) await query(expr);
    } finally {
      await program.stop(START_BOUND_MS);
      await metrics.close();
      await controller.stop();
      await registry.close();
    }
  });
});

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}
interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly Sample[] };
}
interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly [{ readonly expr: string }, ...{ readonly expr: string }[]];
  }[];
}
