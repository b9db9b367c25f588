// Is every model found that a pod names, at every place, through every disguise that its manifest can be read through?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { extractModels } from '../../src/model/extract.ts';
import type { Extraction } from '../../src/model/model-reference.ts';
import { WORKLOAD_KINDS } from '../../src/model/kinds.ts';
import { toWorkload } from '../../src/model/pod-template.ts';
import type { ShortNames } from '../../src/model/reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const MODEL = `reg.example/team/model@${DIGEST}`;

function extract(spec: object, shortNames?: ShortNames): Extraction {
  const workload = toWorkload('', 'Pod', { metadata: {}, spec });
  assert.ok(workload);
  return extractModels(workload, shortNames === undefined ? {} : { shortNames });
}

function fromContainer(container: object): readonly string[] {
  const { references, findings } = extract({ containers: [container] });
  return [
    ...references.map(({ reference, source, fieldPath }) => `${source} ${reference.original} ${fieldPath}`),
    ...findings.map(({ reason, field }) => `${reason} ${field ?? ''}`),
  ];
}

const C = 'spec.containers[0]';
const EVIL = 'evil.test/m';
const found = (place: string, uri = EVIL): string => `URI ${uri} ${C}.${place}`;
const unresolvable = (place: string): string => `UnresolvableReference ${C}.${place}`;

