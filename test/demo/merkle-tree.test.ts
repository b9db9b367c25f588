// Is the tree that of RFC 6962, and does every proof lead to its root?
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { MerkleTree } from '../../src/demo/merkle-tree.ts';

// The reference entries of the certificate transparency project and the roots of their trees.
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = new Map([
  [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
  [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
  [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
]);

function sha256(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function trailingZeros(n: number): number {
  return n === 0 ? 0 : 31 - Math.clz32(n & -n);
}

// RFC 9162, 2.1.3.2: written from the verifier's side, so that it shares nothing with the tree.
function rootFromProof(entry: Buffer, index: number, size: number, proof: readonly Buffer[]): Buffer {
  let [node, last] = [index, size - 1];
  let hash = sha256(Buffer.from([0]), entry);
  for (const sibling of proof) {
    const onRight = node % 2 === 1 || node === last;
    hash = onRight ? sha256(Buffer.from([1]), sibling, hash) : sha256(Buffer.from([1]), hash, sibling);
    // A right edge that is a left child has no sibling on its level: those levels are skipped.
    const skipped = onRight ? trailingZeros(node) : 0;
    [node, last] = [node >> (skipped + 1), last >> (skipped + 1)];
  }
  assert.equal(last, 0);
  return hash;
}

describe('MerkleTree', () => {
  it('has the roots of the reference trees', () => {
    const tree = new MerkleTree();
    assert.equal(tree.root().toString('hex'), ROOTS.get(0));
    for (const entry of ENTRIES) {
      tree.append(Buffer.from(entry, 'hex'));
      const expected = ROOTS.get(tree.size);
      if (expected !== undefined) assert.equal(tree.root().toString('hex'), expected);
    }
  });

  it('proves every entry of every tree up to 40 entries', () => {
    const tree = new MerkleTree();
    for (let size = 1; size <= 40; size += 1) {
      assert.equal(tree.append(Buffer.from([size - 1])), size - 1);
      for (let index = 0; index < size; index += 1) {
        const root = rootFromProof(Buffer.from([index]), index, size, tree.proof(index));
        assert.deepEqual(root, tree.root(), `${index} of ${size}`);
      }
    }
  });
});
