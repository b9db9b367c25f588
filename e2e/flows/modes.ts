// What do options of the controller change, and what does the registration say? The flows of policy-controller about
// policies that match nothing, warnings, trust roots that nobody fetches, the webhook and the command line.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubectlResult } from '../support/kubectl.ts';
import type { Service } from '../support/service.ts';
import { cronJob, job, pod, policyFor, policyObject } from '../support/manifests.ts';
import { expectAdmitted, expectDenied, unmatchedLine, unsignedLine } from '../support/verdicts.ts';
import { ALICE, by, keyAuthority, type Story } from './story.ts';

const BINARY = join(import.meta.dirname, '../../bin/model-policy');
const JOB_FIELD = 'spec.template.spec.volumes[0].image.reference';
const CRON_JOB_FIELD = 'spec.jobTemplate.spec.template.spec.volumes[0].image.reference';

const SCHEMA = 'The ClusterModelPolicy "refused" is invalid: ';
const UNCHECKED =
  '\n* <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
const WEBHOOK =
  'Error from server (Forbidden): error when creating "STDIN": admission webhook "policy.modelpolicy.dev" denied the request: ';

export function describeModes(get: () => Story): void {
  const replicas = new Map<string, Service>();

  before(async () => {
    const options = {
      strict: ['--offline', '--workloads', 'Deny'],
      allow: ['--offline', '--workloads', 'Deny', '--no-match-policy', 'Allow'],
      warn: ['--offline', '--no-match-policy', 'Warn'],
    };
    const start = async ([name, args]: readonly [string, readonly string[]]): Promise<void> => {
      replicas.set(name, await get().serve(name, args));
    };
    await Promise.all(Object.entries(options).map((option) => start(option)));
  });

  /** Lets the API server ask a replica, and waits until its answer about a Job without a policy is this one. */
  const askReplica = async (name: string, isIts: (result: KubectlResult) => boolean): Promise<void> => {
    const replica = replicas.get(name);
    assert.ok(replica);
    await get().register(replica);
    const question = job('question', 'default', `a.test/m@sha256:${'0'.repeat(64)}`);
    await get().within('the replica', async () => isIts(await get().ask(question)));
  };
  const askStrict = (): Promise<void> => askReplica('strict', ({ code }) => code === 1);

  it('flow 2: policy CRD: refuses what cannot work, in the words of whoever refuses', async () => {
    const story = get();
    const team = keyAuthority('team', story.team);
    const keyless = (...identities: readonly object[]): object => ({
      authorities: [{ name: 'alice', keyless: { identities, trustRootRef: { name: 'private' } } }],
    });
    const cases: readonly (readonly [object, string])[] = [
      [{}, `${SCHEMA}\n* spec.authorities: Required value${UNCHECKED}`],
      [
        { authorities: [] },
        `${SCHEMA}\n* spec.authorities: Invalid value: 0: spec.authorities in body should have at least 1 items\n* spec: Invalid value: minAuthorities must not be larger than the number of authorities`,
      ],
      [
        { authorities: [{ name: 'a' }] },
        `${SCHEMA}spec.authorities[0]: Invalid value: exactly one of key, keyless, certificate, static, tenant must be set`,
      ],
      [
        { authorities: [{ name: 'a', key: {} }] },
        `${SCHEMA}spec.authorities[0].key: Invalid value: exactly one of pem, secretKeyRef, configMapKeyRef must be set`,
      ],
      [
        { authorities: [{ name: 'a', key: { pem: 'x', secretKeyRef: { name: 'x', key: 'y' } } }] },
        `${SCHEMA}spec.authorities[0].key: Invalid value: exactly one of pem, secretKeyRef, configMapKeyRef must be set`,
      ],
      [
        { authorities: [{ name: 'a', key: { pem: 'no key' } }] },
        `${WEBHOOK}spec.authorities[0].key: it holds no PEM block`,
      ],
      [
        keyless(),
        `${SCHEMA}spec.authorities[0].keyless.identities: Invalid value: 0: spec.authorities[0].keyless.identities in body should have at least 1 items`,
      ],
      [
        keyless({ ...ALICE, issuerRegExp: '.*' }),
        `${SCHEMA}spec.authorities[0].keyless.identities[0]: Invalid value: exactly one of issuer, issuerRegExp must be set`,
      ],
      [
        keyless({ issuer: ALICE.issuer, subjectRegExp: '(' }),
        `${WEBHOOK}spec.authorities[0].keyless.identities[0].subjectRegExp: the pattern is invalid: regular expression refused: missing closing ): \`(\``,
      ],
      [
        { authorities: [{ name: 'a', static: { action: 'Perhaps' } }] },
        `${SCHEMA}\n* spec.authorities[0].static.action: Unsupported value: "Perhaps": supported values: "Pass", "Fail"${UNCHECKED}`,
      ],
      [
        { authorities: [team], models: [{ glob: 'models/[a-z]' }] },
        `${WEBHOOK}spec.models[0].glob: it must begin with a registry host, in which only a whole leading label may be *`,
      ],
      [
        { authorities: [team], validations: [{ expression: 'model.sice > 0' }] },
        `${WEBHOOK}spec.validations[0].expression: No such key: sice\nmodel.sice > 0\n      ^`,
      ],
      [
        { authorities: [team], validationActions: ['Deny', 'Warn'] },
        `${SCHEMA}spec.validationActions: Invalid value: Deny and Warn exclude each other`,
      ],
    ];
    for (const [spec, says] of cases)
      assert.deepEqual(await story.ask(policyObject('ClusterModelPolicy', 'refused', spec)), {
        code: 1,
        stdout: '',
        stderr: `${says}\n`,
      });
    const accepted = policyObject('ClusterModelPolicy', 'accepted', {
      authorities: [team],
      models: [{ glob: 'a.test/**' }],
    });
    expectAdmitted(await story.ask(accepted), 'clustermodelpolicy.modelpolicy.dev/accepted');
  });

  it('flow 30: registration: is asked about no status', async () => {
    const resources = '--output=jsonpath={.items[*].webhooks[*].rules[*].resources[*]}';
    const listed = (await get().succeed('get', 'validatingwebhookconfigurations', resources)).split(' ');
    assert.ok(listed.includes('pods') && listed.includes('clustermodelpolicies'), listed.join(' '));
    assert.deepEqual(
      listed.filter((name) => name.endsWith('/status') || name.includes('*')),
      [],
    );
    assert.equal(await get().succeed('get', 'mutatingwebhookconfigurations', '--output=name'), '');
  });

  it('flow 31: command line: says of a policy from the cluster what the cluster says', async () => {
    const story = get();
    await story.enforce(policyFor('flow-31', 'flow-31', { authorities: [keyAuthority('team', story.team)] }));
    const unsigned = await story.model('flow-31/unsigned');
    const signed = await story.model('flow-31/signed', by(story.team));
    const file = join(story.cluster.directory, 'flow-31.yaml');
    writeFileSync(file, await story.succeed('get', 'cmp', 'flow-31', '--output=yaml'));
    const run = async (reference: string): Promise<object> => {
      const { address } = story.registry;
      const where = ['--policy', file, '--namespace', 'flow-31', '--plain-http', address];
      const { promise, resolve } = Promise.withResolvers<object>();
      execFile(BINARY, ['verify', reference, ...where], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      );
      return promise;
    };
    const said = unsignedLine(unsigned.reference, 'flow-31');
    expectDenied(await story.judge('flow-31', unsigned), said);
    expectAdmitted(await story.judge('flow-31', signed));
    assert.deepEqual(await Promise.all([unsigned, signed].map(({ reference }) => run(reference))), [
      { code: 1, stdout: `denied: ${unsigned.reference}\n${said}\n`, stderr: '' },
      { code: 0, stdout: `admitted: ${signed.reference}\n`, stderr: '' },
    ]);
  });

  it('flow 25: no TUF: verifies signature and attestation by key without a log, with --offline', async () => {
    const story = get();
    const type = 'https://models.test/evaluation/v1';
    await story.enforce(
      policyFor('flow-25', 'flow-25', {
        authorities: [keyAuthority('team', story.team)],
        attestations: [{ name: 'evaluation', predicateTypes: [type], authorities: ['team'] }],
      }),
    );
    const unsigned = await story.model('flow-25/unsigned');
    const model = await story.model('flow-25/model', by(story.team));
    await story.attest(model, type, {}, by(story.team));
    await askStrict();
    expectDenied(await story.judge('flow-25', unsigned), unsignedLine(unsigned.reference, 'flow-25'));
    expectAdmitted(await story.judge('flow-25', model));
  });

  it('flow 1: no policy: denies Pod, Job and CronJob by default, whatever labels the namespace has; admits with Allow', async () => {
    const story = get();
    const { reference } = await story.model('flow-1/model', by(story.team));
    await askStrict();
    const objects = [
      { manifest: pod('question', 'default', reference), what: 'pod/question', field: undefined },
      { manifest: job('question', 'default', reference), what: 'job.batch/question', field: JOB_FIELD },
      {
        manifest: cronJob('question', 'default', reference),
        what: 'cronjob.batch/question',
        field: CRON_JOB_FIELD,
      },
    ];
    for (const { manifest, field } of objects)
      expectDenied(await story.ask(manifest), unmatchedLine(reference, 'default', field));
    await story.succeed('label', 'namespace', 'default', 'policy.sigstore.dev/include=false');
    expectDenied(await story.ask(objects[0]?.manifest ?? {}), unmatchedLine(reference, 'default'));
    await askReplica('allow', ({ code, stderr }) => code === 0 && stderr === '');
    for (const { manifest, what } of objects) expectAdmitted(await story.ask(manifest), what);
  });

  it('flow 17: warnings: admits with a warning what a policy or --no-match-policy only warns about', async () => {
    const story = get();
    await story.enforce(
      policyFor('flow-17', 'flow-17', {
        authorities: [keyAuthority('team', story.team)],
        validationActions: ['Warn'],
      }),
    );
    const unsigned = await story.model('flow-17/unsigned');
    const signed = await story.model('flow-17/signed', by(story.team));
    await askReplica('warn', ({ stderr }) => stderr.startsWith('Warning: NoMatchingPolicy'));
    expectAdmitted(
      await story.ask(pod('question', 'default', signed.reference)),
      'pod/question',
      unmatchedLine(signed.reference, 'default'),
    );
    // A policy that only warns enforces nothing: both are said.
    expectAdmitted(
      await story.judge('flow-17', unsigned),
      'pod/question',
      unmatchedLine(unsigned.reference, 'flow-17'),
      unsignedLine(unsigned.reference, 'flow-17'),
    );
    expectAdmitted(
      await story.judge('flow-17', signed),
      'pod/question',
      unmatchedLine(signed.reference, 'flow-17'),
    );
  });
}
