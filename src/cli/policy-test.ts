// What does a policy test say? Reads files of kind PolicyTest: which policies, which recorded registries, and what each
// case must answer. Paths in it are relative to the file.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { compileSchema } from '../lib/own-schema.ts';
import { toErrorMessage, toRecord } from '../lib/text.ts';
import { DENIAL_REASONS } from '../reason.ts';
import { UsageError } from './arguments.ts';

/** Name of the files that hold tests, in any folder. */
export const POLICY_TEST_FILE = 'model-policy-test.yaml';
const API_VERSION = 'cli.modelpolicy.dev/v1alpha1';

/** What a case must answer; what is left out is not compared. */
export interface Expectation {
  readonly allowed: boolean;
  /** Exactly these reasons, in any order. */
  readonly reasons?: readonly string[];
  /** Each stands in one of the warnings. */
  readonly warnings?: readonly string[];
  /** Each stands in one of the findings that deny. */
  readonly messages?: readonly string[];
  /** Each stands in one of the findings that are only recorded. */
  readonly audits?: readonly string[];
}

/** One case: a reference as an image volume of a pod, or an object from a file. */
export interface PolicyCase {
  readonly name: string;
  readonly reference?: string;
  readonly object?: string;
  readonly oldObject?: string;
  readonly operation?: 'CREATE' | 'UPDATE';
  readonly subResource?: string;
  readonly namespace?: string;
  readonly expect: Expectation;
}

/** One file of tests. */
export interface PolicyTest {
  readonly path: string;
  readonly name: string;
  readonly policies: readonly string[];
  readonly recordings: readonly string[];
  readonly now: Date | undefined;
  readonly noMatchPolicy: 'Deny' | 'Warn' | 'Allow';
  readonly workloads: 'Warn' | 'Deny' | 'Off';
  readonly shortNames: 'Deny' | 'DockerHub';
  readonly cases: readonly PolicyCase[];
}

const text = { type: 'string', minLength: 1 };
const texts = { type: 'array', items: text };
const strict = (required: readonly string[], properties: object): object => ({
  type: 'object',
  required,
  properties,
  additionalProperties: false,
});

interface TestDocument {
  readonly metadata: { readonly name: string };
  readonly spec: Pick<PolicyTest, 'policies' | 'cases'> &
    Partial<Pick<PolicyTest, 'recordings' | 'noMatchPolicy' | 'workloads' | 'shortNames'>> & {
      readonly now?: string;
    };
}

const validate = compileSchema<TestDocument>(
  strict(['apiVersion', 'kind', 'metadata', 'spec'], {
    apiVersion: { const: API_VERSION },
    kind: { const: 'PolicyTest' },
    metadata: strict(['name'], { name: text }),
    spec: strict(['policies', 'cases'], {
      policies: { ...texts, minItems: 1 },
      recordings: texts,
      now: { type: 'string', pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$` },
      noMatchPolicy: { enum: ['Deny', 'Warn', 'Allow'] },
      workloads: { enum: ['Warn', 'Deny', 'Off'] },
      shortNames: { enum: ['Deny', 'DockerHub'] },
      cases: {
        type: 'array',
        minItems: 1,
        items: {
          ...strict(['name', 'expect'], {
            name: text,
            reference: text,
            object: text,
            oldObject: text,
            operation: { enum: ['CREATE', 'UPDATE'] },
            subResource: text,
            namespace: text,
            expect: strict(['allowed'], {
              allowed: { type: 'boolean' },
              reasons: { type: 'array', items: { enum: DENIAL_REASONS } },
              warnings: texts,
              messages: texts,
              audits: texts,
            }),
          }),
          oneOf: [{ required: ['reference'] }, { required: ['object'] }],
        },
      },
    }),
  }),
);

/** Finds the test files under directories; a path to a file is taken as it is. @throws UsageError */
export function findPolicyTests(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    try {
      if (!statSync(path).isDirectory()) return [path];
      const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
      return names
        .filter((name) => name.split(/[/\\]/).at(-1) === POLICY_TEST_FILE)
        .toSorted()
        .map((name) => join(path, name));
    } catch {
      throw new UsageError(`cannot read ${path}`);
    }
  });
}

/** Reads one test file. @throws UsageError naming the file, and the place where that is known */
export function readPolicyTest(path: string): PolicyTest {
  const { metadata, spec } = readTestDocument(path);
  const {
    now,
    cases,
    recordings = [],
    noMatchPolicy = 'Deny',
    workloads = 'Deny',
    shortNames = 'Deny',
  } = spec;
  const here = (file: string): string => resolve(dirname(path), file);
  return {
    path,
    name: metadata.name,
    policies: spec.policies.map(here),
    recordings: recordings.map(here),
    now: now === undefined ? undefined : new Date(now),
    noMatchPolicy,
    workloads,
    shortNames,
    cases: cases.map((entry) => ({
      ...entry,
      ...(entry.object !== undefined && { object: here(entry.object) }),
      ...(entry.oldObject !== undefined && { oldObject: here(entry.oldObject) }),
    })),
  };
}

function readTestDocument(path: string): TestDocument {
  const document = parseDocument(readText(path), { uniqueKeys: true });
  const [fault] = document.errors;
  if (fault !== undefined) throw new UsageError(`${path}: ${fault.message.split('\n')[0] ?? ''}`);
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  if (validate(value)) return value;
  throw new UsageError(`${path}: ${describeFault()}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${toErrorMessage(error)}`);
  }
}

function describeFault(): string {
  const [fault] = validate.errors ?? [];
  const { additionalProperty, allowedValues } = toRecord(fault?.params);
  const detail = additionalProperty ?? allowedValues;
  const where = (fault?.instancePath ?? '').slice(1).replaceAll('/', '.');
  return `${where} ${fault?.message ?? 'is invalid'}${detail === undefined ? '' : ` ${JSON.stringify(detail)}`}`.trim();
}
