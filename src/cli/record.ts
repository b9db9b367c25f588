// What does the registry say about this model? Captures every answer that judging a reference takes, for `test`.
import { writeFileSync } from 'node:fs';
import { gatherAll } from '../admission/gathered.ts';
import type { Evidence, EvidenceProblem } from '../evidence/evidence.ts';
import type { EvidenceWish, SignatureRepository } from '../evidence/signature-repository.ts';
import { DEFAULT_TIMEOUT_MS } from '../admission/handle.ts';
import { type OptionValues } from '../config.ts';
import { RECORD_OPTIONS } from '../options.ts';
import { toErrorMessage } from '../lib/text.ts';
import { parseReference, type ShortNames } from '../model/reference.ts';
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
    // Nobody knows what the policies will demand: attestations are recorded wherever signatures are.
    const wish: EvidenceWish = {
      wantsOwn: true,
      wantsAttestations: true,
      elsewhere: repositories.map((repository) => ({
        repository,
        client: createRecordingClient(openSignatureClient(repository), recording),
        wantsAttestations: true,
      })),
    };
    const client = createRecordingClient(openClient(NOBODY), recording);
    const gathered = (await gatherAll(client, [use], signal, () => wish)).get(use);
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
