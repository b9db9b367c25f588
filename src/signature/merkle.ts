// Is this leaf in the tree with this root? Merkle inclusion proofs of RFC 6962 and RFC 9162 §2.1.3.2.
import { createHash } from 'node:crypto';

const [LEAF, NODE] = [Buffer.from([0]), Buffer.from([1])];

/** Where a leaf is, and the hashes beside its path, from the bottom. */
export interface InclusionPath {
  readonly index: bigint;
  readonly size: bigint;
  readonly hashes: readonly Buffer[];
}

/** The root that the proof leads to, or undefined when the proof does not fit index and size. */
export function toRootHash(leaf: Buffer, { index, size, hashes }: InclusionPath): Buffer | undefined {
  if (index < 0n || index >= size || hashes.some(({ length }) => length !== 32)) return undefined;
  let [node, last] = [index, size - 1n];
  let root = sha256(LEAF, leaf);
  for (const hash of hashes) {
    if (last === 0n) return undefined;
    if (isOdd(node) || node === last) {
      root = sha256(NODE, hash, root);
      // The last node of a level without a sibling goes up unchanged.
      const levels = countLevels(node);
      [node, last] = [node >> levels, last >> levels];
    } else root = sha256(NODE, root, hash);
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n ? root : undefined;
}

function isOdd(node: bigint): boolean {
  return (node & 1n) === 1n;
}

// How often an even node can be halved until it is odd or 0.
function countLevels(node: bigint): bigint {
  let levels = 0n;
  for (let rest = node; rest !== 0n && !isOdd(rest); rest >>= 1n) levels += 1n;
  return levels;
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
