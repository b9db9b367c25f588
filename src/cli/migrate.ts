// What becomes of policy-controller's policies? Reads them from files, prints ours with what differs above each, and
// says every difference again in a list.
import { writeFileSync } from 'node:fs';
import { Document, parseAllDocuments } from 'yaml';
import type { OptionValues } from '../config.ts';
import { boundBytes, isRecord, toErrorMessage, toRecord, toText } from '../lib/text.ts';
import { MIGRATE_OPTIONS } from '../options.ts';
import { createCelEngine } from '../policy/cel/engine.ts';
import {
  migrate,
  toOldKind,
  type CheckMigrated,
  type MigratedObject,
  type OldObject,
} from '../policy/migrate/migrate.ts';
import type { Difference } from '../policy/migrate/difference.ts';
import { createPolicyStore } from '../policy/store.ts';
import { textOf, UsageError, type CommandSpec } from './arguments.ts';
import type { Output } from './output.ts';
import { readPolicyFiles } from './policy-files.ts';
import { createTrustAccess } from './trust-access.ts';

/** The command line of migrate. */
export const MIGRATE: CommandSpec = {
  name: 'migrate',
  summary:
    'Turns ClusterImagePolicies of policy-controller into ClusterModelPolicies. Exit code 0: all translated; 1: something is denied until it is translated by hand; 2: usage.',
  positional: 'FILE…',
  options: MIGRATE_OPTIONS,
};

/** Runs migrate. @returns the exit code @throws UsageError */
export async function runMigrate(
  values: OptionValues,
  positionals: readonly string[],
  output: Output,
): Promise<number> {
  if (positionals.length === 0)
    throw new UsageError('migrate takes the files that hold ClusterImagePolicies');
  const objects = positionals.flatMap((path) => readOldObjects(path, output));
  const migrated = await migrateChecked(objects);
  const text = renderMigrated(migrated);
  const out = textOf(values, 'out');
  if (out === undefined) output.answer(text.trimEnd());
  else write(out, text);
  const say = (line: string): void => (out === undefined ? output.note(line) : output.answer(line));
  const differences = migrated.flatMap(({ name, kind, differences: own }) =>
    own.map((difference) => ({ difference, of: `${kind} ${name}` })),
  );
  for (const { difference, of } of differences) say(`${of}: ${describe(difference)}`);
  return differences.some(({ difference }) => difference.effect === 'Denies') ? 1 : 0;
}

/** Translates with the compiler of the webhook, which knows nothing but the objects themselves. */
export async function migrateChecked(objects: readonly OldObject[]): Promise<readonly MigratedObject[]> {
  const access = createTrustAccess({ offline: true }, () => undefined);
  try {
    const store = createPolicyStore(createCelEngine(), 'model-policy-system', access.trust);
    // What an object names and is not there is a difference of its own, and no fault.
    const check: CheckMigrated = (kind, name, object) =>
      store.check(kind, name, object).faults.map(({ field, message }) => `${field}: ${message}`);
    return migrate(objects, check);
  } finally {
    await access.close();
  }
}

function readOldObjects(path: string, output: Output): readonly OldObject[] {
  const [file] = readPolicyFiles([path]);
  if (file?.text === undefined) throw new UsageError(`cannot read ${path}`);
  const objects: OldObject[] = [];
  for (const object of parse(path, file.text)) {
    const kind = toOldKind(object);
    const name = toText(toRecord(object['metadata'])['name']) ?? '';
    if (kind === undefined || name === '')
      output.note(
        `Warning: ${path}: ${JSON.stringify(toText(object['kind']) ?? '')} ${JSON.stringify(name)} is not translated`,
      );
    else objects.push({ kind, name, object });
  }
  if (objects.length === 0)
    throw new UsageError(`${path} holds no ClusterImagePolicy and no TrustRoot of policy-controller`);
  return objects;
}

function parse(path: string, text: string): readonly Record<string, unknown>[] {
  try {
    return parseAllDocuments(text, { uniqueKeys: true }).flatMap((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) throw new UsageError(`${path}: ${fault.message.split('\n')[0] ?? ''}`);
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      if (value === null || value === undefined) return [];
      if (!isRecord(value)) throw new UsageError(`${path}: a document is no object`);
      return [value];
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // Aliases, and nesting that ends the stack of the YAML library.
    throw new UsageError(`${path}: ${toErrorMessage(error)}`);
  }
}

const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const MAX_SOURCE_BYTES = 16_384;

/** The YAML of what was made, each object below what differs. */
export function renderMigrated(migrated: readonly MigratedObject[]): string {
  return migrated
    .map(({ kind, name, from, object, differences }) => {
      const heading = from === undefined ? `${kind} ${name}, which policies name` : `from ${from} ${name}`;
      const comment = [heading, ...differences.flatMap(toComment)].map((line) => ` ${line}`).join('\n');
      if (object === undefined) return `${comment.replaceAll(/^/gm, '#')}\n`;
      const document = new Document(object, { aliasDuplicateObjects: false });
      document.commentBefore = comment;
      return document.toString({ lineWidth: 0 });
    })
    .join('---\n');
}

function toComment(difference: Difference): readonly string[] {
  const source = boundBytes(difference.source ?? '', MAX_SOURCE_BYTES).trimEnd();
  const lines = source === '' ? [] : source.split(/\r?\n/);
  return [
    describe(difference),
    ...lines.map((line) => `  | ${line.replaceAll('\t', '  ').replaceAll(CONTROL, '\ufffd')}`),
  ];
}

function describe({ effect, field, message }: Difference): string {
  const text = `${effect}: ${field}: ${message}`;
  return (effect === 'Denies' ? `TODO ${text}` : text)
    .replaceAll(/\s*\n\s*/g, ' | ')
    .replaceAll(CONTROL, '\ufffd');
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${toErrorMessage(error)}`);
  }
}
