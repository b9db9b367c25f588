// Is the pod found in every kind that makes one?
import assert from 'node:assert/strict';
import { isPodKind, toPodTemplate } from '../../src/model/pod-template.ts';

describe('toPodTemplate()', () => {
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [] } };
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
  ];
  for (const [group, kind, object, specPath] of kinds) {
    it(`finds the template of ${kind}`, () => {
      assert.deepEqual(toPodTemplate(group, kind, object), { ...template, specPath, isPod: kind === 'Pod' });
      assert.equal(isPodKind(group, kind), true);
    });

    it(`has none for ${kind} of another group, or with junk in it`, () => {
      assert.equal(toPodTemplate('example.com', kind, object), undefined);
      assert.equal(isPodKind('example.com', kind), false);
      for (const junk of [
        undefined,
        null,
        5,
        'x',
        [],
        {},
        { spec: null },
        { spec: [] },
        { spec: 'x' },
        [template],
      ])
        assert.equal(toPodTemplate(group, kind, junk), undefined);
    });
  }

  for (const kind of ['Service', 'pod', '', 'constructor', '__proto__', 'toString', 'InferenceService']) {
    it(`has none for ${kind || 'no kind'}`, () => {
      for (const group of ['', 'apps', 'batch']) {
        assert.equal(toPodTemplate(group, kind, { spec: { template } }), undefined);
        assert.equal(isPodKind(group, kind), false);
      }
    });
  }

  it('gives empty metadata where there is none', () =>
    assert.deepEqual(toPodTemplate('', 'Pod', { metadata: null, spec: {} })?.metadata, {}));
});
