// Do variables expand as in the kubelet (k8s.io/kubernetes third_party/forked/golang/expansion)?
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  createExpansionBudget,
  expandVariables,
  toContainer,
  toContainers,
  toEnvironment,
  type Environment,
} from '../../src/model/container.ts';

function environment(env: unknown, envFrom?: unknown): Environment {
  const container = toContainer({ env, envFrom }, 'containers', 'spec.containers[0]');
  return toEnvironment(container, createExpansionBudget());
}

function expand(text: string, env: unknown = [], envFrom?: unknown): string {
  const { text: out, isComplete, isCut } = expandVariables(text, environment(env, envFrom));
  return `${out}${isComplete ? '' : ' (incomplete)'}${isCut ? ' (cut)' : ''}`;
}

// A transcription of the kubelet's loop, byte for byte on ASCII.
function expandAsKubelet(input: string, values: ReadonlyMap<string, string>): string {
  let out = '';
  let checkpoint = 0;
  for (let cursor = 0; cursor < input.length; cursor += 1) {
    if (input[cursor] !== '$' || cursor + 1 >= input.length) continue;
    out += input.slice(checkpoint, cursor);
    const rest = input.slice(cursor + 1);
    const close = rest.indexOf(')');
    if (rest.startsWith('$')) {
      out += '$';
      cursor += 1;
    } else if (!rest.startsWith('(')) {
      out += `$${rest[0] ?? ''}`;
      cursor += 1;
    } else if (close === -1) {
      out += '$(';
      cursor += 1;
    } else {
      const name = rest.slice(1, close);
      out += values.get(name) ?? `$(${name})`;
      cursor += close + 1;
    }
    checkpoint = cursor + 1;
  }
  return out + input.slice(checkpoint);
}

