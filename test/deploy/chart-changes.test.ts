// Are the steps that the chart takes those that lead from the base to the component?
import assert from 'node:assert/strict';
import { findChanges, type KubernetesObject } from '../../deploy/chart-changes.ts';

const thing = (spec: object, name = 'a'): KubernetesObject => ({ kind: 'Thing', metadata: { name }, spec });
const at = (path: readonly (string | number)[], step: object): object => ({
  kind: 'Thing',
  name: 'a',
  path,
  ...step,
});

describe('findChanges()', () => {
  for (const [what, before, after, expected] of [
    ['nothing', { a: 1, b: [1, { c: 2 }] }, { a: 1, b: [1, { c: 2 }] }, []],
    ['a changed member', { a: 1 }, { a: 2 }, [at(['spec'], { key: 'a', set: 2 })]],
    ['a new member', {}, { a: { b: 1 } }, [at(['spec'], { key: 'a', set: { b: 1 } })]],
    ['appended elements', { a: [1] }, { a: [1, 2, 3] }, [at(['spec'], { key: 'a', append: [2, 3] })]],
    [
      'a member of an element',
      { a: [{ b: 1 }, { b: 2 }] },
      { a: [{ b: 1 }, { b: 3 }] },
      [at(['spec', 'a', 1], { key: 'b', set: 3 })],
    ],
    [
      'a member of an element, and one more',
      { a: [{ b: 1 }] },
      { a: [{ b: 2 }, {}] },
      [at(['spec', 'a', 0], { key: 'b', set: 2 }), at(['spec'], { key: 'a', append: [{}] })],
    ],
    ['another element', { a: [1, 2] }, { a: [1, 3] }, [at(['spec'], { key: 'a', element: 1, set: 3 })]],
    [
      'another element, and one more',
      { a: [1, { b: 2 }] },
      { a: [{ c: 3 }, 4, 5] },
      [
        at(['spec'], { key: 'a', element: 0, set: { c: 3 } }),
        at(['spec'], { key: 'a', element: 1, set: 4 }),
        at(['spec'], { key: 'a', append: [5] }),
      ],
    ],
    ['a shorter list, as a whole', { a: [1, 2] }, { a: [1] }, [at(['spec'], { key: 'a', set: [1] })]],
    ['another type', { a: [1] }, { a: { b: 1 } }, [at(['spec'], { key: 'a', set: { b: 1 } })]],
  ] as const)
    it(`tells ${what}`, () => {
      assert.deepEqual(findChanges([thing(before)], [thing(after)]), { objects: [], changes: expected });
    });

  it('tells new objects, also of the same name in another namespace', () => {
    const elsewhere = { ...thing({}), metadata: { name: 'a', namespace: 'b' } };
    const { objects, changes } = findChanges([thing({})], [thing({}), elsewhere, thing({}, 'c')]);
    assert.deepEqual(objects, [elsewhere, thing({}, 'c')]);
    assert.deepEqual(changes, []);
  });

  it('refuses what no step does', () => {
    assert.throws(() => findChanges([thing({ a: 1 })], [thing({})]), /^Error: spec\.a is taken away$/);
    assert.throws(() => findChanges([thing({ a: 1 })], []), /^Error: Thing \/a is taken away$/);
  });
});