describe('extractModels()', () => {
  describe('from image volumes', () => {
    it('reads each reference with its path, beside volumes of other kinds', () => {
      const volumes = [
        { name: 'x', emptyDir: {} },
        { name: 'm', image: { reference: MODEL, pullPolicy: 'Always' } },
      ];
      const { references, findings, images } = extract({ volumes });
      assert.deepEqual(
        references.map(({ reference, source, fieldPath }) => [reference.original, source, fieldPath]),
        [[MODEL, 'ImageVolume', 'spec.volumes[1].image.reference']],
      );
      assert.deepEqual([findings, images], [[], []]);
    });

    for (const image of [
      {},
      [],
      'x',
      5,
      true,
      { reference: null },
      { reference: 5 },
      { reference: [MODEL] },
      { reference: '' },
    ]) {
      it(`refuses ${JSON.stringify(image)} instead of passing over it`, () => {
        const { references, findings } = extract({ volumes: [{ image }] });
        assert.equal(references.length, 0);
        assert.deepEqual(
          findings.map(({ reason, field }) => [reason, field]),
          [['ReferenceInvalid', 'spec.volumes[0].image.reference']],
        );
      });
    }

    for (const volumes of [undefined, null, {}, 'x', 5, [null, 'x', [], 5, { image: null }, {}]]) {
      it(`finds nothing in volumes ${JSON.stringify(volumes) ?? 'undefined'}`, () =>
        assert.deepEqual(extract({ volumes }), extract({})));
    }

    it('reads short names only when told to', () => {
      const volumes = [{ image: { reference: 'm' } }];
      assert.equal(extract({ volumes }).findings[0]?.reason, 'ReferenceInvalid');
      assert.equal(extract({ volumes }, 'DockerHub').references[0]?.reference.repository, 'library/m');
    });

    it('escapes and bounds what it quotes', () => {
      const reference = `\u001b[31m\n${'x'.repeat(100_000)}`;
      const [finding] = extract({ volumes: [{ image: { reference } }] }).findings;
      assert.match(finding?.message ?? '', /^[\x20-\x7e…]{1,1000}$/);
    });
  });

  describe('from container images', () => {
    it('reads every list, with names expanded as the kubelet does', () => {
      const { images } = extract({
        containers: [{ image: 'nginx' }, { image: 'reg.example/a:v1' }],
        initContainers: [{ image: `reg.example/b@${DIGEST}`, restartPolicy: 'Always' }],
        ephemeralContainers: [{ image: 'team/c' }],
      });
      assert.deepEqual(
        images.map(({ reference, fieldPath }) => [reference.registry, reference.repository, fieldPath]),
        [
          ['docker.io', 'library/nginx', 'spec.containers[0].image'],
          ['reg.example', 'a', 'spec.containers[1].image'],
          ['reg.example', 'b', 'spec.initContainers[0].image'],
          ['docker.io', 'team/c', 'spec.ephemeralContainers[0].image'],
        ],
      );
    });

    it('passes over what is no text', () => {
      for (const image of [undefined, null, 5, {}])
        assert.deepEqual(extract({ containers: [{ image }] }), extract({}));
    });

    it('refuses no image itself, and keeps apart what cannot be read', () => {
      for (const image of ['', 'a b', 'x'.repeat(10_000), 'reg.example/UPPER']) {
        const { findings, images, unreadableImages } = extract({ containers: [{ image }] });
        assert.deepEqual([findings, images], [[], []]);
        assert.deepEqual(
          unreadableImages.map(({ reason, field }) => [reason, field]),
          [['ReferenceInvalid', 'spec.containers[0].image']],
        );
      }
    });

    it('takes a first segment with upper case for a host, as nodes do', () => {
      const [image] = extract({ containers: [{ image: 'EvilHost/models/x:1' }] }).images;
      assert.equal(image?.reference.registry, 'evilhost');
    });

    it('reads a pod of many containers full of variables within one budget', () => {
      const env = [
        { name: 'A', value: '://'.repeat(32) },
        { name: 'B', value: '$(A)'.repeat(26) },
        { name: 'C', value: '$(B)'.repeat(26) },
      ];
      const container = { env, args: Array.from({ length: 16 }, () => '$(C)') };
      const { findings } = extract({ containers: Array.from({ length: 100 }, () => container) });
      assert.ok(findings.length > 0 && findings.every(({ reason }) => reason === 'UnresolvableReference'));
    });
  });

  describe('from commands, arguments and variables', () => {
    const places: readonly (readonly [string, object])[] = [
      ['command[0]', { command: [`oci://${EVIL}`] }],
      ['args[1]', { args: ['serve', `--model=oci://${EVIL}`] }],
      ['args[0]', { args: [`kit://${EVIL}`] }],
      ['env[0].value', { env: [{ name: 'MODEL', value: `modelpack://${EVIL}` }] }],
      ['env[0].value', { env: [{ value: `oci://${EVIL}` }] }],
      [
        'lifecycle.postStart.exec.command[1]',
        { lifecycle: { postStart: { exec: { command: ['x', `oci://${EVIL}`] } } } },
      ],
      [
        'lifecycle.preStop.exec.command[0]',
        { lifecycle: { preStop: { exec: { command: [`oci://${EVIL}`] } } } },
      ],
      ['startupProbe.exec.command[0]', { startupProbe: { exec: { command: [`oci://${EVIL}`] } } }],
      ['livenessProbe.exec.command[0]', { livenessProbe: { exec: { command: [`oci://${EVIL}`] } } }],
      ['readinessProbe.exec.command[0]', { readinessProbe: { exec: { command: [`oci://${EVIL}`] } } }],
    ];
    for (const [place, container] of places) {
      it(`finds a URI in ${place}`, () => assert.deepEqual(fromContainer(container), [found(place)]));
    }

    it('looks at every kind of container', () => {
      const container = { args: [`oci://${EVIL}`] };
      const { references } = extract({
        containers: [container],
        initContainers: [container],
        ephemeralContainers: [container],
      });
      assert.deepEqual(
        references.map(({ fieldPath }) => fieldPath),
        [
          'spec.containers[0].args[0]',
          'spec.initContainers[0].args[0]',
          'spec.ephemeralContainers[0].args[0]',
        ],
      );
    });

    const junk = [null, 5, 'oci', [], {}, [null, 5, [], {}], { 0: `oci://${EVIL}` }];
    for (const value of junk) {
      it(`passes over ${JSON.stringify(value)} in every field`, () => {
        const exec = { exec: { command: value } };
        const fields = { command: value, args: value, env: value, envFrom: value, lifecycle: value };
        assert.deepEqual(fromContainer({ ...fields, startupProbe: value, livenessProbe: exec }), []);
        assert.deepEqual(fromContainer({ lifecycle: { postStart: value, preStop: exec } }), []);
      });
    }

    it('takes the same URI at one place for one use, and keeps several', () => {
      assert.deepEqual(fromContainer({ args: [`oci://${EVIL} oci://${EVIL} oci://other.test/m`] }), [
        found('args[0]'),
        found('args[0]', 'other.test/m'),
      ]);
    });

    it('refuses a URI that is no reference instead of passing over it', () => {
      for (const uri of [
        'oci://',
        'oci:///x',
        'oci://short',
        'oci://u:p@reg.example/m',
        'oci://reg.example/%6d',
      ])
        assert.deepEqual(fromContainer({ args: [uri] }), [`ReferenceInvalid ${C}.args[0]`]);
    });
  });

  describe('with variables', () => {
    const name = (name: string, value: string): object => ({ name, value });
    const from = (name: string): object => ({
      name,
      valueFrom: { fieldRef: { fieldPath: 'metadata.name' } },
    });

    const table: readonly (readonly [string, object, readonly string[]])[] = [
      ['expands a variable', { env: [name('R', EVIL)], args: ['oci://$(R)'] }, [found('args[0]')]],
      [
        'joins a URI that is split over two',
        { env: [name('A', 'oci:'), name('B', `//${EVIL}`)], args: ['$(A)$(B)'] },
        [found('args[0]')],
      ],
      [
        'joins mixed case',
        { env: [name('A', 'oC'), name('B', `I://${EVIL}`)], args: ['$(A)$(B)'] },
        [found('args[0]')],
      ],
      [
        'follows a variable of variables',
        { env: [name('A', 'oci'), name('B', `$(A)://${EVIL}`)], args: ['$(B)'] },
        [found('args[0]'), found('env[1].value')],
      ],
      [
        'does not expand what an escape protects',
        { env: [name('R', 'good.test/m')], args: ['oci://$$(R)'] },
        [unresolvable('args[0]')],
      ],
      ['reads an escaped dollar before the scheme', { args: [`$$oci://${EVIL}`] }, [found('args[0]')]],
      ['refuses an unknown name', { args: ['oci://$(R)/m'] }, [unresolvable('args[0]')]],
      [
        'refuses a name that is defined later, as the kubelet leaves it',
        { env: [name('A', 'oci://$(B)'), name('B', EVIL)] },
        [unresolvable('env[0].value')],
      ],
      ['refuses a shell variable', { args: ['oci://${R}/m'] }, [`UnresolvableReference ${C}.args[0]`]],
      [
        'refuses a value from elsewhere',
        { env: [from('R')], args: ['oci://$(R)/m'] },
        [unresolvable('args[0]')],
      ],
      [
        'refuses a name that envFrom may define',
        { envFrom: [{ configMapRef: { name: 'x' } }], args: ['oci://$(R)/m'] },
        [unresolvable('args[0]')],
      ],
      [
        'refuses such a name in a variable too',
        { envFrom: [{ secretRef: {} }], env: [name('A', 'oci://$(R)/m')] },
        [unresolvable('env[0].value')],
      ],
      [
        'finds nothing where nothing looks like a model',
        { env: [from('R')], args: ['--host=$(R)', '$(X)', '$'] },
        [],
      ],
      [
        'reads both of two entries of one name',
        { env: [name('M', `oci://${EVIL}`), name('M', 'oci://other.test/m')] },
        [found('env[0].value'), found('env[1].value', 'other.test/m')],
      ],
    ];
    for (const [what, container, expected] of table) {
      it(what, () => assert.deepEqual(fromContainer(container), expected));
    }

    it('expands a variable by what stood before it, although a later entry renames that', () => {
      const env = [name('A', 'oci'), name('B', `$(A)://${EVIL}`), name('A', 'x')];
      assert.deepEqual(fromContainer({ env }), [found('env[1].value')]);
    });

    it('finds a split URI beside a variable that cannot be resolved', () => {
      const env = [from('POD'), name('COLON', ':')];
      assert.deepEqual(fromContainer({ env, args: [`$(POD) --model=oci$(COLON)//${EVIL}`] }), [
        unresolvable('args[0]'),
      ]);
      assert.deepEqual(fromContainer({ env, envFrom: [{}], args: [`$(X) oci$(COLON)//${EVIL}`] }), [
        unresolvable('args[0]'),
      ]);
    });

    it('finds a URI whose scheme stands in a half resolved variable', () => {
      const env = [from('POD'), name('A', '$(POD) oci:')];
      assert.deepEqual(fromContainer({ env, args: [`$(A)//${EVIL}`] }), [unresolvable('args[0]')]);
    });

    it('does not lose a split URI in padding that is too long to expand', () => {
      const env = [name('COLON', ':'), name('PAD', 'x'.repeat(200))];
      for (const args of [
        [`oci$(COLON)//${EVIL} ${'x'.repeat(70_000)}`],
        [`${'x'.repeat(70_000)} oci$(COLON)//${EVIL}`],
        [`${'$(PAD)'.repeat(12_000)} oci$(COLON)//${EVIL}`],
      ])
        assert.deepEqual(fromContainer({ env, args }), [unresolvable('args[0]')]);
    });

    it('does not lose a URI behind an expansion that was cut in another variable', () => {
      const env = [name('PAD', 'x'.repeat(60_000)), name('A', `$(PAD)$(PAD)oci://${EVIL}`)];
      assert.deepEqual(fromContainer({ env, args: ['$(A)'] }), [
        unresolvable('args[0]'),
        unresolvable('env[1].value'),
      ]);
    });

    it('leaves long scripts without models alone', () => {
      const script = 'if [ "$x" = "$(date)" ]; then echo https://reg.example; fi;'.repeat(2000);
      assert.deepEqual(fromContainer({ env: [name('X', 'y')], args: ['-c', script] }), []);
    });

    it('finds the URI however it is cut into variables', () => {
      const uri = `oci://${EVIL}`;
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 0, max: uri.length }), { maxLength: 5 }),
          fc.boolean(),
          (cuts, asEnv) => {
            const bounds = [0, ...cuts.toSorted((a, b) => a - b), uri.length];
            const pieces = bounds.slice(1).map((end, index) => uri.slice(bounds[index], end));
            const env = pieces.map((value, index) => name(`P${index}`, value));
            const joined = pieces.map((_, index) => `$(P${index})`).join('');
            const container = asEnv ? { env: [...env, name('M', joined)] } : { env, args: [joined] };
            const place = asEnv ? `env[${env.length}].value` : 'args[0]';
            assert.ok(fromContainer(container).includes(found(place)));
          },
        ),
      );
    });
  });

  describe('of a hostile pod', () => {
    it('costs no more than the pod is long', () => {
      const slow = ('oci://'.repeat(170) + ')'.repeat(1020) + 'a ').repeat(30);
      const env = [{ name: 'A', value: 'x'.repeat(60_000) }];
      for (let index = 0; index < 30_000; index += 1) env.push({ name: `B${index}`, value: '$(A)$(A)y' });
      extract({ containers: [{ args: Array.from({ length: 20 }, () => slow) }, { env }] });
    });

    it('throws for no shape that JSON can have', () => {
      const key = fc.constantFrom(
        'volumes',
        'containers',
        'initContainers',
        'image',
        'reference',
        'env',
        'name',
        'value',
        'args',
        'exec',
        'lifecycle',
        '__proto__',
      );
      const { tree } = fc.letrec((tie) => ({
        tree: fc.oneof(
          { maxDepth: 6 },
          fc.constantFrom(null, 1, '', `oci://${EVIL}`, '$(A)', true),
          fc.array(tie('tree'), { maxLength: 3 }),
          fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
        ),
      }));
      fc.assert(
        fc.property(fc.dictionary(key, tree, { maxKeys: 5 }), (spec) => void extract(spec)),
        { numRuns: 1000 },
      );
    });
  });

  describe('of any kind', () => {
    const keys =
      'spec template predictor model storageUri storageUris storage uri canary lora adapters workerSpec prefill ' +
      'leaderWorkerTemplate workerTemplate router volumes csi driver volumeAttributes image ephemeral metadata ' +
      'volumeClaimTemplate containers initContainers name args command env value valueFrom __proto__ ' +
      'model.csi.modelpack.org/reference';
    const texts =
      'modelcar storage-initializer model-weights-downloader MODELKIT_REF model.csi.modelpack.org ' +
      `container-image.csi.k8s.io oras pull s3://x oci://${EVIL}`;
    const key = fc.constantFrom(...keys.split(' '));
    const leaf = fc.oneof(fc.constantFrom(...texts.split(' ')), fc.constantFrom(null, 1, '', true));
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 7 },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
      ),
    }));

    it('throws for no shape that JSON can have', () => {
      fc.assert(
        fc.property(fc.dictionary(key, tree, { maxKeys: 5 }), (spec) => {
          for (const { group, kind } of WORKLOAD_KINDS) {
            const workload = toWorkload(group, kind, { spec });
            if (workload !== undefined) extractModels(workload);
          }
        }),
        { numRuns: 500 },
      );
    });

    it('loses no image and no URI, whatever containers are called and wherever they stand', () => {
      const name = fc.constantFrom(
        'app',
        'modelcar',
        'modelcar-init-3',
        'storage-initializer',
        'kitops-init',
      );
      const list = fc.constantFrom('containers', 'initContainers', 'ephemeralContainers');
      fc.assert(
        fc.property(name, list, (given, where) => {
          const container = { name: given, image: MODEL, args: [`oci://${EVIL}`, '/mnt'] };
          const { references, images } = extract({ [where]: [container] });
          const found = [...references, ...images].flatMap(({ source, otherSources = [], reference }) =>
            [source, ...otherSources].map((each) => `${each} ${reference.original}`),
          );
          assert.ok(found.includes(`ContainerImage ${MODEL}`) && found.includes(`URI ${EVIL}`));
        }),
      );
    });
  });

  it('reads every source of a storage initializer, more than KServe itself writes', () => {
    for (const count of [10, 40]) {
      const sources = Array.from({ length: count }, (_, n) => [
        `oci://reg.example/m${n}@${DIGEST}`,
        `/mnt/${n}`,
      ]);
      const { references, findings } = extract({
        initContainers: [{ name: 'storage-initializer', args: sources.flat() }],
      });
      assert.deepEqual([references.length, findings.length], [count, count]);
    }
  });

  it('keeps apart what reads the same in a message', () => {
    const uri = (tail: string): string => `oci://$(R)/${'x'.repeat(400)}${tail}`;
    const { findings } = extract({ containers: [{ args: [`${uri('a')} ${uri('b')}`] }] });
    assert.equal(findings.length, 2);
    assert.equal(new Set(findings.map(({ message }) => message)).size, 1);
  });

  it('shows no path that an object made up', () => {
    const predictor = {
      'x\n\u001b[31m': { storageUri: `oci://${EVIL}` },
      other: { storageUri: `oci://${EVIL}` },
    };
    const workload = toWorkload('serving.kserve.io', 'InferenceService', { spec: { predictor } });
    assert.ok(workload);
    assert.deepEqual(
      extractModels(workload).references.map(({ fieldPath }) => fieldPath),
      ['spec.predictor.other.storageUri'],
    );
  });

  it('reads pod templates at their own path, whatever labels and annotations say', () => {
    const workload = toWorkload('batch', 'CronJob', {
      spec: {
        jobTemplate: {
          spec: {
            template: {
              metadata: { annotations: { 'modelpolicy.dev/skip': 'true' } },
              spec: { volumes: [{ image: { reference: MODEL } }] },
            },
          },
        },
      },
    });
    assert.ok(workload);
    assert.equal(
      extractModels(workload).references[0]?.fieldPath,
      'spec.jobTemplate.spec.template.spec.volumes[0].image.reference',
    );
  });

  it('does not let a digest that only others read hide a container image', () => {
    const sha384 = `reg.example/models/x:v1@sha384:${'a'.repeat(96)}`;
    const workload = toWorkload('', 'Pod', { spec: { containers: [{ image: sha384 }] } });
    assert.ok(workload);
    const [image] = extractModels(workload).images;
    assert.equal(image?.reference.repository, 'models/x');
    assert.equal(image?.reference.digest, undefined);
    assert.equal(image?.reference.original, sha384);
  });
});