describe('expandVariables()', () => {
  const env = [
    { name: 'A', value: 'oci' },
    { name: 'EMPTY', value: '' },
    { name: 'DOLLARS', value: '$$(A)' },
    { name: 'NEXT', value: '$(A)/$(LATER)' },
    { name: 'LATER', value: 'late' },
    { name: 'SECRET', valueFrom: { secretKeyRef: {} } },
    { name: 'UNSET' },
    { name: '$(A', value: 'odd' },
  ];
  const table: readonly (readonly [string, string])[] = [
    ['', ''],
    ['plain', 'plain'],
    ['$(A)://x', 'oci://x'],
    ['$(A)$(A)', 'ocioci'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$oci'],
    ['$$$$(A)', '$$(A)'],
    ['$(EMPTY)', ''],
    ['$(UNSET)', ''],
    ['$(DOLLARS)', '$(A)'],
    ['$(NEXT)', 'oci/$(LATER)'],
    ['$(NOPE)', '$(NOPE)'],
    ['$(A', '$(A'],
    ['$A', '$A'],
    ['$', '$'],
    ['$$', '$'],
    ['x$', 'x$'],
    ['$()', '$()'],
    ['$( A)', '$( A)'],
    ['$(a)', '$(a)'],
    ['${A}', '${A}'],
    ['$($(A))', 'odd)'],
    ['$x$(A)', '$xoci'],
    ['$(SECRET)', '$(SECRET) (incomplete)'],
    ['a$(SECRET)b$(A)', 'a$(SECRET)boci (incomplete)'],
  ];
  for (const [text, expected] of table) {
    it(`expands ${JSON.stringify(text)}`, () => assert.equal(expand(text, env), expected));
  }

  it('agrees with the kubelet on any ASCII text', () => {
    const unit = fc.constantFrom(...'$()ABC '.split(''), '$(', '$(A)', '$(B)');
    const text = fc.string({ unit, maxLength: 16 });
    const entries = fc.array(fc.record({ name: fc.constantFrom('A', 'B', 'C', '$(A'), value: text }), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(entries, text, (entries, argument) => {
        const values = new Map<string, string>();
        const { entries: read } = environment(entries);
        for (const [index, { name, value }] of entries.entries()) {
          const expected = expandAsKubelet(value, values);
          assert.equal(read[index]?.expanded.text, expected);
          values.set(name, expected);
        }
        assert.equal(expand(argument, entries), expandAsKubelet(argument, values));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes an unknown name for one that envFrom may define', () => {
    assert.equal(expand('$(X)', [], [{ configMapRef: {} }]), '$(X) (incomplete)');
    assert.equal(expand('$(X)', [{ name: 'X', value: 'x' }], [{ configMapRef: {} }]), 'x');
    assert.equal(expand('$$(X)', [], [{}]), '$(X)');
    assert.equal(expand('$(X)', [], []), '$(X)');
  });

  it('lets the last of several entries count in arguments', () => {
    const twice = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2$(A)' },
    ];
    assert.equal(expand('$(A)', twice), '21');
    assert.equal(expand('$(A)', [...twice, { name: 'A', valueFrom: {} }]), '$(A) (incomplete)');
    assert.equal(expand('$(A)', [{ name: 'A', valueFrom: {} }, ...twice]), '21');
  });

  it('cuts what grows beyond all use, and says so', () => {
    const big = [{ name: 'A', value: 'x'.repeat(60_000) }];
    assert.match(expand('$(A)$(A)', big), /\(incomplete\) \(cut\)$/);
    assert.equal(expand('$(A)', big).length, 60_000);
    const doubling = Array.from({ length: 40 }, (_, i) => ({
      name: `V${i}`,
      value: i === 0 ? 'x'.repeat(1000) : `$(V${i - 1})$(V${i - 1})`,
    }));
    assert.match(expand('$(V39)', doubling), /\(cut\)$/);
  });

  it('leaves long text alone that no variable made long', () => {
    const script = `${'echo $(date) $x $$;'.repeat(10_000)}end`;
    assert.match(expand(script), /end$/);
  });

  it('bounds the memory that many small variables can ask for', () => {
    const env = [{ name: 'A', value: 'x'.repeat(60_000) }];
    for (let index = 0; index < 20_000; index += 1) env.push({ name: `B${index}`, value: '$(A)y' });
    const { entries } = environment(env);
    const total = entries.reduce((sum, { expanded }) => sum + (expanded.isCut ? 0 : expanded.text.length), 0);
    assert.ok(total < 3 * 1024 * 1024, String(total));
    assert.ok(entries.at(-1)?.expanded.isCut);
  });
});

describe('toEnvironment()', () => {
  it('passes over whatever is no entry', () => {
    for (const env of [undefined, null, {}, 'x', 1, [null, 1, 'x', [], {}, { name: 1, value: 'v' }]])
      assert.equal(environment(env).values.size, 0);
    assert.deepEqual([...environment([{ name: 'A', value: 5 }]).values.keys()], ['A']);
  });

  it('holds names of Object.prototype like any other', () => {
    assert.equal(expand('$(constructor)$(__proto__)'), '$(constructor)$(__proto__)');
    assert.equal(expand('$(__proto__)', [{ name: '__proto__', value: 'x' }]), 'x');
  });

  it('is open only with an envFrom', () => {
    for (const envFrom of [undefined, null, [], {}]) assert.equal(environment([], envFrom).isOpen, false);
    assert.equal(environment([], [{}]).isOpen, true);
  });
});

describe('toContainers()', () => {
  it('lists every container with its path', () => {
    const spec = {
      containers: [{ name: 'a' }, null],
      initContainers: ['x', { name: 'b', restartPolicy: 'Always' }],
      ephemeralContainers: [{ name: 'c' }],
    };
    assert.deepEqual(
      toContainers(spec, 'spec.template.spec').map(({ path }) => path),
      [
        'spec.template.spec.containers[0]',
        'spec.template.spec.initContainers[1]',
        'spec.template.spec.ephemeralContainers[0]',
      ],
    );
  });

  it('reads lists only', () => {
    for (const containers of [undefined, null, {}, 'x', 5, { 0: { name: 'a' }, length: 1 }])
      assert.deepEqual(toContainers({ containers }, 'spec'), []);
  });
});
