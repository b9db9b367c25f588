// Are label selectors those of Kubernetes, whatever a label is called?
import assert from 'node:assert/strict';
import { compileLabelSelector } from '../../src/policy/label-selector.ts';
import type { LabelExpression, LabelSelector } from '../../src/policy/types.ts';

const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

function matches(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  const compiled = compileLabelSelector(selector);
  assert.ok(compiled.ok);
  return compiled.matches(labels);
}

const expression = (operator: string, values: string[] | undefined, key = 'tier'): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) } as LabelExpression],
});

describe('compileLabelSelector', () => {
  it('selects everything when it is absent or empty', () => {
    for (const selector of [undefined, {}, { matchLabels: {} }, { matchExpressions: [] }])
      assert.ok(matches(selector, {}));
  });

  const table: [LabelSelector, Record<string, string>, boolean][] = [
    [{ matchLabels: { tier: 'prod' } }, { tier: 'prod' }, true],
    [{ matchLabels: { tier: 'prod' } }, { tier: 'prod2' }, false],
    [{ matchLabels: { tier: 'prod' } }, {}, false],
    [{ matchLabels: { tier: 'prod', a: 'b' } }, { tier: 'prod' }, false],
    [{ matchLabels: { tier: '' } }, {}, false],
    [{ matchLabels: { tier: '' } }, { tier: '' }, true],
    [expression('In', ['a', 'b']), { tier: 'b' }, true],
    [expression('In', ['a', 'b']), { tier: 'c' }, false],
    [expression('In', ['a', '']), {}, false],
    [expression('NotIn', ['a']), { tier: 'a' }, false],
    [expression('NotIn', ['a']), { tier: 'b' }, true],
    [expression('NotIn', ['a']), {}, true],
    [expression('NotIn', ['a', '']), {}, true],
    [expression('Exists', undefined), { tier: '' }, true],
    [expression('Exists', undefined), {}, false],
    [expression('DoesNotExist', undefined), {}, true],
    [expression('DoesNotExist', undefined), { tier: '' }, false],
    [{ matchLabels: { a: '1' }, ...expression('Exists', undefined) }, { a: '1' }, false],
  ];
  for (const [selector, labels, expected] of table)
    it(`${expected ? 'selects' : 'leaves'} ${JSON.stringify(labels)} with ${JSON.stringify(selector)}`, () => {
      assert.equal(matches(selector, labels), expected);
    });

  for (const name of NAMES)
    it(`finds ${name} only where it is a label`, () => {
      assert.equal(matches(expression('Exists', undefined, name), {}), false);
      assert.equal(matches(expression('DoesNotExist', undefined, name), {}), true);
      assert.equal(matches(expression('NotIn', ['x'], name), {}), true);
      assert.equal(matches(expression('In', ['x'], name), {}), false);
      const wanted = JSON.parse(`{"${name}":"x"}`) as Record<string, string>;
      assert.equal(matches({ matchLabels: wanted }, {}), false);
      assert.equal(matches({ matchLabels: wanted }, wanted), true);
    });

  for (const [operator, values] of [
    ['In', []],
    ['In', undefined],
    ['NotIn', []],
    ['Exists', ['a']],
    ['DoesNotExist', ['a']],
    ['Gt', ['1']],
    ['constructor', undefined],
  ] as const)
    it(`refuses ${operator} with ${JSON.stringify(values)}`, () => {
      assert.equal(
        compileLabelSelector(expression(operator, values === undefined ? undefined : [...values])).ok,
        false,
      );
    });
});
