// What can the owner of a namespace do, and what not? Two tenants with kubectl of their own, under the cluster's policies:
// demanding more, being trusted to name signers, breaking their own policies, and relabelling their namespaces.
import assert from 'node:assert/strict';
import { generateSigningKey } from '../src/demo/keys.ts';
import { createStory, by, keyAuthority, type Story } from './flows/story.ts';
import { install, type Installation, succeeded } from './support/installation.ts';
import type { Kubectl, KubectlResult } from './support/kubectl.ts';
import { type Manifest, pod, policyObject, toDocuments } from './support/manifests.ts';
import {
  expectAdmitted,
  expectDenied,
  line,
  toDenial,
  unmatchedLine,
  unsignedLine,
} from './support/verdicts.ts';

const SIGN = 'sign with a key or identity that the policy names';
const TEAMS = ['team-a', 'team-b'] as const;
type Team = (typeof TEAMS)[number];

/** What owners are given; it is bound in their namespaces only. */
const OWNER: Manifest = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'namespace-owner' },
  rules: [
    { apiGroups: ['modelpolicy.dev'], resources: ['modelpolicies'], verbs: ['*'] },
    { apiGroups: [''], resources: ['secrets', 'pods', 'events'], verbs: ['*'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'patch'] },
  ],
};

describe('a cluster with two tenants', () => {
  const keys = { 'team-a': generateSigningKey('p256'), 'team-b': generateSigningKey('p256') };
  const owners = new Map<Team, Kubectl>();
  let installation: Installation | undefined;
  let story: Story;

  const as = (
    team: Team,
    args: readonly string[],
    ...manifests: readonly Manifest[]
  ): Promise<KubectlResult> => {
    const owner = owners.get(team);
    assert.ok(owner);
    return owner([...args, `--namespace=${team}`], toDocuments(...manifests));
  };
  const applyAs = (team: Team, ...manifests: readonly Manifest[]): Promise<KubectlResult> =>
    as(team, ['apply', '--filename=-'], ...manifests);
  /** A dry run by the owner. */
  const judgeAs = (team: Team, { reference }: { reference: string }): Promise<KubectlResult> =>
    as(team, ['apply', '--dry-run=server', '--filename=-'], pod('question', team, reference));
  const enforceAs = async (team: Team, manifest: Manifest): Promise<void> => {
    succeeded(await applyAs(team, manifest));
    const { name } = manifest['metadata'] as { name: string };
    succeeded(await as(team, ['wait', '--for=condition=Ready', `modelpolicy/${name}`, '--timeout=20s']));
  };
  const glob = (name: string): object => ({ models: [{ glob: `${story.registry.address}/${name}/**` }] });
  const bySecret = (name: string): object => ({
    authorities: [{ name: 'ours', key: { secretKeyRef: { name, key: 'cosign.pub' } } }],
  });
  const foreignLine = (reference: string, who: string): string =>
    line('SignerNotTrusted', reference, `policy ${who}: none of the authority’s keys signed it; ${SIGN}`);

  before(async () => {
    installation = await install({ namespaces: TEAMS, components: ['tenant-policies'] });
    story = await createStory(installation);
    await story.applied(OWNER);
    for (const team of TEAMS) {
      await story.succeed('create', 'serviceaccount', 'owner', `--namespace=${team}`);
      await story.succeed(
        'create',
        'rolebinding',
        'owner',
        `--namespace=${team}`,
        '--clusterrole=namespace-owner',
        `--serviceaccount=${team}:owner`,
      );
      owners.set(team, await story.userOf(team, 'owner'));
    }
    const values = [...TEAMS];
    const matchExpressions = [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }];
    const namespaceSelector = { matchExpressions };
    await story.enforce(
      policyObject('ClusterModelPolicy', 'floor', {
        namespaceSelector,
        ...glob('floor'),
        authorities: [keyAuthority('release', story.release)],
      }),
      policyObject('ClusterModelPolicy', 'delegated', {
        namespaceSelector,
        ...glob('own'),
        authorities: [{ name: 'owners', tenant: {} }],
      }),
      policyObject('ClusterModelPolicy', 'tier-prod', {
        namespaceSelector: { matchLabels: { tier: 'prod' } },
        ...glob('tier'),
        authorities: [keyAuthority('release', story.release)],
      }),
      policyObject('ClusterModelPolicy', 'tier-dev', {
        namespaceSelector: { matchLabels: { tier: 'dev' } },
        ...glob('tier'),
        authorities: [{ name: 'anything', static: { action: 'Pass' } }],
      }),
    );
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.error(installation?.service.log().slice(-3000));
  });

  after(() => installation?.stop());

  it('lets an owner demand more, in its own namespace and nowhere else, and never less', async () => {
    const stringData = { 'cosign.pub': keys['team-a'].publicKeyPem.toString() };
    succeeded(
      await applyAs('team-a', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'signer' }, stringData }),
    );
    await enforceAs(
      'team-a',
      policyObject('ModelPolicy', 'ours', { ...glob('floor'), ...bySecret('signer') }, 'team-a'),
    );
    const released = await story.model('floor/released', by(story.release));
    const both = await story.model('floor/both', by(story.release), by(keys['team-a']));
    const own = await story.model('floor/own', by(keys['team-a']));
    expectDenied(
      await judgeAs('team-a', released),
      foreignLine(released.reference, 'team-a/ours authority ours'),
    );
    expectAdmitted(await judgeAs('team-b', released));
    for (const team of TEAMS) {
      expectAdmitted(await judgeAs(team, both));
      expectDenied(await judgeAs(team, own), foreignLine(own.reference, 'floor authority release'));
    }
  });

  it('lets nobody write policies for others, nor change the cluster’s', async () => {
    const foreign = policyObject(
      'ModelPolicy',
      'intruder',
      { authorities: [{ name: 'a', static: { action: 'Fail' } }] },
      'team-b',
    );
    const patch = JSON.stringify({ status: { conditions: [] } });
    const owner = owners.get('team-a');
    assert.ok(owner);
    const account = 'User "system:serviceaccount:team-a:owner"';
    const commands: readonly (readonly [string, string])[] = [
      [
        'create --filename=-',
        `error when creating "STDIN": modelpolicies.modelpolicy.dev is forbidden: ${account} cannot create resource "modelpolicies" in API group "modelpolicy.dev" in the namespace "team-b"`,
      ],
      [
        'get modelpolicies --namespace=team-b',
        `modelpolicies.modelpolicy.dev is forbidden: ${account} cannot list resource "modelpolicies" in API group "modelpolicy.dev" in the namespace "team-b"`,
      ],
      [
        'delete clustermodelpolicy floor',
        `clustermodelpolicies.modelpolicy.dev "floor" is forbidden: ${account} cannot delete resource "clustermodelpolicies" in API group "modelpolicy.dev" at the cluster scope`,
      ],
      [
        `patch modelpolicy ours --namespace=team-a --subresource=status --type=merge --patch=${patch}`,
        `modelpolicies.modelpolicy.dev "ours" is forbidden: ${account} cannot get resource "modelpolicies/status" in API group "modelpolicy.dev" in the namespace "team-a"`,
      ],
    ];
    for (const [command, says] of commands)
      assert.deepEqual(await owner(command.split(' '), toDocuments(foreign)), {
        code: 1,
        stdout: '',
        stderr: `Error from server (Forbidden): ${says}\n`,
      });
  });

  it('trusts whom an owner names where the cluster delegates, in that namespace', async () => {
    const model = await story.model('own/model', by(keys['team-a']));
    const delegatedLine = (why: string): string =>
      line(
        'AuthoritiesNotSatisfied',
        model.reference,
        `policy delegated authority owners: ${why}; collect the missing signatures, or lower minAuthorities`,
      );
    expectDenied(
      await judgeAs('team-a', model),
      delegatedLine('no ModelPolicy of the namespace with action Deny and a signer selects this model'),
    );
    for (const team of TEAMS)
      await enforceAs(
        team,
        policyObject(
          'ModelPolicy',
          'signers',
          { ...glob('own'), authorities: [keyAuthority('ours', keys[team])] },
          team,
        ),
      );
    expectAdmitted(await judgeAs('team-a', model));
    expectDenied(
      await judgeAs('team-b', model),
      delegatedLine('ModelPolicy team-b/signers does not pass'),
      foreignLine(model.reference, 'team-b/signers authority ours'),
    );
  });

  it('reads no Secret of another namespace, and tells the owner with a warning, a condition, an event and a denial', async () => {
    const policy = policyObject(
      'ModelPolicy',
      'theirs',
      { ...glob('floor'), ...bySecret('signer') },
      'team-b',
    );
    const why =
      'spec.authorities[0].key: Secret team-b/signer does not exist, or the controller has not read it';
    assert.deepEqual(await applyAs('team-b', policy), {
      code: 0,
      stdout: 'modelpolicy.modelpolicy.dev/theirs created\n',
      stderr: `Warning: ${why}; until it is there, nothing that this selects passes\n`,
    });
    succeeded(
      await as('team-b', ['wait', '--for=condition=KeysReady=false', 'modelpolicy/theirs', '--timeout=20s']),
    );
    const rows = (await as('team-b', ['get', 'modelpolicies'])).stdout
      .split('\n')
      .map((row) => row.split(/ +/u));
    assert.deepEqual(rows.at(-2)?.slice(0, 4), ['theirs', '["Deny"]', 'False', 'CredentialsUnavailable']);
    const format = '{range .items[*]}{.type} {.reason} {.involvedObject.name}: {.message}{"\\n"}{end}';
    const events = async (): Promise<string> =>
      (await as('team-b', ['get', 'events', `--output=jsonpath=${format}`])).stdout;
    await story.within('an event', async () => (await events()) !== '');
    assert.equal(await events(), `Warning CredentialsUnavailable theirs: denies what it selects: ${why}\n`);
    const model = await story.model('floor/model', by(story.release), by(keys['team-a']));
    const { code, stdout, stderr } = await judgeAs('team-b', model);
    const said = `policy team-b/theirs: ${why}; provide the Secret or ConfigMap that the policy names`;
    const denial = toDenial([line('CredentialsUnavailable', model.reference, said)], 'ServiceUnavailable');
    assert.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: denial });
    expectAdmitted(await judgeAs('team-a', model));
    succeeded(await as('team-b', ['delete', 'modelpolicy', 'theirs']));
    await story.within('the deletion', async () => (await judgeAs('team-b', model)).code === 0);
    expectAdmitted(await judgeAs('team-b', model));
  });

  it('knows the keys of namespaces from the first answer of a new replica on', async () => {
    const replica = await story.serve('second', []);
    const model = await story.model('floor/second', by(story.release), by(keys['team-a']));
    await story.register(replica);
    const isAsked = async (): Promise<boolean> => {
      expectAdmitted(await judgeAs('team-a', model));
      return replica.log().includes('floor/second');
    };
    await story.within('the replica', isAsked);
    assert.ok(!replica.log().includes('CredentialsUnavailable'), replica.log());
  });

  it('follows a label that an owner changes, denies where no policy is left, and lets nobody change the name', async () => {
    const model = await story.model('tier/unsigned');
    const relabel = (label: string): Promise<KubectlResult> =>
      as('team-a', ['label', 'namespace', 'team-a', '--overwrite', label]);
    const judge = (): Promise<KubectlResult> => judgeAs('team-a', model);
    const unmatched = unmatchedLine(model.reference, 'team-a');
    expectDenied(await judge(), unmatched);
    const labelled = { code: 0, stdout: 'namespace/team-a labeled\n', stderr: '' };
    const startedMs = performance.now();
    assert.deepEqual(await relabel('tier=prod'), labelled);
    await story.within('tier=prod', async () => (await judge()).stderr.includes('SignatureMissing'));
    console.info(`      a label counts after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    expectDenied(await judge(), unsignedLine(model.reference, 'tier-prod'));
    // Who may write the label chooses the policy: docs/policies.md says so.
    assert.deepEqual(await relabel('tier=dev'), labelled);
    await story.within('tier=dev', async () => (await judge()).code === 0);
    expectAdmitted(await judge());
    assert.deepEqual(await relabel('tier-'), labelled);
    await story.within('no tier', async () => (await judge()).code === 1);
    expectDenied(await judge(), unmatched);
    // The API server puts it back without a word.
    succeeded(await relabel('kubernetes.io/metadata.name=team-b'));
    const path = '--output=jsonpath={.metadata.labels.kubernetes\\.io/metadata\\.name}';
    assert.equal(await story.succeed('get', 'namespace', 'team-a', path), 'team-a');
  });
});
