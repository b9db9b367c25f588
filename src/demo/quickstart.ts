// What does `npm start` do? An embedded registry with samples, the real server on policies/quickstart, a tour, and
// then it serves on. Keys live in memory; what is written for the commands to try is public.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { withDefaults, type OptionValues } from '../config.ts';
import { SERVE_OPTIONS } from '../options.ts';
import type { Output } from '../cli/output.ts';
import { startServiceOrExplain, toReadyLine, waitForStop } from '../cli/serve.ts';
import { UsageError } from '../cli/arguments.ts';
import type { Service } from '../cli/service.ts';
import { startRegistry, type RegistryHandle } from './registry.ts';
import { createSigners, seedSamples, toSamplePod, type Sample, type Signers } from './samples.ts';
import { createSigstore } from './sigstore.ts';
import { takeTour, toTourTable } from './tour.ts';

/** Port of the embedded registry: the policies in policies/quickstart name it. */
export const REGISTRY_PORT = 5055;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OUTPUT_DIRECTORY = join(ROOT, '.quickstart');
const CONTROLLER_NAMESPACE = 'model-policy-system';

/** Runs the quickstart. @returns 0, or 1 when a row of the tour is wrong @throws UsageError for taken ports */
export async function runQuickstart(values: OptionValues, output: Output): Promise<number> {
  const registry = await openRegistry();
  const sigstore = await createSigstore();
  const signers = createSigners(sigstore);
  const samples = await seedSamples(registry, signers);
  let service: Service | undefined;
  try {
    writeFiles(samples, signers);
    service = await startServiceOrExplain(toServeValues(values, registry));
    const caPath = join(OUTPUT_DIRECTORY, 'ca.crt');
    writeFileSync(caPath, service.ca ?? '');
    const isRight = values['no-tour'] === true || (await showTour(service, samples, output));
    if (!isRight) return 1;
    if (values['exit'] === true) return 0;
    for (const line of toNextSteps(service, samples)) output.answer(line);
    output.note(toReadyLine(service, caPath));
    await waitForStop();
    return 0;
  } finally {
    await service?.stop();
    await registry.close();
  }
}

async function openRegistry(): Promise<RegistryHandle> {
  try {
    return await startRegistry({ port: REGISTRY_PORT });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new UsageError(
      `cannot listen on 127.0.0.1:${REGISTRY_PORT}: the port of the embedded registry is taken by another process`,
    );
  }
}

function toServeValues(values: OptionValues, registry: RegistryHandle): OptionValues {
  const given = {
    policies: [join(ROOT, 'policies', 'quickstart'), join(OUTPUT_DIRECTORY, 'trust.yaml')],
    'plain-http': [registry.address],
    listen: values['listen'],
    'metrics-listen': values['metrics-listen'],
  };
  return withDefaults(SERVE_OPTIONS, given, {});
}

// Public keys and the trusted root: what the policies name by ConfigMap.
function writeFiles(samples: readonly Sample[], signers: Signers): void {
  rmSync(OUTPUT_DIRECTORY, { recursive: true, force: true });
  mkdirSync(join(OUTPUT_DIRECTORY, 'pods'), { recursive: true });
  const toConfigMap = (name: string, data: Record<string, string>): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: CONTROLLER_NAMESPACE },
    data,
  });
  const documents = [
    toConfigMap('quickstart-keys', {
      'team.pub': signers.team.publicKeyPem + signers.rotated.publicKeyPem,
      'model-signing.pub': signers.modelSigning.publicKeyPem,
    }),
    toConfigMap('quickstart-trust', { 'trusted_root.json': signers.sigstore.trustedRootJson() }),
  ];
  writeFileSync(
    join(OUTPUT_DIRECTORY, 'trust.yaml'),
    documents.map((document) => stringify(document)).join('---\n'),
  );
  for (const sample of samples)
    writeFileSync(join(OUTPUT_DIRECTORY, 'pods', `${sample.pod}.yaml`), stringify(toSamplePod(sample)));
}

async function showTour(service: Service, samples: readonly Sample[], output: Output): Promise<boolean> {
  const rows = await takeTour(service.address, service.ca ?? '', samples);
  output.answer(toTourTable(rows));
  const wrong = rows.filter(({ isRight }) => !isRight);
  const admitted = rows.filter(({ allowed }) => allowed).length;
  output.answer(
    `\n${admitted} admitted, ${rows.length - admitted} denied, ${wrong.length} not as they should be`,
  );
  return wrong.length === 0;
}

function toNextSteps(service: Service, samples: readonly Sample[]): readonly string[] {
  const path = (...parts: string[]): string => {
    const absolute = join(ROOT, ...parts);
    const near = relative(process.cwd(), absolute);
    return near.startsWith('..') ? absolute : near;
  };
  const command = path('bin', 'model-policy');
  const policies = `--policy ${path('policies', 'quickstart')} ${path('.quickstart', 'trust.yaml')} --plain-http 127.0.0.1:${REGISTRY_PORT}`;
  const referenceOf = (pod: string): string => samples.find((sample) => sample.pod === pod)?.reference ?? '';
  const ask = `--server https://${service.address} --ca ${path('.quickstart', 'ca.crt')}`;
  return [
    '',
    'Try next, in another terminal:',
    '',
    `  ${command} admit ${path('.quickstart', 'pods', 'signed-by-key.yaml')} ${ask}`,
    `  ${command} admit ${path('.quickstart', 'pods', 'unsigned.yaml')} ${ask}`,
    `  ${command} verify ${referenceOf('signed-by-workflow')} ${policies} --json`,
    `  ${command} verify ${referenceOf('tampered')} ${policies}`,
    `  curl -s http://${service.metricsAddress}/metrics | grep model_policy_decisions_total`,
    '',
    `Edit ${path('policies', 'quickstart')} and ask again: changes take effect within two seconds. Ctrl-C ends.`,
    '',
  ];
}
