// What does selection cost with many policies? 1,000 ClusterModelPolicies, a tenth of them for one namespace each, in 500
// namespaces: the time to select for a request and to take up a changed policy, as ratios to looking at every policy and
// compiling them all, in rounds that take turns; and the memory of a world in which every namespace was asked about.
// Prints; asserts nothing about time. Run: node --expose-gc bench/select.ts [rounds]
import { generateSigningKey } from '../src/demo/keys.ts';
import { parseReference } from '../src/model/reference.ts';
import type { ModelReference } from '../src/model/model-reference.ts';
import { createCelEngine } from '../src/policy/cel/engine.ts';
import type { CompiledPolicy } from '../src/policy/compiled.ts';
import { selectByReference } from '../src/policy/select.ts';
import { createPolicyStore, type PolicyInputs, type PolicyStore } from '../src/policy/store.ts';
import { offlineTrust } from '../test/support/trust.ts';

const POLICIES = 1000;
const NAMESPACES = 500;
const REGISTRIES = 50;
const rounds = Number(process.argv[2] ?? 7);
const pem = generateSigningKey('p256').publicKeyPem;

const specs = Array.from({ length: POLICIES }, (_, n) => ({
  ...(n % 10 === 0 && {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': `ns-${(n / 10) % NAMESPACES}` } },
  }),
  ...(n % 10 === 1 && {
    matchConditions: [{ name: 'no', expression: "!namespaceObject.metadata.name.startsWith('sandbox-')" }],
  }),
  models: [{ glob: `registry-${n % REGISTRIES}.example.com/team-${n}/**` }],
  authorities: [{ name: 'team', key: { pem } }],
  validations: [{ expression: "model.layers.all(l, l.class == 'rawFile')" }],
}));
const toInputs = (changed?: number): PolicyInputs => ({
  policies: specs.map((spec, n) => ({
    name: `policy-${n}`,
    spec: n === changed ? { ...spec, digest: 'Resolve' } : spec,
  })),
  trustRoots: new Map(),
  material: new Map(),
  namespaces: new Map(
    Array.from({ length: NAMESPACES }, (_, n) => [`ns-${n}`, { metadata: { name: `ns-${n}` } }]),
  ),
  unlistedNamespaces: 'Unknown',
});

function toUse(text: string): ModelReference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return { reference: parsed.reference, source: 'ImageVolume', fieldPath: 'spec.volumes[0].image.reference' };
}
const uses = Array.from({ length: 64 }, (_, n) =>
  toUse(`registry-${n % REGISTRIES}.example.com/team-${n}/llm`),
);

const engine = createCelEngine();
const trust = offlineTrust();
const open = (): PolicyStore => createPolicyStore(engine, 'system', trust);

/** Milliseconds of one run. */
function time(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** As without memory and index: every policy is asked about the namespace, and each of those about the use. */
function selectPlainly(
  policies: readonly CompiledPolicy[],
  store: PolicyStore,
  name: string,
  use: ModelReference,
): number {
  const namespace = store.snapshot()?.findNamespace(name);
  const ofNamespace = policies.filter(({ matchesNamespace }) => matchesNamespace(namespace?.labels ?? {}));
  return ofNamespace.filter((policy) => selectByReference([policy], use).length > 0).length;
}

function select(store: PolicyStore, name: string, use: ModelReference): number {
  const world = store.snapshot();
  const namespace = world?.findNamespace(name);
  if (world === undefined || namespace === undefined) throw new Error('no world');
  return selectByReference(world.select(namespace, { namespace: name, operation: 'CREATE' }), use).length;
}

function median(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${(sorted[sorted.length >> 1] ?? 0).toFixed(1)} (${(sorted[0] ?? 0).toFixed(1)}–${(sorted.at(-1) ?? 0).toFixed(1)})`;
}

const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

const store = open();
const empty = heap();
store.update(toInputs());
const compiled = heap();
const policies = store.snapshot()?.policies ?? [];
const names = Array.from({ length: NAMESPACES }, (_, n) => `ns-${n}`);
const cold = time(() =>
  names.forEach((name, n) => select(store, name, uses[n % uses.length] as ModelReference)),
);
const selected = heap();

const [selections, updates]: [number[], number[]] = [[], []];
let perRequest = 0;
for (let round = 0; round < rounds; round += 1) {
  const each = (run: (name: string, use: ModelReference) => number): number =>
    time(() => names.slice(0, 50).forEach((name, n) => run(name, uses[n % uses.length] as ModelReference)));
  const plain = each((name, use) => selectPlainly(policies, store, name, use));
  const indexed = each((name, use) => select(store, name, use));
  perRequest = indexed / 50;
  selections.push(plain / indexed);
  const everything = time(() => open().update(toInputs(round)));
  const one = time(() => store.update(toInputs(round)));
  updates.push(everything / one);
  each((name, use) => select(store, name, use));
}
trust.stop();

console.log(`${POLICIES} policies, ${NAMESPACES} namespaces, ${REGISTRIES} registries, ${rounds} rounds`);
console.log(
  `selection, times faster than by every policy: ${median(selections)}; ${(perRequest * 1000).toFixed(1)} µs`,
);
console.log(`first selection of a namespace: ${((cold / NAMESPACES) * 1000).toFixed(0)} µs`);
console.log(`one changed policy, times faster than compiling all: ${median(updates)}`);
console.log(
  `heap: compiled ${(compiled - empty).toFixed(1)} MiB, all namespaces ${(selected - compiled).toFixed(1)} MiB`,
);
