// Does the command line give the documented verdict for the documented reason, at the price that is promised? Serves one
// case one way, asks for each expectation, and holds what was requested to the limits.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { isIndex, readLayerDigests, type Expectation, type VectorCase } from './cases.ts';
import { askVerify, type Answer } from './command-line.ts';
import type { Cost, Place, Way } from './places.ts';
import { toAttestationFormat, toPolicyFile, toSignatureFormats } from './policy-for-case.ts';
import { decide } from './postponed.ts';
import { PushError } from './push-layout.ts';
import { blamesTheSetUp, findReasons } from './reasons.ts';

/** A round of requests is over when nothing arrived for so long; a busy machine gets a second, patient measurement. */
const QUIET_MS = 30;
const PATIENT_QUIET_MS = 1000;
/** Manifest with referrers and tag, manifests of the referrers, signatures. */
const MAX_ROUNDS = 3;

/** One case served one way, with the numbered expectations to ask. */
export interface Round {
  readonly vector: VectorCase;
  readonly way: Way;
  readonly expectations: readonly Expectation[];
}

/** One verdict that was asked for; `problem` says how it went wrong, `refusal` why it could not be asked. */
export interface Outcome {
  readonly label: string;
  readonly problem?: string;
  readonly refusal?: string;
  readonly cost?: Cost;
}

/** Asks for every expectation of a round. @param scratch directory for policy files */
export async function runRound(round: Round, scratch: string): Promise<readonly Outcome[]> {
  const { vector, way, expectations } = round;
  let place: Place;
  try {
    place = await way.open(vector);
  } catch (error) {
    if (error instanceof PushError) return [{ label: `${vector.id} [${way.name}]`, refusal: error.message }];
    throw error;
  }
  try {
    const outcomes: Outcome[] = [];
    for (const [index, expectation] of expectations.entries()) {
      const label = `${vector.id} [${way.name}] ${describe(expectation)}`;
      const policyFile = path.join(
        scratch,
        `${vector.id}-${way.name.replaceAll(/\W+/gu, '-')}-${index}.yaml`,
      );
      outcomes.push({ label, ...(await runCheck({ place, vector, expectation, policyFile })) });
    }
    return outcomes;
  } finally {
    await place.close();
  }
}

interface Check {
  readonly place: Place;
  readonly vector: VectorCase;
  readonly expectation: Expectation;
  readonly policyFile: string;
}

async function runCheck(check: Check): Promise<Omit<Outcome, 'label'>> {
  const { place, vector, expectation, policyFile } = check;
  const decision = decide(vector, expectation);
  if (decision === undefined) return { problem: 'nobody decided on this implementation-defined verdict' };
  const expected = decision.accepts ? 'accepted' : 'rejected';
  const wanted = `expected to be ${expected}${decision.why === undefined ? '' : ` (${decision.why})`}`;
  const digest = expectation.trust.reference ?? vector.digest;
  try {
    writeFileSync(policyFile, toPolicyFile(vector, expectation));
    const { value: answer, cost } = await ask(check, digest);
    const wrong =
      findWrongVerdict(answer, decision.accepts) ??
      (decision.accepts
        ? findWrongProof(answer, digest, expectation)
        : findWrongReason(answer, findReasons(vector.id, place.discovery, expectation))) ??
      (cost === undefined ? undefined : findWrongCost(cost, check, digest));
    return { ...(wrong !== undefined && { problem: `${wanted}, ${wrong}` }), ...(cost && { cost }) };
  } catch (error) {
    return {
      problem: `${wanted}, but the suite failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

async function ask(check: Check, digest: string): Promise<Asked> {
  const { address, repository } = check.place;
  const count = (quietMs: number, run: () => Promise<Answer>): Promise<Asked> =>
    check.place.count(quietMs, run);
  const reference = `${address}/${repository}@${digest}`;
  const verify = (): Promise<Answer> => askVerify({ address, reference, policyFile: check.policyFile });
  const quick = await count(QUIET_MS, verify);
  return quick.cost !== undefined && quick.cost.rounds > findMaxRounds(check, digest)
    ? count(PATIENT_QUIET_MS, verify)
    : quick;
}

interface Asked {
  readonly value: Answer;
  readonly cost: Cost | undefined;
}

// A registry without the API is asked for its tag next; what is behind an index is known when the index is.
function findMaxRounds({ place, vector }: Check, digest: string): number {
  const isByTag = place.discovery === 'tag schema';
  return MAX_ROUNDS + (isByTag ? 1 : 0) + (isIndex(vector.layout, digest) ? 1 : 0);
}

function findWrongCost(cost: Cost, check: Check, digest: string): string | undefined {
  const maxRounds = findMaxRounds(check, digest);
  if (cost.rounds > maxRounds)
    return `but the registry was waited for ${cost.rounds} times in a row, not ${maxRounds}`;
  const paths = cost.requests.map((request) => request.path);
  const repeated = paths.find((target, index) => paths.indexOf(target) !== index);
  if (repeated !== undefined) return `but this was requested twice: ${repeated}`;
  return findWrongRequest(cost.requests, check.vector, digest);
}

function findWrongVerdict({ allowed, findings }: Answer, accepts: boolean): string | undefined {
  if (allowed === accepts) return undefined;
  return allowed ? 'was accepted' : `was rejected: ${findings.map(({ message }) => message).join(' // ')}`;
}

// An acceptance must rest on this digest and on a signature of the format and identity that were asked for.
function findWrongProof(answer: Answer, digest: string, { method, trust }: Expectation): string | undefined {
  const reference = answer.references.find((judged) => judged.digest === digest);
  if (reference === undefined) return 'but the answer does not name the digest';
  const wanted = toAttestationFormat(method);
  const formats: readonly string[] = wanted === undefined ? (toSignatureFormats(method) ?? []) : [wanted];
  const proofs =
    wanted === undefined
      ? reference.signatures
      : (reference.attestations ?? []).filter(({ predicateType }) => predicateType === trust.predicateType);
  const { issuer = '', san = '', roots } = trust;
  const isProven = proofs.some(
    (signature) =>
      formats.includes(signature.format) &&
      // A private PKI's issuer is the CA that its certificate names, about which a case says nothing.
      (roots === undefined ? signature.issuer === issuer : signature.issuer !== '') &&
      signature.subject === san,
  );
  return isProven ? undefined : `but on these: ${JSON.stringify(proofs)}`;
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
