// How does a log prove that it holds an entry? The Merkle tree of RFC 6962: root and inclusion proofs.
// Leaves what entries mean, and signing the root, to transparency-log.ts.
import { createHash } from 'node:crypto';

/** An append-only tree over entries. */
export class MerkleTree {
  readonly #leaves: Buffer[] = [];
  // Roots of complete subtrees never change, so appending stays cheap in long test runs.
  readonly #complete = new Map<string, Buffer>();

  get size(): number {
    return this.#leaves.length;
  }

  /** Adds an entry and returns its index. */
  append(entry: Buffer): number {
    this.#leaves.push(
      createHash('sha256')
        .update(Buffer.from([0]))
        .update(entry)
        .digest(),
    );
    return this.#leaves.length - 1;
  }

  /** The hash over all entries. */
  root(): Buffer {
    return this.#hash(0, this.size);
  }

  /** The hashes that lead from the entry at this index to the root, lowest first. */
  proof(index: number): Buffer[] {
    return this.#path(index, 0, this.size);
  }

  #path(index: number, start: number, end: number): Buffer[] {
    if (end - start <= 1) return [];
    const middle = start + splitPoint(end - start);
    return index < middle
      ? [...this.#path(index, start, middle), this.#hash(middle, end)]
      : [...this.#path(index, middle, end), this.#hash(start, middle)];
  }

  #hash(start: number, end: number): Buffer {
    const size = end - start;
    if (size === 0) return createHash('sha256').digest();
    if (size === 1) return this.#leaves[start] ?? Buffer.alloc(0);
    const key = `${start}-${end}`;
    const known = this.#complete.get(key);
    if (known !== undefined) return known;
    const half = splitPoint(size);
    const hash = createHash('sha256')
      .update(Buffer.from([1]))
      .update(this.#hash(start, start + half))
      .update(this.#hash(start + half, end))
      .digest();
    if (half * 2 === size) this.#complete.set(key, hash);
    return hash;
  }
}

// The largest power of two below the size.
function splitPoint(size: number): number {
  return 2 ** (31 - Math.clz32(size - 1));
}
