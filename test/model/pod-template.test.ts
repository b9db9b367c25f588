// Are the pods found in every kind that makes some?
import assert from 'node:assert/strict';
import { WORKLOAD_KINDS } from '../../src/model/kinds.ts';
import { findPlaces, isWorkloadKind, toWorkload } from '../../src/model/pod-template.ts';

const LWS = 'leaderworkerset.x-k8s.io';
const KSERVE = 'serving.kserve.io';
const JUNK = [undefined, null, 5, 'x', [], {}, { spec: null }, { spec: [] }, { spec: 'x' }];

describe('toWorkload()', () => {
  const spec = { containers: [] };
  const template = { metadata: { labels: { a: 'b' } }, spec };
  const kinds: readonly (readonly [string, string, object, string])[] = [
    ['', 'Pod', template, 'spec'],
    ['apps', 'Deployment', { spec: { template } }, 'spec.template.spec'],
    ['apps', 'StatefulSet', { spec: { template } }, 'spec.template.spec'],
    ['apps', 'DaemonSet', { spec: { template } }, 'spec.template.spec'],
    ['apps', 'ReplicaSet', { spec: { template } }, 'spec.template.spec'],
    ['batch', 'Job', { spec: { template } }, 'spec.template.spec'],
    [
      'batch',
      'CronJob',
      { spec: { jobTemplate: { spec: { template } } } },
      'spec.jobTemplate.spec.template.spec',
    ],
    [
      LWS,
      'LeaderWorkerSet',
      { spec: { leaderWorkerTemplate: { workerTemplate: template } } },
      'spec.leaderWorkerTemplate.workerTemplate.spec',
    ],
  ];
  for (const [group, kind, object, specPath] of kinds) {
    it(`finds the template of ${kind}`, () => {
      assert.deepEqual(toWorkload(group, kind, object), {
        kind,
        object,
        templates: [{ ...template, specPath }],
      });
      assert.equal(isWorkloadKind(group, kind), true);
    });

    it(`has none for ${kind} of another group, or with junk in it`, () => {
      assert.equal(toWorkload('example.com', kind, object), undefined);
      assert.equal(isWorkloadKind('example.com', kind), false);
      for (const junk of [...JUNK, [template]]) assert.equal(toWorkload(group, kind, junk), undefined);
    });
  }

  const pathsOf = (group: string, kind: string, object: unknown): readonly string[] | undefined =>
    toWorkload(group, kind, object)?.templates.map(({ specPath }) => specPath);

  it('finds the leader beside the workers', () => {
    const leaderWorkerTemplate = { leaderTemplate: template, workerTemplate: template };
    assert.deepEqual(pathsOf(LWS, 'LeaderWorkerSet', { spec: { leaderWorkerTemplate } }), [
      'spec.leaderWorkerTemplate.leaderTemplate.spec',
      'spec.leaderWorkerTemplate.workerTemplate.spec',
    ]);
  });

  it('refuses a leader that is no pod instead of passing over it', () => {
    for (const leaderTemplate of [5, 'x', [], {}, { spec: [] }]) {
      const leaderWorkerTemplate = { leaderTemplate, workerTemplate: template };
      assert.equal(pathsOf(LWS, 'LeaderWorkerSet', { spec: { leaderWorkerTemplate } }), undefined);
    }
  });

  it('finds every component of an InferenceService', () => {
    const isvc = {
      predictor: { ...spec, workerSpec: spec },
      transformer: spec,
      explainer: spec,
      canary: [{ predictor: spec }],
    };
    assert.deepEqual(pathsOf(KSERVE, 'InferenceService', { spec: isvc }), [
      'spec.predictor',
      'spec.predictor.workerSpec',
      'spec.transformer',
      'spec.explainer',
      'spec.canary[0].predictor',
    ]);
    assert.deepEqual(pathsOf(KSERVE, 'InferenceService', { spec: {} }), []);
    assert.equal(pathsOf(KSERVE, 'InferenceService', { spec: { predictor: 'x' } }), undefined);
  });

  it('finds every pod of an LLMInferenceService, which may have none', () => {
    const router = { scheduler: { template: spec, tokenizer: { template: spec } } };
    const llm = { template: spec, worker: spec, prefill: { template: spec, worker: spec }, router };
    assert.deepEqual(pathsOf(KSERVE, 'LLMInferenceService', { spec: llm }), [
      'spec.template',
      'spec.worker',
      'spec.prefill.template',
      'spec.prefill.worker',
      'spec.router.scheduler.template',
      'spec.router.scheduler.tokenizer.template',
    ]);
    assert.deepEqual(pathsOf(KSERVE, 'LLMInferenceService', { spec: { model: {} } }), []);
    for (const junk of JUNK.filter((value) => JSON.stringify(value) !== '{}'))
      assert.equal(pathsOf(KSERVE, 'LLMInferenceService', junk), undefined);
  });

  for (const kind of ['Service', 'pod', '', 'constructor', '__proto__', 'toString', 'Workspace']) {
    it(`has none for ${kind || 'no kind'}`, () => {
      for (const group of ['', 'apps', 'batch', LWS, KSERVE]) {
        assert.equal(toWorkload(group, kind, { spec: { template } }), undefined);
        assert.equal(isWorkloadKind(group, kind), false);
      }
    });
  }

  it('gives empty metadata where there is none', () =>
    assert.deepEqual(toWorkload('', 'Pod', { metadata: null, spec: {} })?.templates[0]?.metadata, {}));

  it('names every kind once', () => {
    const names = WORKLOAD_KINDS.map(({ group, kind }) => `${group}/${kind}`);
    assert.equal(new Set(names).size, names.length);
  });
});

describe('findPlaces()', () => {
  it('walks members and entries, with their paths', () => {
    const object = { a: { list: [{ b: 1 }, { b: 2 }, 'x'] } };
    assert.deepEqual(findPlaces(object, ['a', 'list', '*', 'b']), [
      { value: 1, path: 'a.list[0].b' },
      { value: 2, path: 'a.list[1].b' },
      { value: undefined, path: 'a.list[2].b' },
    ]);
  });

  it('finds nothing in what is no list', () => assert.deepEqual(findPlaces({ a: {} }, ['a', '*', 'b']), []));
});
