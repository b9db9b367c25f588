// What does the registry say about this model? Captures every answer that judging a reference takes, for `test`.
import { writeFileSync } from 'node:fs';
import { gatherAll, type GatheredUse } from '../admission/gathered.ts';
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import type { EvidenceWish, SignatureRepository } from '../evidence/signature-repository.ts';
import { DEFAULT_TIMEOUT_MS } from '../admission/handle.ts';
import { type OptionValues } from '../config.ts';
import { RECORD_OPTIONS } from '../options.ts';
import { toErrorMessage } from '../lib/text.ts';
import type { ModelReference } from '../model/model-reference.ts';
import { parseReference, type ShortNames } from '../model/reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import { createRecordingClient } from '../registry/recorded-client.ts';
import { encodeRecording, type RecordedAnswer } from '../registry/recording.ts';
import { listOf, textOf, UsageError, type CommandSpec } from './arguments.ts';
import type { Output } from './output.ts';
import { createRegistryAccess } from './registry-access.ts';

/** The command line of record. */
export const RECORD: CommandSpec = {
  name: 'record',
  summary:
    'Captures what the registry says about REF, for model-policy test. Exit code 0: recorded; 1: recorded that it cannot be had; 2: usage.',
  positional: 'REF',
  options: RECORD_OPTIONS,
};

/** The controller's own credentials alone. */
const NOBODY = { namespace: '', secrets: [] };

/** Runs record. @returns the exit code @throws UsageError */
export async function runRecord(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  const [text, ...others] = positionals;
  if (text === undefined || others.length > 0) throw new UsageError('record takes one REF');
  const parsed = parseReference(text, textOf(values, 'short-names') as ShortNames);
  if (!parsed.ok) throw new UsageError(`${text}: ${parsed.problem}`);
  const repositories = listOf(values, 'signature-repository').map(toRepository);
  const { openClient, openSignatureClient, transport } = createRegistryAccess(values, {
    observeRegistryRequest() {},
    observeCache() {},
  });
  const recording = new Map<string, RecordedAnswer>();
  let code = 0;
  const use = { reference: parsed.reference, source: 'ImageVolume' as const, fieldPath: '' };
  try {
    const signal = AbortSignal.timeout(DEFAULT_TIMEOUT_MS);
    const elsewhere = repositories.map((repository) => ({
      repository,
      client: createRecordingClient(openSignatureClient(repository), recording),
    }));
    const client = createRecordingClient(openClient(NOBODY), recording);
    const gathered = await gatherEverything(client, use, signal, elsewhere);
    if (gathered?.problem !== undefined) {
      code = 1;
      output.note(`Warning: ${gathered.problem.reason}: ${gathered.problem.message}`);
    }
    for (const { reason, message } of toProblems(gathered?.evidence))
      output.note(`Warning: ${reason}: ${message}`);
  } finally {
    await transport.close();
  }
  write(textOf(values, 'out'), encodeRecording(recording), output);
  return code;
}

/**
 * Asks what any policy can make the server ask about a use: with attestations and without, since they share a limit on
 * what is read. @returns the answer with attestations
 */
export async function gatherEverything(
  client: RegistryClient,
  use: ModelReference,
  signal: AbortSignal,
  elsewhere: readonly Pick<EvidenceWish['elsewhere'][number], 'repository' | 'client'>[] = [],
): Promise<GatheredUse | undefined> {
  const toWish = (wantsAttestations: boolean): EvidenceWish => ({
    wantsOwn: true,
    wantsAttestations,
    elsewhere: elsewhere.map((place) => ({ ...place, wantsAttestations })),
  });
  await gatherAll(client, [use], signal, () => toWish(false));
  return (await gatherAll(client, [use], signal, () => toWish(true))).get(use);
}

function toRepository(text: string): SignatureRepository {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new UsageError(`--signature-repository ${text}: ${parsed.problem}`);
  const { registry, repository, tag, digest } = parsed.reference;
  if (tag !== undefined || digest !== undefined)
    throw new UsageError(`--signature-repository ${text}: it has a tag or digest`);
  return { id: `${registry}/${repository}`, registry, repository, credentials: [] };
}

function toProblems(evidence: Evidence | undefined): readonly EvidenceProblem[] {
  if (evidence === undefined) return [];
  return [evidence, ...(evidence.elsewhere?.values() ?? [])].flatMap(({ problems, tagged }) => [
    ...problems,
    ...(tagged?.problems ?? []),
  ]);
}

function write(path: string | undefined, text: string, output: Output): void {
  if (path === undefined) {
    output.answer(text.trimEnd());
    return;
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${toErrorMessage(error)}`);
  }
  output.note(`recorded in ${path}`);
}
