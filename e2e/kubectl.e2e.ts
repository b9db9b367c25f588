// Does kubectl show what docs/kubectl.md says? The objects of the page are applied to a real cluster, its commands run as they
// stand, and their output compared whole, but for what differs every time: ages, times, identifiers.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../src/demo/keys.ts';
import { blocksOf, readDocumentText } from './support/document-steps.ts';
import { install, type Installation, SYSTEM } from './support/installation.ts';
import type { KubectlResult } from './support/kubectl.ts';

const PAGE = readDocumentText('docs/kubectl.md');
const [EXAMPLE = '', POD = ''] = blocksOf(PAGE, 'yaml');
/** What a command may read, by the name that the page gives it. */
const FILES: Readonly<Record<string, string>> = { 'example.yaml': EXAMPLE, 'pod.yaml': POD };

interface Step {
  /** Without `kubectl`. */
  readonly args: readonly string[];
  readonly file: string | undefined;
  readonly command: string;
  /** The line of the page. */
  readonly title: string;
  readonly output: string;
}

const steps = blocksOf(PAGE, 'console').map((block): Step => {
  const [first = '', ...rest] = block.split('\n');
  const found = /^\$ kubectl (?<command>[^<|;&$'"]+?)(?: < (?<file>\S+))?$/u.exec(first);
  const { command = '', file } = found?.groups ?? {};
  return { title: first.slice(2), args: command.split(' '), file, command, output: rest.join('\n') };
});

describe('a cluster as docs/kubectl.md shows it', () => {
  let installation: Installation | undefined;
  const run = async ({ args, file }: Step): Promise<KubectlResult> => {
    assert.ok(installation);
    return installation.kubectl(args, file === undefined ? undefined : FILES[file]);
  };

  before(async () => {
    installation = await install({
      namespaces: ['prod', 'lab', 'team-a'],
      components: ['tenant-policies'],
      args: ['--offline'],
    });
    const metadata = { name: 'release-key', namespace: SYSTEM };
    const stringData = { 'cosign.pub': generateSigningKey('p256').publicKeyPem.toString() };
    await installation.applied({ apiVersion: 'v1', kind: 'Secret', metadata, stringData });
  });

  after(() => installation?.stop());

  it('has commands on the page, each of which is kubectl alone', () => {
    assert.ok(steps.length > 10);
    for (const { command, file } of steps) {
      assert.notEqual(command, '');
      assert.ok(file === undefined || (FILES[file] ?? '') !== '', command);
    }
  });

  for (const [index, step] of steps.entries())
    it(`prints what the page says of ${step.title}`, async () => {
      if (index === 1) await settle();
      const { stdout, stderr } = await run(step);
      // As on a terminal, where both are one; warnings are written first.
      assert.equal(normalise(stderr + stdout), normalise(step.output));
    });

  /** Until every status and event that follows from the example is written. */
  async function settle(): Promise<void> {
    assert.ok(installation);
    const { succeed, within } = installation;
    await succeed('wait', '--for=condition=Ready', 'mtr/public-good', 'cmp/prod-models', '--timeout=20s');
    await succeed('wait', '--for=condition=Ready=false', 'cmp/lab-models', '--timeout=20s');
    await succeed(
      'wait',
      '--for=condition=Ready=false',
      'mp/signed-by-us',
      '--namespace=team-a',
      '--timeout=20s',
    );
    await succeed('wait', '--for=condition=Active=false', 'mpe/vendor-2025-11', '--timeout=20s');
    const events = async (): Promise<string> =>
      succeed(
        'get',
        'events',
        '--all-namespaces',
        '--output=jsonpath={.items[*].regarding.name}{.items[*].involvedObject.name}',
      );
    await within('three events', async () => {
      const told = await events();
      return ['lab-models', 'signed-by-us', 'vendor-2025-11'].every((name) => told.includes(name));
    });
  }
});

/** What differs from run to run, by its kind; columns are as wide as that makes them. */
function normalise(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/gu, 'TIME')
    .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gu, 'UID')
    .replaceAll(/(?<=Resource Version: +)\d+/gu, 'VERSION')
    .replaceAll(/(?<=^|\s)(?:\d+[smhd]){1,2}(?=\s|$)/gmu, 'AGE')
    .replaceAll(/(?<=\S) {2,}/gu, '  ')
    .replaceAll(/[ \t]+$/gmu, '')
    .trimEnd();
}
