// Do inclusion proofs lead to the root for every place in every tree, and for nothing else?
import assert from 'node:assert/strict';
import { MerkleTree } from '../../src/demo/merkle-tree.ts';
import { toRootHash } from '../../src/signature/merkle.ts';

const leafOf = (index: number): Buffer => Buffer.from(`leaf ${index}`);

describe('toRootHash', () => {
  it('finds the root for every leaf of every tree up to 33 leaves', () => {
    const tree = new MerkleTree();
    for (let size = 1; size <= 33; size += 1) {
      tree.append(leafOf(size - 1));
      for (let index = 0; index < size; index += 1) {
        const path = { index: BigInt(index), size: BigInt(size), hashes: tree.proof(index) };
        assert.ok(toRootHash(leafOf(index), path)?.equals(tree.root()), `${index} of ${size}`);
      }
    }
  });

  it('finds no root, or another one, for a proof that was changed', () => {
    const tree = new MerkleTree();
    for (let index = 0; index < 11; index += 1) tree.append(leafOf(index));
    for (let index = 0; index < 11; index += 1) {
      const good = { index: BigInt(index), size: 11n, hashes: tree.proof(index) };
      const wrong = [
        { ...good, hashes: good.hashes.slice(1) },
        { ...good, hashes: good.hashes.slice(0, -1) },
        { ...good, hashes: [...good.hashes, Buffer.alloc(32)] },
        { ...good, hashes: good.hashes.toReversed().map((hash, n) => (n === 0 ? Buffer.alloc(32) : hash)) },
        { ...good, hashes: good.hashes.map((hash) => hash.subarray(1)) },
        { ...good, index: BigInt((index + 1) % 11) },
        { ...good, index: -1n },
        { ...good, index: 11n },
        { ...good, size: 0n },
      ];
      for (const path of wrong) assert.ok(toRootHash(leafOf(index), path)?.equals(tree.root()) !== true);
      assert.ok(toRootHash(leafOf(index + 1), good)?.equals(tree.root()) !== true);
    }
  });

  it('finds no root at all for an index outside the tree, surplus hashes, or hashes of another length', () => {
    const tree = new MerkleTree();
    for (let index = 0; index < 4; index += 1) tree.append(leafOf(index));
    const good = { index: 0n, size: 4n, hashes: tree.proof(0) };
    assert.ok(toRootHash(leafOf(0), good)?.equals(tree.root()));
    // The low bits alone would lead to the root.
    for (const index of [4n, 8n, -4n]) assert.equal(toRootHash(leafOf(0), { ...good, index }), undefined);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = good.hashes;
    for (const hashes of [
      [first, second, second],
      [first.subarray(1), second],
      [first, Buffer.concat([second, second])],
    ])
      assert.equal(toRootHash(leafOf(0), { ...good, hashes }), undefined);
  });
});
