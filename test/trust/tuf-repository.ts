// A TUF repository that really signs, with every step an attacker could take: keys, roles and files are plain state.
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

export type Role = 'root' | 'timestamp' | 'snapshot' | 'targets';
export interface TestKey {
  readonly id: string;
  /** Raw public key in hex, as TUF writes Ed25519 keys. */
  readonly hex: string;
  readonly privateKey: KeyObject;
}
interface RoleKeys {
  keys: readonly TestKey[];
  threshold: number;
}

export const DAY_MS = 86_400_000;

export function createKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const hex = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
  return { hex, privateKey, id: createHash('sha256').update(hex).digest('hex') };
}

/** Canonical JSON for the ASCII strings and integers that are used here. */
export function canonicalize(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalize).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, member]) => `${JSON.stringify(name)}:${canonicalize(member)}`).join(',')}}`;
}

export function signDocument(signed: object, keys: readonly TestKey[]): Buffer {
  const bytes = Buffer.from(canonicalize(signed));
  const signatures = keys.map(({ id, privateKey }) => ({
    keyid: id,
    sig: sign(null, bytes, privateKey).toString('hex'),
  }));
  return Buffer.from(JSON.stringify({ signatures, signed }));
}

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

export class TestRepository {
  /** What the mirror serves, by path. */
  readonly files = new Map<string, Buffer>();
  readonly roles: Record<Role, RoleKeys>;
  readonly versions: Record<Role, number> = { root: 0, timestamp: 0, snapshot: 0, targets: 0 };
  readonly expires: Record<Role, Date>;
  targets: Map<string, Buffer>;
  /** Further members of targets.json, such as delegations. */
  targetsExtra: object = {};

  constructor(trustedRoot: Buffer) {
    const one = (): RoleKeys => ({ keys: [createKey()], threshold: 1 });
    this.roles = { root: one(), timestamp: one(), snapshot: one(), targets: one() };
    const later = new Date(Date.now() + 30 * DAY_MS);
    this.expires = { root: later, timestamp: later, snapshot: later, targets: later };
    this.targets = new Map([['trusted_root.json', trustedRoot]]);
    this.publishRoot();
    this.publish();
  }

  /** The newest root.json. */
  get root(): Buffer {
    return this.files.get(`${this.versions.root}.root.json`) ?? Buffer.alloc(0);
  }

  /** Publishes the next root version, signed by `signers`. */
  publishRoot(signers: readonly TestKey[] = this.roles.root.keys, extra: object = {}): Buffer {
    this.versions.root += 1;
    const keys: Record<string, object> = {};
    const roles: Record<string, object> = {};
    for (const [name, role] of Object.entries(this.roles)) {
      roles[name] = { keyids: role.keys.map(({ id }) => id), threshold: role.threshold };
      for (const { id, hex } of role.keys)
        keys[id] = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: hex } };
    }
    const signed = { ...this.#header('root'), consistent_snapshot: false, keys, roles, ...extra };
    const bytes = signDocument(signed, signers);
    this.files.set(`${this.versions.root}.root.json`, bytes);
    return bytes;
  }

  /** Publishes the next targets, snapshot and timestamp; `claim` changes what the metadata says about targets. */
  publish(claim: (name: string, entry: Record<string, unknown>) => object = (_name, entry) => entry): void {
    this.versions.targets += 1;
    const targets: Record<string, object> = {};
    for (const [name, bytes] of this.targets) {
      targets[name] = claim(name, { length: bytes.length, hashes: { sha256: hash(bytes) } });
      this.files.set(`targets/${name}`, bytes);
    }
    this.#write('targets', { targets, ...this.targetsExtra });
    this.publishSnapshot();
  }

  publishSnapshot(): void {
    this.versions.snapshot += 1;
    this.#write('snapshot', { meta: { 'targets.json': { version: this.versions.targets } } });
    this.publishTimestamp();
  }

  publishTimestamp(): void {
    this.versions.timestamp += 1;
    const bytes = this.files.get('snapshot.json') ?? Buffer.alloc(0);
    const meta = { version: this.versions.snapshot, length: bytes.length, hashes: { sha256: hash(bytes) } };
    this.#write('timestamp', { meta: { 'snapshot.json': meta } });
  }

  /** A copy of everything that is served, to be served again later. */
  capture(): ReadonlyMap<string, Buffer> {
    return new Map(this.files);
  }

  restore(files: ReadonlyMap<string, Buffer>): void {
    this.files.clear();
    for (const [path, bytes] of files) this.files.set(path, bytes);
  }

  #write(role: Role, body: object): void {
    this.files.set(`${role}.json`, signDocument({ ...this.#header(role), ...body }, this.roles[role].keys));
  }

  #header(role: Role): object {
    const expires = `${this.expires[role].toISOString().slice(0, 19)}Z`;
    return { _type: role, spec_version: '1.0.31', version: this.versions[role], expires };
  }
}
