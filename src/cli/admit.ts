// Would the server admit this object? Posts AdmissionReviews as the API server does and prints what kubectl would.
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { getCACertificates } from 'node:tls';
import { Agent, request } from 'undici';
import { parseAllDocuments } from 'yaml';
import { MAX_REVIEW_BYTES, REVIEW_API_VERSION } from '../admission/review.ts';
import { type OptionValues } from '../config.ts';
import { ADMIT_OPTIONS } from '../options.ts';
import { parseStrictJson, StrictJsonError } from '../lib/strict-json.ts';
import { isRecord, toArray, toErrorMessage, toRecord, toText } from '../lib/text.ts';
import { textOf, UsageError, type CommandSpec } from './arguments.ts';
import type { JsonVerdict } from './json-verdict.ts';
import type { Output } from './output.ts';
import { readPolicyFiles } from './policy-files.ts';
import { readNamedFile } from './registry-transport.ts';

/** The command line of admit. */
export const ADMIT: CommandSpec = {
  name: 'admit',
  summary:
    'Asks a running server about the objects of FILEs. Exit code 0: admitted; 1: denied; 2: usage or no server.',
  positional: 'FILE…',
  options: ADMIT_OPTIONS,
};

const REQUEST_TIMEOUT_MS = 30_000;
const SERVER_TIMEOUT = '10s';
/** The name that the shipped webhook configuration has, so that the text is kubectl's. */
const WEBHOOK_NAME = 'validate.modelpolicy.dev';

interface KubernetesObject {
  readonly file: string;
  readonly object: Record<string, unknown>;
}

/** Runs admit. @returns the highest exit code of all objects @throws UsageError */
export async function runAdmit(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  if (positionals.length === 0) throw new UsageError('admit takes at least one FILE');
  const objects = readObjects(positionals);
  // Nothing asked is nothing admitted.
  if (objects.length === 0) throw new UsageError('the files hold no objects');
  const caPath = textOf(values, 'ca');
  const ca =
    caPath === undefined ? getCACertificates('default') : [readNamedFile(caPath, 'CA').toString('utf8')];
  const agent = new Agent({ connect: { ca } });
  let exitCode = 0;
  try {
    for (const entry of objects) {
      const started = performance.now();
      const response = await ask(entry.object, values, agent);
      const verdict = toVerdict(response, performance.now() - started);
      print(entry, verdict, { output, isJson: values['json'] === true, response });
      exitCode = Math.max(exitCode, verdict.allowed ? 0 : 1);
    }
  } finally {
    await agent.close();
  }
  return exitCode;
}

function readObjects(files: readonly string[]): readonly KubernetesObject[] {
  return readPolicyFiles(files).flatMap(({ path, text }) => {
    if (text === undefined) throw new UsageError(`cannot read ${path}`);
    return parseObjects(text, path).flatMap((object) => {
      if (object === null || object === undefined) return [];
      const isList = isRecord(object) && (toText(object['kind']) ?? '').endsWith('List');
      const items = isList ? toArray(object['items']) : [object];
      return items.map((item) => {
        if (!isRecord(item) || toText(item['kind']) === undefined)
          throw new UsageError(`${path}: a document is no Kubernetes object`);
        return { file: path, object: item };
      });
    });
  });
}

function parseObjects(text: string, path: string): readonly unknown[] {
  try {
    return parseAllDocuments(text).map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      return document.toJS() as unknown;
    });
  } catch (error) {
    // Also aliases without end, and nesting that ends the library's stack.
    throw new UsageError(`${path}: YAML does not parse: ${toErrorMessage(error).split('\n')[0] ?? ''}`);
  }
}

function toReview(object: Record<string, unknown>, values: OptionValues): object {
  const metadata = toRecord(object['metadata']);
  const namespace = toText(metadata['namespace']) ?? textOf(values, 'namespace');
  const kind = toGroupVersionKind(object);
  const resource = { group: kind.group, version: kind.version, resource: `${kind.kind.toLowerCase()}s` };
  const isDelete = textOf(values, 'operation') === 'DELETE';
  const named = { ...object, metadata: { ...metadata, namespace } };
  return {
    apiVersion: REVIEW_API_VERSION,
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: metadata['name'],
      namespace,
      operation: textOf(values, 'operation'),
      userInfo: { username: 'model-policy admit', groups: ['system:authenticated'] },
      object: isDelete ? null : named,
      oldObject: isDelete ? named : null,
      dryRun: true,
    },
  };
}

function toGroupVersionKind(object: Record<string, unknown>): {
  group: string;
  version: string;
  kind: string;
} {
  const [version = '', group = ''] = (toText(object['apiVersion']) ?? '').split('/').toReversed();
  return { group, version, kind: toText(object['kind']) ?? '' };
}

async function ask(
  object: Record<string, unknown>,
  values: OptionValues,
  agent: Agent,
): Promise<Record<string, unknown>> {
  const server = textOf(values, 'server') ?? '';
  let body: Buffer;
  let status: number;
  try {
    const response = await request(new URL(`/validate?timeout=${SERVER_TIMEOUT}`, server), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(toReview(object, values)),
      dispatcher: agent,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    status = response.statusCode;
    body = Buffer.from(await response.body.arrayBuffer());
  } catch (error) {
    throw new UsageError(
      `${server} cannot be asked: ${error instanceof Error ? error.message || error.name : String(error)}`,
    );
  }
  const answer = status === 200 ? readAnswer(body) : {};
  if (typeof answer['allowed'] !== 'boolean')
    throw new UsageError(`${server} answered ${status} and no AdmissionReview`);
  return answer;
}

function readAnswer(body: Buffer): Record<string, unknown> {
  try {
    return toRecord(toRecord(parseStrictJson(body, MAX_REVIEW_BYTES))['response']);
  } catch (error) {
    if (error instanceof StrictJsonError) return {};
    throw error;
  }
}

function toVerdict(response: Record<string, unknown>, totalMs: number): JsonVerdict {
  const causes = toArray(toRecord(toRecord(response['status'])['details'])['causes']).map(toRecord);
  const policies =
    toText(toRecord(response['auditAnnotations'])['modelpolicy.dev/policies'])?.split(',') ?? [];
  return {
    allowed: response['allowed'] === true,
    findings: causes.map(({ reason, message, field }) => ({
      reason: toText(reason) ?? '',
      message: toText(message) ?? '',
      field: toText(field) ?? null,
      policy: null,
      authority: null,
    })),
    warnings: toArray(response['warnings']).filter(
      (warning): warning is string => typeof warning === 'string',
    ),
    references: [],
    policies,
    durationsMs: { total: Math.round(totalMs * 1000) / 1000 },
  };
}

interface Printing {
  readonly output: Output;
  readonly isJson: boolean;
  readonly response: Record<string, unknown>;
}

function print(
  { file, object }: KubernetesObject,
  verdict: JsonVerdict,
  { output, isJson, response }: Printing,
): void {
  if (isJson) {
    output.answer(JSON.stringify(verdict));
    return;
  }
  for (const warning of verdict.warnings) output.note(`Warning: ${warning}`);
  const kind = (toText(object['kind']) ?? '').toLowerCase();
  const name = toText(toRecord(object['metadata'])['name']) ?? '';
  const { reason, message } = toRecord(response['status']);
  output.answer(
    verdict.allowed
      ? `${kind}/${name} admitted`
      : `Error from server (${toText(reason) ?? 'Forbidden'}): error when creating "${basename(file)}": admission webhook "${WEBHOOK_NAME}" denied the request: ${toText(message) ?? ''}`,
  );
}
