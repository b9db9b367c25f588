// Can an administrator read everything with kubectl explain, and can the API server bound what its rules cost?
import assert from 'node:assert/strict';
import { toCustomResourceDefinitions } from '../../src/policy/crd.ts';
import type { Schema } from '../../src/policy/schema.ts';

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly [
      {
        readonly subresources: object;
        readonly additionalPrinterColumns: readonly {
          readonly name: string;
          readonly type: string;
          readonly jsonPath: string;
        }[];
        readonly schema: { readonly openAPIV3Schema: Schema };
      },
    ];
  };
}

function* nodesOf(schema: Schema, path: string): Generator<{ path: string; schema: Schema }> {
  yield { path, schema };
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    yield* nodesOf(child, `${path}.${name}`);
  if (schema.items !== undefined) yield* nodesOf(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) yield* nodesOf(schema.additionalProperties, `${path}{}`);
}

const isBounded = (schema: Schema): boolean => {
  if (schema.type === 'array') return schema.maxItems !== undefined;
  if (schema.type === 'string') return schema.maxLength !== undefined || schema.enum !== undefined;
  if (schema.type === 'integer') return schema.minimum !== undefined;
  return schema.additionalProperties === undefined || schema.maxProperties !== undefined;
};

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  ClusterModelPolicy: ['Actions', 'Ready', 'Reason', 'Age'],
  ModelPolicy: ['Actions', 'Ready', 'Reason', 'Age'],
  TrustRoot: ['Source', 'Expires', 'Ready'],
  ModelPolicyException: ['Expires', 'Active'],
};

describe('toCustomResourceDefinitions()', () => {
  for (const definition of toCustomResourceDefinitions().values()) {
    const { names, versions } = (definition as Definition).spec;
    const [{ schema, subresources, additionalPrinterColumns: columns }] = versions;
    const root = schema.openAPIV3Schema;
    const nodes = [...nodesOf(root, names.kind)];

    it(`describes every field of ${names.kind} in a sentence`, () => {
      const silent = nodes.filter(
        ({ path, schema: node }) =>
          /\w$/.test(path) &&
          path !== `${names.kind}.metadata` &&
          !/^[A-Z].{4,}\.$/s.test(node.description ?? ''),
      );
      assert.deepEqual(
        silent.map(({ path }) => path),
        [],
      );
      assert.ok(nodes.length > 20, `${nodes.length} fields`);
    });

    it(`says nothing about the metadata of ${names.kind}, as the API server demands`, () => {
      assert.deepEqual(root.properties?.['metadata'], { type: 'object' });
    });

    it(`bounds every list, text and map of ${names.kind}`, () => {
      const inside = nodes.filter(({ path }) => /\.(spec|status)\b/.test(path));
      assert.deepEqual(
        inside.filter(({ schema: node }) => !isBounded(node)).map(({ path }) => path),
        [],
      );
    });

    it(`lets ${names.kind} have a status that only the controller writes`, () => {
      assert.deepEqual(subresources, { status: {} });
      const { properties = {} } = root.properties?.['status'] ?? {};
      assert.ok('observedGeneration' in properties && 'conditions' in properties);
      assert.deepEqual(properties['conditions']?.['x-kubernetes-list-map-keys'], ['type']);
    });

    it(`shows ${COLUMNS[names.kind]?.join(', ') ?? 'columns'} of ${names.kind}, each from a field that exists`, () => {
      assert.deepEqual(
        columns.map(({ name }) => name),
        COLUMNS[names.kind],
      );
      for (const { jsonPath, type } of columns) {
        // kubectl prints a date ahead of now as <invalid>.
        assert.equal(type, jsonPath === '.metadata.creationTimestamp' ? 'date' : 'string');
        const steps = jsonPath
          .replace(/\[\?\(.*?\)\]/, '[]')
          .split('.')
          .slice(1);
        if (steps[0] === 'metadata') continue;
        const path = [names.kind, ...steps].join('.');
        assert.ok(
          nodes.some((node) => node.path === path),
          path,
        );
      }
    });
  }
});
