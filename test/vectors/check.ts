// Does the command line give the documented verdict for the documented reason? Serves one case from a registry on
// loopback, one way of discovery at a time, asks for each expectation, and counts what was requested.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { startRegistry, type RegistryHandle, type RegistryOptions } from '../../src/demo/registry.ts';
import { seedFromLayout } from '../../src/demo/seed-from-layout.ts';
import { readBlob, readLayerDigests, type Expectation, type VectorCase } from './cases.ts';
import { askVerify, type Answer } from './command-line.ts';
import { toPolicyFile, toSignatureFormats } from './policy-for-case.ts';
import { decide } from './postponed.ts';
import { blamesTheSetUp, findReasons } from './reasons.ts';

/** How a registry tells which signatures belong to an artifact. */
export interface Way {
  readonly name: string;
  readonly options: RegistryOptions;
}

const REFERRERS_API: Way = { name: 'referrers API', options: { referrersApi: true } };
const TAG_SCHEMA: Way = { name: 'tag schema', options: { referrersApi: false } };
const WRONG_TYPES: Way = {
  name: 'referrers API, wrong types',
  options: { referrersApi: true, listsConfigType: true },
};

/** The ways in which a case is served. */
export function waysOf({ id }: VectorCase): readonly Way[] {
  return [REFERRERS_API, TAG_SCHEMA, ...(id.endsWith('-ggcr') ? [WRONG_TYPES] : [])];
}

/** One case served one way, with the numbered expectations to ask. */
export interface Round {
  readonly vector: VectorCase;
  readonly way: Way;
  readonly expectations: readonly Expectation[];
}

/** One verdict that was asked for; `problem` says how it went wrong. */
export interface Outcome {
  readonly label: string;
  readonly problem?: string;
}

/** Asks for every expectation of a round. @param scratch directory for policy files */
export async function runRound(round: Round, scratch: string): Promise<readonly Outcome[]> {
  const { vector, way, expectations } = round;
  const registry = await startRegistry(way.options);
  try {
    seed(registry, vector);
    const outcomes: Outcome[] = [];
    for (const [index, expectation] of expectations.entries()) {
      const label = `${vector.id} [${way.name}] ${describe(expectation)}`;
      const policyFile = path.join(
        scratch,
        `${vector.id}-${way.name.replaceAll(/\W+/gu, '-')}-${index}.yaml`,
      );
      const problem = await findProblem({ registry, vector, way, expectation, policyFile });
      outcomes.push(problem === undefined ? { label } : { label, problem });
    }
    return outcomes;
  } finally {
    await registry.close();
  }
}

/** Puts a case into a registry. */
export function seed(registry: RegistryHandle, { layout, repository, tags, mediaTypes }: VectorCase): void {
  seedFromLayout(registry, repository, layout, tags);
  // A case recorded on a registry without the API brings its own index under the tag: the demo registry's must not hide it.
  for (const [digest, names] of tags) {
    const recorded = names.filter((name) => /^sha256-[0-9a-f]{64}$/u.test(name));
    const mediaType = mediaTypes.get(digest);
    if (recorded.length === 0 || mediaType === undefined) continue;
    registry.putManifest(repository, readBlob(layout, digest), mediaType, ...recorded);
  }
}

interface Check {
  readonly registry: RegistryHandle;
  readonly vector: VectorCase;
  readonly way: Way;
  readonly expectation: Expectation;
  readonly policyFile: string;
}

async function findProblem(check: Check): Promise<string | undefined> {
  const { registry, vector, way, expectation, policyFile } = check;
  const decision = decide(vector, expectation);
  if (decision === undefined) return 'nobody decided on this implementation-defined verdict';
  const expected = decision.accepts ? 'accepted' : 'rejected';
  const wanted = `expected to be ${expected}${decision.why === undefined ? '' : ` (${decision.why})`}`;
  const digest = expectation.trust.reference ?? vector.digest;
  const requestsBefore = registry.requests.length;
  try {
    writeFileSync(policyFile, toPolicyFile(vector, expectation));
    const answer = await askVerify({
      address: registry.address,
      reference: `${registry.address}/${vector.repository}@${digest}`,
      policyFile,
    });
    const wrong =
      findWrongVerdict(answer, decision.accepts) ??
      (decision.accepts
        ? findWrongProof(answer, digest, expectation)
        : findWrongReason(answer, findReasons(vector.id, way.name, expectation))) ??
      findWrongRequest(registry.requests.slice(requestsBefore), vector, digest);
    return wrong === undefined ? undefined : `${wanted}, ${wrong}`;
  } catch (error) {
    return `${wanted}, but the suite failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function findWrongVerdict({ allowed, findings }: Answer, accepts: boolean): string | undefined {
  if (allowed === accepts) return undefined;
  return allowed ? 'was accepted' : `was rejected: ${findings.map(({ message }) => message).join(' // ')}`;
}

// An acceptance must rest on this digest and on a signature of the format and identity that were asked for.
function findWrongProof(answer: Answer, digest: string, { method, trust }: Expectation): string | undefined {
  const reference = answer.references.find((judged) => judged.digest === digest);
  if (reference === undefined) return 'but the answer does not name the digest';
  const formats: readonly string[] = toSignatureFormats(method) ?? [];
  const { issuer = '', san = '', roots } = trust;
  const isProven = reference.signatures.some(
    (signature) =>
      formats.includes(signature.format) &&
      // A private PKI's issuer is the CA that its certificate names, about which a case says nothing.
      (roots === undefined ? signature.issuer === issuer : signature.issuer !== '') &&
      signature.subject === san,
  );
  return isProven ? undefined : `but on these signatures: ${JSON.stringify(reference.signatures)}`;
}

function findWrongReason({ findings }: Answer, expected: ReturnType<typeof findReasons>): string | undefined {
  const reasons = new Set(findings.map(({ reason }) => reason));
  const got = `but for ${[...reasons].join(', ') || 'no reason'}: ${findings.map(({ message }) => message).join(' // ')}`;
  if (reasons.size === 0 || [...reasons].some(blamesTheSetUp)) return got;
  if (expected === undefined) return undefined;
  const isRight =
    reasons.has(expected[0]) && [...reasons].every((reason) => expected.some((known) => known === reason));
  return isRight ? undefined : `for ${expected.join(', ')}, ${got}`;
}

// Weights are gigabytes: a verdict asks for manifests and signatures, and for no layer of the artifact.
function findWrongRequest(
  requests: readonly { readonly method: string; readonly path: string }[],
  vector: VectorCase,
  digest: string,
): string | undefined {
  const asked = requests.map(({ path: target }) => decodeURIComponent(target));
  if (!asked.some((target) => target.includes(`/manifests/${digest}`)))
    return 'but the registry was never asked for the manifest';
  const layers = readLayerDigests(vector.layout, digest);
  const weight = asked.find((target) => layers.some((layer) => target.includes(layer)));
  return weight === undefined ? undefined : `but a layer was requested: ${weight}`;
}

/** An expectation in a few words: method, and what distinguishes its trust. */
export function describe({ method, trust, verdict }: Expectation): string {
  const words = Object.entries(trust).map(([name, value]) => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    return `${name}=${shown}`;
  });
  return [method, ...words, `-> ${verdict}`].join(' ');
}
